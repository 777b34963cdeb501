//! The index of an environment: a row a token, for lists.
//!
//! One Durable Object a month of creation, `<environment>/<YYYY-MM>`, holds the rows; one more,
//! `<environment>`, knows which months there are.
//!
//! Invariants:
//! - A token's object tells its row at once, and again at its next alarm until it is answered; it is not
//!   gone before. So a row may come late and never gets lost.
//! - A row only ever gains: its `completed`. Told again, or told late, it changes nothing. Whether a
//!   token timed out, and whether it is forgotten, is seen by the time; what is forgotten is not added.
//! - The directory knows a month before the month acknowledges its first row.

use super::http::respond;
use super::platform::{self, Env, ObjectState, alarm_at};
use super::task::task;
use super::{now, settings};
use crate::list::{ListQuery, Month, Place, Status, Statuses};
use crate::time::Timestamp;
use crate::token::{State, Token};
use js_sys::Uint8Array;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::prelude::*;

/// Where a month remembers that the directory knows it, and where the directory keeps the months.
const KNOWN: &str = "known";

const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS tokens (created INTEGER, id TEXT, timeout INTEGER, completed INTEGER, \
     tags TEXT, key TEXT, key_expires INTEGER, PRIMARY KEY (created, id)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS by_key ON tokens (key) WHERE key IS NOT NULL",
];

/// For a row that may be there and is about to go.
const END: &str =
    "UPDATE tokens SET completed = ? WHERE created = ? AND id = ? AND completed IS NULL";

/// How long a token's object waits for its row to be taken, in milliseconds.
const TAKEN_WITHIN: f64 = 10_000.0;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// So many rows are one text: the platform's SQLite takes 2.2 MB of it, and a row can have 12 kB.
const TOGETHER: usize = 100;

/// For an array of rows.
const PUT: &str = "INSERT INTO tokens SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, \
    value ->> 4, value ->> 5, value ->> 6 FROM json_each(?) WHERE true ON CONFLICT DO UPDATE \
    SET completed = excluded.completed WHERE completed IS NULL AND excluded.completed IS NOT NULL";

/// A token's row, as the table has it: created, id, timeout, completed, tags (a JSON array), key, key's
/// end. Times are milliseconds since the epoch.
#[derive(Serialize, Deserialize)]
pub(super) struct Row(
    u64,
    String,
    Option<u64>,
    Option<u64>,
    String,
    Option<String>,
    Option<u64>,
);

/// What is asked of the object.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Command {
    /// Keep these rows.
    Put(Vec<Row>),
    /// The rows, at most so many, of this query at this time.
    Rows(String, u64, usize),
    /// The months that there are.
    Months,
    /// There is this month now.
    Begin(String),
    /// There is nothing in this month any more.
    End(String),
}

impl Row {
    /// The row of a token; `id` is the internal one.
    pub(super) fn of(id: &str, token: &Token) -> Self {
        let completed = match token.state {
            State::Completed { at, .. } => Some(at.as_millis()),
            State::Waiting | State::TimedOut => None,
        };
        let key = token.key.as_ref();
        Self(
            token.created_at.as_millis(),
            id.to_owned(),
            token.timeout_at.map(Timestamp::as_millis),
            completed,
            serde_json::to_string(&token.tags).unwrap_or_default(),
            key.map(|key| key.text.clone()),
            key.and_then(|key| key.expires_at).map(Timestamp::as_millis),
        )
    }

    /// When it is over, as far as the row tells.
    fn end(&self) -> Option<u64> {
        self.3.or(self.2)
    }

    fn into_listed(self) -> crate::list::Row {
        let Self(created, id, timeout, completed, tags, idempotency_key, key_expires) = self;
        crate::list::Row {
            id,
            created_at: Timestamp::from_millis(created),
            timeout_at: timeout.map(Timestamp::from_millis),
            completed_at: completed.map(Timestamp::from_millis),
            tags: serde_json::from_str(&tags).unwrap_or_default(),
            idempotency_key,
            key_expires_at: key_expires.map(Timestamp::from_millis),
        }
    }
}

/// Tells a row to the month that it belongs to, soon and together with others: a month's object would be
/// busy with a request for each. Nothing tells whether it comes there.
pub(super) fn tell(env: &Env, environment: &str, created_at: Timestamp, row: &Row) {
    let name = format!("{environment}/{}", Month::of(created_at));
    let row = serde_json::to_string(row).unwrap_or_default();
    platform::gather(env, "INDEX", &name, &row);
}

/// Tells a row to the month that it belongs to, which has it when this returns.
pub(super) async fn put(
    env: &Env,
    environment: &str,
    created_at: Timestamp,
    row: Row,
) -> Result<(), JsValue> {
    let name = format!("{environment}/{}", Month::of(created_at));
    let command = to_bytes(&Command::Put(vec![row]));
    platform::ask_within(env, "INDEX", &name, "", Some(command), TAKEN_WITHIN)
        .await
        .map(drop)
}

/// The rows nearest to the query's cursor, in its order, one more than its page holds if there are.
pub(super) async fn rows(
    env: &Env,
    environment: &str,
    query: &ListQuery,
    text: &str,
    now: Timestamp,
) -> Result<Vec<crate::list::Row>, JsValue> {
    let known = ask(env, environment, &Command::Months).await?;
    let known: Vec<Month> = known.split_whitespace().filter_map(Month::parse).collect();
    let mut rows = Vec::new();
    for month in query.months(&known) {
        let wanted = query.wanted().saturating_sub(rows.len());
        if wanted == 0 {
            break;
        }
        let name = format!("{environment}/{month}");
        let command = Command::Rows(text.to_owned(), now.as_millis(), wanted);
        let found = ask(env, &name, &command).await?;
        let found: Vec<Row> = serde_json::from_str(&found).map_err(|_| unreadable())?;
        rows.extend(found.into_iter().map(Row::into_listed));
    }
    Ok(rows)
}

async fn ask(env: &Env, name: &str, command: &Command) -> Result<String, JsValue> {
    let answer = platform::ask(env, "INDEX", name, "", Some(to_bytes(command))).await?;
    String::from_utf8(Uint8Array::new(&answer).to_vec()).map_err(|_| unreadable())
}

fn to_bytes(command: &Command) -> Uint8Array {
    Uint8Array::from(serde_json::to_vec(command).unwrap_or_default().as_slice())
}

fn unreadable() -> JsValue {
    JsValue::from_str("an index's object said what cannot be read")
}

/// What stands for a `?`.
#[derive(Serialize)]
#[serde(untagged)]
enum Binding<'a> {
    Number(u64),
    Text(&'a str),
    List(String),
}

/// The statement of a query at `now`, but for tokens that ended at `over` or before. The order of the
/// conditions is that of the bindings.
fn select(query: &ListQuery, now: u64, over: u64, most: usize) -> (String, Vec<Binding<'_>>) {
    let mut conditions = vec!["COALESCE(COALESCE(completed, timeout) > ?, 1)"];
    let mut bindings = vec![Binding::Number(over)];
    let (cursor, order) = match &query.place {
        Place::Newest => (None, "DESC"),
        Place::After(cursor) => (Some(("(created, id) < (?, ?)", cursor)), "DESC"),
        Place::Before(cursor) => (Some(("(created, id) > (?, ?)", cursor)), "ASC"),
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
    bindings.push(Binding::Number(most as u64));
    let conditions = conditions.join(" AND ");
    let statement = format!(
        "SELECT * FROM tokens WHERE {conditions} ORDER BY created {order}, id {order} LIMIT ?"
    );
    (statement, bindings)
}

/// A month's object, or the directory's.
#[wasm_bindgen]
pub struct IndexObject {
    index: Rc<Index>,
}

struct Index {
    state: ObjectState,
    env: Env,
    /// Whether there is a table, and the directory knows.
    begun: Cell<bool>,
    /// Whether there is an alarm.
    is_armed: Cell<bool>,
}

#[wasm_bindgen]
impl IndexObject {
    /// For the object that the platform knows by this state.
    #[wasm_bindgen(constructor)]
    pub fn new(state: ObjectState, env: Env) -> Self {
        let index = Index {
            state,
            env,
            begun: Cell::default(),
            is_armed: Cell::default(),
        };
        Self {
            index: Rc::new(index),
        }
    }

    /// A task that answers a [`Command`].
    pub fn answer(&self, body: &[u8]) -> u32 {
        let (index, command) = (Rc::clone(&self.index), serde_json::from_slice(body));
        task(async move {
            let answered = match command {
                Ok(command) => index.answer(command).await,
                Err(_) => Err(unreadable()),
            };
            respond("an index's storage failed", answered)
        })
    }

    /// A task that deletes the rows whose tokens are forgotten. It fails if not even an alarm can be set;
    /// the runtime then calls again.
    pub fn alarm(&self) -> u32 {
        let index = Rc::clone(&self.index);
        task(async move {
            index.is_armed.set(false);
            let Err(why) = index.purge().await else {
                return Ok(JsValue::UNDEFINED);
            };
            platform::error("an index could not be purged", &why);
            platform::set_alarm(&index.state, Some(alarm_at(now().plus(HOUR)))).await
        })
    }
}

impl Index {
    async fn answer(&self, command: Command) -> Result<String, JsValue> {
        match command {
            Command::Put(rows) => self.put(&rows).await,
            Command::Rows(query, now, most) => self.rows(&query, now, most),
            Command::Months => Ok(platform::get(&self.state, KNOWN)?.unwrap_or_default()),
            Command::Begin(month) => self.direct(&month, true),
            Command::End(month) => self.direct(&month, false),
        }
    }

    /// The directory adds or drops a month.
    fn direct(&self, month: &str, is: bool) -> Result<String, JsValue> {
        let known = platform::get(&self.state, KNOWN)?.unwrap_or_default();
        let others = known.split_whitespace().filter(|known| *known != month);
        let months: Vec<&str> = others.chain(is.then_some(month)).collect();
        platform::put(&self.state, KNOWN, &months.join(" "))?;
        Ok(String::new())
    }

    async fn purge(&self) -> Result<(), JsValue> {
        if !self.has_table()? {
            return Ok(());
        }
        let now = now();
        let over = now.as_millis().saturating_sub(self.retention());
        self.sql(
            "DELETE FROM tokens WHERE COALESCE(completed, timeout) <= ?",
            &format!("[{over}]"),
        )?;
        let left = "SELECT COUNT(*), MIN(COALESCE(completed, timeout)) FROM tokens";
        let [(count, first)]: [(u64, Option<u64>); 1] =
            serde_json::from_str(&self.sql(left, "[]")?).map_err(|_| unreadable())?;
        if count == 0 {
            self.begun.set(false);
            let (directory, month) = self.names();
            let command = to_bytes(&Command::End(month));
            // First, and durable before anybody is told: whoever comes next begins the month anew.
            platform::remove(&self.state, KNOWN)?;
            return platform::dissolve(&self.state, &self.env, "INDEX", &directory, &command)
                .await
                .map(drop);
        }
        // Should the directory have lost it, it knows again.
        self.begin().await?;
        match first {
            Some(first) => {
                let at = self.purge_at(first, now.as_millis());
                platform::set_alarm(&self.state, Some(at)).await.map(drop)
            }
            None => Ok(()),
        }
    }

    async fn put(&self, rows: &[Row]) -> Result<String, JsValue> {
        if !self.begun.get() {
            if platform::get(&self.state, KNOWN)?.is_none() {
                self.begin().await?;
            }
            for statement in SCHEMA {
                self.sql(statement, "[]")?;
            }
            self.begun.set(true);
        }
        let now = now().as_millis();
        let retention = self.retention();
        let is_over = |end: u64| end.saturating_add(retention) <= now;
        let (over, kept): (Vec<&Row>, Vec<&Row>) =
            rows.iter().partition(|row| row.end().is_some_and(is_over));
        for row in over {
            let bindings = serde_json::to_string(&(row.3, row.0, &row.1)).unwrap_or_default();
            self.sql(END, &bindings)?;
        }
        for some in kept.chunks(TOGETHER) {
            let some = serde_json::to_string(some).unwrap_or_default();
            self.sql(PUT, &serde_json::to_string(&[some]).unwrap_or_default())?;
        }
        let first = rows.iter().filter_map(Row::end).min();
        if let Some(end) = first.filter(|_| !self.is_armed.get()) {
            platform::alarm_unless_set(&self.state, self.purge_at(end, now)).await?;
            self.is_armed.set(true);
        }
        Ok(String::new())
    }

    /// Lets the directory know of this month.
    async fn begin(&self) -> Result<(), JsValue> {
        let (directory, month) = self.names();
        ask(&self.env, &directory, &Command::Begin(month)).await?;
        platform::put(&self.state, KNOWN, "yes")
    }

    fn rows(&self, query: &str, now: u64, most: usize) -> Result<String, JsValue> {
        if !self.has_table()? {
            return Ok("[]".to_owned());
        }
        let query =
            ListQuery::parse(query, Timestamp::from_millis(now)).map_err(|_| unreadable())?;
        let (statement, bindings) = select(&query, now, now.saturating_sub(self.retention()), most);
        self.sql(
            &statement,
            &serde_json::to_string(&bindings).unwrap_or_default(),
        )
    }

    fn has_table(&self) -> Result<bool, JsValue> {
        let found = "SELECT 1 FROM sqlite_master WHERE name = 'tokens'";
        Ok(self.begun.get() || self.sql(found, "[]")? != "[]")
    }

    /// The rows of a statement as JSON arrays.
    fn sql(&self, statement: &str, bindings: &str) -> Result<String, JsValue> {
        platform::sql(&self.state, statement, bindings)
    }

    /// When to look for what is forgotten, if the first token to be so ends at `end`: all that a day
    /// brings at once, and once a retention in any case, since others may end sooner.
    fn purge_at(&self, end: u64, now: u64) -> f64 {
        let retention = self.retention();
        let at = end.clamp(now.saturating_sub(retention / 30 * 29), now);
        alarm_at(Timestamp::from_millis(at.saturating_add(retention)))
    }

    fn retention(&self) -> u64 {
        u64::try_from(settings::retention(&self.env).as_millis()).unwrap_or(u64::MAX)
    }

    /// The name of the directory, and this month.
    fn names(&self) -> (String, String) {
        let name = platform::name(&self.state);
        let (environment, month) = name.split_once('/').unwrap_or((&name, ""));
        (environment.to_owned(), month.to_owned())
    }
}
