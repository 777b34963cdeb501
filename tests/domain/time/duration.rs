//! Durations and timeouts.
use super::{DAY, MAX, at, now};
use proptest::prelude::*;
use std::time::Duration;
use waitpoint::domain::time::duration::parse_duration;
use waitpoint::domain::time::timeout::{TimeoutError, future, parse_timeout};
use waitpoint::domain::time::timestamp::Timestamp;

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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

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
}
