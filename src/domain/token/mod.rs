//! Invariants:
//! - `Waiting` becomes `Completed` or `TimedOut`, once; both are final.
//! - The first decision wins; its output never changes again.
//! - A token is timed out from the very millisecond of `timeout_at` on, whenever that is noticed,
//!   and its `finished_at` is that millisecond.
//!
//! What a token is. This folder knows neither JSON nor SQL, neither clock nor platform.

pub mod actor;
pub mod command;
pub mod creation;
pub mod delivery;
pub mod effects;
pub mod home;
pub mod index_state;
pub mod record;
pub mod schedule;
pub mod status;
pub mod transition;

use self::delivery::{AttemptResult, Delivery, UpstreamConflict};
use self::home::Home;
use crate::domain::time::timestamp::Timestamp;
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
    /// Scheme, host and port at which it was created; of no meaning here.
    pub origin: String,
    /// The idempotency key that stands for it.
    pub key: Option<Key>,
    /// Which request created it, if not the one that its id comes from.
    pub created_by_request: Option<String>,
    /// Who else is told how it ends: the URL of its own webhook.
    pub webhook: Option<String>,
    /// Which API it lives at.
    pub home: Home,
    /// Where it stands.
    pub state: State,
    /// What is owed since it is finished.
    pub deliveries: Vec<Delivery>,
    /// What its alarm was set to when it was last written.
    pub alarm: Option<Timestamp>,
}

/// An idempotency key that its creator gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// At most 2,048 UTF-16 units.
    pub text: String,
    /// Until when it stands for the token; for ever if none.
    pub expires_at: Option<Timestamp>,
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
    /// `application/store`: where upstream keeps it.
    Stored,
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
    /// The API at which the token lives: it was completed there.
    Upstream,
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
            origin: String::new(),
            key: None,
            created_by_request: None,
            webhook: None,
            home: Home::Here,
            state: State::Waiting,
            deliveries: Vec::new(),
            alarm: None,
        }
    }

    /// Records how an attempt at a delivery ended, see [`Delivery::record_attempt`].
    pub fn record_attempt(
        &mut self,
        delivery: usize,
        result: AttemptResult,
        pause: Option<Duration>,
        id: &str,
        now: Timestamp,
    ) {
        if let Some(delivery) = self.deliveries.get_mut(delivery) {
            delivery.record_attempt(result, pause, id, now);
        }
    }

    /// Records what upstream holds instead of what was delivered there.
    pub fn record_conflict(&mut self, delivery: usize, conflict: UpstreamConflict) {
        if let Some(delivery) = self.deliveries.get_mut(delivery) {
            delivery.conflict = Some(conflict);
        }
    }

    /// Empties an output of more bytes than this.
    pub fn leave_out_long_output(&mut self, most: usize) {
        if let State::Completed { decision, .. } = &mut self.state
            && let Some(output) = &mut decision.output
            && output.text.len() > most
        {
            output.text = String::new();
        }
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

    /// Whether it may end without this object hearing of it: only a request to upstream tells.
    #[must_use]
    pub fn needs_upstream_poll(&self) -> bool {
        self.home.must_be_polled() && self.state == State::Waiting
    }

    /// Whether it is kept only since somebody waited for it.
    #[must_use]
    pub fn is_kept_only_for_waiters(&self) -> bool {
        self.needs_upstream_poll() && self.approval.is_none() && self.webhook.is_none()
    }
}
