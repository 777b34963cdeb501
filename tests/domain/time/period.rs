//! Periods.
use super::{DAY, MAX, at, now};
use proptest::prelude::*;
use waitpoint::domain::time::period::parse_since;

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
