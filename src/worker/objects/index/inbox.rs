//! The statements of the inbox.
//!
//! Invariant: each goes along an index in the order of the page, and looks at no more than [`MAX_SEARCHED`]
//! rows, however many there are.

use super::client::{FoundRows, RowsQuery};
use super::row::{Row, lowercase};
use super::sql::{self, Binding, Sql};
use crate::domain::inbox::query::{InboxQuery, Position, View};
use crate::domain::list::page::MAX_SEARCHED;
use crate::domain::time::timestamp::Timestamp;
use serde::Deserialize;
use std::time::Duration;
use wasm_bindgen::JsValue;
use worker::State;

/// Rows next to each other in the index `by_end`.
struct Range {
    class: u64,
    first: Timestamp,
    last: Timestamp,
}

/// The rows of an inbox query, from each range of the index. Tokens that ended at `ended_by` or before are
/// left out.
pub(super) fn rows(
    state: &State,
    request: &RowsQuery,
    ended_by: u64,
) -> Result<Vec<FoundRows>, JsValue> {
    let now = Timestamp::from_millis(request.now);
    let query = InboxQuery::parse(&request.query);
    let ranges = ranges(&query, now, Timestamp::from_millis(ended_by));
    let found = ranges
        .iter()
        .map(|range| find(state, &query, range, now, request.limit));
    found.collect()
}

/// The ranges that hold the rows of a view. A timeout is written to no row, so what has timed out or was
/// decided by default is among the rows that wait, before the present.
fn ranges(query: &InboxQuery, now: Timestamp, ended_by: Timestamp) -> Vec<Range> {
    const MILLISECOND: Duration = Duration::from_millis(1);
    let (first, last) = query.ends(now);
    let first = first.max(ended_by.plus(MILLISECOND));
    let range = |class, last| Range { class, first, last };
    match query.view {
        View::Waiting => vec![range(0, last), range(3, last)],
        View::Decided => vec![range(1, last), range(3, now)],
        View::TimedOut => vec![range(0, now)],
        View::Withdrawn => vec![range(2, last)],
    }
}

fn find(
    state: &State,
    query: &InboxQuery,
    range: &Range,
    now: Timestamp,
    limit: usize,
) -> Result<FoundRows, JsValue> {
    let walk = index_range(query, range);
    let filters = filters(query, now);
    let mut bindings = walk.bindings;
    let (text, direction) = (&walk.text, direction(query));
    let order = format!("ORDER BY ends {direction}, created {direction}, id {direction}");
    let Some(filters) = filters else {
        let statement = format!("SELECT * FROM tokens WHERE {text} {order} LIMIT ?");
        bindings.push(Binding::Number(limit as u64));
        return Ok(FoundRows {
            rows: run(state, &statement, bindings)?,
            ..FoundRows::default()
        });
    };
    // SQLite goes on only until the page is full.
    let statement = format!(
        "SELECT * FROM (SELECT * FROM tokens WHERE {text} {order} LIMIT {MAX_SEARCHED}) \
         WHERE {} LIMIT ?",
        filters.text
    );
    bindings.extend(filters.bindings);
    bindings.push(Binding::Number(limit as u64));
    let rows: Vec<Row> = run(state, &statement, bindings)?;
    let searched_to = if rows.len() < limit {
        last_searched(state, &index_range(query, range), &order)?
    } else {
        None
    };
    Ok(FoundRows {
        rows,
        searched_to,
        ..FoundRows::default()
    })
}

/// The last row that a search looks at, if it does not look at all.
fn last_searched(state: &State, walk: &Sql<'_>, order: &str) -> Result<Option<String>, JsValue> {
    #[derive(Deserialize)]
    struct Found {
        ends: u64,
        created: u64,
        id: String,
    }
    let statement = format!(
        "SELECT ends, created, id FROM tokens WHERE {} {order} LIMIT 1 OFFSET {}",
        walk.text,
        MAX_SEARCHED - 1
    );
    let found: Vec<Found> = run(state, &statement, walk.bindings.iter().cloned())?;
    let position = found.into_iter().next().map(|found| Position {
        end: Timestamp::from_millis(found.ends),
        created_at: Timestamp::from_millis(found.created),
        id: found.id,
    });
    Ok(position.as_ref().map(Position::to_text))
}

/// The rows of a range behind the query's position. SQLite seeks that position in the index, also among
/// rows that end at the same time.
fn index_range<'a>(query: &'a InboxQuery, range: &Range) -> Sql<'a> {
    let number = |at: Timestamp| Binding::Number(at.as_millis());
    let mut text = "class = ?".to_owned();
    let mut bindings = vec![Binding::Number(range.class)];
    let is_ascending = direction(query) == "ASC";
    // A position outside the range, which no page has linked to, limits nothing.
    let after = query.after.as_ref().filter(|after| {
        let (first, last) = (range.first, range.last);
        if is_ascending {
            after.end >= first
        } else {
            after.end <= last
        }
    });
    let (start, end) = if is_ascending {
        (" AND ends >= ?", " AND ends <= ?")
    } else {
        (" AND ends <= ?", " AND ends >= ?")
    };
    match after {
        Some(after) => {
            text += if is_ascending {
                " AND (ends, created, id) > (?, ?, ?)"
            } else {
                " AND (ends, created, id) < (?, ?, ?)"
            };
            bindings.extend([number(after.end), number(after.created_at)]);
            bindings.push(Binding::Text(&after.id));
        }
        None => {
            text += start;
            bindings.push(number(if is_ascending {
                range.first
            } else {
                range.last
            }));
        }
    }
    text += end;
    bindings.push(number(if is_ascending {
        range.last
    } else {
        range.first
    }));
    if query.has_failed {
        // Then SQLite takes the index of such rows.
        text += " AND failed IS NOT NULL";
    }
    Sql { text, bindings }
}

/// The filters that no index answers; `None` if there are none.
fn filters(query: &InboxQuery, now: Timestamp) -> Option<Sql<'_>> {
    let mut conditions = Vec::new();
    let mut bindings = Vec::new();
    if !query.text.is_empty() {
        bindings.push(Binding::Owned(lowercase(&query.text)));
        conditions.push(match query.text_in_id() {
            Some(id) => {
                bindings.push(Binding::Text(id));
                "(instr(COALESCE(folded, lower(title)), ?) > 0 OR instr(id, ?) > 0)"
            }
            None => "instr(COALESCE(folded, lower(title)), ?) > 0",
        });
    }
    if !query.tag.is_empty() {
        conditions.push("EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)");
        bindings.push(Binding::Text(&query.tag));
    }
    if let Some(until) = query.created_until(now) {
        conditions.push("created <= ?");
        bindings.push(Binding::Number(until.as_millis()));
    }
    (!conditions.is_empty()).then(|| Sql {
        text: conditions.join(" AND "),
        bindings,
    })
}

fn direction(query: &InboxQuery) -> &'static str {
    match query.view {
        View::Waiting => "ASC",
        View::Decided | View::TimedOut | View::Withdrawn => "DESC",
    }
}

fn run<'a, T: serde::de::DeserializeOwned>(
    state: &State,
    statement: &str,
    bindings: impl IntoIterator<Item = Binding<'a>>,
) -> Result<Vec<T>, JsValue> {
    let bindings: Vec<_> = bindings.into_iter().collect();
    #[cfg(feature = "faults")]
    log_plan(state, statement, bindings.iter().cloned())?;
    sql::query(state, statement, bindings)
}

/// Logs how SQLite runs a statement, for tests.
#[cfg(feature = "faults")]
fn log_plan<'a>(
    state: &State,
    statement: &str,
    bindings: impl IntoIterator<Item = Binding<'a>>,
) -> Result<(), JsValue> {
    let explain = format!("EXPLAIN QUERY PLAN {statement}");
    let steps = sql::run(state, &explain, bindings)?;
    let plan = js_sys::JSON::stringify(&steps.into())?;
    worker::console_log!("query plan: {}", String::from(plan));
    Ok(())
}
