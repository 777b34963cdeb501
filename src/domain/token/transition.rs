//! Invariants:
//! - [`step`] is total: every event in every state has an outcome.
//! - A state that is not `Waiting` never changes.
//! - The deliveries of a new end are enqueued together with it, so that both are written at once.
//!
//! The state machine of a token.

use super::delivery::{Delivery, Target};
use super::{CompletedBy, Decision, State, Token};
use crate::domain::time::timestamp::Timestamp;

/// An event that can change a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A decision.
    Complete(Decision),
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
    /// The token waits: its `callback` does not accept such a body.
    Ignored,
    /// The token is as it was: its `callback` wants a signature.
    Unsigned,
}

/// The result of an event. The actor decides what is done for it (`actor/`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state to store, if it changed.
    pub state: Option<State>,
    /// The outcome for the caller.
    pub outcome: Outcome,
}

/// Computes the result of `event` for `token` at `now`. Total and pure.
#[must_use]
pub fn step(token: &Token, event: Event, now: Timestamp) -> Transition {
    let stay = |outcome| Transition {
        state: None,
        outcome,
    };
    let become_ = |state, outcome| Transition {
        state: Some(state),
        outcome,
    };
    match (&token.state, event) {
        (State::Completed { .. }, _) => stay(Outcome::AlreadyCompleted),
        (State::TimedOut, _) => stay(Outcome::TimedOut),
        (State::Waiting, _) if token.is_due(now) => become_(State::TimedOut, Outcome::TimedOut),
        (State::Waiting, Event::WakeUp) => stay(Outcome::Waiting),
        (State::Waiting, Event::Complete(decision)) => {
            become_(State::Completed { at: now, decision }, Outcome::Completed)
        }
    }
}

impl Token {
    /// Applies [`step`]. Returns its outcome, and whether the record changed. If it did, the token is
    /// finished, and deliveries to its own webhook and to these `subscribers` are enqueued.
    pub fn apply(
        &mut self,
        event: Event,
        now: Timestamp,
        subscribers: &[Target],
    ) -> (Outcome, bool) {
        let Transition { state, outcome } = step(self, event, now);
        let changed = state.is_some();
        if let Some(state) = state {
            self.state = state;
            self.enqueue_deliveries(now, subscribers);
        }
        (outcome, changed)
    }

    /// Times the token out if it is due. Returns whether that changed it. Every read calls this, so a
    /// late alarm is never observable.
    pub fn time_out_if_due(&mut self, now: Timestamp, subscribers: &[Target]) -> bool {
        self.apply(Event::WakeUp, now, subscribers).1
    }

    /// Takes over the end of the token upstream, unless it already ended here. Returns whether it
    /// did.
    pub(super) fn import_end(
        &mut self,
        seen: Token,
        now: Timestamp,
        subscribers: &[Target],
    ) -> bool {
        let is_new = self.state == State::Waiting && seen.state != State::Waiting;
        if is_new {
            self.timeout_at = seen.timeout_at;
            self.state = seen.state;
            self.enqueue_deliveries(now, subscribers);
        }
        is_new
    }

    /// Enqueues the deliveries of a new end.
    fn enqueue_deliveries(&mut self, now: Timestamp, subscribers: &[Target]) {
        let is_news = |decision: &Decision| decision.by != CompletedBy::Upstream;
        let is_news_upstream = self.home.receives_decisions()
            && matches!(&self.state, State::Completed { decision, .. } if is_news(decision));
        let upstream = is_news_upstream.then_some(&Target::Upstream);
        let own = self.webhook.as_ref().map(|_| &Target::Token);
        // Upstream first: a paused run is waiting there.
        let targets = upstream.into_iter().chain(subscribers).chain(own);
        self.deliveries = targets.map(|&to| Delivery::new(to, now)).collect();
    }

    /// Whether the timeout has come.
    fn is_due(&self, now: Timestamp) -> bool {
        self.home.times_out_here() && self.timeout_at.is_some_and(|at| at <= now)
    }
}
