//! Timeouts: a duration from now, or a date.
//!
//! Invariant: a timeout that cannot be read is an error, never a token that waits for ever.

use super::duration::duration_millis;
use super::timestamp::Timestamp;

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
        let at = now
            .as_millis()
            .saturating_add(millis.ok_or(TimeoutError::TooFar)?);
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
