//! The state machine of one token. It knows neither JSON nor SQL, neither clock nor platform.
//!
//! Invariants:
//! - `Waiting` becomes `Completed` or `TimedOut`, once; both are final.
//! - The first decision wins; its output never changes again.
//! - A token is timed out from the very millisecond of `timeout_at` on, whenever that is noticed,
//!   and its `finished_at` is that millisecond.
//! - After a step at `now`, [`Token::next_wakeup`] is later than `now`, or there is none; but for a
//!   token whose retention has ended, which is to be forgotten.

use crate::time::Timestamp;
use std::time::Duration;

/// A waitpoint token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// When it was created.
    pub created_at: Timestamp,
    /// From when on it is timed out, if ever.
    pub timeout_at: Option<Timestamp>,
    /// At most 10, each at most 128 UTF-16 units, in the order given.
    pub tags: Vec<String>,
    /// What its page asks (`approval.rs`), as the text that came in; of no meaning here.
    pub approval: Option<String>,
    /// Where it stands.
    pub state: State,
}

/// Where a token stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has decided yet.
    Waiting,
    /// Somebody decided.
    Completed {
        /// When.
        at: Timestamp,
        /// What, by whom.
        decision: Decision,
    },
    /// Nobody decided in time. The moment is the token's `timeout_at`.
    TimedOut,
}

/// What somebody decided, and by which way it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The data handed over; `None` if the request had none.
    pub output: Option<Output>,
    /// The way it came.
    pub by: CompletedBy,
    /// The `act.sub` claim of the credential, if it had one.
    pub subject: Option<String>,
}

/// An output, kept as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// What the text is.
    pub kind: OutputKind,
    /// The exact text.
    pub text: String,
}

/// What an output's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// `application/json`
    Json,
    /// `text/plain`
    Text,
}

/// The way a decision came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletedBy {
    /// `POST …/complete`
    Api,
    /// A machine's POST to `token.url`.
    Callback,
    /// A person, on the page at `token.url`.
    Page,
}

/// What can happen to a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody decides.
    Complete(Decision),
    /// Time has passed: an alarm, or somebody is about to read.
    WakeUp,
}

/// What the token says to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It waits.
    Waiting,
    /// This event completed it.
    Completed,
    /// It had been completed before.
    AlreadyCompleted,
    /// It is timed out.
    TimedOut,
}

/// What follows from an event. The adapter carries it out in this order: write the record if the
/// state is new, set the alarm to [`Token::next_wakeup`], answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state to store, if it changed.
    pub state: Option<State>,
    /// The answer.
    pub outcome: Outcome,
}

/// What becomes of `token` by `event` at `now`. Total and pure.
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
    /// A waiting token.
    #[must_use]
    pub fn new(created_at: Timestamp, timeout_at: Option<Timestamp>, tags: Vec<String>) -> Self {
        Self {
            created_at,
            timeout_at,
            tags,
            approval: None,
            state: State::Waiting,
        }
    }

    /// Carries out [`step`] and tells its outcome, and whether the record changed.
    pub fn apply(&mut self, event: Event, now: Timestamp) -> (Outcome, bool) {
        let Transition { state, outcome } = step(self, event, now);
        let changed = state.is_some();
        if let Some(state) = state {
            self.state = state;
        }
        (outcome, changed)
    }

    /// Times the token out if its moment has come, and tells whether that changed it. Every read
    /// passes through here, so that a late alarm is never observable.
    pub fn settle_if_due(&mut self, now: Timestamp) -> bool {
        self.apply(Event::WakeUp, now).1
    }

    /// When the token was decided or timed out; `None` while it waits.
    #[must_use]
    pub fn finished_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Waiting => None,
            State::Completed { at, .. } => Some(*at),
            State::TimedOut => self.timeout_at,
        }
    }

    /// When a finished token is to be forgotten.
    #[must_use]
    pub fn forget_at(&self, retention: Duration) -> Option<Timestamp> {
        self.finished_at().map(|at| at.plus(retention))
    }

    /// When the token must be looked at next: its timeout while it waits, the end of its retention
    /// once it is finished.
    #[must_use]
    pub fn next_wakeup(&self, retention: Duration) -> Option<Timestamp> {
        match self.state {
            State::Waiting => self.timeout_at,
            State::Completed { .. } | State::TimedOut => self.forget_at(retention),
        }
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.timeout_at.is_some_and(|at| at <= now)
    }
}
