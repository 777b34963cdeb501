//! Months.
use super::{MAX, NOW, at};
use proptest::prelude::*;
use waitpoint::domain::list::month::Month;
use waitpoint::domain::time::timestamp::Timestamp;

#[test]
fn a_month_is_text_that_sorts() {
    assert_eq!(Month::of(at(NOW)).as_str(), "2026-09");
    assert_eq!(Month::of(at(0)).to_string(), "1970-01");
    assert_eq!(Month::of(Timestamp::MAX).as_str(), "9999-12");
    assert!(Month::parse("2026-09") < Month::parse("2026-10"));
    assert!(Month::parse("2026-12") < Month::parse("2027-01"));
    for text in [
        "",
        "2026",
        "2026-13",
        "2026-00",
        "2026-9",
        "26-09",
        "2026-09-",
        "2026-09-26",
        "é",
    ] {
        assert_eq!(Month::parse(text), None, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_month_is_the_beginning_of_a_date(millis in 0..=MAX, other in 0..=MAX) {
        let month = Month::of(at(millis));
        prop_assert!(at(millis).to_string().starts_with(month.as_str()));
        prop_assert_eq!(Month::parse(month.as_str()), Some(month.clone()));
        if millis <= other {
            prop_assert!(month <= Month::of(at(other)));
        }
    }
}
