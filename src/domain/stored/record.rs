//! The stored form of a record: a line of JSON, then the text of an output. It has its own version
//! and does not change with the API.

use super::delivery::StoredDelivery;
use super::line::{Unreadable, pack, unpack};
use super::notify::{StoredEntry, StoredRecipient, StoredReminder};
use super::votes::{StoredQuorum, StoredVote};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::home::Home;
use crate::domain::token::record::{Record, Tombstone};
use crate::domain::token::{
    CallbackRequest, CompletedBy, Decision, DefaultDecision, Key, Output, OutputKind, State, Token,
};
use serde::{Deserialize, Serialize};

/// The stored form, version 1.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredToken {
    v: u8,
    created_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_at: Option<u64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    extensions: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_timeout: Option<StoredDefault>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approval: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    origin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<StoredKey>,
    #[serde(rename = "creator", default, skip_serializing_if = "Option::is_none")]
    created_by_request: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    webhook: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    callback: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quorum: Option<StoredQuorum>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    votes: Vec<StoredVote>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notify: Vec<StoredRecipient>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reminders: Vec<StoredReminder>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reminded_at: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    history: Vec<StoredEntry>,
    #[serde(
        rename = "upstream",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    is_upstream: bool,
    #[serde(rename = "spent", default, skip_serializing_if = "std::ops::Not::not")]
    is_tombstone: bool,
    state: StoredState,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    deliveries: Vec<StoredDelivery>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alarm: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredKey {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
}

/// A default decision, with the text of its output: it is as short as a request to create. It is an object,
/// as `null` would be none.
#[derive(Serialize, Deserialize)]
struct StoredDefault {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output: Option<(StoredOutputKind, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredState {
    Waiting,
    Completed {
        at: u64,
        decision: StoredDecision,
    },
    TimedOut,
    Cancelled {
        at: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// A decision without the text of its output.
#[derive(Serialize, Deserialize)]
pub struct StoredDecision {
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<StoredOutputKind>,
    by: StoredCompletedBy,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    callback: Option<StoredCallback>,
    #[serde(rename = "owner", default, skip_serializing_if = "std::ops::Not::not")]
    is_by_owner: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredCallback {
    #[serde(rename = "signed", default, skip_serializing_if = "std::ops::Not::not")]
    is_signed: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, String)>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredOutputKind {
    Json,
    Text,
    Stored,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredCompletedBy {
    Api,
    Callback,
    Page,
    Upstream,
    Timeout,
    Inbox,
}

impl StoredOutputKind {
    fn of(kind: OutputKind) -> Self {
        match kind {
            OutputKind::Json => Self::Json,
            OutputKind::Text => Self::Text,
            OutputKind::Stored => Self::Stored,
        }
    }

    fn into_kind(self) -> OutputKind {
        match self {
            Self::Json => OutputKind::Json,
            Self::Text => OutputKind::Text,
            Self::Stored => OutputKind::Stored,
        }
    }
}

impl StoredDefault {
    fn of(default: &DefaultDecision) -> Self {
        let output = default.output.as_ref();
        Self {
            output: output.map(|output| (StoredOutputKind::of(output.kind), output.text.clone())),
        }
    }

    fn into_default(self) -> DefaultDecision {
        DefaultDecision {
            output: self.output.map(|(kind, text)| Output {
                kind: kind.into_kind(),
                text,
            }),
        }
    }
}

impl StoredToken {
    /// The stored form of a token, and the text that follows it.
    pub fn of(token: &Token) -> (Self, &str) {
        let (state, text) = match &token.state {
            State::Waiting => (StoredState::Waiting, ""),
            State::TimedOut => (StoredState::TimedOut, ""),
            State::Cancelled { at, reason } => (
                StoredState::Cancelled {
                    at: at.as_millis(),
                    reason: reason.clone(),
                },
                "",
            ),
            State::Completed { at, decision } => {
                let (decision, text) = StoredDecision::of(decision);
                (
                    StoredState::Completed {
                        at: at.as_millis(),
                        decision,
                    },
                    text,
                )
            }
        };
        let record = Self {
            // An older build must not read it: it would let anybody decide.
            v: if token.quorum.is_some() { 2 } else { 1 },
            created_at: token.created_at.as_millis(),
            timeout_at: token.timeout_at.map(Timestamp::as_millis),
            extensions: token.extensions,
            on_timeout: token.on_timeout.as_ref().map(StoredDefault::of),
            tags: token.tags.clone(),
            approval: token.approval.clone(),
            origin: token.origin.clone(),
            key: token.key.as_ref().map(|key| StoredKey {
                text: key.text.clone(),
                expires_at: key.expires_at.map(Timestamp::as_millis),
            }),
            created_by_request: token.created_by_request.clone(),
            webhook: token.webhook.clone(),
            callback: token.callback.clone(),
            quorum: token.quorum.as_ref().map(StoredQuorum::of),
            votes: token.votes.iter().map(StoredVote::of).collect(),
            notify: token.notify.iter().map(StoredRecipient::of).collect(),
            reminders: token.reminders.iter().map(StoredReminder::of).collect(),
            reminded_at: token.reminded_at.map(Timestamp::as_millis),
            history: token.history.iter().map(StoredEntry::of).collect(),
            is_upstream: token.home == Home::Upstream,
            is_tombstone: false,
            state,
            deliveries: token.deliveries.iter().map(StoredDelivery::of).collect(),
            alarm: token.alarm.map(Timestamp::as_millis),
        };
        (record, text)
    }

    fn of_tombstone(tombstone: Tombstone) -> Self {
        // A tombstone is stored as a token without its data, because it once was one.
        let token = Token {
            home: Home::Upstream,
            state: State::TimedOut,
            ..Token::new(tombstone.created_at, None, Vec::new())
        };
        Self {
            is_tombstone: true,
            ..Self::of(&token).0
        }
    }

    /// The token, if its version is known.
    pub(super) fn read(self, text: String) -> Result<Token, Unreadable> {
        if matches!(self.v, 1 | 2) {
            Ok(self.into_token(text))
        } else {
            Err(Unreadable)
        }
    }

    /// The inverse of [`StoredToken::of`].
    pub fn into_token(self, text: String) -> Token {
        Token {
            created_at: Timestamp::from_millis(self.created_at),
            timeout_at: self.timeout_at.map(Timestamp::from_millis),
            extensions: self.extensions,
            on_timeout: self.on_timeout.map(StoredDefault::into_default),
            tags: self.tags,
            approval: self.approval,
            origin: self.origin,
            key: self.key.map(|key| Key {
                text: key.text,
                expires_at: key.expires_at.map(Timestamp::from_millis),
            }),
            created_by_request: self.created_by_request,
            webhook: self.webhook,
            callback: self.callback,
            quorum: self.quorum.map(StoredQuorum::into_quorum),
            votes: into_all(self.votes, StoredVote::into_vote),
            notify: into_all(self.notify, StoredRecipient::into_recipient),
            reminders: into_all(self.reminders, StoredReminder::into_reminder),
            reminded_at: self.reminded_at.map(Timestamp::from_millis),
            history: into_all(self.history, StoredEntry::into_entry),
            home: if self.is_upstream {
                Home::Upstream
            } else {
                Home::Here
            },
            deliveries: into_all(self.deliveries, StoredDelivery::into_delivery),
            alarm: self.alarm.map(Timestamp::from_millis),
            state: match self.state {
                StoredState::Waiting => State::Waiting,
                StoredState::TimedOut => State::TimedOut,
                StoredState::Completed { at, decision } => State::Completed {
                    at: Timestamp::from_millis(at),
                    decision: decision.into_decision(text),
                },
                StoredState::Cancelled { at, reason } => State::Cancelled {
                    at: Timestamp::from_millis(at),
                    reason,
                },
            },
        }
    }
}

impl StoredDecision {
    pub fn of(decision: &Decision) -> (Self, &str) {
        let output = decision.output.as_ref();
        let stored = Self {
            output: output.map(|output| StoredOutputKind::of(output.kind)),
            by: match decision.by {
                CompletedBy::Api => StoredCompletedBy::Api,
                CompletedBy::Callback => StoredCompletedBy::Callback,
                CompletedBy::Page => StoredCompletedBy::Page,
                CompletedBy::Upstream => StoredCompletedBy::Upstream,
                CompletedBy::Timeout => StoredCompletedBy::Timeout,
                CompletedBy::Inbox => StoredCompletedBy::Inbox,
            },
            subject: decision.subject.clone(),
            callback: decision.callback.as_ref().map(|callback| StoredCallback {
                is_signed: callback.is_signed,
                headers: callback.headers.clone(),
            }),
            is_by_owner: decision.is_by_owner,
        };
        (stored, output.map_or("", |output| &output.text))
    }

    pub fn into_decision(self, text: String) -> Decision {
        Decision {
            output: self.output.map(|kind| Output {
                kind: kind.into_kind(),
                text,
            }),
            by: self.by.into(),
            subject: self.subject,
            callback: self.callback.map(|callback| CallbackRequest {
                is_signed: callback.is_signed,
                headers: callback.headers,
            }),
            is_by_owner: self.is_by_owner,
        }
    }
}

impl From<StoredCompletedBy> for CompletedBy {
    fn from(by: StoredCompletedBy) -> Self {
        match by {
            StoredCompletedBy::Api => Self::Api,
            StoredCompletedBy::Callback => Self::Callback,
            StoredCompletedBy::Page => Self::Page,
            StoredCompletedBy::Upstream => Self::Upstream,
            StoredCompletedBy::Timeout => Self::Timeout,
            StoredCompletedBy::Inbox => Self::Inbox,
        }
    }
}

fn into_all<Stored, T>(stored: Vec<Stored>, into: fn(Stored) -> T) -> Vec<T> {
    stored.into_iter().map(into).collect()
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The stored form of a record.
pub fn pack_record(record: &Record) -> Vec<u8> {
    match record {
        Record::Live(token) => {
            let (stored, text) = StoredToken::of(token);
            pack(&stored, text)
        }
        Record::Tombstone(tombstone) => pack(&StoredToken::of_tombstone(*tombstone), ""),
    }
}

/// The inverse of [`pack_record`].
pub fn unpack_record(bytes: &[u8]) -> Result<Record, Unreadable> {
    let (stored, text): (StoredToken, _) = unpack(bytes)?;
    if stored.is_tombstone {
        let created_at = Timestamp::from_millis(stored.created_at);
        return stored
            .read(text)
            .map(|_| Record::Tombstone(Tombstone { created_at }));
    }
    stored.read(text).map(Record::Live)
}
