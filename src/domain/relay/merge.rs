//! Invariant: what upstream says of a token is never trusted over a decision that stands here.
//!
//! A token of which something is kept on both sides.

use crate::domain::token::{State, Token};

/// A token that is kept here because of what was asked or decided here, as it stands seen from both sides.
#[must_use]
pub fn merge(ours: Token, theirs: Token) -> Token {
    let is_ours = match ours.state {
        State::Completed { .. } => true,
        // Only our clock says so; somebody may have been in time there.
        State::TimedOut => theirs.state == State::Waiting,
        State::Waiting => false,
    };
    Token {
        approval: ours.approval.or(theirs.approval),
        origin: ours.origin,
        webhook: ours.webhook,
        deliveries: ours.deliveries,
        timeout_at: theirs.timeout_at.or(ours.timeout_at),
        state: if is_ours { ours.state } else { theirs.state },
        ..theirs
    }
}
