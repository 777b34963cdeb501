//! Invariants:
//! - An absent field is left out. `null` would break trigger.dev's clients.
//! - Only the owner sees the links of approvers, the short link, where webhooks go, who is notified, and
//!   the history. The idempotency key and who the approvers are is shown to the owner and in webhooks.
//! - Until the token ends, nobody else sees the votes: an approver is not to know how others voted.
//!
//! A token in the API's responses. Source of the format: trigger.dev's `api.ts`.

use super::approver_link::ApproverLink;
use super::delivery_body::DeliveryBody;
use super::history_body::{EntryBody, history};
use super::vote_body::{VoteBody, votes};
use crate::domain::json::{self, to_json};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::home::Home;
use crate::domain::token::status::Status;
use crate::domain::token::{CompletedBy, Decision, OutputKind, State, Token};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Who sees a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// The holder of a secret key.
    Owner,
    /// The receiver of a webhook. It sees everything but the token's other webhooks.
    Webhook,
    /// Anybody else. They see neither webhooks nor the idempotency key, which is internal to a back
    /// end.
    Token,
}

/// The response to retrieve. `id` is the public id; `url` must grant no more than the caller has.
#[must_use]
pub fn token_json(id: &str, url: &str, token: &Token, visibility: Visibility) -> String {
    to_json(&TokenBody::of(id, url, token, visibility))
}

/// The response to retrieve for the owner, with the token's short link and those of its approvers.
#[must_use]
pub fn owned_token_json(
    id: &str,
    url: &str,
    short_url: &str,
    links: &[ApproverLink],
    token: &Token,
) -> String {
    to_json(&TokenBody {
        short_url: Some(short_url),
        links,
        ..TokenBody::of(id, url, token, Visibility::Owner)
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenBody<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_url: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    links: &'a [ApproverLink],
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
    cancelled_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_by_subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<CallbackBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<Cow<'a, RawValue>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    votes: Vec<VoteBody<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deliveries: Vec<DeliveryBody<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    history: Vec<EntryBody<'a>>,
}

/// The callback that completed a token.
#[derive(Serialize)]
struct CallbackBody<'a> {
    #[serde(serialize_with = "as_object")]
    headers: &'a [(String, String)],
}

impl<'a> CallbackBody<'a> {
    fn of(decision: &'a Decision) -> Option<Self> {
        let headers = decision.callback.as_ref()?.headers.as_slice();
        (!headers.is_empty()).then_some(Self { headers })
    }
}

fn as_object<S: serde::Serializer>(
    headers: &&[(String, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(headers.iter().map(|(name, value)| (name, value)))
}

impl<'a> TokenBody<'a> {
    /// The token as the receiver of a webhook sees it.
    pub(crate) fn of_webhook(
        id: &'a str,
        url: &'a str,
        short_url: Option<&'a str>,
        token: &'a Token,
    ) -> Self {
        let body = Self::of(id, url, token, Visibility::Webhook);
        match short_url {
            None => body,
            // Recipients may be approvers, who must not know how others voted, nor who they are.
            Some(_) => Self {
                short_url,
                votes: Vec::new(),
                approval: approval(token, Visibility::Token),
                ..body
            },
        }
    }

    fn of(id: &'a str, url: &'a str, token: &'a Token, visibility: Visibility) -> Self {
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
            State::Cancelled { reason, .. } => {
                let output = Cow::Owned(cancelled_json(reason.as_deref()));
                (Some((output, OutputKind::Json)), None, None)
            }
        };
        let (cancelled_at, cancel_reason) = match &token.state {
            State::Cancelled { at, reason } => (Some(*at), reason.as_deref()),
            _ => (None, None),
        };
        let kind = output.as_ref().map_or(OutputKind::Json, |(_, kind)| *kind);
        let deliveries = token
            .deliveries
            .iter()
            .filter(|_| visibility == Visibility::Owner);
        let key = token
            .key
            .as_ref()
            .filter(|_| visibility != Visibility::Token);
        let is_secret = visibility == Visibility::Token && token.state == State::Waiting;
        Self {
            id,
            kind: "MANUAL",
            url,
            short_url: None,
            links: &[],
            status: status(token),
            idempotency_key: key.map(|key| key.text.as_str()),
            user_provided_idempotency_key: token.key.is_some(),
            idempotency_key_expires_at: key.and_then(|key| key.expires_at),
            output: output.map(|(text, _)| text),
            output_type: kind.media_type(),
            output_is_error: Status::of(&token.state) == Status::TimedOut,
            timeout_at: token.timeout_at,
            completed_after: token.timeout_at,
            completed_at: token.finished_at(),
            created_at: token.created_at,
            tags: &token.tags,
            cancelled_at,
            cancel_reason,
            completed_by: by.map(CompletedBy::as_str),
            completed_by_subject: subject,
            callback: match &token.state {
                State::Completed { decision, .. } => CallbackBody::of(decision),
                _ => None,
            },
            approval: approval(token, visibility),
            votes: if is_secret { Vec::new() } else { votes(token) },
            deliveries: deliveries.map(|one| DeliveryBody::of(one, token)).collect(),
            history: if visibility == Visibility::Owner {
                history(token)
            } else {
                Vec::new()
            },
        }
    }
}

/// The question. Its approvers and their addresses are nobody's business who only has a link.
fn approval(token: &Token, visibility: Visibility) -> Option<Cow<'_, RawValue>> {
    let text = token.approval.as_deref()?;
    // One that lives at another Waitpoint has approvers of whom nothing is known here.
    let may_name = token.quorum.is_some() || token.home == Home::Upstream;
    if visibility == Visibility::Token && may_name {
        let text = json::without(json::entries(text)?, |key| key == "approvers");
        return RawValue::from_string(text).ok().map(Cow::Owned);
    }
    serde_json::from_str(text).ok().map(Cow::Borrowed)
}

/// The name of a token's status.
#[must_use]
pub fn status(token: &Token) -> &'static str {
    Status::of(&token.state).as_str()
}

/// The version of a token. It changes when the timeout is moved and when the token ends.
#[must_use]
pub fn version(token: &Token) -> Cow<'static, str> {
    match token.state {
        State::Waiting if token.extensions > 0 => format!("{WAITS}.{}", token.extensions).into(),
        State::Waiting => WAITS.into(),
        State::Completed { .. } | State::TimedOut | State::Cancelled { .. } => IS_FINISHED.into(),
    }
}

const WAITS: &str = "v1";
const IS_FINISHED: &str = "v2";

/// Whether this may be a [`version`].
#[must_use]
pub fn is_version(text: &str) -> bool {
    let extensions = text
        .strip_prefix(WAITS)
        .and_then(|rest| rest.strip_prefix('.'));
    text == WAITS
        || text == IS_FINISHED
        || extensions.is_some_and(|number| number.parse::<u32>().is_ok())
}

/// The output of a token that timed out. trigger.dev's clients read its `message`.
fn timed_out_json(at: Option<Timestamp>) -> String {
    let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
    format!(r#"{{"code":"TRIGGER_WAITPOINT_TIMEOUT","message":"Waitpoint timed out{at}"}}"#)
}

/// The output of a cancelled token. trigger.dev's clients read its `message`.
fn cancelled_json(reason: Option<&str>) -> String {
    #[derive(Serialize)]
    struct Output<'a> {
        code: &'static str,
        name: &'static str,
        message: &'a str,
    }
    to_json(&Output {
        code: "CANCELLED",
        name: "WaitpointCancelledError",
        message: reason.unwrap_or("Waitpoint cancelled"),
    })
}

impl OutputKind {
    /// The media type in `outputType`.
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
    /// The value of `completedBy`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Callback => "callback",
            Self::Page => "page",
            Self::Upstream => "upstream",
            Self::Timeout => "timeout",
            Self::Inbox => "inbox",
        }
    }
}
