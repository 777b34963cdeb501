//! Durations such as `1h30m`.
//!
//! Invariant: a text is parsed as a whole or not at all. A value that is too large is an error and is
//! never clamped.

use super::{DAY, HOUR, MINUTE, SECOND, WEEK};
use std::time::Duration;

/// The forms that [`parse_duration`] accepts, for error messages.
pub const DURATION_FORMS: &str = "\"30s\", \"10m\", \"1h30m\", \"2d\" or \"1w\"";

/// Reads a duration such as `30s`, `1h30m` or `2d`: numbers with the units `w d h hr m s`, at most
/// 100 characters. If a unit is repeated the first one counts, as in trigger.dev.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    duration_millis(text)?.map(Duration::from_millis)
}

/// `None` if the text is not a duration, `Some(None)` if the duration is too long.
pub(super) fn duration_millis(text: &str) -> Option<Option<u64>> {
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
    Some(total)
}
