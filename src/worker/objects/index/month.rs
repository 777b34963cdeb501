//! The rows of the tokens that were created in one month.

use super::client::{self, Command, FoundRows, RowsQuery};
use super::row::{Row, unreadable};
use super::sql::{self, Binding, Counted};
use super::{inbox, list};
use crate::domain::list::query::ListQuery;
use crate::domain::time::timestamp::Timestamp;
use crate::worker::now;
use crate::worker::objects::ObjectName;
use crate::worker::objects::storage::{Stored, object_name};
use crate::worker::settings;
use serde::Deserialize;
use std::cell::Cell;
use wasm_bindgen::JsValue;
use worker::{Env, State};

/// The storage key that is set once the month is in the directory.
const REGISTERED_KEY: &str = "known";

/// The rows that one statement inserts, as one JSON text. SQLite's limit for a text is 2.2 MB on this
/// platform, and a row can have 12 kB.
const ROWS_PER_STATEMENT: usize = 100;

pub(super) struct MonthTable {
    pub(super) state: State,
    pub(super) stored: Stored,
    env: Env,
    /// Whether the table exists and the month is in the directory.
    has_schema: Cell<bool>,
    /// Whether an alarm is set.
    is_armed: Cell<bool>,
    /// How often the month was deleted.
    deletions: Cell<u32>,
}

/// The table, as SQLite describes it.
#[derive(Deserialize)]
struct Table {
    sql: String,
}

impl MonthTable {
    pub(super) fn new(state: State, env: Env) -> Self {
        Self {
            stored: Stored::of(&state),
            state,
            env,
            has_schema: Cell::default(),
            is_armed: Cell::default(),
            deletions: Cell::default(),
        }
    }

    /// Stores rows. For a token that is past its retention, no row is added; an existing one is
    /// updated, so that the next purge deletes it.
    pub(super) async fn put(&self, rows: &[Row]) -> Result<(), JsValue> {
        self.ensure_schema().await?;
        let now = now().as_millis();
        let ended_by = now.saturating_sub(self.retention());
        for chunk in rows.chunks(ROWS_PER_STATEMENT) {
            let chunk = serde_json::to_string(chunk).unwrap_or_default();
            let bindings = [Binding::Owned(chunk), Binding::Number(ended_by)];
            sql::run(&self.state, sql::UPSERT_SQL, bindings)?;
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

    /// The rows of a list.
    pub(super) fn rows(&self, request: &RowsQuery) -> Result<FoundRows, JsValue> {
        if !self.open_table()? {
            return Ok(FoundRows::default());
        }
        let query = ListQuery::parse(&request.query, Timestamp::from_millis(request.now))
            .map_err(|_| unreadable())?;
        let ended_by = request.now.saturating_sub(self.retention());
        list::rows(&self.state, request, &query, ended_by)
    }

    /// The rows of a page of the inbox.
    pub(super) fn inbox_rows(&self, request: &RowsQuery) -> Result<Vec<FoundRows>, JsValue> {
        if !self.open_table()? {
            return Ok(Vec::new());
        }
        let ended_by = request.now.saturating_sub(self.retention());
        inbox::rows(&self.state, request, ended_by)
    }

    /// The alarm: deletes the rows of tokens past their retention.
    pub(super) async fn purge(&self) -> Result<(), JsValue> {
        self.is_armed.set(false);
        if !self.open_table()? {
            return Ok(());
        }
        let now = now().as_millis();
        let ended_by = now.saturating_sub(self.retention());
        sql::run(&self.state, sql::PURGE_SQL, [Binding::Number(ended_by)])?;
        let remaining: Vec<Counted> = sql::query(&self.state, sql::REMAINING_SQL, [])?;
        let remaining = remaining.first().ok_or_else(unreadable)?;
        if remaining.count == 0 {
            return self.notify_then_delete().await;
        }
        // Re-register the month in case the directory lost it.
        self.register().await?;
        match remaining.first {
            Some(first) => {
                let at = self.purge_at(first, now);
                self.stored.set_alarm(Some(at)).await
            }
            None => Ok(()),
        }
    }

    async fn ensure_schema(&self) -> Result<(), JsValue> {
        if self.has_schema.get() {
            return Ok(());
        }
        if self.stored.get_text(REGISTERED_KEY)?.is_none() {
            self.register().await?;
        }
        for statement in sql::SCHEMA {
            sql::run(&self.state, statement, [])?;
        }
        self.open_table()?;
        self.has_schema.set(true);
        Ok(())
    }

    /// Registers this month with the directory. If the month is deleted in the meantime, the
    /// directory may already have removed it again, so this registers it once more.
    async fn register(&self) -> Result<(), JsValue> {
        let (directory, month) = self.names();
        let directory = client::object(&self.env, &directory);
        let command = Command::RegisterMonth(month);
        loop {
            let deletions = self.deletions.get();
            directory.call_json::<()>(&command).await?;
            if self.deletions.get() == deletions {
                return self.stored.put_text(REGISTERED_KEY, "yes");
            }
        }
    }

    /// Unregisters this month, which has no rows, and then deletes the object's storage. No other
    /// event is delivered in between.
    async fn notify_then_delete(&self) -> Result<(), JsValue> {
        self.deletions.set(self.deletions.get().wrapping_add(1));
        self.has_schema.set(false);
        // This is written before the directory is called. If the deletion is interrupted, the next
        // row registers the month again.
        self.stored.delete_text(REGISTERED_KEY)?;
        let (directory, month) = self.names();
        let (env, storage) = (self.env.clone(), self.state.storage());
        let deleting = async move {
            let directory = client::object(&env, &directory).with_timeout(client::TIMEOUT);
            let command = Command::UnregisterMonth(month);
            directory.call_json::<()>(&command).await?;
            Ok::<_, JsValue>(storage.delete_all().await?)
        };
        // An error in `block_concurrency_while` would reset the object and lose its next alarm, so
        // the error is returned as a value.
        let deleting = async { Ok(deleting.await) };
        self.state.block_concurrency_while(deleting).await?
    }

    /// Whether the table exists. If an older build made it, the columns that it lacks are added. Each
    /// index makes a token dearer, so those of the inbox are made only where there is one.
    fn open_table(&self) -> Result<bool, JsValue> {
        if self.has_schema.get() {
            return Ok(true);
        }
        let tables: Vec<Table> = sql::query(&self.state, sql::TABLE_SQL, [])?;
        let Some(table) = tables.first() else {
            return Ok(false);
        };
        for column in sql::ADDED_COLUMNS {
            if !table.sql.contains(column) {
                let add = format!("ALTER TABLE tokens ADD COLUMN {column}");
                sql::run(&self.state, &add, [])?;
            }
        }
        let statements = if settings::has_inbox(&self.env) {
            sql::INBOX_INDICES
        } else {
            sql::NO_INBOX_INDICES
        };
        for statement in statements {
            sql::run(&self.state, statement, [])?;
        }
        Ok(true)
    }

    /// The time of the next purge, if the first token ends at `end`. A purge waits for a thirtieth of
    /// the retention, to delete many rows at once. It waits for one retention at most, since rows
    /// that are added later may end sooner.
    fn purge_at(&self, end: u64, now: u64) -> Timestamp {
        let retention = self.retention();
        let at = end.clamp(now.saturating_sub(retention / 30 * 29), now);
        Timestamp::from_millis(at.saturating_add(retention))
    }

    fn retention(&self) -> u64 {
        u64::try_from(settings::retention(&self.env).as_millis()).unwrap_or(u64::MAX)
    }

    /// The directory's name, and this month.
    fn names(&self) -> (ObjectName, String) {
        let name = object_name(&self.state);
        let (environment, month) = name.split_once('/').unwrap_or((&name, ""));
        (ObjectName::of_directory(environment), month.to_owned())
    }
}
