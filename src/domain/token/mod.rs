//! Invariants:
//! - `Waiting` becomes `Completed` or `TimedOut`, once; both are final.
//! - The first decision wins; its output never changes again.
//! - A token has timed out from the exact millisecond of `timeout_at` on, whenever that is noticed,
//!   and its `finished_at` is that millisecond.
//!
//! The token. This folder does not depend on JSON, SQL, a clock or the platform.

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
    /// When it times out, if ever.
    pub timeout_at: Option<Timestamp>,
    /// At most 10, each at most 128 UTF-16 units, in the order given.
    pub tags: Vec<String>,
    /// The question on its page (`approval/`), as the text of the request. It is not parsed here.
    pub approval: Option<String>,
    /// Scheme, host and port at which it was created. It is not used here.
    pub origin: String,
    /// The idempotency key that stands for it.
    pub key: Option<Key>,
    /// The request that created it, if its id comes from another one.
    pub created_by_request: Option<String>,
    /// The URL of its own webhook.
    pub webhook: Option<String>,
    /// Which callbacks decide (`callback/`), as the text of the request. It is not parsed here.
    pub callback: Option<String>,
    /// The API at which it lives.
    pub home: Home,
    /// Its state.
    pub state: State,
    /// The deliveries of its end.
    pub deliveries: Vec<Delivery>,
    /// The alarm that was set when it was last written.
    pub alarm: Option<Timestamp>,
}

/// An idempotency key of the creator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// At most 2,048 UTF-16 units.
    pub text: String,
    /// When it expires; never if `None`.
    pub expires_at: Option<Timestamp>,
}

/// The state of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has decided yet.
    Waiting,
    /// The token was decided.
    Completed {
        /// When.
        at: Timestamp,
        /// The decision.
        decision: Decision,
    },
    /// Nobody decided in time. It ended at the token's `timeout_at`.
    TimedOut,
}

/// A decision, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The output; `None` if the request had none.
    pub output: Option<Output>,
    /// The source of the decision.
    pub by: CompletedBy,
    /// The `act.sub` claim of the credential, if it had one.
    pub subject: Option<String>,
    /// The callback that it came by.
    pub callback: Option<CallbackRequest>,
}

/// What is known of a callback besides its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackRequest {
    /// Whether it has the signature that the token wants.
    pub is_signed: bool,
    /// The headers that are kept, with names in lower case.
    pub headers: Vec<(String, String)>,
}

/// An output, stored as it was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The format of the text.
    pub kind: OutputKind,
    /// The exact text.
    pub text: String,
}

/// The format of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// `application/json`
    Json,
    /// `text/plain`
    Text,
    /// `application/store`: the text says where upstream stores it.
    Stored,
}

/// The source of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletedBy {
    /// `POST …/complete`.
    Api,
    /// A machine's POST to `token.url`.
    Callback,
    /// A person, on the page at `token.url`.
    Page,
    /// Upstream: the token was completed there.
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
            callback: None,
            home: Home::Here,
            state: State::Waiting,
            deliveries: Vec::new(),
            alarm: None,
        }
    }

    /// Records the result of an attempt at a delivery, see [`Delivery::record_attempt`].
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

    /// Records the decision that upstream has instead of the delivered one.
    pub fn record_conflict(&mut self, delivery: usize, conflict: UpstreamConflict) {
        if let Some(delivery) = self.deliveries.get_mut(delivery) {
            delivery.conflict = Some(conflict);
        }
    }

    /// Removes the text of an output that is longer than this, in bytes.
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

    /// Whether it can end without this object being notified. Then upstream must be polled.
    #[must_use]
    pub fn needs_upstream_poll(&self) -> bool {
        self.home.must_be_polled() && self.state == State::Waiting
    }

    /// Whether the record exists only because somebody waited for the token.
    #[must_use]
    pub fn is_kept_only_for_waiters(&self) -> bool {
        self.needs_upstream_poll()
            && self.approval.is_none()
            && self.webhook.is_none()
            && self.callback.is_none()
    }
}
