//! Calls of the index: tokens' objects send rows, lists read them.

use super::row::{Row, unreadable};
use crate::domain::inbox::page::MonthRows;
use crate::domain::inbox::query::{InboxQuery, Position};
use crate::domain::list::cursor::Cursor;
use crate::domain::list::month::Month;
use crate::domain::list::page::{ListPage, MAX_SEARCHED, SearchedRows};
use crate::domain::list::query::ListQuery;
use crate::domain::time::timestamp::Timestamp;
use crate::worker::http::rate_limit::Permit;
use crate::worker::objects::call::ObjectRef;
use crate::worker::objects::{Namespace, ObjectName};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;
use wasm_bindgen::JsValue;
use worker::Env;

/// How long an object of the index has to respond to another object.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// The commands of the index's objects.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Command {
    /// To a month: store these rows.
    Put(Vec<Row>),
    /// To a month: return the rows of a query.
    Rows(RowsQuery),
    /// To a month: return the rows of a page of the inbox.
    Inbox(RowsQuery),
    /// To the directory: return whether this is the first use of a link.
    UseLink(LinkUse),
    /// To the directory: return the months that have rows.
    Months,
    /// To the directory: this month has rows.
    #[serde(rename = "begin")]
    RegisterMonth(String),
    /// To the directory: this month has no more rows.
    #[serde(rename = "end")]
    UnregisterMonth(String),
}

/// The use of a link that signs in once.
#[derive(Serialize, Deserialize)]
pub(super) struct LinkUse {
    /// What tells the link from others.
    pub(super) id: String,
    /// When the link expires, and the time of its use, in milliseconds since the epoch.
    pub(super) expires: u64,
    pub(super) now: u64,
}

/// What a month has for a page of a list, or one range of its rows for a page of the inbox.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct FoundRows {
    pub(super) rows: Vec<Row>,
    /// How many rows were looked at, if that were all for a list and its page is not full.
    #[serde(default)]
    pub(super) searched: usize,
    /// The last row that was looked at, if not all were.
    pub(super) searched_to: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct RowsQuery {
    /// The query string of the request.
    pub(super) query: String,
    /// The time of the request, in milliseconds since the epoch.
    pub(super) now: u64,
    /// The maximum number of rows.
    pub(super) limit: usize,
    /// The most rows that a list looks at. An older build sets none, and then expects the rows alone.
    #[serde(default)]
    pub(super) max_searched: Option<usize>,
}

/// An object of the index.
pub(super) fn object<'a>(env: &'a Env, name: &'a ObjectName) -> ObjectRef<'a> {
    ObjectRef::new(env, Namespace::Index, name)
}

/// Sends a row to its month. The row is stored when this returns.
pub(crate) async fn put_row(
    env: &Env,
    environment: &str,
    created_at: Timestamp,
    row: Row,
) -> Result<(), JsValue> {
    let month = ObjectName::of_month(environment, &Month::of(created_at));
    put_rows(env, &month, vec![row])
        .await
        .map_err(|(why, _)| why)
}

/// Sends rows to a month's object. They are stored when this returns.
///
/// # Errors
/// The reason, and the rows. They may still have been stored.
pub(super) async fn put_rows(
    env: &Env,
    month: &ObjectName,
    rows: Vec<Row>,
) -> Result<(), (JsValue, Vec<Row>)> {
    let command = Command::Put(rows);
    let put = object(env, month).with_timeout(TIMEOUT);
    match (put.call_json(&command).await, command) {
        (Err(why), Command::Put(rows)) => Err((why, rows)),
        (put, _) => put.map_err(|why| (why, Vec::new())),
    }
}

/// The page of a list. `text` is the query string.
pub(crate) async fn list(
    _: &Permit,
    env: &Env,
    environment: &str,
    query: &ListQuery,
    text: &str,
    now: Timestamp,
) -> Result<ListPage, JsValue> {
    let directory = ObjectName::of_directory(environment);
    let months: Vec<String> = object(env, &directory).call_json(&Command::Months).await?;
    let months: Vec<Month> = months
        .iter()
        .filter_map(|month| Month::parse(month))
        .collect();
    let mut found = SearchedRows::default();
    for month in query.months(&months) {
        let Some(limits) = query.limits(&found, MAX_SEARCHED) else {
            break;
        };
        let name = ObjectName::of_month(environment, &month);
        let command = Command::Rows(RowsQuery {
            query: text.to_owned(),
            now: now.as_millis(),
            limit: limits.rows,
            max_searched: Some(limits.searched),
        });
        let answer: Box<RawValue> = object(env, &name).call_json(&command).await?;
        found.add(read_rows(answer.get())?);
    }
    Ok(query.page(found))
}

/// What a month has for a list. An older build of its object answers with all rows that match, alone.
fn read_rows(answer: &str) -> Result<SearchedRows, JsValue> {
    let found = if answer.starts_with('[') {
        serde_json::from_str(answer).map(|rows| FoundRows {
            rows,
            ..FoundRows::default()
        })
    } else {
        serde_json::from_str(answer)
    };
    let found = found.map_err(|_| unreadable())?;
    Ok(SearchedRows {
        rows: found.rows.into_iter().map(Row::into_list_row).collect(),
        searched: found.searched,
        searched_to: found.searched_to.as_deref().and_then(Cursor::parse),
    })
}

/// What the months have for a page of the inbox.
pub(crate) async fn inbox_rows(
    _: &Permit,
    env: &Env,
    environment: &str,
    query: &InboxQuery,
    now: Timestamp,
) -> Result<Vec<MonthRows>, JsValue> {
    let directory = ObjectName::of_directory(environment);
    let months: Vec<String> = object(env, &directory).call_json(&Command::Months).await?;
    let latest = query.created_until(now).map(Month::of);
    let months = months.iter().filter_map(|month| Month::parse(month));
    let months = months.filter(|month| latest.as_ref().is_none_or(|latest| month <= latest));
    let text = query.to_query();
    let find = async |month: Month| {
        let name = ObjectName::of_month(environment, &month);
        let command = Command::Inbox(RowsQuery {
            query: text.trim_start_matches('?').to_owned(),
            now: now.as_millis(),
            limit: query.size() + 1,
            max_searched: None,
        });
        let found: Result<Vec<FoundRows>, JsValue> = object(env, &name).call_json(&command).await;
        found
    };
    let found = try_join_all(months.map(find)).await?;
    Ok(found
        .into_iter()
        .flatten()
        .map(FoundRows::into_month_rows)
        .collect())
}

/// Whether this is the first use of a link that signs in once.
pub(crate) async fn use_link(
    _: &Permit,
    env: &Env,
    environment: &str,
    id: &str,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<bool, JsValue> {
    let directory = ObjectName::of_directory(environment);
    let used = LinkUse {
        id: id.to_owned(),
        expires: expires_at.as_millis(),
        now: now.as_millis(),
    };
    object(env, &directory)
        .call_json(&Command::UseLink(used))
        .await
}

impl FoundRows {
    fn into_month_rows(self) -> MonthRows {
        MonthRows {
            rows: self.rows.into_iter().map(Row::into_list_row).collect(),
            searched_to: self.searched_to.as_deref().and_then(Position::parse),
        }
    }
}
