//! A deadline that an operator fills in.
use super::at;
use proptest::prelude::*;
use waitpoint::domain::inbox::deadline::parse_deadline;
use waitpoint::domain::time::timestamp::Timestamp;

#[test]
fn a_deadline_is_read_as_browsers_and_people_write_it() {
    let half_past_two = Some(at(1_801_405_800_000));
    for (text, expected) in [
        ("2027-01-31T14:30", half_past_two),
        ("2027-01-31T14:30:00", half_past_two),
        ("2027-01-31T14:30:00.000", half_past_two),
        (" 2027-01-31 14:30 ", half_past_two),
        ("2027-01-31T14:30Z", half_past_two),
        ("", None),
        ("Z", None),
        ("tomorrow", None),
        ("2027-01-31", None),
        ("2027-01-31T25:00", None),
        ("2027-02-30T14:30", None),
        // It is in UTC.
        ("2027-01-31T14:30+02:00", None),
        ("14:30", None),
        ("1801405800000", None),
    ] {
        assert_eq!(parse_deadline(text), expected, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_the_page_fills_in_is_read_again(minutes in 0..4_223_371_680_u64, text in any::<String>()) {
        let time = Timestamp::from_millis(minutes * 60_000);
        let text_of_time = time.to_string();
        prop_assert_eq!(parse_deadline(&text_of_time[.."2027-01-31T14:30".len()]), Some(time));
        let _ = parse_deadline(&text);
    }
}
