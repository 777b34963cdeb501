//! The inbox: what it shows, and what operators do to several tokens at once.

mod bulk;
mod deadline;
mod decision;
mod outcomes;
mod page;
mod query;
mod query_text;
mod render;

use waitpoint::domain::list::row::Row;
use waitpoint::domain::time::timestamp::Timestamp;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// 2026-09-26T00:00:00.000Z
const NOW: u64 = 1_790_380_800_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// A token that was created a minute ago and waits without a deadline.
fn row(id: &str) -> Row {
    Row {
        id: id.to_owned(),
        created_at: at(NOW - 60_000),
        timeout_at: None,
        ended_at: None,
        is_cancelled: false,
        has_default: false,
        tags: Vec::new(),
        idempotency_key: None,
        key_expires_at: None,
        is_signed: false,
        title: None,
        failed_deliveries: 0,
        decision: None,
    }
}
