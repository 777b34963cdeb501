//! The history of a token, as its owner sees it.
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
pub(super) struct EntryBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<RecipientBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// A recipient, as in the field `notify` of create.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum RecipientBody<'a> {
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
    fn new(kind: &'static str, at: Timestamp) -> Self {
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
pub(super) fn history(token: &Token) -> Vec<EntryBody<'_>> {
    let entry = EntryBody::new;
    let mut entries = vec![entry("created", token.created_at)];
    entries.extend(token.history.iter().map(|one| match one.kind {
        HistoryKind::Notified(index) => EntryBody {
            to: RecipientBody::of(token, index),
            ..entry("notified", one.at)
        },
        HistoryKind::Reminded(index) => EntryBody {
            to: RecipientBody::of(token, index),
            ..entry("reminded", one.at)
        },
        HistoryKind::Extended(timeout_at) => EntryBody {
            timeout_at: Some(timeout_at),
            ..entry("extended", one.at)
        },
        HistoryKind::Voted(approver) => EntryBody {
            by: token.approver(approver),
            ..entry("voted", one.at)
        },
        HistoryKind::CallbackIgnored => entry("callback_ignored", one.at),
    }));
    let end = token.finished_at().map(|at| match &token.state {
        State::Completed { decision, .. } => EntryBody {
            by: Some(CompletedBy::as_str(decision.by)),
            subject: decision.subject.as_deref(),
            ..entry("completed", at)
        },
        State::Cancelled { reason, .. } => EntryBody {
            reason: reason.as_deref(),
            ..entry("cancelled", at)
        },
        State::TimedOut | State::Waiting => entry("timed_out", at),
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
