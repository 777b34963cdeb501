//! Invariant: a status has one name, wherever it is written or read: bodies, lists, filters,
//! upstream.
//!
//! Where a token stands, without what was decided.

use super::State;

/// Where a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody has decided.
    Waiting,
    /// Somebody has.
    Completed,
    /// Nobody did in time.
    TimedOut,
}

impl Status {
    /// The status of a token in this state.
    #[must_use]
    pub fn of(state: &State) -> Self {
        match state {
            State::Waiting => Self::Waiting,
            State::Completed { .. } => Self::Completed,
            State::TimedOut => Self::TimedOut,
        }
    }

    /// Its name on the wire.
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
