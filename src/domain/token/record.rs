//! The record that a token's object stores.
//!
//! Invariant: a tombstone never becomes a token again. It only says that there was a decision.

use super::{State, Token};
use crate::domain::time::timestamp::Timestamp;

/// The record that a token's object stores.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly all are live, and one is in memory at a time"
)]
pub enum Record {
    /// A token, until it is purged.
    Live(Token),
    /// The rest of a purged token that lives upstream and was decided here.
    Tombstone(Tombstone),
}

/// The rest of a purged token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// When the token was created.
    pub created_at: Timestamp,
}

impl Record {
    /// The token, unless it is purged.
    #[must_use]
    pub fn token(&self) -> Option<&Token> {
        match self {
            Self::Live(token) => Some(token),
            Self::Tombstone(_) => None,
        }
    }

    /// The token, unless it is purged.
    #[must_use]
    pub fn into_token(self) -> Option<Token> {
        match self {
            Self::Live(token) => Some(token),
            Self::Tombstone(_) => None,
        }
    }
}

impl Token {
    /// What is stored after the token is purged; `None` if nothing is.
    #[must_use]
    pub fn tombstone(&self) -> Option<Tombstone> {
        let is_decided = matches!(self.state, State::Completed { .. });
        (is_decided && self.home.leaves_tombstone()).then_some(Tombstone {
            created_at: self.created_at,
        })
    }
}
