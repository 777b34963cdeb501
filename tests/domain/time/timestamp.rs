//! Instants and ISO 8601.
use super::{DAY, MAX, at, iso};
use proptest::prelude::*;
use waitpoint::domain::time::timestamp::Timestamp;

#[test]
fn seconds_are_rounded_down() {
    assert_eq!(at(1_999).as_secs(), 1);
    assert_eq!(at(2_000).as_secs(), 2);
}

#[test]
fn dates_are_read_as_ecmascript_reads_them() {
    for (text, expected) in [
        ("1970-01-01", "1970-01-01T00:00:00.000Z"),
        ("2031-01-05", "2031-01-05T00:00:00.000Z"),
        ("2031-01-05T10:00", "2031-01-05T10:00:00.000Z"),
        ("2031-01-05T10:00Z", "2031-01-05T10:00:00.000Z"),
        ("2031-01-05T10:00:07Z", "2031-01-05T10:00:07.000Z"),
        ("2031-01-05T10:00:07.5Z", "2031-01-05T10:00:07.500Z"),
        ("2031-01-05T10:00:07.05Z", "2031-01-05T10:00:07.050Z"),
        ("2031-01-05T10:00:07.123456789Z", "2031-01-05T10:00:07.123Z"),
        ("2031-01-05T10:00:00.000+02:00", "2031-01-05T08:00:00.000Z"),
        ("2031-01-05T10:00-05:30", "2031-01-05T15:30:00.000Z"),
        ("2031-01-01T00:30+01:00", "2030-12-31T23:30:00.000Z"),
        ("2031-01-05T10:00+23:59", "2031-01-04T10:01:00.000Z"),
        ("2031-01-05T10:00-00:00", "2031-01-05T10:00:00.000Z"),
        ("2031-12-31T24:00", "2032-01-01T00:00:00.000Z"),
        ("2031-01-05T24:00:00.000Z", "2031-01-06T00:00:00.000Z"),
        ("1969-12-31T23:00-01:00", "1970-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(iso(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn what_is_no_date_is_none() {
    for text in [
        "",
        "T",
        "-",
        "--",
        "2031-1-5",
        "31-01-05",
        "2031-01-05-",
        "2031-00-01",
        "2031-13-01",
        "2031-01-00",
        "2031-01-32",
        "+2031-01-05",
        "10000-01-01",
        "+010000-01-01",
        "-000001-01-01",
        "0000-01-01",
        "1969-12-31",
        "1970-01-01T00:00+00:01",
        "9999-12-31T24:00",
        "9999-12-31T23:59:59.999-00:01",
        "2031-01-05 10:00",
        " 2031-01-05",
        "2031-01-05T",
        "2031-01-05Z",
        "2031-01-05T10",
        "2031-01-05T10:0",
        "2031-01-05T1:00",
        "2031-01-05T25:00",
        "2031-01-05T24:01",
        "2031-01-05T24:00:01",
        "2031-01-05T24:00:00.001",
        "2031-01-05T10:60",
        "2031-01-05T23:59:60Z",
        "2031-01-05T10:00:00:00",
        "2031-01-05T10:00:00.1234567890Z",
        "2031-01-05T10:00:00.1.2Z",
        "2031-01-05T10:00:00,5Z",
        "2031-01-05T10:00ZZ",
        "2031-01-05T10:00Z+01:00",
        "2031-01-05T10:00+",
        "2031-01-05T10:00+02",
        "2031-01-05T10:00+0200",
        "2031-01-05T10:00+24:00",
        "2031-01-05T10:00+02:60",
        "2031-01-05T10:00+02:00:00",
        "２０３１-01-05",
    ] {
        assert_eq!(iso(text), None, "{text:?}");
    }
}

#[test]
fn a_fraction_that_begins_has_a_digit() {
    assert_eq!(iso("2031-01-05T10:00:00."), None);
    assert_eq!(iso("2031-01-05T10:00:00.Z"), None);
}

#[test]
fn every_month_of_every_year_has_its_days() {
    let mut midnight = 0;
    for year in 1970..=9999 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let february = if leap { 29 } else { 28 };
        let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        for (month, days) in (1..).zip(lengths) {
            let date = |day| format!("{year}-{month:02}-{day:02}");
            let last = midnight + (days - 1) * DAY;
            assert_eq!(Timestamp::parse_iso(&date(1)), Some(at(midnight)));
            assert_eq!(Timestamp::parse_iso(&date(days)), Some(at(last)));
            assert_eq!(Timestamp::parse_iso(&date(days + 1)), None);
            assert_eq!(at(last).to_string(), date(days) + "T00:00:00.000Z");
            midnight += days * DAY;
        }
    }
    assert_eq!(midnight, MAX + 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn writing_then_reading_is_identity(millis in 0..=MAX) {
        let text = at(millis).to_string();
        prop_assert_eq!(text.len(), 24);
        prop_assert_eq!(Timestamp::parse_iso(&text), Some(at(millis)));
    }

    #[test]
    fn later_is_greater_as_text_too(a in 0..=MAX, b in 0..=MAX) {
        prop_assert_eq!(at(a).cmp(&at(b)), at(a).to_string().cmp(&at(b).to_string()));
    }
}
