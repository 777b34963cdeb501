//! What an object knows about its row in the index.
//!
//! Invariant: this is never stored. An object that does not know what the index has sends the row
//! again, which changes nothing there.

use super::{State, Token};
use std::time::Duration;

/// How long until the row must be confirmed. A row is first sent in a batch, which can be lost. After
/// this time it is sent again and confirmed.
pub const INDEX_CONFIRM_WITHIN: Duration = Duration::from_secs(6 * 60 * 60);

/// What an object knows about its row in the index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IndexState {
    /// Nothing is known.
    #[default]
    Unknown,
    /// The row was sent, but not confirmed.
    Unconfirmed,
    /// The index has the waiting token. It can compute a timeout itself.
    Waiting {
        /// How often its timeout was moved.
        extensions: u32,
        /// How many of its deliveries had failed.
        failures: u32,
    },
    /// The index has the completed or cancelled token.
    Ended {
        /// How many of its deliveries had failed.
        failures: u32,
    },
    /// The last attempt to send the row failed.
    Unreachable,
}

impl IndexState {
    /// The state after the row was sent. If the index did not respond, the next attempt is sooner.
    #[must_use]
    pub fn after_sending(self) -> Self {
        match self {
            Self::Unreachable => Self::Unreachable,
            _ => Self::Unconfirmed,
        }
    }
}

impl Token {
    /// What the index should have.
    #[must_use]
    pub fn expected_index_state(&self) -> IndexState {
        let failures = self.failed_deliveries();
        match self.state {
            State::Completed { .. } | State::Cancelled { .. } => IndexState::Ended { failures },
            State::Waiting | State::TimedOut => IndexState::Waiting {
                extensions: self.extensions,
                failures,
            },
        }
    }

    /// Whether the row must be sent to the index now. A timeout needs no update, because the index
    /// computes it from the row.
    #[must_use]
    pub fn needs_index_update(&self, index_state: IndexState) -> bool {
        self.home.is_indexed()
            && (self.state != State::TimedOut || index_state == IndexState::Unknown)
    }

    /// Whether the index has everything that it should have of the token.
    pub(super) fn is_in_sync_with_index(&self, index_state: IndexState) -> bool {
        !self.home.is_indexed() || index_state == self.expected_index_state()
    }
}
