//! Durations such as `1h30m`, and timeouts: a duration from now, or a date.
//!
//! Invariant: a text is parsed as a whole or not at all. A value that is too large is an error and is
//! never clamped.

use super::timestamp::Timestamp;
use super::{DAY, HOUR, MINUTE, SECOND, WEEK};
use std::time::Duration;

/// The forms that [`parse_duration`] accepts, for error messages.
pub const DURATION_FORMS: &str = "\"30s\", \"10m\", \"1h30m\", \"2d\" or \"1w\"";

/// The forms that [`parse_timeout`] accepts, for error messages.
pub const TIMEOUT_FORMS: &str =
    "a duration such as \"30s\", \"10m\", \"1h30m\", \"2d\" or \"1w\", or a future ISO 8601 date";

/// Why a text is not a valid timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeoutError {
    /// Neither a duration nor an ISO 8601 date.
    Unreadable,
    /// The date is not in the future.
    Past,
    /// The time is after the year 9999.
    TooFar,
}

/// Reads a token's timeout: a duration from `now`, or a date after it.
///
/// Source: trigger.dev's `delays.ts`. There an invalid text means "never"; here it is an error.
///
/// # Errors
/// See [`TimeoutError`].
pub fn parse_timeout(text: &str, now: Timestamp) -> Result<Timestamp, TimeoutError> {
    if let Some(millis) = duration_millis(text) {
        let at = now.as_millis().saturating_add(millis?);
        return if at > Timestamp::MAX.as_millis() {
            Err(TimeoutError::TooFar)
        } else {
            Ok(Timestamp::from_millis(at))
        };
    }
    future(
        Timestamp::parse_iso(text).ok_or(TimeoutError::Unreadable)?,
        now,
    )
}

/// `at` if it lies after `now`.
///
/// # Errors
/// [`TimeoutError::Past`] otherwise.
pub fn future(at: Timestamp, now: Timestamp) -> Result<Timestamp, TimeoutError> {
    if at > now {
        Ok(at)
    } else {
        Err(TimeoutError::Past)
    }
}

/// Reads a duration such as `30s`, `1h30m` or `2d`: numbers with the units `w d h hr m s`, at most
/// 100 characters. If a unit is repeated the first one counts, as in trigger.dev.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    duration_millis(text)?.ok().map(Duration::from_millis)
}

/// `None` if the text is not a duration; the inner error if the duration is too long.
fn duration_millis(text: &str) -> Option<Result<u64, TimeoutError>> {
    if text.is_empty() || text.len() > 100 {
        return None;
    }
    let mut seen = [false; 5];
    let mut total = Some(0_u64);
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(end)?;
        if number.is_empty() {
            return None;
        }
        let (slot, unit, width) = match tail.as_bytes() {
            [b'w', ..] => (0, WEEK, 1),
            [b'd', ..] => (1, DAY, 1),
            [b'h', b'r', ..] => (2, HOUR, 2),
            [b'h', ..] => (2, HOUR, 1),
            [b'm', ..] => (3, MINUTE, 1),
            [b's', ..] => (4, SECOND, 1),
            _ => return None,
        };
        rest = tail.get(width..)?;
        if let Some(seen) = seen.get_mut(slot).filter(|seen| !**seen) {
            *seen = true;
            let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
            total = total.and_then(|total| total.checked_add(part?));
        }
    }
    Some(total.ok_or(TimeoutError::TooFar))
}
