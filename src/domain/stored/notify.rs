//! The stored form of a token's recipients, reminders and history.

use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::history::{HistoryEntry, HistoryKind};
use crate::domain::token::notify::{Recipient, Reminder};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum StoredRecipient {
    Email {
        address: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        locale: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approver: Option<u8>,
    },
    Slack(String),
    Teams(String),
    Webhook(String),
}

/// A reminder; the time is in milliseconds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum StoredReminder {
    After(u64),
    Before(u64),
}

/// An entry of the history: when, and what.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredEntry(u64, StoredKind);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredKind {
    Notified(u8),
    Reminded(u8),
    Extended(u64),
    Voted(u8),
    Ignored,
}

impl StoredRecipient {
    pub(super) fn of(recipient: &Recipient) -> Self {
        match recipient {
            Recipient::Email {
                address,
                locale,
                approver,
            } => Self::Email {
                address: address.clone(),
                locale: locale.clone(),
                approver: *approver,
            },
            Recipient::Slack(channel) => Self::Slack(channel.clone()),
            Recipient::Teams(channel) => Self::Teams(channel.clone()),
            Recipient::Webhook(url) => Self::Webhook(url.clone()),
        }
    }

    pub(super) fn into_recipient(self) -> Recipient {
        match self {
            Self::Email {
                address,
                locale,
                approver,
            } => Recipient::Email {
                address,
                locale,
                approver,
            },
            Self::Slack(channel) => Recipient::Slack(channel),
            Self::Teams(channel) => Recipient::Teams(channel),
            Self::Webhook(url) => Recipient::Webhook(url),
        }
    }
}

impl StoredReminder {
    pub(super) fn of(reminder: &Reminder) -> Self {
        let millis = |time: &Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        match reminder {
            Reminder::After(wait) => Self::After(millis(wait)),
            Reminder::Before(before) => Self::Before(millis(before)),
        }
    }

    pub(super) fn into_reminder(self) -> Reminder {
        match self {
            Self::After(millis) => Reminder::After(Duration::from_millis(millis)),
            Self::Before(millis) => Reminder::Before(Duration::from_millis(millis)),
        }
    }
}

impl StoredEntry {
    pub(super) fn of(entry: &HistoryEntry) -> Self {
        let kind = match entry.kind {
            HistoryKind::Notified(index) => StoredKind::Notified(index),
            HistoryKind::Reminded(index) => StoredKind::Reminded(index),
            HistoryKind::Extended(to) => StoredKind::Extended(to.as_millis()),
            HistoryKind::Voted(approver) => StoredKind::Voted(approver),
            HistoryKind::CallbackIgnored => StoredKind::Ignored,
        };
        Self(entry.at.as_millis(), kind)
    }

    pub(super) fn into_entry(self) -> HistoryEntry {
        HistoryEntry {
            at: Timestamp::from_millis(self.0),
            kind: match self.1 {
                StoredKind::Notified(index) => HistoryKind::Notified(index),
                StoredKind::Reminded(index) => HistoryKind::Reminded(index),
                StoredKind::Extended(to) => HistoryKind::Extended(Timestamp::from_millis(to)),
                StoredKind::Voted(approver) => HistoryKind::Voted(approver),
                StoredKind::Ignored => HistoryKind::CallbackIgnored,
            },
        }
    }
}
