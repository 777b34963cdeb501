//! The stored form of a delivery. It is part of the stored form of a record.

use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::delivery::{
    Attempt, AttemptResult, Delivery, Progress, Target, UpstreamConflict,
};
use crate::domain::token::event::TokenEvent;
use serde::{Deserialize, Serialize};

/// A delivery. If `at` is set it is pending until then, otherwise it is finished.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoredDelivery {
    #[serde(default, skip_serializing_if = "StoredEvent::is_ended")]
    event: StoredEvent,
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
    Recipient(u8),
}

/// An event; a delivery of a time before there were others is of the end.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum StoredEvent {
    Created,
    Reminder(u64),
    Extended(u64),
    #[default]
    Ended,
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
    MailAccepted,
    MailFailed,
    MailRefused,
}

impl StoredDelivery {
    pub(super) fn of(delivery: &Delivery) -> Self {
        Self {
            event: StoredEvent::of(delivery.event),
            target: match delivery.target {
                Target::Environment => StoredTarget::Environment,
                Target::Token => StoredTarget::Token,
                Target::Upstream => StoredTarget::Upstream,
                Target::Recipient(index) => StoredTarget::Recipient(index),
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
                    AttemptResult::MailAccepted => StoredAttemptResult::MailAccepted,
                    AttemptResult::MailFailed => StoredAttemptResult::MailFailed,
                    AttemptResult::MailRefused => StoredAttemptResult::MailRefused,
                };
                (last.at.as_millis(), result)
            }),
            conflict: delivery.conflict.map(|conflict| match conflict {
                UpstreamConflict::TimedOutUpstream => StoredConflict::TimedOut,
                UpstreamConflict::DecidedOtherwiseUpstream => StoredConflict::DecidedOtherwise,
            }),
        }
    }

    pub(super) fn into_delivery(self) -> Delivery {
        Delivery {
            event: self.event.into_event(),
            target: match self.target {
                StoredTarget::Environment => Target::Environment,
                StoredTarget::Token => Target::Token,
                StoredTarget::Upstream => Target::Upstream,
                StoredTarget::Recipient(index) => Target::Recipient(index),
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
                    StoredAttemptResult::MailAccepted => AttemptResult::MailAccepted,
                    StoredAttemptResult::MailFailed => AttemptResult::MailFailed,
                    StoredAttemptResult::MailRefused => AttemptResult::MailRefused,
                },
            }),
            conflict: self.conflict.map(|conflict| match conflict {
                StoredConflict::TimedOut => UpstreamConflict::TimedOutUpstream,
                StoredConflict::DecidedOtherwise => UpstreamConflict::DecidedOtherwiseUpstream,
            }),
        }
    }
}

impl StoredEvent {
    fn is_ended(&self) -> bool {
        matches!(self, Self::Ended)
    }

    fn of(event: TokenEvent) -> Self {
        match event {
            TokenEvent::Created => Self::Created,
            TokenEvent::Reminder(at) => Self::Reminder(at.as_millis()),
            TokenEvent::Extended(at) => Self::Extended(at.as_millis()),
            TokenEvent::Ended => Self::Ended,
        }
    }

    fn into_event(self) -> TokenEvent {
        match self {
            Self::Created => TokenEvent::Created,
            Self::Reminder(at) => TokenEvent::Reminder(Timestamp::from_millis(at)),
            Self::Extended(at) => TokenEvent::Extended(Timestamp::from_millis(at)),
            Self::Ended => TokenEvent::Ended,
        }
    }
}
