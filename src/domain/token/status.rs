//! The status of a token, without its decision.
//!
//! Invariant: a status has one name, in bodies, lists, filters and upstream.

use super::State;

/// The status of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The token was not decided yet.
    Waiting,
    /// The token was decided.
    Completed,
    /// Nobody decided in time, or the token was cancelled: trigger.dev knows no other end.
    TimedOut,
}

impl Status {
    /// The status of a token in this state.
    #[must_use]
    pub fn of(state: &State) -> Self {
        match state {
            State::Waiting => Self::Waiting,
            State::Completed { .. } => Self::Completed,
            State::TimedOut | State::Cancelled { .. } => Self::TimedOut,
        }
    }

    /// The name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Completed => "COMPLETED",
            Self::TimedOut => "TIMED_OUT",
        }
    }

    /// The status of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Waiting, Self::Completed, Self::TimedOut];
        all.into_iter().find(|status| status.as_str() == name)
    }
}
