//! The index of an environment: one row per token, for lists.
//!
//! Each month of creation has a Durable Object with its rows, `<environment>/<YYYY-MM>`. One more
//! object, `<environment>`, is the directory of the months that have rows.
//!
//! Invariants:
//! - A token's object sends its row at once, and again at its next alarm until the row is confirmed.
//!   The token is not deleted before that. So a row can come late, but is never lost.
//! - A row changes when its token's timeout is moved, and once when it is completed or cancelled. A
//!   row that is repeated or late changes nothing. Whether a token timed out, was then completed by
//!   its default decision, or is past its retention is computed from the time. Rows of tokens past
//!   their retention are not added.
//! - A month is in the directory before it acknowledges its first row.

mod batch;
mod client;
mod directory;
mod inbox;
mod list;
mod month;
mod row;
mod sql;

pub(crate) use client::{inbox_rows, list, use_link};
pub(crate) use row::Row;
pub(crate) use {batch::enqueue_row, client::put_row};

use crate::worker::guard;
use crate::worker::http::response::respond;
use crate::worker::objects::call::read_json;
use crate::worker::{log_error, now};
use client::Command;
use month::MonthTable;
use row::unreadable;
use serde::Serialize;
use std::time::Duration;
use wasm_bindgen::JsValue;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

/// How long after a failed purge the next one is tried.
const PURGE_AGAIN_AFTER: Duration = Duration::from_secs(60 * 60);

/// The object of a month, or of a directory.
#[durable_object(alarm)]
pub struct IndexObject {
    month: MonthTable,
}

impl DurableObject for IndexObject {
    fn new(state: State, env: Env) -> Self {
        guard::log_panics();
        Self {
            month: MonthTable::new(state, env),
        }
    }

    /// Answers a [`Command`].
    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let answering = async {
            let result = match read_json(&request).await {
                Ok(command) => answer(&self.month, command).await,
                Err(why) => Err(why),
            };
            Ok(respond("an index's storage failed", result)?.into())
        };
        guard::watch(&guard::request_key(&request), answering).await
    }

    /// Deletes the rows of tokens past their retention. Fails only if no alarm can be set either; the
    /// runtime then retries.
    async fn alarm(&self) -> worker::Result<Response> {
        let month = &self.month;
        let purging = async {
            if let Err(why) = month.purge().await {
                log_error("an index could not be purged", &why);
                let again = now().plus(PURGE_AGAIN_AFTER);
                month.stored.set_alarm(Some(again)).await?;
            }
            Response::empty()
        };
        guard::watch(&guard::alarm_key(&month.state), purging).await
    }
}

async fn answer(month: &MonthTable, command: Command) -> Result<Vec<u8>, JsValue> {
    match command {
        Command::Put(rows) => json(&month.put(&rows).await?),
        Command::Rows(query) => {
            let found = month.rows(&query)?;
            match query.max_searched {
                Some(_) => json(&found),
                None => json(&found.rows),
            }
        }
        Command::Inbox(query) => json(&month.inbox_rows(&query)?),
        Command::UseLink(used) => json(&directory::use_link(&month.stored, &used)?),
        Command::Months => json(&directory::months(&month.stored)?),
        Command::RegisterMonth(name) => json(&directory::register_month(&month.stored, &name)?),
        Command::UnregisterMonth(name) => json(&directory::unregister_month(&month.stored, &name)?),
    }
}

fn json<T: Serialize>(answer: &T) -> Result<Vec<u8>, JsValue> {
    serde_json::to_vec(answer).map_err(|_| unreadable())
}
