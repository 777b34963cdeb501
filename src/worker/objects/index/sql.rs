//! The table of a month's rows, and its statements.

use crate::domain::list::query::{ListQuery, PageStart};
use crate::domain::list::statuses::Statuses;
use crate::domain::token::status::Status;
use crate::worker::bindings::sql_rows;
use js_sys::Array;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use worker::State;

pub(super) const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS tokens (created INTEGER, id TEXT, timeout INTEGER, completed INTEGER, \
     tags TEXT, key TEXT, key_expires INTEGER, signed INTEGER, PRIMARY KEY (created, id)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS by_key ON tokens (key) WHERE key IS NOT NULL",
];

/// Whether the table is of a time before `signed`.
pub(super) const LACKS_SIGNED_SQL: &str =
    "SELECT 1 FROM sqlite_master WHERE name = 'tokens' AND sql NOT LIKE '%signed INTEGER%'";

pub(super) const ADD_SIGNED_SQL: &str = "ALTER TABLE tokens ADD COLUMN signed INTEGER";

pub(super) const HAS_TABLE_SQL: &str = "SELECT 1 FROM sqlite_master WHERE name = 'tokens'";

/// Completes a row that may exist and is about to be purged.
pub(super) const MARK_ENDED_SQL: &str =
    "UPDATE tokens SET completed = ? WHERE created = ? AND id = ? AND completed IS NULL";

/// Takes a JSON array of rows.
pub(super) const UPSERT_SQL: &str = "INSERT INTO tokens \
    (created, id, timeout, completed, tags, key, key_expires, signed) \
    SELECT value ->> 'created', value ->> 'id', value ->> 'timeout', value ->> 'completed', \
    value ->> 'tags', value ->> 'key', value ->> 'key_expires', value ->> 'signed' \
    FROM json_each(?) WHERE true \
    ON CONFLICT DO UPDATE SET completed = excluded.completed \
    WHERE completed IS NULL AND excluded.completed IS NOT NULL";

pub(super) const PURGE_SQL: &str = "DELETE FROM tokens WHERE COALESCE(completed, timeout) <= ?";

pub(super) const REMAINING_SQL: &str =
    "SELECT COUNT(*) AS count, MIN(COALESCE(completed, timeout)) AS first FROM tokens";

/// The value of a `?` in a statement.
pub(super) enum Binding<'a> {
    Number(u64),
    Text(&'a str),
    /// A list as JSON text.
    List(String),
}

impl From<Binding<'_>> for JsValue {
    fn from(binding: Binding<'_>) -> Self {
        match binding {
            Binding::Number(number) => (number as f64).into(),
            Binding::Text(text) => text.into(),
            Binding::List(json) => json.into(),
        }
    }
}

/// Runs a statement. Returns its rows as JavaScript objects.
pub(super) fn run<'a>(
    state: &State,
    statement: &str,
    bindings: impl IntoIterator<Item = Binding<'a>>,
) -> Result<Array, JsValue> {
    let bindings = bindings.into_iter().map(JsValue::from).collect();
    sql_rows(state, statement, bindings)
}

/// Runs a statement and parses its rows.
pub(super) fn query<'a, T: DeserializeOwned>(
    state: &State,
    statement: &str,
    bindings: impl IntoIterator<Item = Binding<'a>>,
) -> Result<Vec<T>, JsValue> {
    let rows = run(state, statement, bindings)?;
    let rows = js_sys::JSON::stringify(&rows)?;
    serde_json::from_slice(String::from(rows).as_bytes())
        .map_err(|_| JsValue::from_str("the rows of the index cannot be read"))
}

/// The statement of a list query at `now`. Tokens that ended at `ended_by` or before are left out. The
/// conditions are in the order of the bindings.
pub(super) fn select_rows(
    query: &ListQuery,
    now: u64,
    ended_by: u64,
    limit: usize,
) -> (String, Vec<Binding<'_>>) {
    let mut conditions = vec!["COALESCE(COALESCE(completed, timeout) > ?, 1)"];
    let mut bindings = vec![Binding::Number(ended_by)];
    let (cursor, order) = match &query.start {
        PageStart::Newest => (None, "DESC"),
        PageStart::After(cursor) => (Some(("(created, id) < (?, ?)", cursor)), "DESC"),
        PageStart::Before(cursor) => (Some(("(created, id) > (?, ?)", cursor)), "ASC"),
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
    if query.status != Statuses::ALL {
        conditions
            .push("CASE WHEN completed IS NOT NULL THEN ? WHEN timeout <= ? THEN ? ELSE ? END = 1");
        let has = |status| Binding::Number(u64::from(query.status.has(status)));
        bindings.extend([
            has(Status::Completed),
            Binding::Number(now),
            has(Status::TimedOut),
            has(Status::Waiting),
        ]);
    }
    if let Some(key) = &query.idempotency_key {
        conditions.push("key = ?");
        bindings.push(Binding::Text(key));
    }
    if !query.tags.is_empty() {
        conditions.push(
            "EXISTS (SELECT 1 FROM json_each(tags) AS has JOIN json_each(?) AS wanted \
             ON has.value = wanted.value)",
        );
        bindings.push(Binding::List(
            serde_json::to_string(&query.tags).unwrap_or_default(),
        ));
    }
    bindings.push(Binding::Number(limit as u64));
    let conditions = conditions.join(" AND ");
    let statement = format!(
        "SELECT * FROM tokens WHERE {conditions} ORDER BY created {order}, id {order} LIMIT ?"
    );
    (statement, bindings)
}
