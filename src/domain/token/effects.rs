//! Invariant: whatever takes time ends with an input, also if it fails. What the actor has begun it finishes.
//!
//! What comes to a token's actor, and what its object does for it.

use super::command::{Command, Reply};
use super::delivery::AttemptResult;
use super::index_state::IndexState;
use super::schedule::Alarm;
use super::{CompletedBy, Token};
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// What happens to the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A command came.
    Command(Command),
    /// Somebody wants to wait.
    WaiterJoined,
    /// The alarm has fired.
    AlarmFired,
    /// All that was written is durable: the end of [`Task::AwaitSave`].
    Saved(AfterSave),
    /// The index has the row: the end of [`Task::ConfirmRow`].
    RowConfirmed(IndexState),
    /// The index did not answer: its other end.
    RowFailed,
    /// The end of [`Task::AttemptDelivery`].
    DeliveryFinished(usize, FinishedAttempt),
    /// What upstream says of the token, if it answered: the end of [`Task::ReadUpstream`].
    UpstreamRead(UpstreamRead, Option<Box<Token>>),
    /// The idempotency key stands for this token no more: the end of [`Task::ReleaseKey`].
    KeyReleased,
    /// Nothing is stored any more: the end of [`Task::Purge`].
    Purged(Purge),
    /// Carrying out effects that ended with this task failed.
    Failed(Option<Task>),
}

/// What the object does, in this order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// A line for the operator.
    pub log: Option<LogLine>,
    /// Whether waiters are told how the token, as it is stored, ended.
    pub notifies_waiters: bool,
    /// Whether the row of the token as it was saved is sent to the index, soon and with those of others.
    pub enqueues_row: bool,
    /// The record is written, with this alarm.
    pub save: Option<Alarm>,
    /// What is replied to a command or a waiter. It leaves when what was written is durable.
    pub reply: Option<Reply>,
    /// The alarm is set.
    pub alarm: Option<SetAlarm>,
    /// What is done then; its end is the next input.
    pub next: Option<Task>,
}

/// How the alarm is set when nothing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetAlarm {
    /// To this moment, or to none.
    To(Option<Timestamp>),
    /// To this moment, unless it is set to an earlier one.
    NoLaterThan(Timestamp),
}

/// Something that takes time. Other inputs come before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Wait until all that was written is durable.
    AwaitSave(AfterSave),
    /// Send the row of the token as it stands to the index, which has this state when it confirms that.
    ConfirmRow(IndexState),
    /// Attempt the delivery of this index.
    AttemptDelivery(usize),
    /// Ask upstream for the token.
    ReadUpstream(UpstreamRead),
    /// Have the idempotency key not stand for this token any more.
    ReleaseKey,
    /// Delete all that is stored, the alarm included.
    Purge(Purge),
}

/// What follows when a write is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterSave {
    /// Others are told of a command's change.
    Announce(Announcement),
    /// What the alarm is for goes on.
    RunDueTasks,
    /// An attempt at a delivery is recorded.
    AttemptRecorded {
        /// Its index.
        delivery: usize,
        /// Whether upstream may hold another decision than the one that was delivered there.
        may_conflict: bool,
    },
    /// A conflict is recorded.
    ConflictRecorded,
    /// Only a tombstone is left.
    TombstoneLeft,
}

/// What a command changed, as far as others are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub(super) log: Option<LogLine>,
    pub(super) is_finished: bool,
    pub(super) needs_row: bool,
    pub(super) has_deliveries: bool,
}

/// What upstream is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamRead {
    /// The token's end, for those who wait.
    Poll,
    /// What it holds instead of what this delivery brought.
    Conflict(usize),
}

/// Who deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// The due tasks: the retention is over.
    PastRetention,
    /// An alarm that found nothing worth keeping.
    Unneeded,
}

/// How an attempt at a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishedAttempt {
    /// The result.
    pub result: AttemptResult,
    /// The pause that the receiver asked for.
    pub pause: Option<Duration>,
    /// Whether upstream may hold another decision than the one that was delivered there.
    pub may_conflict: bool,
}

/// What the operator is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLine {
    /// The token was created.
    Created,
    /// It was completed, by this way.
    Completed(CompletedBy),
    /// How the last attempt at this delivery ended.
    Attempt(usize),
}

impl Input {
    /// Whether what is decided depends on the record.
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
    /// Whether it is one of the due tasks, of which one is done at a time.
    pub(super) fn is_drained(self) -> bool {
        match self {
            Self::AwaitSave(after) => match after {
                AfterSave::Announce(_) | AfterSave::RunDueTasks => false,
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
    /// Whether the row of the token as it is saved now is sent to the index then.
    #[must_use]
    pub fn needs_row(self) -> bool {
        matches!(self, Self::Announce(announcement) if announcement.needs_row)
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
