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

pub(crate) mod batch;

use crate::domain::list::month::Month;
use crate::domain::list::query::{ListQuery, PageStart};
use crate::domain::list::statuses::Statuses;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::status::Status;
use crate::domain::token::{State, Token};
use crate::worker::bindings::sql_rows;
use crate::worker::guard;
use crate::worker::http::response::respond;
use crate::worker::objects::call::{Namespace, ObjectRef, read_json};
use crate::worker::objects::storage::{Stored, object_name};
use crate::worker::settings;
use crate::worker::{log_error, now};
use js_sys::Array;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::time::Duration;
use wasm_bindgen::JsValue;
use worker::{DurableObject, Env, Request, Response, State as ObjectState, durable_object};

/// Where a month remembers that the directory knows it, and where the directory keeps the months.
const MONTHS_KEY: &str = "known";

const SCHEMA: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS tokens (created INTEGER, id TEXT, timeout INTEGER, completed INTEGER, \
     tags TEXT, key TEXT, key_expires INTEGER, PRIMARY KEY (created, id)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS by_key ON tokens (key) WHERE key IS NOT NULL",
];

/// For a row that may be there and is about to go.
const MARK_ENDED_SQL: &str =
    "UPDATE tokens SET completed = ? WHERE created = ? AND id = ? AND completed IS NULL";

/// How long a month's object is given to take rows, and the directory's to hear of a month that ends.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);

const HOUR: Duration = Duration::from_secs(60 * 60);

/// So many rows are one text: the platform's SQLite takes 2.2 MB of it, and a row can have 12 kB.
const ROWS_PER_STATEMENT: usize = 100;

/// For an array of rows.
const UPSERT_SQL: &str = "INSERT INTO tokens (created, id, timeout, completed, tags, key, key_expires) \
    SELECT value ->> 'created', value ->> 'id', value ->> 'timeout', value ->> 'completed', \
    value ->> 'tags', value ->> 'key', value ->> 'key_expires' FROM json_each(?) WHERE true \
    ON CONFLICT DO UPDATE SET completed = excluded.completed \
    WHERE completed IS NULL AND excluded.completed IS NOT NULL";

/// A token's row, as the table has it. Times are milliseconds since the epoch.
#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    created: u64,
    id: String,
    timeout: Option<u64>,
    completed: Option<u64>,
    /// A JSON array.
    tags: String,
    key: Option<String>,
    key_expires: Option<u64>,
}

/// How many rows there are, and when the first of them is over.
#[derive(Deserialize)]
struct Left {
    count: u64,
    first: Option<u64>,
}

/// What is asked of a month's object.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Command {
    /// Keep these rows.
    Put(Vec<Row>),
    /// The rows of a query.
    Rows(RowsQuery),
    /// The months that there are.
    Months,
    /// There is this month now.
    Begin(String),
    /// There is nothing in this month any more.
    End(String),
}

#[derive(Serialize, Deserialize)]
struct RowsQuery {
    /// As it came.
    query: String,
    /// When it came, in milliseconds since the epoch.
    now: u64,
    /// How many rows at most.
    limit: usize,
}

impl Row {
    /// The row of a token; `id` is the internal one.
    pub(crate) fn of(id: &str, token: &Token) -> Self {
        let completed = match token.state {
            State::Completed { at, .. } => Some(at.as_millis()),
            State::Waiting | State::TimedOut => None,
        };
        let key = token.key.as_ref();
        Self {
            created: token.created_at.as_millis(),
            id: id.to_owned(),
            timeout: token.timeout_at.map(Timestamp::as_millis),
            completed,
            tags: serde_json::to_string(&token.tags).unwrap_or_default(),
            key: key.map(|key| key.text.clone()),
            key_expires: key.and_then(|key| key.expires_at).map(Timestamp::as_millis),
        }
    }

    /// When it is over, as far as the row tells.
    fn end(&self) -> Option<u64> {
        self.completed.or(self.timeout)
    }

    fn into_listed(self) -> crate::domain::list::row::Row {
        crate::domain::list::row::Row {
            id: self.id,
            created_at: Timestamp::from_millis(self.created),
            timeout_at: self.timeout.map(Timestamp::from_millis),
            completed_at: self.completed.map(Timestamp::from_millis),
            tags: serde_json::from_str(&self.tags).unwrap_or_default(),
            idempotency_key: self.key,
            key_expires_at: self.key_expires.map(Timestamp::from_millis),
        }
    }
}

/// Tells a row to the month that it belongs to, soon and together with others: a month's object would be
/// busy with a request for each. Nothing tells whether it comes there.
pub(crate) fn tell(env: &Env, environment: &str, created_at: Timestamp, row: Row) {
    let name = format!("{environment}/{}", Month::of(created_at));
    batch::enqueue_row(env, &name, row);
}

/// Tells a row to the month that it belongs to, which has it when this returns.
pub(crate) async fn put(
    env: &Env,
    environment: &str,
    created_at: Timestamp,
    row: Row,
) -> Result<(), JsValue> {
    let name = format!("{environment}/{}", Month::of(created_at));
    put_rows(env, &name, vec![row])
        .await
        .map_err(|(why, _)| why)
}

/// Tells rows to the month's object of this name, which has them when this returns. Else they come back.
pub(crate) async fn put_rows(
    env: &Env,
    month: &str,
    rows: Vec<Row>,
) -> Result<(), (JsValue, Vec<Row>)> {
    let command = Command::Put(rows);
    let object = object(env, month, Some(TAKEN_WITHIN));
    let put = object.ask_json(&command).await;
    match (put, command) {
        (Err(why), Command::Put(rows)) => Err((why, rows)),
        (put, _) => put.map_err(|why| (why, Vec::new())),
    }
}

fn object<'a>(env: &'a Env, name: &'a str, within: Option<Duration>) -> ObjectRef<'a> {
    ObjectRef {
        env,
        namespace: Namespace::Index,
        name,
        within,
    }
}

/// The rows nearest to the query's cursor, in its order, one more than its page holds if there are.
pub(crate) async fn rows(
    env: &Env,
    environment: &str,
    query: &ListQuery,
    text: &str,
    now: Timestamp,
) -> Result<Vec<crate::domain::list::row::Row>, JsValue> {
    let known: Vec<String> = object(env, environment, None)
        .ask_json(&Command::Months)
        .await?;
    let known: Vec<Month> = known
        .iter()
        .filter_map(|month| Month::parse(month))
        .collect();
    let mut rows = Vec::new();
    for month in query.months(&known) {
        let limit = query.fetch_limit().saturating_sub(rows.len());
        if limit == 0 {
            break;
        }
        let name = format!("{environment}/{month}");
        let command = Command::Rows(RowsQuery {
            query: text.to_owned(),
            now: now.as_millis(),
            limit,
        });
        let found: Vec<Row> = object(env, &name, None).ask_json(&command).await?;
        rows.extend(found.into_iter().map(Row::into_listed));
    }
    Ok(rows)
}

fn unreadable() -> JsValue {
    JsValue::from_str("an index's object said what cannot be read")
}

/// What stands for a `?`.
enum Binding<'a> {
    Number(u64),
    Text(&'a str),
    /// As JSON.
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

/// The statement of a query at `now`, but for tokens that ended at `over` or before. The order of the
/// conditions is that of the bindings.
fn select(query: &ListQuery, now: u64, over: u64, most: usize) -> (String, Vec<Binding<'_>>) {
    let mut conditions = vec!["COALESCE(COALESCE(completed, timeout) > ?, 1)"];
    let mut bindings = vec![Binding::Number(over)];
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
    bindings.push(Binding::Number(most as u64));
    let conditions = conditions.join(" AND ");
    let statement = format!(
        "SELECT * FROM tokens WHERE {conditions} ORDER BY created {order}, id {order} LIMIT ?"
    );
    (statement, bindings)
}

/// A month's object, or the directory's.
#[durable_object(alarm)]
pub struct IndexObject {
    index: Index,
}

struct Index {
    state: ObjectState,
    stored: Stored,
    env: Env,
    /// Whether there is a table, and the directory knows.
    has_schema: Cell<bool>,
    /// Whether there is an alarm.
    is_armed: Cell<bool>,
}

impl DurableObject for IndexObject {
    fn new(state: ObjectState, env: Env) -> Self {
        guard::log_panics();
        Self {
            index: Index {
                stored: Stored::of(&state),
                state,
                env,
                has_schema: Cell::default(),
                is_armed: Cell::default(),
            },
        }
    }

    /// Answers a [`Command`].
    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let answering = async {
            let answered = match read_json(&request).await {
                Ok(command) => self.index.answer(command).await,
                Err(why) => Err(why),
            };
            Ok(respond("an index's storage failed", answered)?.into())
        };
        guard::watch(&guard::request_key(&request), answering).await
    }

    /// Deletes the rows whose tokens are forgotten. It fails if not even an alarm can be set; the
    /// runtime then calls again.
    async fn alarm(&self) -> worker::Result<Response> {
        let index = &self.index;
        let purging = async {
            index.is_armed.set(false);
            if let Err(why) = index.purge().await {
                log_error("an index could not be purged", &why);
                index.stored.set_alarm(Some(now().plus(HOUR))).await?;
            }
            Response::empty()
        };
        guard::watch(&guard::alarm_key(&index.state), purging).await
    }
}

/// As an object answers.
fn json<T: Serialize>(answer: &T) -> Result<Vec<u8>, JsValue> {
    serde_json::to_vec(answer).map_err(|_| unreadable())
}

impl Index {
    async fn answer(&self, command: Command) -> Result<Vec<u8>, JsValue> {
        match command {
            Command::Put(rows) => json(&self.put(&rows).await?),
            Command::Rows(query) => json(&self.rows(&query)?),
            Command::Months => json(&self.months()?),
            Command::Begin(month) => json(&self.direct(&month, true)?),
            Command::End(month) => json(&self.direct(&month, false)?),
        }
    }

    /// The months that the directory knows.
    fn months(&self) -> Result<Vec<String>, JsValue> {
        let known = self.stored.get_text(MONTHS_KEY)?.unwrap_or_default();
        Ok(known.split_whitespace().map(str::to_owned).collect())
    }

    /// The directory adds or drops a month.
    fn direct(&self, month: &str, is: bool) -> Result<(), JsValue> {
        let mut months = self.months()?;
        months.retain(|known| known != month);
        if is {
            months.push(month.to_owned());
        }
        self.stored.put_text(MONTHS_KEY, &months.join(" "))
    }

    async fn purge(&self) -> Result<(), JsValue> {
        if !self.has_table()? {
            return Ok(());
        }
        let now = now();
        let over = now.as_millis().saturating_sub(self.retention());
        let delete = "DELETE FROM tokens WHERE COALESCE(completed, timeout) <= ?";
        self.run(delete, [Binding::Number(over)])?;
        let left =
            "SELECT COUNT(*) AS count, MIN(COALESCE(completed, timeout)) AS first FROM tokens";
        let left: Vec<Left> = self.query(left, [])?;
        let left = left.first().ok_or_else(unreadable)?;
        if left.count == 0 {
            return self.notify_then_delete().await;
        }
        // Should the directory have lost it, it knows again.
        self.begin().await?;
        match left.first {
            Some(first) => {
                let at = self.purge_at(first, now.as_millis());
                self.stored.set_alarm(Some(at)).await
            }
            None => Ok(()),
        }
    }

    /// Tells the directory that there is nothing in this month, and then leaves nothing of it; no
    /// other event comes between.
    async fn notify_then_delete(&self) -> Result<(), JsValue> {
        self.has_schema.set(false);
        // First, and durable before anybody is told: whoever comes next begins the month anew.
        self.stored.delete_text(MONTHS_KEY)?;
        let (directory, month) = self.names();
        let (env, storage) = (self.env.clone(), self.state.storage());
        let dissolving = async move {
            let directory = object(&env, &directory, Some(TAKEN_WITHIN));
            directory.ask_json::<()>(&Command::End(month)).await?;
            Ok::<_, JsValue>(storage.delete_all().await?)
        };
        // An error in there would reset the object, and with it the next alarm; so it comes out as a value.
        let dissolving = async { Ok(dissolving.await) };
        self.state.block_concurrency_while(dissolving).await?
    }

    async fn put(&self, rows: &[Row]) -> Result<(), JsValue> {
        if !self.has_schema.get() {
            if self.stored.get_text(MONTHS_KEY)?.is_none() {
                self.begin().await?;
            }
            for statement in SCHEMA {
                self.run(statement, [])?;
            }
            self.has_schema.set(true);
        }
        let now = now().as_millis();
        let retention = self.retention();
        let is_over = |end: u64| end.saturating_add(retention) <= now;
        let (over, kept): (Vec<&Row>, Vec<&Row>) =
            rows.iter().partition(|row| row.end().is_some_and(is_over));
        for row in over {
            if let Some(completed) = row.completed {
                let of = [Binding::Number(row.created), Binding::Text(&row.id)];
                self.run(
                    MARK_ENDED_SQL,
                    [Binding::Number(completed)].into_iter().chain(of),
                )?;
            }
        }
        for some in kept.chunks(ROWS_PER_STATEMENT) {
            let some = serde_json::to_string(some).unwrap_or_default();
            self.run(UPSERT_SQL, [Binding::List(some)])?;
        }
        let first = rows.iter().filter_map(Row::end).min();
        if let Some(end) = first.filter(|_| !self.is_armed.get()) {
            self.stored
                .set_alarm_unless_set(self.purge_at(end, now))
                .await?;
            self.is_armed.set(true);
        }
        Ok(())
    }

    /// Lets the directory know of this month.
    async fn begin(&self) -> Result<(), JsValue> {
        let (directory, month) = self.names();
        let directory = object(&self.env, &directory, None);
        directory.ask_json::<()>(&Command::Begin(month)).await?;
        self.stored.put_text(MONTHS_KEY, "yes")
    }

    fn rows(&self, asked: &RowsQuery) -> Result<Vec<Row>, JsValue> {
        if !self.has_table()? {
            return Ok(Vec::new());
        }
        let query = ListQuery::parse(&asked.query, Timestamp::from_millis(asked.now))
            .map_err(|_| unreadable())?;
        let over = asked.now.saturating_sub(self.retention());
        let (statement, bindings) = select(&query, asked.now, over, asked.limit);
        self.query(&statement, bindings)
    }

    fn has_table(&self) -> Result<bool, JsValue> {
        let found = "SELECT 1 FROM sqlite_master WHERE name = 'tokens'";
        Ok(self.has_schema.get() || self.run(found, [])?.length() > 0)
    }

    /// Runs a statement; its rows as JavaScript objects.
    fn run<'a>(
        &self,
        statement: &str,
        bindings: impl IntoIterator<Item = Binding<'a>>,
    ) -> Result<Array, JsValue> {
        let bindings = bindings.into_iter().map(JsValue::from).collect();
        sql_rows(&self.state, statement, bindings)
    }

    /// The rows of a statement.
    fn query<'a, T: DeserializeOwned>(
        &self,
        statement: &str,
        bindings: impl IntoIterator<Item = Binding<'a>>,
    ) -> Result<Vec<T>, JsValue> {
        let rows = self.run(statement, bindings)?;
        let rows = js_sys::JSON::stringify(&rows)?;
        serde_json::from_slice(String::from(rows).as_bytes()).map_err(|_| unreadable())
    }

    /// When to look for what is forgotten, if the first token to be so ends at `end`: all that a day
    /// brings at once, and once a retention in any case, since others may end sooner.
    fn purge_at(&self, end: u64, now: u64) -> Timestamp {
        let retention = self.retention();
        let at = end.clamp(now.saturating_sub(retention / 30 * 29), now);
        Timestamp::from_millis(at.saturating_add(retention))
    }

    fn retention(&self) -> u64 {
        u64::try_from(settings::retention(&self.env).as_millis()).unwrap_or(u64::MAX)
    }

    /// The name of the directory, and this month.
    fn names(&self) -> (String, String) {
        let name = object_name(&self.state);
        let (environment, month) = name.split_once('/').unwrap_or((&name, ""));
        (environment.to_owned(), month.to_owned())
    }
}
