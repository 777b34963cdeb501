//! A row of the index.
//!
//! Invariant: a row shows the current status of its token, even if nothing has noticed its timeout
//! yet.

use super::cursor::Cursor;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::status::Status;

/// The data that the index has of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub id: String,
    pub created_at: Timestamp,
    pub timeout_at: Option<Timestamp>,
    /// When the token was completed or cancelled; `None` if it was neither, also after a timeout.
    pub ended_at: Option<Timestamp>,
    /// Whether it ended because it was cancelled.
    pub is_cancelled: bool,
    /// Whether a default decision completes it at its timeout.
    pub has_default: bool,
    /// The token's tags, in the caller's order.
    pub tags: Vec<String>,
    /// The idempotency key that the token was created with.
    pub idempotency_key: Option<String>,
    /// When the idempotency key expires.
    pub key_expires_at: Option<Timestamp>,
    /// Whether its callbacks must be signed.
    pub is_signed: bool,
    /// The title of its approval, in one line; empty if it has none, and `None` if an earlier build wrote
    /// the row.
    pub title: Option<String>,
    /// How many of its deliveries have failed.
    pub failed_deliveries: u32,
    /// What it was decided, if it was by one of its choices (`inbox/decision.rs`).
    pub decision: Option<String>,
}

impl Row {
    /// The cursor of the row.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor {
            created_at: self.created_at,
            id: self.id.clone(),
        }
    }

    /// The status of the token at `now`, even if nothing has noticed its timeout yet.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        let is_completed = match self.ended_at {
            Some(_) => !self.is_cancelled,
            None if self.finished_at(now).is_none() => return Status::Waiting,
            None => self.has_default,
        };
        if is_completed {
            Status::Completed
        } else {
            Status::TimedOut
        }
    }

    /// When the token ended. After a timeout this is the time of the timeout, whenever that was
    /// noticed.
    #[must_use]
    pub fn finished_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.ended_at.or(self.timeout_at.filter(|&at| at <= now))
    }

    /// When the token was cancelled.
    #[must_use]
    pub fn cancelled_at(&self) -> Option<Timestamp> {
        self.ended_at.filter(|_| self.is_cancelled)
    }
}
