//! The statements of a list.
//!
//! Invariant: each goes along the primary key, or the index of idempotency keys, from the cursor on. It looks
//! at no more rows than it may, however many there are.

use super::client::{FoundRows, RowsQuery};
use super::row::Row;
use super::sql::{self, Binding, Counted, Sql};
use crate::domain::list::query::{ListQuery, PageStart};
use crate::domain::list::statuses::Statuses;
use crate::domain::token::status::Status;
use wasm_bindgen::JsValue;
use worker::State;

/// What a list shows and filters. The other columns would take a third of the time of a search.
const COLUMNS: &str = "created, id, timeout, completed, tags, key, key_expires, signed, cancelled, \
    defaults, title";

/// Whether the row has one of the wanted statuses. Takes the time, and for waiting, timed out and
/// completed whether it is wanted.
const STATUS_CONDITION: &str = "CASE WHEN completed IS NULL AND COALESCE(timeout > ?, 1) THEN ? \
    WHEN IIF(completed IS NULL, defaults IS NULL, cancelled IS NOT NULL) THEN ? ELSE ? END = 1";

/// The rows of a list query. Tokens that ended at `ended_by` or before are left out.
pub(super) fn rows(
    state: &State,
    request: &RowsQuery,
    query: &ListQuery,
    ended_by: u64,
) -> Result<FoundRows, JsValue> {
    let order = match query.start {
        PageStart::Newest | PageStart::After(_) => "ORDER BY created DESC, id DESC",
        PageStart::Before(_) => "ORDER BY created, id",
    };
    let range = range(query);
    let filters = filters(query, request.now, ended_by);
    // An older build of the Worker cannot go on where a search stopped, so it sets no limit.
    let most = request.max_searched.unwrap_or(usize::MAX);
    // SQLite goes on only until the page is full.
    let statement = format!(
        "SELECT * FROM (SELECT {COLUMNS} FROM tokens {} {order} LIMIT ?) WHERE {} LIMIT ?",
        range.text, filters.text
    );
    let mut bindings = range.bindings.clone();
    bindings.push(Binding::Number(most as u64));
    bindings.extend(filters.bindings);
    bindings.push(Binding::Number(request.limit as u64));
    let rows: Vec<Row> = sql::query(state, &statement, bindings)?;
    let mut found = FoundRows {
        rows,
        ..FoundRows::default()
    };
    if found.rows.len() < request.limit && request.max_searched.is_some() {
        found.searched_to = last_searched(state, &range, order, most)?;
        if found.searched_to.is_none() {
            found.searched = count(state, &range)?;
        }
    }
    Ok(found)
}

/// The last row that a search looks at, if it may look at no more.
fn last_searched(
    state: &State,
    range: &Sql<'_>,
    order: &str,
    most: usize,
) -> Result<Option<String>, JsValue> {
    let statement = format!(
        "SELECT {COLUMNS} FROM tokens {} {order} LIMIT 1 OFFSET {}",
        range.text,
        most.saturating_sub(1)
    );
    let found: Vec<Row> = sql::query(state, &statement, range.bindings.iter().cloned())?;
    let last = found.into_iter().next().map(Row::into_list_row);
    Ok(last.map(|row| row.cursor().to_text()))
}

fn count(state: &State, range: &Sql<'_>) -> Result<usize, JsValue> {
    let statement = format!("SELECT COUNT(*) AS count FROM tokens {}", range.text);
    let counted: Vec<Counted> = sql::query(state, &statement, range.bindings.iter().cloned())?;
    Ok(counted.first().map_or(0, |rows| rows.count))
}

/// The rows that an index finds: those on the page's side of the cursor, created in the query's time,
/// with its idempotency key.
fn range(query: &ListQuery) -> Sql<'_> {
    let mut conditions = Vec::new();
    let mut bindings = Vec::new();
    let cursor = match &query.start {
        PageStart::Newest => None,
        PageStart::After(cursor) => Some(("(created, id) < (?, ?)", cursor)),
        PageStart::Before(cursor) => Some(("(created, id) > (?, ?)", cursor)),
    };
    if let Some((condition, cursor)) = cursor {
        conditions.push(condition);
        bindings.push(Binding::Number(cursor.created_at.as_millis()));
        bindings.push(Binding::Text(&cursor.id));
    }
    let bounds = [("created >= ?", query.from), ("created <= ?", query.to)];
    for (condition, bound) in bounds {
        if let Some(bound) = bound {
            conditions.push(condition);
            bindings.push(Binding::Number(bound.as_millis()));
        }
    }
    if let Some(key) = &query.idempotency_key {
        conditions.push("key = ?");
        bindings.push(Binding::Text(key));
    }
    let mut text = conditions.join(" AND ");
    if !text.is_empty() {
        text.insert_str(0, "WHERE ");
    }
    Sql { text, bindings }
}

/// The filters that no index answers.
fn filters(query: &ListQuery, now: u64, ended_by: u64) -> Sql<'_> {
    let mut text = "COALESCE(COALESCE(completed, timeout) > ?, 1)".to_owned();
    let mut bindings = vec![Binding::Number(ended_by)];
    if query.status != Statuses::ALL {
        text += " AND ";
        text += STATUS_CONDITION;
        let has = |status| Binding::Number(u64::from(query.status.has(status)));
        bindings.extend([
            Binding::Number(now),
            has(Status::Waiting),
            has(Status::TimedOut),
            has(Status::Completed),
        ]);
    }
    // Most rows have none of the tags in their text. To parse that costs a row read for each tag in it,
    // so it is done only for the others: there a tag may end like the one that is wanted.
    if !query.tags.is_empty() {
        text += " AND (";
        text += &vec!["instr(tags, ?) > 0"; query.tags.len()].join(" OR ");
        let texts = query.tags.iter().map(serde_json::to_string::<String>);
        bindings.extend(texts.map(|text| Binding::Owned(text.unwrap_or_default())));
        text += ") AND EXISTS (SELECT 1 FROM json_each(tags) AS has \
                 JOIN json_each(?) AS wanted ON has.value = wanted.value)";
        bindings.push(Binding::Owned(
            serde_json::to_string(&query.tags).unwrap_or_default(),
        ));
    }
    Sql { text, bindings }
}
