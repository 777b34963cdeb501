//! Invariant: a tombstone never becomes a token again; it only says that there was a decision.
//!
//! What a token's object stores.

use super::{State, Token};
use crate::domain::time::timestamp::Timestamp;

/// What a token's object stores.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly all are live, and one is in memory at a time"
)]
pub enum Record {
    /// A token, until it is purged.
    Live(Token),
    /// What is left of a token that was decided here and lives upstream.
    Tombstone(Tombstone),
}

/// What is left of a purged token.
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
    /// What stays when the token is purged; `None` if nothing does.
    #[must_use]
    pub fn tombstone(&self) -> Option<Tombstone> {
        let is_decided = matches!(self.state, State::Completed { .. });
        (is_decided && self.home.leaves_tombstone()).then_some(Tombstone {
            created_at: self.created_at,
        })
    }
}
