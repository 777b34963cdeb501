//! Durations, dates, timeouts and periods.
#![no_main]
use libfuzzer_sys::fuzz_target;
use std::time::Duration;
use waitpoint::domain::list::month::Month;
use waitpoint::domain::time::duration::parse_duration;
use waitpoint::domain::time::period::parse_since;
use waitpoint::domain::time::timeout::{TimeoutError, parse_timeout};
use waitpoint::domain::time::timestamp::Timestamp;

fuzz_target!(|data: &[u8]| {
    if let Some((&millis, _)) = data.split_first_chunk() {
        let at = Timestamp::from_millis(u64::from_be_bytes(millis));
        assert_eq!(Timestamp::parse_iso(&at.to_string()), Some(at));
        assert_eq!(Month::parse(Month::of(at).as_str()), Some(Month::of(at)));
    }
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let now = Timestamp::from_millis(1_790_380_800_000);
    let later = now.plus(Duration::from_millis(1));
    if let Some(at) = Timestamp::parse_iso(text) {
        assert_eq!(Timestamp::parse_iso(&at.to_string()), Some(at));
        let timeout = if at > now {
            Ok(at)
        } else {
            Err(TimeoutError::Past)
        };
        assert_eq!(parse_timeout(text, now), timeout);
        assert_eq!(parse_duration(text), None);
    }
    if let Ok(at) = parse_timeout(text, now) {
        assert!(at >= now);
        assert!(parse_timeout(text, later).is_ok_and(|after| after >= at) || at <= later);
    }
    if let Some(duration) = parse_duration(text) {
        let at = now.plus(duration);
        assert!(parse_timeout(text, now).map_or(at == Timestamp::MAX, |timeout| timeout == at));
        // The same duration is the same period, but that of a unit named twice the first counts.
        let since = parse_since(text, now).unwrap();
        assert!(since.plus(duration) <= now || since == Timestamp::from_millis(0));
    }
    if let Some(since) = parse_since(text, now) {
        assert!(since <= now);
        assert!(parse_since(text, later).is_some_and(|after| after >= since));
    }
    if let Some(month) = Month::parse(text) {
        assert_eq!(month.as_str(), text);
    }
});
