//! Invariant: a row is shown as its token stands at that moment, whether or not its timeout was
//! noticed.
//!
//! What the index knows of a token.

use super::cursor::Cursor;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::status::Status;

/// What the index knows of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub id: String,
    pub created_at: Timestamp,
    pub timeout_at: Option<Timestamp>,
    /// When somebody decided, `None` after a timeout too.
    pub completed_at: Option<Timestamp>,
    /// Its tags, in the caller's order.
    pub tags: Vec<String>,
    /// The idempotency key that it was created with.
    pub idempotency_key: Option<String>,
    /// Until when that key leads to it.
    pub key_expires_at: Option<Timestamp>,
}

impl Row {
    /// Its place.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor {
            created_at: self.created_at,
            id: self.id.clone(),
        }
    }

    /// Where the token stands at `now`, whether or not its timeout was noticed.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        if self.completed_at.is_some() {
            Status::Completed
        } else if self.timeout_at.is_some_and(|at| at <= now) {
            Status::TimedOut
        } else {
            Status::Waiting
        }
    }

    /// When it ended: a timeout at its time, whenever that was noticed.
    #[must_use]
    pub fn finished_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.completed_at
            .or(self.timeout_at.filter(|&at| at <= now))
    }
}
