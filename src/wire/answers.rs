//! What is answered: JSON in trigger.dev's shapes. What is absent is left out, never `null`, which would
//! break its clients.

use super::to_json;
use crate::delivery::{Answer, Delivery, Note, Progress, Target};
use crate::time::Timestamp;
use crate::token::{CompletedBy, Outcome, OutputKind, State, Token};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The answer to create.
#[must_use]
pub fn created_json(id: &str, is_cached: bool, url: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        id: &'a str,
        is_cached: bool,
        url: &'a str,
    }
    to_json(&Body { id, is_cached, url })
}

/// What `auth.createPublicToken` asks for before it signs a token itself.
#[must_use]
pub fn claims_json(environment: &str) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        sub: &'a str,
        #[serde(rename = "pub")]
        public: bool,
    }
    to_json(&Body {
        sub: environment,
        public: true,
    })
}

/// Who reads a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The holder of a secret key.
    Owner,
    /// Whom the owner has told by a webhook: all but where else webhooks go.
    Receiver,
    /// Anybody else: neither that nor the idempotency key, which is a back end's own name for what it does.
    Guest,
}

/// The answer to retrieve. `id` is the public one; `url` must grant no more than the caller has.
#[must_use]
pub fn token_json(id: &str, url: &str, token: &Token, reader: Reader) -> String {
    to_json(&TokenBody::of(id, url, token, reader))
}

/// The body of a webhook: how the token ended. It is the same for each attempt.
#[must_use]
pub fn webhook_json(id: &str, url: &str, token: &Token) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "type")]
        kind: &'static str,
        timestamp: String,
        data: TokenBody<'a>,
    }
    to_json(&Body {
        kind: match token.state {
            State::TimedOut => "waitpoint.timed_out",
            State::Completed { .. } | State::Waiting => "waitpoint.completed",
        },
        timestamp: token.finished_at().unwrap_or(token.created_at).to_string(),
        data: TokenBody::of(id, url, token, Reader::Receiver),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenBody<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    url: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<&'a str>,
    user_provided_idempotency_key: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key_expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Cow<'a, str>>,
    output_type: &'static str,
    output_is_error: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<Timestamp>,
    created_at: Timestamp,
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_by_subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deliveries: Vec<DeliveryBody<'a>>,
}

impl<'a> TokenBody<'a> {
    fn of(id: &'a str, url: &'a str, token: &'a Token, reader: Reader) -> Self {
        let (output, by, subject) = match &token.state {
            State::Waiting => (None, None, None),
            State::Completed { decision, .. } => {
                let output = decision.output.as_ref();
                let output = output.map(|o| (Cow::Borrowed(o.text.as_str()), o.kind));
                (output, Some(decision.by), decision.subject.as_deref())
            }
            State::TimedOut => {
                let output = Cow::Owned(timed_out_json(token.timeout_at));
                (Some((output, OutputKind::Json)), None, None)
            }
        };
        let kind = output.as_ref().map_or(OutputKind::Json, |(_, kind)| *kind);
        let deliveries = token.deliveries.iter().filter(|_| reader == Reader::Owner);
        let key = token.key.as_ref().filter(|_| reader != Reader::Guest);
        Self {
            id,
            kind: "MANUAL",
            url,
            status: status(token),
            idempotency_key: key.map(|key| key.text.as_str()),
            user_provided_idempotency_key: token.key.is_some(),
            idempotency_key_expires_at: key.and_then(|key| key.expires_at),
            output: output.map(|(text, _)| text),
            output_type: kind.media_type(),
            output_is_error: token.state == State::TimedOut,
            timeout_at: token.timeout_at,
            completed_after: token.timeout_at,
            completed_at: token.finished_at(),
            created_at: token.created_at,
            tags: &token.tags,
            completed_by: by.map(CompletedBy::as_str),
            completed_by_subject: subject,
            approval: token
                .approval
                .as_deref()
                .and_then(|text| serde_json::from_str(text).ok()),
            deliveries: deliveries.map(|one| DeliveryBody::of(one, token)).collect(),
        }
    }
}

/// How far a webhook has come.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryBody<'a> {
    target: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    status: &'static str,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_attempt_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<&'static str>,
}

impl<'a> DeliveryBody<'a> {
    fn of(delivery: &Delivery, token: &'a Token) -> Self {
        let (target, url) = match delivery.target {
            Target::Environment => ("environment", None),
            Target::Token => ("token", token.webhook.as_deref()),
            Target::Upstream => ("upstream", None),
        };
        let (last_status, last_error) = match delivery.last.map(|last| last.answer) {
            None => (None, None),
            Some(Answer::Status(status)) => (Some(status), None),
            Some(Answer::None) => (None, Some("not reached, or no answer within 10 seconds")),
            Some(Answer::Impossible) => (None, Some("its URL or its secret cannot be used")),
        };
        Self {
            target,
            url,
            status: match delivery.progress {
                Progress::Pending(_) => "pending",
                Progress::Delivered => "delivered",
                Progress::Failed => "failed",
            },
            attempts: delivery.attempts,
            next_attempt_at: delivery.due_at(),
            last_attempt_at: delivery.last.map(|last| last.at),
            last_status,
            last_error,
            difference: delivery.note.map(|note| match note {
                Note::TimedOutUpstream => "it had timed out upstream",
                Note::DecidedOtherwiseUpstream => {
                    "it had been completed upstream with another output"
                }
            }),
        }
    }
}

/// What the operator is told of the last attempt at a delivery, but for the URL, which may be a credential;
/// `None` if it was received.
#[must_use]
pub fn failed_attempt_json(id: &str, token: &Token, delivery: usize) -> Option<String> {
    #[derive(Serialize)]
    struct Line<'a> {
        event: &'static str,
        token: &'a str,
        delivery: DeliveryBody<'a>,
    }
    let delivery = token.deliveries.get(delivery)?;
    (delivery.progress != Progress::Delivered).then(|| {
        to_json(&Line {
            event: "not delivered",
            token: id,
            delivery: DeliveryBody {
                url: None,
                ..DeliveryBody::of(delivery, token)
            },
        })
    })
}

/// As ISO 8601 text.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

/// Where a token stands, as `status` names it.
#[must_use]
pub fn status(token: &Token) -> &'static str {
    match &token.state {
        State::Waiting => "WAITING",
        State::Completed { .. } => "COMPLETED",
        State::TimedOut => "TIMED_OUT",
    }
}

/// The version of a token: one a state.
#[must_use]
pub fn version(token: &Token) -> &'static str {
    match token.state {
        State::Waiting => "v1",
        State::Completed { .. } | State::TimedOut => "v2",
    }
}

/// A Server-Sent Event that tells a token as JSON, which holds no line break. Its id is the token's version.
#[must_use]
pub fn event(version: &str, json: &str) -> String {
    format!("event: token\nid: {version}\ndata: {json}\n\n")
}

/// The output of a token that timed out; trigger.dev's clients read its `message`.
fn timed_out_json(at: Option<Timestamp>) -> String {
    let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
    format!(r#"{{"code":"TRIGGER_WAITPOINT_TIMEOUT","message":"Waitpoint timed out{at}"}}"#)
}

impl OutputKind {
    /// The media type, as `outputType` names it.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Text => "text/plain",
            Self::Stored => "application/store",
        }
    }
}

impl CompletedBy {
    /// As `completedBy` names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Callback => "callback",
            Self::Page => "page",
            Self::Upstream => "upstream",
        }
    }
}

impl Outcome {
    /// As the header `waitpoint-outcome` names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::AlreadyCompleted => "already-completed",
            Self::TimedOut => "timed-out",
        }
    }
}

/// The answer to list. `url` says what a row's URL is; an item has no output.
#[must_use]
pub fn list_json(
    page: &crate::list::Page,
    now: Timestamp,
    url: impl Fn(&crate::list::Row) -> String,
) -> String {
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
            crate::list::insert(&mut tags, tag.as_str());
        }
        data.push(Item {
            id: format!("waitpoint_{}", row.id),
            url: url(row),
            status: row.status(now).as_str(),
            completed_at: iso(row.finished_at(now)),
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
            next: page.next.as_ref().map(crate::list::Cursor::to_text),
            previous: page.previous.as_ref().map(crate::list::Cursor::to_text),
        },
    })
}
