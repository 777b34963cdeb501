//! The commands of a token's object, and its replies.
//!
//! Invariants:
//! - A record is never replaced by another token's, because waiters, webhooks and the index may still
//!   have to be notified of it.
//! - A timeout that has come takes effect before any reply.

use super::event::Subscriptions;
use super::history::{HistoryEntry, HistoryKind};
use super::notify::ReminderOutcome;
use super::record::Record;
use super::transition::{Event, Outcome};
use super::votes::Ballot;
use super::{CompletedBy, Decision, State, Token};
use crate::domain::approval::form::Issue;
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// A command to a token's object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Store this token, unless one exists.
    Create(Box<Token>),
    /// Return the token.
    Read,
    /// Apply this decision.
    Complete(Decision),
    /// Count this vote.
    Vote(Ballot),
    /// Withdraw the token, perhaps for this reason.
    Cancel(Option<String>),
    /// Move the token's timeout to this time.
    Extend(Timestamp),
    /// Remind the recipients now.
    Remind,
    /// Apply this decision to a token that lives upstream, and store that token from now on.
    CompleteRelayed(Box<Token>, Decision),
    /// Store this token, which was read from upstream, or update it.
    ImportUpstream(Box<Token>),
}

/// The reply of a token's object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The token does not exist. After [`Command::Create`] this means that the record of a token past
    /// its retention is still stored.
    NotFound,
    /// The token is stored.
    Created,
    /// The token exists. After [`Command::Create`] this means that it already existed.
    Found,
    /// The outcome of a decision, a cancel or an extension that failed.
    Decided(Outcome),
    /// The token is as it was: the output does not match the form of its approval.
    Invalid(Vec<Issue>),
    /// What came of [`Command::Remind`], for a token that waits.
    Reminded(ReminderOutcome),
    /// The token lives upstream, which cannot do this.
    LivesUpstream,
}

/// What decisions depend on besides the record.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The time.
    pub now: Timestamp,
    /// How long a finished token is stored.
    pub retention: Duration,
    /// Which webhooks get which events.
    pub subscriptions: Subscriptions,
    /// Whether anybody waits at the object. This is a function because asking the platform is
    /// expensive.
    pub has_waiters: &'a dyn Fn() -> bool,
    /// Judges a callback by the token's `callback`.
    pub judge: fn(&str, &Decision) -> Verdict,
    /// Why an output does not match the form of the token's `approval`.
    pub issues: fn(&str, &Decision) -> Vec<Issue>,
}

/// Whether a callback decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Decides,
    /// Its body is none of those that do.
    Ignored,
    /// It must be signed, and is not.
    Unsigned,
}

impl Command {
    /// The source of a decision, if the command is one.
    #[must_use]
    pub fn completed_by(&self) -> Option<CompletedBy> {
        match self {
            Self::Complete(decision) | Self::CompleteRelayed(_, decision) => Some(decision.by),
            // The vote that decides completes the token.
            Self::Vote(_) => Some(CompletedBy::Page),
            Self::Create(_)
            | Self::Read
            | Self::Cancel(_)
            | Self::Extend(_)
            | Self::Remind
            | Self::ImportUpstream(_) => None,
        }
    }
}

/// Applies a command to the object's `record`. Returns the reply, and whether the record changed and
/// must be written before the reply is sent.
pub fn apply_command(
    record: &mut Option<Record>,
    command: Command,
    facts: &Facts<'_>,
) -> (Reply, bool) {
    let &Facts {
        now,
        retention,
        subscriptions,
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
        (None, Command::Create(mut token)) => {
            token.announce_creation(now, subscriptions);
            *record = Some(Record::Live(*token));
            return (Reply::Created, true);
        }
        (None, Command::ImportUpstream(token)) => {
            *record = Some(Record::Live(*token));
            return (Reply::Found, true);
        }
        (None, _) => return (Reply::NotFound, false),
    };
    let timed_out = token.time_out_if_due(now, subscriptions);
    if token.is_past_retention(retention, now) {
        return (Reply::NotFound, false);
    }
    match command {
        Command::Create(_) | Command::Read | Command::CompleteRelayed(..) => {
            (Reply::Found, timed_out)
        }
        Command::ImportUpstream(theirs) => {
            let is_imported = token.import_end(*theirs, now, subscriptions);
            (Reply::Found, is_imported || timed_out)
        }
        Command::Complete(decision) => {
            if let Some(outcome) = refused_callback(token, &decision, facts) {
                let is_ignored = outcome == Outcome::Ignored;
                if is_ignored {
                    let kind = HistoryKind::CallbackIgnored;
                    token.remember(HistoryEntry { at: now, kind });
                }
                return (Reply::Decided(outcome), timed_out || is_ignored);
            }
            let issues = issues_of(token, &decision, facts);
            if !issues.is_empty() {
                return (Reply::Invalid(issues), timed_out);
            }
            let (outcome, changed) = token.apply(Event::Complete(decision), now, subscriptions);
            (Reply::Decided(outcome), changed || timed_out || is_new)
        }
        Command::Vote(ballot) => {
            let (outcome, changed) = token.apply(Event::Vote(ballot), now, subscriptions);
            (Reply::Decided(outcome), changed || timed_out)
        }
        Command::Cancel(_) | Command::Extend(_) | Command::Remind
            if !token.home.times_out_here() =>
        {
            (Reply::LivesUpstream, timed_out)
        }
        Command::Remind => {
            let (outcome, _) = token.apply(Event::WakeUp, now, subscriptions);
            if outcome != Outcome::Waiting {
                return (Reply::Decided(outcome), timed_out);
            }
            let reminded = token.remind(now, subscriptions);
            let is_sent = reminded == ReminderOutcome::Sent;
            (Reply::Reminded(reminded), is_sent || timed_out)
        }
        Command::Cancel(reason) => {
            let (outcome, changed) = token.apply(Event::Cancel(reason), now, subscriptions);
            (Reply::Decided(outcome), changed || timed_out)
        }
        Command::Extend(timeout_at) => {
            let old_timeout = token.timeout_at;
            let (outcome, changed) = token.apply(Event::Extend(timeout_at), now, subscriptions);
            match outcome {
                Outcome::Extended => {
                    // A reminder before the new timeout may be due already.
                    let is_due = token.remind_if_due(now, subscriptions)
                        || token.remind_if_passed(old_timeout, now, subscriptions);
                    (Reply::Found, changed || is_due)
                }
                outcome => (Reply::Decided(outcome), changed || timed_out),
            }
        }
    }
}

/// The outcome of a callback that does not decide. One that is unsigned is refused whatever the state;
/// one that is not accepted matters only while the token waits.
fn refused_callback(token: &Token, decision: &Decision, facts: &Facts<'_>) -> Option<Outcome> {
    let callback = token.callback.as_deref()?;
    if decision.by != CompletedBy::Callback {
        return None;
    }
    match (facts.judge)(callback, decision) {
        Verdict::Unsigned => Some(Outcome::Unsigned),
        Verdict::Ignored => (token.state == State::Waiting).then_some(Outcome::Ignored),
        Verdict::Decides => None,
    }
}

/// What is wrong with a decision that would complete the token. The page has checked its own.
fn issues_of(token: &Token, decision: &Decision, facts: &Facts<'_>) -> Vec<Issue> {
    let is_checked = matches!(decision.by, CompletedBy::Api | CompletedBy::Callback);
    let is_deciding = token.state == State::Waiting && token.may_complete(decision);
    match &token.approval {
        Some(approval) if is_checked && is_deciding => (facts.issues)(approval, decision),
        _ => Vec::new(),
    }
}
