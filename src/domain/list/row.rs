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
    /// When the token was completed; `None` if it was not, also after a timeout.
    pub completed_at: Option<Timestamp>,
    /// The token's tags, in the caller's order.
    pub tags: Vec<String>,
    /// The idempotency key that the token was created with.
    pub idempotency_key: Option<String>,
    /// When the idempotency key expires.
    pub key_expires_at: Option<Timestamp>,
    /// Whether its callbacks must be signed.
    pub is_signed: bool,
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
        if self.completed_at.is_some() {
            Status::Completed
        } else if self.timeout_at.is_some_and(|at| at <= now) {
            Status::TimedOut
        } else {
            Status::Waiting
        }
    }

    /// When the token ended. After a timeout this is the time of the timeout, whenever that was
    /// noticed.
    #[must_use]
    pub fn finished_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.completed_at
            .or(self.timeout_at.filter(|&at| at <= now))
    }
}
