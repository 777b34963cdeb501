//! Instants, durations and ISO 8601.
use proptest::prelude::*;
use std::time::Duration;
use waitpoint::domain::time::duration::{TimeoutError, future, parse_duration, parse_timeout};
use waitpoint::domain::time::period::parse_since;
use waitpoint::domain::time::timestamp::Timestamp;

const MAX: u64 = 253_402_300_799_999;
const DAY: u64 = 86_400_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// 2026-09-26T00:00:00.000Z
fn now() -> Timestamp {
    at(1_790_380_800_000)
}

fn iso(text: &str) -> Option<String> {
    Timestamp::parse_iso(text).map(|at| at.to_string())
}

#[test]
fn durations_count_from_now() {
    for (text, seconds) in [
        ("30s", 30),
        ("1m", 60),
        ("2h", 7_200),
        ("3d", 259_200),
        ("4w", 2_419_200),
        ("1hr", 3_600),
        ("90m", 5_400),
        ("1h30m", 5_400),
        ("30m1h", 5_400),
        ("2h1d30s", 93_630),
        ("1w2d3hr4m5s", 788_645),
        ("00001m", 60),
        ("0s", 0),
        ("1h2h", 3_600),
        ("1h2hr", 3_600),
        ("1s1s", 1),
        ("1s99999999999999999999s", 1),
    ] {
        let duration = Duration::from_secs(seconds);
        assert_eq!(parse_duration(text), Some(duration), "{text}");
        assert_eq!(
            parse_timeout(text, now()),
            Ok(now().plus(duration)),
            "{text}"
        );
    }
}

#[test]
fn what_does_not_parse_is_an_error() {
    for text in [
        "",
        " ",
        "s",
        "1",
        "5",
        "10",
        "99",
        "1z",
        "10 minutes",
        "1 day",
        "1mo",
        "1y",
        "500ms",
        "1.5h",
        "-5m",
        "+5m",
        "P1D",
        "1H",
        "1d ",
        " 1d",
        "1h 30m",
        "1h30",
        "h1",
        "٣s",
        "1ś",
        "1735689600000",
        "tomorrow",
        "Jan 5 2031",
        "2031-13-01",
        "2031-02-29",
    ] {
        assert_eq!(
            parse_timeout(text, now()),
            Err(TimeoutError::Unreadable),
            "{text:?}"
        );
        assert_eq!(parse_duration(text), None, "{text:?}");
    }
}

#[test]
fn a_duration_has_at_most_100_characters() {
    let zeros = |count| "0".repeat(count) + "1s";
    assert_eq!(parse_duration(&zeros(98)), Some(Duration::from_secs(1)));
    assert_eq!(parse_duration(&zeros(99)), None);
}

#[test]
fn a_date_must_lie_in_the_future() {
    for (text, expected) in [
        ("2026-09-26T00:00:00.001Z", Ok(at(now().as_millis() + 1))),
        ("2026-09-27", Ok(at(now().as_millis() + DAY))),
        ("2026-09-26", Err(TimeoutError::Past)),
        ("2026-09-26T00:00:00.000Z", Err(TimeoutError::Past)),
        ("2026-09-26T01:00+01:00", Err(TimeoutError::Past)),
        ("1970-01-01", Err(TimeoutError::Past)),
    ] {
        assert_eq!(parse_timeout(text, now()), expected, "{text}");
    }
    assert_eq!(future(now(), now()), Err(TimeoutError::Past));
    assert_eq!(future(Timestamp::MAX, now()), Ok(Timestamp::MAX));
}

#[test]
fn nothing_lies_beyond_the_year_9999() {
    for text in [
        "99999999999999999999w",
        "18446744073709551615w",
        "18446744073709551615s",
        "30500568904943w",
        "417000w",
        "1s99999999999999999999w",
        "18446744073709551w18446744073709551d",
    ] {
        assert_eq!(
            parse_timeout(text, now()),
            Err(TimeoutError::TooFar),
            "{text}"
        );
    }
    let nearly = at(MAX - 1_000);
    assert_eq!(parse_timeout("1s", nearly), Ok(Timestamp::MAX));
    assert_eq!(parse_timeout("2s", nearly), Err(TimeoutError::TooFar));

    assert_eq!(at(u64::MAX), Timestamp::MAX);
    assert_eq!(now().plus(Duration::MAX), Timestamp::MAX);
    assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999Z");
}

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

#[test]
fn a_period_ends_now() {
    const HOUR: u64 = 3_600_000;
    const YEAR: u64 = 31_557_600_000;
    for (text, millis) in [
        ("0", 0),
        ("5", 5),
        ("5000", 5_000),
        ("1.9", 1),
        ("1ms", 1),
        ("250 milliseconds", 250),
        ("1.5s", 1_500),
        ("90 sec", 90_000),
        ("2secs", 2_000),
        ("1 second", 1_000),
        ("30m", 30 * 60_000),
        ("30M", 30 * 60_000),
        ("5 min", 5 * 60_000),
        ("5mins", 5 * 60_000),
        ("1 MINUTE", 60_000),
        ("1h", HOUR),
        ("1.5h", HOUR * 3 / 2),
        ("2hrs", 2 * HOUR),
        ("2 Hours", 2 * HOUR),
        ("7d", 7 * DAY),
        ("1 day", DAY),
        ("1   day", DAY),
        (" 1 day ", DAY),
        ("0.25 days", 6 * HOUR),
        ("1w", 7 * DAY),
        ("2 weeks", 14 * DAY),
        ("1mo", YEAR / 12),
        ("3 months", YEAR / 4),
        ("2mos", YEAR / 6),
        ("1y", YEAR),
        ("1.5 years", YEAR * 3 / 2),
        ("2yrs", 2 * YEAR),
        ("1h30m", HOUR * 3 / 2),
        ("1 day 2 hours", 26 * HOUR),
        ("1day2hours", 26 * HOUR),
        ("1h 1h", 2 * HOUR),
        ("P1D", DAY),
        ("p1d", DAY),
        ("PT1H", HOUR),
        ("T1H", HOUR),
        ("PT1M", 60_000),
        ("P1M", YEAR / 12),
        ("P1MT1M", YEAR / 12 + 60_000),
        (
            "P1Y2M3DT4H5M6.5S",
            YEAR + YEAR / 6 + 3 * DAY + 4 * HOUR + 306_500,
        ),
        ("P2W", 14 * DAY),
        ("1.00000001s", 1_000),
        ("0.000000019999y", 315),
        ("0.99999999y", YEAR - 316),
        ("1.1234567890123456789s", 1_123),
        ("100y", now().as_millis()),
        ("99999999999999999999y", now().as_millis()),
        (
            "18446744073709551615y 18446744073709551615.99999999y",
            now().as_millis(),
        ),
    ] {
        assert_eq!(
            parse_since(text, now()),
            Some(at(now().as_millis() - millis)),
            "{text}"
        );
    }
    for text in [
        "",
        " ",
        "P",
        "PT",
        "P1DT",
        "T",
        "s",
        "h1",
        "day",
        "1x",
        "1 fortnight",
        "-1h",
        "+1h",
        "1h30",
        "30 1h",
        "1.h",
        ".5h",
        "1..5h",
        "1.5.5h",
        "1,5h",
        "1e3",
        "1h,2m",
        "1 day and 2 hours",
        "1hs",
        "1ss",
        "1dT2h",
        "PP1D",
        "TT1H",
        "PT1HT1M",
        "P5",
        "1\tday",
        "٣h",
        "1µs",
        "1é",
        "yesterday",
        "2026-01-01",
    ] {
        assert_eq!(parse_since(text, now()), None, "{text:?}");
    }
    assert_eq!(parse_since(&("0".repeat(99) + "s"), now()), Some(now()));
    assert_eq!(parse_since(&("0".repeat(100) + "s"), now()), None);
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

    #[test]
    fn no_text_panics(
        text in prop_oneof![
            ".*",
            "([0-9]{1,25}(w|d|hr|h|m|s|é)?){1,6}",
            "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.+Zé-]{0,20})?",
        ],
        now in 0..=MAX,
    ) {
        let _ = parse_duration(&text);
        let _ = Timestamp::parse_iso(&text);
        if let Ok(timeout) = parse_timeout(&text, at(now)) {
            prop_assert!(timeout >= at(now));
        }
    }

    #[test]
    fn units_add_up(w in 0..9u64, d in 0..99u64, h in 0..99u64, m in 0..99u64, s in 0..99u64) {
        let seconds = (((w * 7 + d) * 24 + h) * 60 + m) * 60 + s;
        let text = format!("{s}s{h}h{w}w{m}m{d}d");
        prop_assert_eq!(parse_duration(&text), Some(Duration::from_secs(seconds)));
    }

    #[test]
    fn no_period_panics_or_lies_ahead(
        period in prop_oneof![
            "[PpTt]?([0-9.]{1,24} ?[A-Za-zé]{0,7} ?){0,5}",
            "P?T?([0-9]{1,20}(\\.[0-9]{1,20})?(y|mo|m|w|d|T|h|s|ms)){1,5}",
        ],
        now in 0..=MAX,
    ) {
        if let Some(since) = parse_since(&period, at(now)) {
            prop_assert!(since <= at(now));
        }
    }
}
