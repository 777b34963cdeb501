//! Invariant: this is never stored. An object that does not know what the index has sends the row
//! again, which changes nothing there.
//!
//! What the index is known to have of a token.

use super::{State, Token};
use std::time::Duration;

/// Until when it must be certain that the index has a row. It is told at once, together with those of other
/// tokens and by no means surely; what is lost on the way is told again by then.
pub const CONFIRM: Duration = Duration::from_secs(6 * 60 * 60);

/// What the index is known to have of a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listed {
    /// Nothing is known.
    #[default]
    Unknown,
    /// It was told, and nobody knows whether it heard.
    Told,
    /// The token as it was created. When that times out the index can tell by itself.
    Created,
    /// The token as it was completed.
    Completed,
    /// It did not answer just now.
    Unreachable,
}

impl Listed {
    /// What is known after the index was told. One that did not answer is asked again sooner.
    #[must_use]
    pub fn told(self) -> Self {
        match self {
            Self::Unreachable => Self::Unreachable,
            _ => Self::Told,
        }
    }
}

impl Token {
    /// What the index should have.
    #[must_use]
    pub fn listing(&self) -> Listed {
        match self.state {
            State::Completed { .. } => Listed::Completed,
            State::Waiting | State::TimedOut => Listed::Created,
        }
    }

    /// Whether the index is told of it at once as it stands: that a token of which it was told has timed out
    /// it sees by itself.
    #[must_use]
    pub fn is_news(&self, listed: Listed) -> bool {
        !self.is_upstream && (self.state != State::TimedOut || listed == Listed::Unknown)
    }

    /// Whether the index has it; upstream lists its own.
    pub(super) fn is_listed(&self, listed: Listed) -> bool {
        self.is_upstream || listed == self.listing()
    }
}
