//! Instants, durations and periods.

mod duration;
mod period;
mod timestamp;

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
