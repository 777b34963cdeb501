//! The response to list.
//!
//! Invariant: an item of a list has no output, and absent fields are left out, never `null`.

use super::cursor::Cursor;
use super::page::{ListPage, insert_sorted};
use super::row::Row;
use crate::domain::auth::token_id::public_id;
use crate::domain::json::to_json;
use crate::domain::time::timestamp::Timestamp;
use serde::Serialize;

/// The response to list. `url` returns the URL of an item.
#[must_use]
pub fn list_json(page: &ListPage, now: Timestamp, url: impl Fn(&Row) -> String) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        data: Vec<Item<'a>>,
        pagination: Pagination,
    }
    #[derive(Serialize)]
    struct Pagination {
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        previous: Option<String>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Item<'a> {
        id: String,
        url: String,
        status: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        completed_at: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cancelled_at: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        timeout_at: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        completed_after: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        idempotency_key: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        idempotency_key_expires_at: Option<String>,
        tags: Vec<&'a str>,
        created_at: String,
    }
    let iso = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let mut data = Vec::with_capacity(page.rows.len());
    for row in &page.rows {
        let mut tags = Vec::with_capacity(row.tags.len());
        for tag in &row.tags {
            insert_sorted(&mut tags, tag.as_str());
        }
        data.push(Item {
            id: public_id(&row.id),
            url: url(row),
            status: row.status(now).as_str(),
            completed_at: iso(row.finished_at(now)),
            cancelled_at: iso(row.cancelled_at()),
            timeout_at: iso(row.timeout_at),
            completed_after: iso(row.timeout_at),
            idempotency_key: row.idempotency_key.as_deref(),
            idempotency_key_expires_at: iso(row.key_expires_at),
            tags,
            created_at: row.created_at.to_string(),
        });
    }
    to_json(&Body {
        data,
        pagination: Pagination {
            next: page.next.as_ref().map(Cursor::to_text),
            previous: page.previous.as_ref().map(Cursor::to_text),
        },
    })
}
