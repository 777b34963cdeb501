//! The table of a month's rows, and its statements.

use crate::worker::bindings::sql_rows;
use js_sys::Array;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use worker::State;

/// Which views of the inbox may show a row. 0: it waits, and then times out. 3: it waits, and then its
/// default decision is taken. 1: it was decided. 2: it was cancelled.
macro_rules! class {
    () => {
        "class INTEGER AS (IIF(completed IS NULL, IIF(defaults IS NULL, 0, 3), \
         IIF(cancelled IS NULL, 1, 2))) VIRTUAL"
    };
}

/// When the token ended or will end. The number is `NEVER` of `domain::inbox::query`.
macro_rules! ends {
    () => {
        "ends INTEGER AS (COALESCE(completed, timeout, 253402300799999)) VIRTUAL"
    };
}

/// Whether a row that comes replaces the one that is there.
macro_rules! is_newer {
    () => {
        "(completed IS NULL AND (excluded.completed IS NOT NULL \
         OR COALESCE(excluded.extensions, 0) > COALESCE(extensions, 0)))"
    };
}

pub(super) const SCHEMA: [&str; 2] = [
    concat!(
        "CREATE TABLE IF NOT EXISTS tokens (created INTEGER, id TEXT, timeout INTEGER, completed INTEGER, \
         tags TEXT, key TEXT, key_expires INTEGER, signed INTEGER, cancelled INTEGER, defaults INTEGER, \
         extensions INTEGER, title TEXT, folded TEXT, failed INTEGER, decision TEXT, ",
        class!(),
        ", ",
        ends!(),
        ", PRIMARY KEY (created, id)) WITHOUT ROWID"
    ),
    "CREATE INDEX IF NOT EXISTS by_key ON tokens (key) WHERE key IS NOT NULL",
];

/// The columns that a table of an older build may lack.
pub(super) const ADDED_COLUMNS: [&str; 10] = [
    "signed INTEGER",
    "cancelled INTEGER",
    "defaults INTEGER",
    "extensions INTEGER",
    "title TEXT",
    "folded TEXT",
    "failed INTEGER",
    "decision TEXT",
    class!(),
    ends!(),
];

/// The indices that the inbox needs. They also hold the primary key.
pub(super) const INBOX_INDICES: [&str; 2] = [
    "CREATE INDEX IF NOT EXISTS by_end ON tokens (class, ends)",
    "CREATE INDEX IF NOT EXISTS by_failure ON tokens (class, ends) WHERE failed IS NOT NULL",
];

/// What is left of them where there is no inbox any more: each index makes a token dearer.
pub(super) const NO_INBOX_INDICES: [&str; 2] = [
    "DROP INDEX IF EXISTS by_end",
    "DROP INDEX IF EXISTS by_failure",
];

/// The table's definition, which names its columns.
pub(super) const TABLE_SQL: &str = "SELECT sql FROM sqlite_master WHERE name = 'tokens'";

/// Takes a JSON array of rows, and a time: of tokens that ended then or before, no row is added.
///
/// Rows come in any order and more than once. A row that ended replaces one that waits, and so does
/// one whose timeout was moved more often. Of failed deliveries the most count, and a title stays.
pub(super) const UPSERT_SQL: &str = concat!(
    "INSERT INTO tokens \
     (created, id, timeout, completed, tags, key, key_expires, signed, cancelled, defaults, extensions, \
     title, folded, failed, decision) \
     SELECT value ->> 'created', value ->> 'id', value ->> 'timeout', value ->> 'completed', \
     value ->> 'tags', value ->> 'key', value ->> 'key_expires', value ->> 'signed', \
     value ->> 'cancelled', value ->> 'defaults', value ->> 'extensions', \
     value ->> 'title', value ->> 'folded', value ->> 'failed', value ->> 'decision' \
     FROM json_each(?) \
     WHERE COALESCE(COALESCE(value ->> 'completed', value ->> 'timeout') > ?, 1) OR EXISTS (SELECT 1 \
     FROM tokens WHERE tokens.created = value ->> 'created' AND tokens.id = value ->> 'id') \
     ON CONFLICT DO UPDATE SET timeout = IIF(",
    is_newer!(),
    ", excluded.timeout, timeout), completed = IIF(",
    is_newer!(),
    ", excluded.completed, completed), cancelled = IIF(",
    is_newer!(),
    ", excluded.cancelled, cancelled), extensions = IIF(",
    is_newer!(),
    ", excluded.extensions, extensions), decision = IIF(",
    is_newer!(),
    ", excluded.decision, decision), title = COALESCE(title, excluded.title), \
     folded = COALESCE(folded, excluded.folded), \
     failed = NULLIF(MAX(COALESCE(failed, 0), COALESCE(excluded.failed, 0)), 0) WHERE ",
    is_newer!(),
    " OR COALESCE(excluded.failed, 0) > COALESCE(failed, 0) \
     OR (title IS NULL AND excluded.title IS NOT NULL)"
);

pub(super) const PURGE_SQL: &str = "DELETE FROM tokens WHERE class IN (0, 1, 2, 3) AND ends <= ?";

pub(super) const REMAINING_SQL: &str =
    "SELECT COUNT(*) AS count, MIN(COALESCE(completed, timeout)) AS first FROM tokens";

/// The rows that are left after a purge, or that a list can go through.
#[derive(Deserialize)]
pub(super) struct Counted {
    pub(super) count: usize,
    /// After a purge the earliest end of a token; `None` if none of them ends.
    pub(super) first: Option<u64>,
}

/// The value of a `?` in a statement.
#[derive(Clone)]
pub(super) enum Binding<'a> {
    Number(u64),
    Text(&'a str),
    Owned(String),
}

impl From<Binding<'_>> for JsValue {
    fn from(binding: Binding<'_>) -> Self {
        match binding {
            Binding::Number(number) => (number as f64).into(),
            Binding::Text(text) => text.into(),
            Binding::Owned(text) => text.into(),
        }
    }
}

/// A part of a statement, and the values of its `?`.
pub(super) struct Sql<'a> {
    pub(super) text: String,
    pub(super) bindings: Vec<Binding<'a>>,
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
    serde_json::from_str(&String::from(rows))
        .map_err(|_| JsValue::from_str("the rows of the index cannot be read"))
}
