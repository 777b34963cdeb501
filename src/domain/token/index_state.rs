//! Invariant: this is never stored. An object that does not know what the index has sends the row
//! again, which changes nothing there.
//!
//! What the index is known to have of a token.

use super::{State, Token};
use std::time::Duration;

/// Until when it must be certain that the index has a row. It is told at once, together with those of other
/// tokens and by no means surely; what is lost on the way is told again by then.
pub const INDEX_CONFIRM_WITHIN: Duration = Duration::from_secs(6 * 60 * 60);

/// What the index is known to have of a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IndexState {
    /// Nothing is known.
    #[default]
    Unknown,
    /// It was told, and nobody knows whether it heard.
    Unconfirmed,
    /// The token as it was created. When that times out the index can tell by itself.
    Created,
    /// The token as it was completed.
    Completed,
    /// It did not answer just now.
    Unreachable,
}

impl IndexState {
    /// What is known after the index was told. One that did not answer is asked again sooner.
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
        match self.state {
            State::Completed { .. } => IndexState::Completed,
            State::Waiting | State::TimedOut => IndexState::Created,
        }
    }

    /// Whether the index is told of it at once as it stands: that a token of which it was told has timed out
    /// it sees by itself.
    #[must_use]
    pub fn needs_index_update(&self, index_state: IndexState) -> bool {
        self.home.is_indexed()
            && (self.state != State::TimedOut || index_state == IndexState::Unknown)
    }

    /// Whether the index has all that it should have of the token.
    pub(super) fn is_in_sync_with_index(&self, index_state: IndexState) -> bool {
        !self.home.is_indexed() || index_state == self.expected_index_state()
    }
}
