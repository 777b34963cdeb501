//! The stored form of a record: a line of JSON, then the text of an output. It has its own version
//! and does not change with the API.

use super::line::{Unreadable, pack, unpack};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::delivery::{
    Attempt, AttemptResult, Delivery, Progress, Target, UpstreamConflict,
};
use crate::domain::token::home::Home;
use crate::domain::token::record::{Record, Tombstone};
use crate::domain::token::{
    CallbackRequest, CompletedBy, Decision, Key, Output, OutputKind, State, Token,
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

/// A delivery. If `at` is set it is pending until then, otherwise it is finished.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredDelivery {
    #[serde(rename = "to")]
    target: StoredTarget,
    progress: StoredProgress,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<u64>,
    #[serde(default)]
    attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<(u64, StoredAttemptResult)>,
    #[serde(rename = "note", default, skip_serializing_if = "Option::is_none")]
    conflict: Option<StoredConflict>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredConflict {
    TimedOut,
    #[serde(rename = "otherwise")]
    DecidedOtherwise,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredTarget {
    Environment,
    Token,
    Upstream,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredProgress {
    Pending,
    Delivered,
    Failed,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredAttemptResult {
    Status(u16),
    #[serde(rename = "nothing")]
    NoResponse,
    #[serde(rename = "impossible")]
    NotSendable,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredState {
    Waiting,
    Completed { at: u64, decision: StoredDecision },
    TimedOut,
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
}

#[derive(Serialize, Deserialize)]
struct StoredCallback {
    #[serde(rename = "signed", default, skip_serializing_if = "std::ops::Not::not")]
    is_signed: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
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
}

impl StoredToken {
    /// The stored form of a token, and the text that follows it.
    pub fn of(token: &Token) -> (Self, &str) {
        let (state, text) = match &token.state {
            State::Waiting => (StoredState::Waiting, ""),
            State::TimedOut => (StoredState::TimedOut, ""),
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
            v: 1,
            created_at: token.created_at.as_millis(),
            timeout_at: token.timeout_at.map(Timestamp::as_millis),
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
        if self.v == 1 {
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
            home: if self.is_upstream {
                Home::Upstream
            } else {
                Home::Here
            },
            deliveries: self
                .deliveries
                .into_iter()
                .map(StoredDelivery::into_delivery)
                .collect(),
            alarm: self.alarm.map(Timestamp::from_millis),
            state: match self.state {
                StoredState::Waiting => State::Waiting,
                StoredState::TimedOut => State::TimedOut,
                StoredState::Completed { at, decision } => State::Completed {
                    at: Timestamp::from_millis(at),
                    decision: decision.into_decision(text),
                },
            },
        }
    }
}

impl StoredDelivery {
    fn of(delivery: &Delivery) -> Self {
        Self {
            target: match delivery.target {
                Target::Environment => StoredTarget::Environment,
                Target::Token => StoredTarget::Token,
                Target::Upstream => StoredTarget::Upstream,
            },
            progress: match delivery.progress {
                Progress::Pending(_) => StoredProgress::Pending,
                Progress::Delivered => StoredProgress::Delivered,
                Progress::Failed => StoredProgress::Failed,
            },
            at: delivery.due_at().map(Timestamp::as_millis),
            attempts: delivery.attempts,
            last: delivery.last.map(|last| {
                let result = match last.result {
                    AttemptResult::Status(status) => StoredAttemptResult::Status(status),
                    AttemptResult::NoResponse => StoredAttemptResult::NoResponse,
                    AttemptResult::NotSendable => StoredAttemptResult::NotSendable,
                };
                (last.at.as_millis(), result)
            }),
            conflict: delivery.conflict.map(|conflict| match conflict {
                UpstreamConflict::TimedOutUpstream => StoredConflict::TimedOut,
                UpstreamConflict::DecidedOtherwiseUpstream => StoredConflict::DecidedOtherwise,
            }),
        }
    }

    fn into_delivery(self) -> Delivery {
        Delivery {
            target: match self.target {
                StoredTarget::Environment => Target::Environment,
                StoredTarget::Token => Target::Token,
                StoredTarget::Upstream => Target::Upstream,
            },
            progress: match self.progress {
                StoredProgress::Pending => {
                    Progress::Pending(Timestamp::from_millis(self.at.unwrap_or_default()))
                }
                StoredProgress::Delivered => Progress::Delivered,
                StoredProgress::Failed => Progress::Failed,
            },
            attempts: self.attempts,
            last: self.last.map(|(at, result)| Attempt {
                at: Timestamp::from_millis(at),
                result: match result {
                    StoredAttemptResult::Status(status) => AttemptResult::Status(status),
                    StoredAttemptResult::NoResponse => AttemptResult::NoResponse,
                    StoredAttemptResult::NotSendable => AttemptResult::NotSendable,
                },
            }),
            conflict: self.conflict.map(|conflict| match conflict {
                StoredConflict::TimedOut => UpstreamConflict::TimedOutUpstream,
                StoredConflict::DecidedOtherwise => UpstreamConflict::DecidedOtherwiseUpstream,
            }),
        }
    }
}

impl StoredDecision {
    pub fn of(decision: &Decision) -> (Self, &str) {
        let output = decision.output.as_ref();
        let stored = Self {
            output: output.map(|output| match output.kind {
                OutputKind::Json => StoredOutputKind::Json,
                OutputKind::Text => StoredOutputKind::Text,
                OutputKind::Stored => StoredOutputKind::Stored,
            }),
            by: match decision.by {
                CompletedBy::Api => StoredCompletedBy::Api,
                CompletedBy::Callback => StoredCompletedBy::Callback,
                CompletedBy::Page => StoredCompletedBy::Page,
                CompletedBy::Upstream => StoredCompletedBy::Upstream,
            },
            subject: decision.subject.clone(),
            callback: decision.callback.as_ref().map(|callback| StoredCallback {
                is_signed: callback.is_signed,
                headers: callback.headers.clone(),
            }),
        };
        (stored, output.map_or("", |output| &output.text))
    }

    pub fn into_decision(self, text: String) -> Decision {
        Decision {
            output: self.output.map(|kind| Output {
                kind: match kind {
                    StoredOutputKind::Json => OutputKind::Json,
                    StoredOutputKind::Text => OutputKind::Text,
                    StoredOutputKind::Stored => OutputKind::Stored,
                },
                text,
            }),
            by: self.by.into(),
            subject: self.subject,
            callback: self.callback.map(|callback| CallbackRequest {
                is_signed: callback.is_signed,
                headers: callback.headers,
            }),
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
        }
    }
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
