//! Invariants:
//! - [`step`] is total: every event in every state has an outcome.
//! - A state that is not `Waiting` never changes.
//! - The deliveries of an event are enqueued together with it, so that both are written at once.
//!
//! The state machine of a token.

use super::delivery::{Delivery, Progress, Target};
use super::event::{Subscriptions, TokenEvent};
use super::history::{HistoryEntry, HistoryKind};
use super::notify::{REMINDER_GAP, Recipient, Reminder, ReminderOutcome};
use super::votes::Ballot;
use super::{CompletedBy, Decision, State, Token};
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// The most deliveries that a token keeps. A new one takes the place of the oldest that is over. Where all
/// are to come, only those of the end are added.
pub const MAX_DELIVERIES: usize = 100;

/// An event that can change a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A decision.
    Complete(Decision),
    /// An approver votes.
    Vote(Ballot),
    /// The owner withdraws the token, perhaps with a reason.
    Cancel(Option<String>),
    /// The owner moves the timeout to this time.
    Extend(Timestamp),
    /// Time has passed: an alarm fired, or the token is about to be read.
    WakeUp,
}

/// The outcome of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The token waits.
    Waiting,
    /// This event completed it.
    Completed,
    /// The token had already been completed.
    AlreadyCompleted,
    /// The token has timed out.
    TimedOut,
    /// The token was cancelled, by this event or before.
    Cancelled,
    /// The token waits, and this event moved its timeout.
    Extended,
    /// The token waits: its `callback` does not accept such a body.
    Ignored,
    /// The token is as it was: its `callback` wants a signature.
    Unsigned,
    /// The token waits, and the approver's vote counts.
    Voted,
    /// The token is as it was: only its approvers decide it.
    ApproversOnly,
}

/// The result of an event. The actor decides what is done for it (`actor/`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// What changes.
    pub change: Option<Change>,
    /// The outcome for the caller.
    pub outcome: Outcome,
}

/// A change of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It ends, in this state.
    End(State),
    /// An approver votes. If that decides, it ends in this state.
    Vote(Ballot, Option<State>),
    /// It times out at this time.
    Timeout(Timestamp),
}

/// Computes the result of `event` for `token` at `now`. Total and pure.
#[must_use]
pub fn step(token: &Token, event: Event, now: Timestamp) -> Transition {
    let stay = |outcome| Transition {
        change: None,
        outcome,
    };
    let end = |state, outcome| Transition {
        change: Some(Change::End(state)),
        outcome,
    };
    match (&token.state, event) {
        (State::Completed { .. }, _) => stay(Outcome::AlreadyCompleted),
        (State::TimedOut, _) => stay(Outcome::TimedOut),
        (State::Cancelled { .. }, _) => stay(Outcome::Cancelled),
        (State::Waiting, _) if token.is_due(now) => match token.default_decision() {
            Some(default) => end(default, Outcome::AlreadyCompleted),
            None => end(State::TimedOut, Outcome::TimedOut),
        },
        (State::Waiting, Event::WakeUp) => stay(Outcome::Waiting),
        (State::Waiting, Event::Complete(decision)) if !token.may_complete(&decision) => {
            stay(Outcome::ApproversOnly)
        }
        (State::Waiting, Event::Complete(decision)) => {
            end(State::Completed { at: now, decision }, Outcome::Completed)
        }
        (State::Waiting, Event::Vote(ballot)) => step_vote(token, ballot, now),
        (State::Waiting, Event::Cancel(reason)) => {
            end(State::Cancelled { at: now, reason }, Outcome::Cancelled)
        }
        (State::Waiting, Event::Extend(timeout_at)) => {
            // The caller's clock may be behind this one.
            let timeout_at = timeout_at.max(now.plus(MILLISECOND));
            // A request that is repeated moves nothing.
            let is_new = token.timeout_at != Some(timeout_at);
            Transition {
                change: is_new.then_some(Change::Timeout(timeout_at)),
                outcome: Outcome::Extended,
            }
        }
    }
}

fn step_vote(token: &Token, ballot: Ballot, now: Timestamp) -> Transition {
    let of = |change, outcome| Transition { change, outcome };
    if !token.is_of_approver(&ballot) {
        return of(None, Outcome::ApproversOnly);
    }
    if token.is_cast(&ballot) && !ballot.is_veto {
        return of(None, Outcome::Voted);
    }
    let decision = token.decided_by(&ballot);
    let end = decision.map(|decision| State::Completed { at: now, decision });
    let outcome = match end {
        Some(_) => Outcome::Completed,
        None => Outcome::Voted,
    };
    of(Some(Change::Vote(ballot, end)), outcome)
}

const MILLISECOND: Duration = Duration::from_millis(1);

impl Token {
    /// Applies [`step`]. Returns its outcome, and whether the record changed. If it did, deliveries of
    /// the event are enqueued.
    pub fn apply(
        &mut self,
        event: Event,
        now: Timestamp,
        subscriptions: Subscriptions,
    ) -> (Outcome, bool) {
        let Transition { change, outcome } = step(self, event, now);
        let is_changed = change.is_some();
        match change {
            Some(Change::End(state)) => self.end(state, now, subscriptions),
            Some(Change::Vote(ballot, end)) => {
                let kind = HistoryKind::Voted(ballot.approver);
                self.remember(HistoryEntry { at: now, kind });
                self.cast(ballot, now);
                self.drop_reminders_of_voters();
                if let Some(state) = end {
                    self.end(state, now, subscriptions);
                }
            }
            Some(Change::Timeout(timeout_at)) => {
                self.timeout_at = Some(timeout_at);
                self.extensions = self.extensions.saturating_add(1);
                let at = self.extended_at(now);
                let kind = HistoryKind::Extended(timeout_at);
                self.remember(HistoryEntry { at, kind });
                self.enqueue(TokenEvent::Extended(at), now, subscriptions);
            }
            None => {}
        }
        (outcome, is_changed)
    }

    /// The time of an extension at `now`, which no earlier one has: it identifies the event, and a
    /// receiver of the first of two in a millisecond has not received the second.
    fn extended_at(&self, now: Timestamp) -> Timestamp {
        let mut entries = self.history.iter().rev();
        let last = entries.find(|one| matches!(one.kind, HistoryKind::Extended(_)));
        last.map_or(now, |last| now.max(last.at.plus(MILLISECOND)))
    }

    /// Ends the token if its timeout has come. Returns whether that changed it. Every read calls this,
    /// so a late alarm is never observable.
    pub fn time_out_if_due(&mut self, now: Timestamp, subscriptions: Subscriptions) -> bool {
        self.apply(Event::WakeUp, now, subscriptions).1
    }

    /// Reminds the recipients, if that is due. Returns whether it is.
    pub fn remind_if_due(&mut self, now: Timestamp, subscriptions: Subscriptions) -> bool {
        let Some(due) = self.next_reminder().filter(|&due| due <= now) else {
            return false;
        };
        self.reminded_at = Some(now);
        self.enqueue(TokenEvent::Reminder(due), now, subscriptions);
        true
    }

    /// Reminds the recipients at an extension from this timeout that a reminder before the timeout was
    /// still to come, and its time has passed now. Returns whether it does; not within a minute of the
    /// last reminder.
    pub fn remind_if_passed(
        &mut self,
        old_timeout: Option<Timestamp>,
        now: Timestamp,
        subscriptions: Subscriptions,
    ) -> bool {
        let due = |reminder: &Reminder, timeout| match reminder {
            Reminder::Before(_) => reminder.due_at(self.created_at, timeout),
            Reminder::After(_) => None,
        };
        let is_to_come = |reminder: &Reminder| due(reminder, old_timeout) > Some(now);
        // Without a time it would have been before 1970.
        let has_passed = |reminder: &Reminder| {
            matches!(reminder, Reminder::Before(_))
                && due(reminder, self.timeout_at).is_none_or(|at| at <= now)
        };
        let is_passed = |one: &Reminder| is_to_come(one) && has_passed(one);
        if self.was_just_reminded(now) || !self.reminders.iter().any(is_passed) {
            return false;
        }
        self.reminded_at = Some(now);
        self.enqueue(TokenEvent::Reminder(now), now, subscriptions);
        true
    }

    /// Reminds the recipients now, as an operator wants. Only of a token that waits.
    pub(super) fn remind(
        &mut self,
        now: Timestamp,
        subscriptions: Subscriptions,
    ) -> ReminderOutcome {
        let event = TokenEvent::Reminder(now);
        let mut recipients = (0..self.notify.len()).filter_map(|index| u8::try_from(index).ok());
        if !recipients.any(|index| self.is_told(index, event)) {
            return ReminderOutcome::Nobody;
        }
        if self.was_just_reminded(now) {
            return ReminderOutcome::TooSoon;
        }
        self.reminded_at = Some(now);
        self.enqueue(event, now, subscriptions);
        ReminderOutcome::Sent
    }

    fn was_just_reminded(&self, now: Timestamp) -> bool {
        let last = self.reminded_at;
        last.is_some_and(|last| last.plus(REMINDER_GAP) > now)
    }

    /// Notifies the recipients, and the webhooks that get this event, of the creation.
    pub fn announce_creation(&mut self, now: Timestamp, subscriptions: Subscriptions) {
        self.enqueue(TokenEvent::Created, now, subscriptions);
    }

    /// Takes over the end of the token upstream, unless it already ended here. Returns whether it
    /// did.
    pub(super) fn import_end(
        &mut self,
        seen: Token,
        now: Timestamp,
        subscriptions: Subscriptions,
    ) -> bool {
        let is_new = self.state == State::Waiting && seen.state != State::Waiting;
        if is_new {
            self.timeout_at = seen.timeout_at;
            self.end(seen.state, now, subscriptions);
        }
        is_new
    }

    fn end(&mut self, state: State, now: Timestamp, subscriptions: Subscriptions) {
        self.state = state;
        self.on_timeout = None;
        // A reminder that was not received yet would ask for what is decided.
        self.deliveries.retain(|one| {
            let is_reminder = matches!(one.event, TokenEvent::Reminder(_));
            !(is_reminder && one.due_at().is_some())
        });
        self.enqueue(TokenEvent::Ended, now, subscriptions);
    }

    /// Enqueues the deliveries of an event.
    fn enqueue(&mut self, event: TokenEvent, now: Timestamp, subscriptions: Subscriptions) {
        // Whoever did not receive the last extension or reminder yet receives this one instead.
        let is_older = |older: TokenEvent| {
            use TokenEvent::{Extended, Reminder};
            matches!(
                (older, event),
                (Extended(_), Extended(_)) | (Reminder(_), Reminder(_))
            )
        };
        self.deliveries
            .retain(|one| !(is_older(one.event) && one.due_at().is_some()));
        let is_wanted = subscriptions.events.has(self.event_name(event));
        let environment = is_wanted && subscriptions.has_environment;
        let own = is_wanted && self.webhook.is_some();
        // Upstream first: a paused run is waiting there.
        if event == TokenEvent::Ended && self.is_news_upstream() {
            self.enqueue_one(event, Target::Upstream, now);
        }
        for (is_wanted, target) in [(environment, Target::Environment), (own, Target::Token)] {
            if is_wanted {
                self.enqueue_one(event, target, now);
            }
        }
        for index in (0..self.notify.len()).filter_map(|index| u8::try_from(index).ok()) {
            if self.is_told(index, event) {
                self.enqueue_one(event, Target::Recipient(index), now);
            }
        }
    }

    /// An approver who votes before a reminder was received does not get it any more.
    fn drop_reminders_of_voters(&mut self) {
        let mut deliveries = std::mem::take(&mut self.deliveries);
        deliveries.retain(|one| match one.target {
            Target::Recipient(index) => one.due_at().is_none() || self.is_told(index, one.event),
            _ => true,
        });
        self.deliveries = deliveries;
    }

    /// Whether the recipient with this index gets this event. An approver who has voted is not reminded.
    fn is_told(&self, index: u8, event: TokenEvent) -> bool {
        match event {
            TokenEvent::Created => true,
            TokenEvent::Reminder(_) => match self.notify.get(usize::from(index)) {
                Some(Recipient::Email {
                    approver: Some(approver),
                    ..
                }) => self.vote_of(*approver).is_none(),
                _ => true,
            },
            TokenEvent::Extended(_) | TokenEvent::Ended => false,
        }
    }

    fn enqueue_one(&mut self, event: TokenEvent, target: Target, now: Timestamp) {
        let delivery = Delivery::new(event, target, now);
        if self.delivery(delivery.id()).is_some() {
            return;
        }
        if self.deliveries.len() >= MAX_DELIVERIES {
            let is_over = |one: &Delivery| !matches!(one.progress, Progress::Pending(_));
            match self.deliveries.iter().position(is_over) {
                Some(oldest) => drop(self.deliveries.remove(oldest)),
                None if event == TokenEvent::Ended => {}
                None => return,
            }
        }
        self.deliveries.push(delivery);
    }

    /// Whether upstream does not know yet how the token ended.
    fn is_news_upstream(&self) -> bool {
        let is_ours = |decision: &Decision| decision.by != CompletedBy::Upstream;
        self.home.receives_decisions()
            && matches!(&self.state, State::Completed { decision, .. } if is_ours(decision))
    }

    /// Whether the timeout has come.
    fn is_due(&self, now: Timestamp) -> bool {
        self.home.times_out_here() && self.timeout_at.is_some_and(|at| at <= now)
    }

    /// The state after the timeout, if the token has a default decision.
    fn default_decision(&self) -> Option<State> {
        let default = self.on_timeout.as_ref()?;
        Some(State::Completed {
            at: self.timeout_at?,
            decision: Decision {
                output: default.output.clone(),
                by: CompletedBy::Timeout,
                subject: None,
                callback: None,
                is_by_owner: false,
            },
        })
    }
}
