//! Invariants:
//! - A record that is there is never replaced by another's: waiters, webhooks and the index may
//!   still have to hear of it.
//! - A timeout that has come is taken before anything is said of a token.
//!
//! What can be asked of a token's object, and what it replies.

use super::delivery::Target;
use super::record::Record;
use super::transition::{Event, Outcome};
use super::{CompletedBy, Decision, Token};
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// What is asked of a token's object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// To store this token, unless there is one.
    Create(Box<Token>),
    /// How the token stands.
    Read,
    /// To take this decision.
    Complete(Decision),
    /// To take this decision on a token that lives upstream, and to store that from now on.
    CompleteRelayed(Box<Token>, Decision),
    /// To store this token, which lives upstream and was read there, or what is new about it.
    ImportUpstream(Box<Token>),
}

/// What the object replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// There is no such token; after [`Command::Create`], there is still the record of one past its
    /// retention.
    NotFound,
    /// The token is stored.
    Created,
    /// There is a token; after [`Command::Create`], it was there before.
    Found,
    /// What a decision came to.
    Decided(Outcome),
}

/// What the decisions on a token depend on besides its record.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The time.
    pub now: Timestamp,
    /// How long a finished token is kept.
    pub retention: Duration,
    /// Who is notified of every token's end.
    pub subscribers: &'a [Target],
    /// Whether anybody waits at the object. It is a question, as asking the platform costs.
    pub has_waiters: &'a dyn Fn() -> bool,
}

impl Command {
    /// By which way a decision comes, if this is one.
    #[must_use]
    pub fn completed_by(&self) -> Option<CompletedBy> {
        match self {
            Self::Complete(decision) | Self::CompleteRelayed(_, decision) => Some(decision.by),
            Self::Create(_) | Self::Read | Self::ImportUpstream(_) => None,
        }
    }
}

/// Applies a command to the `record` that an object stores. Tells what is replied, and whether the record
/// changed and must be written before that.
pub fn apply_command(
    record: &mut Option<Record>,
    command: Command,
    facts: &Facts<'_>,
) -> (Reply, bool) {
    let &Facts {
        now,
        retention,
        subscribers,
        ..
    } = facts;
    let is_new = record.is_none();
    let command = match command {
        Command::CompleteRelayed(token, decision) => {
            record.get_or_insert_with(|| Record::Live(*token));
            Command::Complete(decision)
        }
        other => other,
    };
    let (token, command) = match (record.as_mut(), command) {
        (Some(Record::Tombstone(_)), Command::Complete(_)) => {
            return (Reply::Decided(Outcome::AlreadyCompleted), false);
        }
        (Some(Record::Tombstone(_)), _) => return (Reply::NotFound, false),
        (Some(Record::Live(token)), command) => (token, command),
        (None, Command::Create(token)) => {
            *record = Some(Record::Live(*token));
            return (Reply::Created, true);
        }
        (None, Command::ImportUpstream(token)) => {
            *record = Some(Record::Live(*token));
            return (Reply::Found, true);
        }
        (None, _) => return (Reply::NotFound, false),
    };
    let timed_out = token.time_out_if_due(now, subscribers);
    if token.is_past_retention(retention, now) {
        return (Reply::NotFound, false);
    }
    match command {
        Command::Create(_) | Command::Read | Command::CompleteRelayed(..) => {
            (Reply::Found, timed_out)
        }
        Command::ImportUpstream(theirs) => {
            let is_imported = token.import_end(*theirs, now, subscribers);
            (Reply::Found, is_imported || timed_out)
        }
        Command::Complete(decision) => {
            let (outcome, changed) = token.apply(Event::Complete(decision), now, subscribers);
            (Reply::Decided(outcome), changed || timed_out || is_new)
        }
    }
}
