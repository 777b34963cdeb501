//! The history of a token, as its owner and operators see it.
//!
//! Invariant: it has at most [`MAX_HISTORY`] entries: the first, and the last ones.

use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::history::{HistoryKind, MAX_HISTORY};
use crate::domain::token::notify::Recipient;
use crate::domain::token::{CompletedBy, State, Token};
use serde::Serialize;

/// An entry.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EntryBody<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: EntryKind,
    pub(crate) at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<RecipientBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'a str>,
}

/// The kind of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EntryKind {
    Created,
    Notified,
    Reminded,
    Extended,
    Voted,
    CallbackIgnored,
    Completed,
    Cancelled,
    TimedOut,
}

/// A recipient, as in the field `notify` of create.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum RecipientBody<'a> {
    Email(&'a str),
    Slack(&'a str),
    Teams(&'a str),
    Webhook(&'a str),
}

impl<'a> RecipientBody<'a> {
    fn of(token: &'a Token, index: u8) -> Option<Self> {
        Some(match token.notify.get(usize::from(index))? {
            Recipient::Email { address, .. } => Self::Email(address),
            Recipient::Slack(channel) => Self::Slack(channel),
            Recipient::Teams(channel) => Self::Teams(channel),
            Recipient::Webhook(url) => Self::Webhook(url),
        })
    }
}

impl EntryBody<'_> {
    fn new(kind: EntryKind, at: Timestamp) -> Self {
        Self {
            kind,
            at,
            to: None,
            timeout_at: None,
            by: None,
            subject: None,
            reason: None,
        }
    }
}

/// What happened to a token, in order.
pub(crate) fn history(token: &Token) -> Vec<EntryBody<'_>> {
    let entry = EntryBody::new;
    let mut entries = vec![entry(EntryKind::Created, token.created_at)];
    entries.extend(token.history.iter().map(|one| match one.kind {
        HistoryKind::Notified(index) => EntryBody {
            to: RecipientBody::of(token, index),
            ..entry(EntryKind::Notified, one.at)
        },
        HistoryKind::Reminded(index) => EntryBody {
            to: RecipientBody::of(token, index),
            ..entry(EntryKind::Reminded, one.at)
        },
        HistoryKind::Extended(timeout_at) => EntryBody {
            timeout_at: Some(timeout_at),
            ..entry(EntryKind::Extended, one.at)
        },
        HistoryKind::Voted(approver) => EntryBody {
            by: token.approver(approver),
            ..entry(EntryKind::Voted, one.at)
        },
        HistoryKind::CallbackIgnored => entry(EntryKind::CallbackIgnored, one.at),
    }));
    let end = token.finished_at().map(|at| match &token.state {
        State::Completed { decision, .. } => EntryBody {
            by: Some(CompletedBy::as_str(decision.by)),
            subject: decision.subject.as_deref(),
            ..entry(EntryKind::Completed, at)
        },
        State::Cancelled { reason, .. } => EntryBody {
            reason: reason.as_deref(),
            ..entry(EntryKind::Cancelled, at)
        },
        State::TimedOut | State::Waiting => entry(EntryKind::TimedOut, at),
    });
    if let Some(end) = end {
        // A notice that was under way may have been received after the end.
        let place = entries.partition_point(|one| one.at <= end.at);
        entries.insert(place, end);
    }
    let superfluous = entries.len().saturating_sub(MAX_HISTORY);
    entries.drain(1..=superfluous);
    entries
}
