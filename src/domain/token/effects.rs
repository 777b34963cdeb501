//! The inputs of a token's actor, and the effects that its object carries out.
//!
//! Invariant: everything that takes time ends with an input, even if it fails, so the actor can
//! finish what it started.

use super::command::{Command, Reply};
use super::delivery::{AttemptResult, DeliveryId};
use super::index_state::IndexState;
use super::schedule::Alarm;
use super::{CompletedBy, Token};
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// An event at the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A command arrived.
    Command(Command),
    /// A client wants to wait.
    WaiterJoined,
    /// The alarm fired.
    AlarmFired,
    /// Everything that was written is durable. This is the result of [`Task::AwaitSave`].
    Saved(AfterSave),
    /// The index has the row. This is the result of [`Task::ConfirmRow`].
    RowConfirmed(IndexState),
    /// The index failed. This is the other result of [`Task::ConfirmRow`].
    RowFailed,
    /// The result of [`Task::AttemptDelivery`].
    DeliveryFinished(DeliveryId, FinishedAttempt),
    /// The result of [`Task::ReadUpstream`]: upstream's token, if it responded.
    UpstreamRead(UpstreamRead, Option<Box<Token>>),
    /// The result of [`Task::ReleaseKey`]: the idempotency key no longer stands for this token.
    KeyReleased,
    /// The result of [`Task::Purge`]: nothing is stored any more.
    Purged(Purge),
    /// Carrying out effects that ended with this task failed.
    Failed(Option<Task>),
}

/// What the object must do, in this order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// A line to log.
    pub log: Option<LogLine>,
    /// Whether waiters get the stored token: how it ended, or its new timeout.
    pub notifies_waiters: bool,
    /// Whether the row of the saved token is sent to the index, in a batch.
    pub enqueues_row: bool,
    /// Write the record, with this alarm.
    pub save: Option<Alarm>,
    /// The reply to a command or a waiter. It is sent when everything that was written is durable.
    pub reply: Option<Reply>,
    /// Set the alarm.
    pub alarm: Option<SetAlarm>,
    /// A task that is started afterwards. Its result is the next input.
    pub next: Option<Task>,
}

/// How to set the alarm if nothing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetAlarm {
    /// Set it to this time, or delete it.
    To(Option<Timestamp>),
    /// Set it to this time, unless it is already earlier.
    NoLaterThan(Timestamp),
}

/// A task that takes time. Other inputs can arrive before its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Wait until everything that was written is durable.
    AwaitSave(AfterSave),
    /// Send the token's current row to the index. If it confirms that, it has this state.
    ConfirmRow(IndexState),
    /// Make an attempt at this delivery.
    AttemptDelivery(DeliveryId),
    /// Read the token from upstream.
    ReadUpstream(UpstreamRead),
    /// Release the idempotency key from this token.
    ReleaseKey,
    /// Delete everything that is stored, including the alarm.
    Purge(Purge),
}

/// What follows when a write is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterSave {
    /// Notify others of a command's change.
    Announce(Announcement),
    /// Continue the work of the alarm.
    RunDueTasks {
        /// A line to log.
        log: Option<LogLine>,
    },
    /// An attempt at a delivery was recorded.
    AttemptRecorded {
        /// The delivery.
        delivery: DeliveryId,
        /// Whether upstream may have another decision than the delivered one.
        may_conflict: bool,
        /// Whether the delivery has failed, which the index lists.
        has_failed: bool,
    },
    /// A conflict was recorded.
    ConflictRecorded,
    /// Only a tombstone is left.
    TombstoneLeft,
}

/// The change that a command made, for those who are notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub(super) log: Option<LogLine>,
    pub(super) notifies_waiters: bool,
    pub(super) needs_row: bool,
    pub(super) has_deliveries: bool,
}

/// Why upstream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamRead {
    /// To learn the token's end, for those who wait.
    Poll,
    /// To learn which decision it has instead of the delivered one.
    Conflict(DeliveryId),
}

/// Why the token is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// Its retention is over.
    PastRetention,
    /// An alarm found that nobody needs it.
    Unneeded,
}

/// The result of an attempt at a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishedAttempt {
    /// The result.
    pub result: AttemptResult,
    /// The pause that the receiver asked for.
    pub pause: Option<Duration>,
    /// Whether upstream may have another decision than the delivered one.
    pub may_conflict: bool,
}

/// A line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLine {
    /// The token was created.
    Created,
    /// The token was completed by this source.
    Completed(CompletedBy),
    /// The token was cancelled.
    Cancelled,
    /// The token's timeout was moved.
    Extended,
    /// An approver voted.
    Voted,
    /// An operator had its recipients reminded.
    Reminded,
    /// The last attempt at this delivery.
    Attempt(DeliveryId),
}

impl Input {
    /// Whether the decision needs the record.
    #[must_use]
    pub fn needs_record(&self) -> bool {
        match self {
            Self::Saved(AfterSave::Announce(announcement)) => announcement.has_deliveries,
            Self::Saved(AfterSave::AttemptRecorded { may_conflict, .. }) => !may_conflict,
            Self::Saved(AfterSave::TombstoneLeft) | Self::Purged(_) | Self::Failed(_) => false,
            _ => true,
        }
    }
}

impl Task {
    /// Whether this is one of the due tasks, of which one runs at a time.
    pub(super) fn is_drained(self) -> bool {
        match self {
            Self::AwaitSave(after) => match after {
                AfterSave::Announce(_) | AfterSave::RunDueTasks { .. } => false,
                AfterSave::AttemptRecorded { .. }
                | AfterSave::ConflictRecorded
                | AfterSave::TombstoneLeft => true,
            },
            Self::ReadUpstream(UpstreamRead::Poll) | Self::Purge(Purge::Unneeded) => false,
            Self::ReadUpstream(UpstreamRead::Conflict(_)) | Self::Purge(Purge::PastRetention) => {
                true
            }
            Self::ConfirmRow(_) | Self::AttemptDelivery(_) | Self::ReleaseKey => true,
        }
    }
}

impl AfterSave {
    /// Whether the row of the saved token is needed then, to send it to the index.
    #[must_use]
    pub fn needs_row(self) -> bool {
        match self {
            Self::Announce(announcement) => announcement.needs_row,
            Self::AttemptRecorded { has_failed, .. } => has_failed,
            Self::RunDueTasks { .. } | Self::ConflictRecorded | Self::TombstoneLeft => false,
        }
    }
}

impl Effects {
    pub(super) fn reply(reply: Reply) -> Self {
        Self {
            reply: Some(reply),
            ..Self::default()
        }
    }

    pub(super) fn task(task: Task) -> Self {
        Self {
            next: Some(task),
            ..Self::default()
        }
    }
}
