//! Invariants:
//! - A record that is there is never replaced by another's: waiters, webhooks and the index may
//!   still have to hear of it.
//! - A timeout that has come is taken before anything is said of a token.
//!
//! What can be asked of a token's object, and what it replies.

use super::delivery::Target;
use super::transition::{Event, Outcome};
use super::{Decision, Token};
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// What is asked of a token's object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// To keep this token, unless it keeps one.
    Create(Box<Token>),
    /// How the token stands.
    Read,
    /// To take this decision.
    Complete(Decision),
    /// To take this decision on a token that lives upstream, and to keep that from now on.
    Relay(Box<Token>, Decision),
    /// To keep this token, which lives upstream and is read there, or what is new about it.
    Learn(Box<Token>),
}

/// What the object says to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// There is no such token; after [`Ask::Create`], there still is the record of one that is forgotten.
    Unknown,
    /// The token is kept.
    Created,
    /// There is a token; after [`Ask::Create`], it was there before.
    Found,
    /// What a decision came to.
    Decided(Outcome),
}

/// What the object that keeps `record` says at `now`, and whether the record is to be written before it is
/// said. A record that is there is never replaced by another's: waiters, webhooks and the index may still
/// have to hear of it. `is_gone`: there was one just now, which is forgotten.
pub fn answer(
    record: &mut Option<Token>,
    ask: Ask,
    retention: Duration,
    now: Timestamp,
    subscribers: &[Target],
    is_gone: bool,
) -> (Reply, bool) {
    let is_new = record.is_none();
    let ask = match ask {
        Ask::Relay(token, decision) => {
            record.get_or_insert(*token);
            Ask::Complete(decision)
        }
        other => other,
    };
    if record.as_ref().is_some_and(|token| token.is_spent) {
        return match ask {
            Ask::Complete(_) => (Reply::Decided(Outcome::AlreadyCompleted), false),
            _ => (Reply::Unknown, false),
        };
    }
    let Some(token) = record else {
        return match ask {
            // An idempotency key led here, and whoever held it has let go of it meanwhile.
            Ask::Create(token) if is_gone && token.creator.is_some() => (Reply::Unknown, false),
            Ask::Create(token) => {
                *record = Some(*token);
                (Reply::Created, true)
            }
            Ask::Learn(token) => {
                *record = Some(*token);
                (Reply::Found, true)
            }
            Ask::Read | Ask::Complete(_) | Ask::Relay(..) => (Reply::Unknown, false),
        };
    };
    let settled = token.time_out_if_due(now, subscribers);
    if token.is_past_retention(retention, now) {
        return (Reply::Unknown, false);
    }
    match ask {
        Ask::Create(_) | Ask::Read | Ask::Relay(..) => (Reply::Found, settled),
        Ask::Learn(seen) => (
            Reply::Found,
            token.learn(*seen, now, subscribers) || settled,
        ),
        Ask::Complete(decision) => {
            let (outcome, changed) = token.apply(Event::Complete(decision), now, subscribers);
            (Reply::Decided(outcome), changed || settled || is_new)
        }
    }
}
