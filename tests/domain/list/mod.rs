//! Lists.

mod cursor;
mod month;
mod page;
mod page_body;
mod paging;
mod query;

use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::list::cursor::Cursor;
use waitpoint::domain::list::month::Month;
use waitpoint::domain::list::query::ListQuery;
use waitpoint::domain::list::row::Row;
use waitpoint::domain::time::timestamp::Timestamp;

const MAX: u64 = 253_402_300_799_999;
const HOUR: u64 = 3_600_000;

const DAY: u64 = 24 * HOUR;

/// 2026-09-26T00:00:00.000Z
const NOW: u64 = 1_790_380_800_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn parse(query: &str) -> Result<ListQuery, ApiError> {
    ListQuery::parse(query, at(NOW))
}

fn ok(query: &str) -> ListQuery {
    parse(query).unwrap_or_else(|why| panic!("{query}: {}", why.to_json()))
}

/// The parameter and the sentence of each issue.
fn issues(query: &str) -> Vec<(&'static str, String)> {
    match parse(query) {
        Err(ApiError::InvalidQuery(issues)) => issues
            .into_iter()
            .map(|issue| (issue.name, issue.message))
            .collect(),
        Err(other) => panic!("{query}: {other}"),
        Ok(_) => Vec::new(),
    }
}

fn cursor(millis: u64, id: &str) -> Cursor {
    Cursor {
        created_at: at(millis),
        id: id.to_owned(),
    }
}

fn row(id: &str, created_at: u64) -> Row {
    Row {
        is_signed: false,
        title: None,
        failed_deliveries: 0,
        decision: None,
        id: id.to_owned(),
        created_at: at(created_at),
        timeout_at: None,
        ended_at: None,
        is_cancelled: false,
        has_default: false,
        tags: Vec::new(),
        idempotency_key: None,
        key_expires_at: None,
    }
}

fn months(texts: &[&str]) -> Vec<Month> {
    let months = texts.iter().map(|text| Month::parse(text).unwrap());
    months.collect()
}
