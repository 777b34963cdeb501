//! A token's row, as the table and the requests between objects hold it.

use crate::domain::callback::config::verify_json;
use crate::domain::list::row::Row as ListRow;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::{State, Token};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

/// A token's row. Times are milliseconds since the epoch.
#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    pub(super) created: u64,
    pub(super) id: String,
    pub(super) timeout: Option<u64>,
    pub(super) completed: Option<u64>,
    /// A JSON array.
    pub(super) tags: String,
    pub(super) key: Option<String>,
    pub(super) key_expires: Option<u64>,
    /// 1 if its callbacks must be signed.
    #[serde(default)]
    pub(super) signed: Option<u8>,
}

impl Row {
    /// The row of a token; `id` is the internal one.
    pub(crate) fn of(id: &str, token: &Token) -> Self {
        let completed = match token.state {
            State::Completed { at, .. } | State::Cancelled { at, .. } => Some(at.as_millis()),
            State::Waiting | State::TimedOut => None,
        };
        let key = token.key.as_ref();
        let verify = token.callback.as_deref().and_then(verify_json);
        Self {
            created: token.created_at.as_millis(),
            id: id.to_owned(),
            timeout: token.timeout_at.map(Timestamp::as_millis),
            completed,
            tags: serde_json::to_string(&token.tags).unwrap_or_default(),
            key: key.map(|key| key.text.clone()),
            key_expires: key.and_then(|key| key.expires_at).map(Timestamp::as_millis),
            signed: verify.map(|_| 1),
        }
    }

    /// When the token ends, as far as the row shows.
    pub(super) fn end(&self) -> Option<u64> {
        self.completed.or(self.timeout)
    }

    pub(super) fn into_list_row(self) -> ListRow {
        ListRow {
            id: self.id,
            created_at: Timestamp::from_millis(self.created),
            timeout_at: self.timeout.map(Timestamp::from_millis),
            completed_at: self.completed.map(Timestamp::from_millis),
            tags: serde_json::from_str(&self.tags).unwrap_or_default(),
            idempotency_key: self.key,
            key_expires_at: self.key_expires.map(Timestamp::from_millis),
            is_signed: self.signed.is_some(),
        }
    }
}

/// The error for rows or commands that cannot be parsed.
pub(super) fn unreadable() -> JsValue {
    JsValue::from_str("a row or a command of the index cannot be parsed")
}
