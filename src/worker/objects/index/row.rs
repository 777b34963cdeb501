//! A token's row, as the table and the requests between objects hold it.

use crate::domain::approval::schema::title_of;
use crate::domain::callback::config::verify_json;
use crate::domain::inbox::decision::decision_of;
use crate::domain::list::row::Row as ListRow;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::{State, Token};
use js_sys::JsString;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;

/// A token's row. Times are milliseconds since the epoch.
#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    pub(super) created: u64,
    pub(super) id: String,
    pub(super) timeout: Option<u64>,
    /// When it was completed or cancelled.
    pub(super) completed: Option<u64>,
    /// A JSON array.
    pub(super) tags: String,
    pub(super) key: Option<String>,
    pub(super) key_expires: Option<u64>,
    /// 1 if its callbacks must be signed.
    #[serde(default)]
    pub(super) signed: Option<u8>,
    /// 1 if it was cancelled.
    #[serde(default)]
    pub(super) cancelled: Option<u8>,
    /// 1 if a default decision completes it at its timeout.
    #[serde(default)]
    pub(super) defaults: Option<u8>,
    /// How often its timeout was moved, if ever. Of two rows that wait the one with more is newer.
    #[serde(default)]
    pub(super) extensions: Option<u32>,
    /// The title of its approval, in one line; empty if it has none, `None` if an earlier build wrote the
    /// row.
    #[serde(default)]
    pub(super) title: Option<String>,
    /// The title in lower case, if SQLite, which knows that of ASCII alone, cannot make it.
    #[serde(default)]
    pub(super) folded: Option<String>,
    /// How many of its deliveries have failed, if any.
    #[serde(default)]
    pub(super) failed: Option<u32>,
    /// What it was decided (`domain/inbox/decision.rs`).
    #[serde(default)]
    pub(super) decision: Option<String>,
}

impl Row {
    /// The row of a token; `id` is the internal one.
    pub(crate) fn of(id: &str, token: &Token) -> Self {
        let completed = match token.state {
            State::Completed { at, .. } | State::Cancelled { at, .. } => Some(at.as_millis()),
            State::Waiting | State::TimedOut => None,
        };
        let is_cancelled = matches!(token.state, State::Cancelled { .. });
        let key = token.key.as_ref();
        let verify = token.callback.as_deref().and_then(verify_json);
        let title = token.approval.as_deref().map_or(String::new(), title_of);
        Self {
            folded: (!title.is_ascii()).then(|| lowercase(&title)),
            title: Some(title),
            failed: Some(token.failed_deliveries()).filter(|&count| count > 0),
            decision: decision_of(token),
            created: token.created_at.as_millis(),
            id: id.to_owned(),
            timeout: token.timeout_at.map(Timestamp::as_millis),
            completed,
            tags: serde_json::to_string(&token.tags).unwrap_or_default(),
            key: key.map(|key| key.text.clone()),
            key_expires: key.and_then(|key| key.expires_at).map(Timestamp::as_millis),
            signed: verify.map(|_| 1),
            cancelled: is_cancelled.then_some(1),
            defaults: token.on_timeout.as_ref().map(|_| 1),
            extensions: Some(token.extensions).filter(|&count| count > 0),
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
            ended_at: self.completed.map(Timestamp::from_millis),
            is_cancelled: self.cancelled.is_some(),
            has_default: self.defaults.is_some(),
            tags: serde_json::from_str(&self.tags).unwrap_or_default(),
            idempotency_key: self.key,
            key_expires_at: self.key_expires.map(Timestamp::from_millis),
            is_signed: self.signed.is_some(),
            title: self.title,
            failed_deliveries: self.failed.unwrap_or_default(),
            decision: self.decision,
        }
    }
}

/// A text in lower case. The standard library's tables would be a part of the upload.
pub(super) fn lowercase(text: &str) -> String {
    String::from(JsString::from(text).to_lower_case())
}

/// The error for rows or commands that cannot be parsed.
pub(super) fn unreadable() -> JsValue {
    JsValue::from_str("a row or a command of the index cannot be parsed")
}
