//! The stored form of a token, and what Worker and object say to each other.
//!
//! Both are a line of JSON and, after it, an output's text as it is: a text of megabytes is never
//! escaped or parsed on its way. The stored form has a version and changes for reasons of its own,
//! never because the wire form does.

use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::command::Ask;
use crate::domain::token::delivery::{
    Attempt, AttemptResult, Delivery, Progress, Target, UpstreamConflict,
};
use crate::domain::token::transition::Outcome;
use crate::domain::token::{CompletedBy, Decision, Key, Output, OutputKind, State, Token, command};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// What the Worker asks of an object.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Store this token, unless there is one. Unknown, if there is one that is forgotten.
    Create(Record),
    /// The token as it stands now.
    Read,
    /// The same for a page, which shows no long output: it would lie in the Worker once a visit.
    ReadForPage,
    /// Complete it; the output's text follows.
    Complete(StoredDecision),
    /// Complete it, as it lives upstream; this is the token if it is not kept yet. The output's text follows.
    Relay(Record, StoredDecision),
    /// Keep what upstream says of it; its output's text follows.
    Learn(Record),
}

/// What an object answers.
#[allow(
    clippy::large_enum_variant,
    reason = "it is not, with pointers of 32 bits"
)]
pub enum Answer {
    /// There is no such token.
    Unknown,
    /// The token is stored.
    Created,
    /// The token as it stands; after a create, the one that was there before.
    Found(Token),
    /// What a completion came to.
    Decided(Outcome),
}

/// An answer on its way; the text of a token's output follows.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Unknown,
    Created,
    Found(Box<Record>),
    Decided(Verdict),
}

/// An [`Outcome`], which knows no JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Waiting,
    Completed,
    AlreadyCompleted,
    TimedOut,
}

/// The stored form, version 1.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    creator: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    webhook: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    upstream: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    spent: bool,
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

/// What is owed. It is `pending` until `at`, or over.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredDelivery {
    to: StoredTarget,
    progress: StoredProgress,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<u64>,
    #[serde(default)]
    attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<(u64, StoredAttemptResult)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<StoredConflict>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredConflict {
    TimedOut,
    Otherwise,
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
    Nothing,
    Impossible,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredState {
    Waiting,
    Completed { at: u64, decision: StoredDecision },
    TimedOut,
}

/// A decision but for its output's text.
#[derive(Serialize, Deserialize)]
pub struct StoredDecision {
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Kind>,
    by: StoredWay,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Json,
    Text,
    Stored,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredWay {
    Api,
    Callback,
    Page,
    Upstream,
}

impl Command {
    /// The way by which a decision comes, if this is one.
    pub fn way(&self) -> Option<CompletedBy> {
        match self {
            Self::Complete(deciding) | Self::Relay(_, deciding) => Some(deciding.by.into()),
            Self::Create(_) | Self::Read | Self::ReadForPage | Self::Learn(_) => None,
        }
    }

    /// The inverse of packing; `text` is what followed.
    pub fn into_ask(self, text: String) -> Ask {
        match self {
            Self::Create(record) => Ask::Create(Box::new(record.into_token(String::new()))),
            Self::Read | Self::ReadForPage => Ask::Read,
            Self::Complete(deciding) => Ask::Complete(deciding.into_decision(text)),
            Self::Relay(record, deciding) => Ask::Relay(
                Box::new(record.into_token(String::new())),
                deciding.into_decision(text),
            ),
            Self::Learn(record) => Ask::Learn(Box::new(record.into_token(text))),
        }
    }
}

impl Record {
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
            creator: token.creator.clone(),
            webhook: token.webhook.clone(),
            upstream: token.is_upstream,
            spent: token.is_spent,
            state,
            deliveries: token.deliveries.iter().map(StoredDelivery::of).collect(),
            alarm: token.alarm.map(Timestamp::as_millis),
        };
        (record, text)
    }

    /// The inverse of [`Record::of`].
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
            creator: self.creator,
            webhook: self.webhook,
            is_upstream: self.upstream,
            is_spent: self.spent,
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
            to: match delivery.target {
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
                let said = match last.result {
                    AttemptResult::Status(status) => StoredAttemptResult::Status(status),
                    AttemptResult::NoResponse => StoredAttemptResult::Nothing,
                    AttemptResult::NotSendable => StoredAttemptResult::Impossible,
                };
                (last.at.as_millis(), said)
            }),
            note: delivery.note.map(|note| match note {
                UpstreamConflict::TimedOutUpstream => StoredConflict::TimedOut,
                UpstreamConflict::DecidedOtherwiseUpstream => StoredConflict::Otherwise,
            }),
        }
    }

    fn into_delivery(self) -> Delivery {
        Delivery {
            target: match self.to {
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
            last: self.last.map(|(at, said)| Attempt {
                at: Timestamp::from_millis(at),
                result: match said {
                    StoredAttemptResult::Status(status) => AttemptResult::Status(status),
                    StoredAttemptResult::Nothing => AttemptResult::NoResponse,
                    StoredAttemptResult::Impossible => AttemptResult::NotSendable,
                },
            }),
            note: self.note.map(|note| match note {
                StoredConflict::TimedOut => UpstreamConflict::TimedOutUpstream,
                StoredConflict::Otherwise => UpstreamConflict::DecidedOtherwiseUpstream,
            }),
        }
    }
}

impl StoredDecision {
    pub fn of(decision: &Decision) -> (Self, &str) {
        let output = decision.output.as_ref();
        let deciding = Self {
            output: output.map(|output| match output.kind {
                OutputKind::Json => Kind::Json,
                OutputKind::Text => Kind::Text,
                OutputKind::Stored => Kind::Stored,
            }),
            by: match decision.by {
                CompletedBy::Api => StoredWay::Api,
                CompletedBy::Callback => StoredWay::Callback,
                CompletedBy::Page => StoredWay::Page,
                CompletedBy::Upstream => StoredWay::Upstream,
            },
            subject: decision.subject.clone(),
        };
        (deciding, output.map_or("", |output| &output.text))
    }

    pub fn into_decision(self, text: String) -> Decision {
        Decision {
            output: self.output.map(|kind| Output {
                kind: match kind {
                    Kind::Json => OutputKind::Json,
                    Kind::Text => OutputKind::Text,
                    Kind::Stored => OutputKind::Stored,
                },
                text,
            }),
            by: self.by.into(),
            subject: self.subject,
        }
    }
}

impl From<StoredWay> for CompletedBy {
    fn from(way: StoredWay) -> Self {
        match way {
            StoredWay::Api => Self::Api,
            StoredWay::Callback => Self::Callback,
            StoredWay::Page => Self::Page,
            StoredWay::Upstream => Self::Upstream,
        }
    }
}

/// What cannot be read back: a bug, or a record of a later version.
#[derive(Debug)]
pub struct Unreadable;

/// A line of JSON, then a text: the one border between what is parsed and what is not.
pub fn pack<T: Serialize>(head: &T, text: &str) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(head).unwrap_or_default();
    bytes.push(b'\n');
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// The inverse of [`pack`].
pub fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, String), Unreadable> {
    let (head, text) = split_line(bytes).ok_or(Unreadable)?;
    let head = serde_json::from_slice(head).map_err(|_| Unreadable)?;
    Ok((
        head,
        String::from_utf8(text.to_vec()).map_err(|_| Unreadable)?,
    ))
}

pub fn pack_token(token: &Token) -> Vec<u8> {
    let (record, text) = Record::of(token);
    pack(&record, text)
}

pub fn unpack_token(bytes: &[u8]) -> Result<Token, Unreadable> {
    let (record, text): (Record, _) = unpack(bytes)?;
    if record.v == 1 {
        Ok(record.into_token(text))
    } else {
        Err(Unreadable)
    }
}

impl Answer {
    /// A reply, with the token that it found.
    pub fn of(reply: command::Reply, token: Option<Token>) -> Self {
        match (reply, token) {
            (command::Reply::Found, Some(token)) => Self::Found(token),
            (command::Reply::Found | command::Reply::Unknown, _) => Self::Unknown,
            (command::Reply::Created, _) => Self::Created,
            (command::Reply::Decided(outcome), _) => Self::Decided(outcome),
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Unknown => pack(&Reply::Unknown, ""),
            Self::Created => pack(&Reply::Created, ""),
            Self::Found(token) => {
                let (record, text) = Record::of(token);
                pack(&Reply::Found(Box::new(record)), text)
            }
            Self::Decided(outcome) => pack(&Reply::Decided((*outcome).into()), ""),
        }
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let (reply, text) = unpack(bytes)?;
        Ok(match reply {
            Reply::Unknown => Self::Unknown,
            Reply::Created => Self::Created,
            Reply::Found(record) if record.v == 1 => Self::Found(record.into_token(text)),
            Reply::Found(_) => return Err(Unreadable),
            Reply::Decided(verdict) => Self::Decided(verdict.into()),
        })
    }
}

impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Waiting => Self::Waiting,
            Outcome::Completed => Self::Completed,
            Outcome::AlreadyCompleted => Self::AlreadyCompleted,
            Outcome::TimedOut => Self::TimedOut,
        }
    }
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Waiting => Self::Waiting,
            Verdict::Completed => Self::Completed,
            Verdict::AlreadyCompleted => Self::AlreadyCompleted,
            Verdict::TimedOut => Self::TimedOut,
        }
    }
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&byte| byte == b'\n')?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}
