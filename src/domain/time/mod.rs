//! Instants, durations and periods. There is no clock here; the time is an argument.

mod calendar;
pub mod duration;
pub mod period;
pub mod timeout;
pub mod timestamp;

/// Milliseconds.
pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;
pub(crate) const WEEK: u64 = 7 * DAY;
