//! The index of an environment: a row a token, for lists.
//!
//! The rows of each month of creation are in one Durable Object, `<environment>/<YYYY-MM>`. One more,
//! `<environment>`, is the directory: it knows which months have rows.
//!
//! Invariants:
//! - A token's object sends its row at once, and again at its next alarm until the row is confirmed.
//!   The token is not deleted before. So a row may come late, and none is lost.
//! - A row changes once: when its token is completed. A row that comes again or late changes nothing.
//!   Whether a token timed out, or is past its retention, follows from the time. Rows of tokens past
//!   their retention are not added.
//! - The directory knows a month before that month acknowledges its first row.

mod batch;
mod client;
mod directory;
mod month;
mod row;
mod sql;

pub(crate) use client::rows;
// The names by which a token's object calls these.
pub(crate) use row::Row;
pub(crate) use {batch::enqueue_row as tell, client::put_row as put};

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

/// After how long a purge that failed is tried again.
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
            let answered = match read_json(&request).await {
                Ok(command) => answer(&self.month, command).await,
                Err(why) => Err(why),
            };
            Ok(respond("an index's storage failed", answered)?.into())
        };
        guard::watch(&guard::request_key(&request), answering).await
    }

    /// Deletes the rows of tokens past their retention. It fails if not even an alarm can be set; the
    /// runtime then calls again.
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
        Command::Rows(query) => json(&month.rows(&query)?),
        Command::Months => json(&directory::months(&month.stored)?),
        Command::RegisterMonth(name) => json(&directory::register_month(&month.stored, &name)?),
        Command::UnregisterMonth(name) => json(&directory::unregister_month(&month.stored, &name)?),
    }
}

fn json<T: Serialize>(answer: &T) -> Result<Vec<u8>, JsValue> {
    serde_json::to_vec(answer).map_err(|_| unreadable())
}
