//! Invariants:
//! - `Waiting` becomes `Completed`, `TimedOut` or `Cancelled`, once; all three are final.
//! - The first decision wins; its output never changes again.
//! - Where approvers decide by votes, nobody else does but its owner.
//! - A token has timed out from the exact millisecond of `timeout_at` on, whenever that is noticed,
//!   and its `finished_at` is that millisecond. If it has a default decision, that completes it then.
//!
//! The token. This folder does not depend on JSON, SQL, a clock or the platform.

pub mod actor;
pub mod command;
pub mod creation;
pub mod delivery;
pub mod effects;
pub mod event;
pub mod history;
pub mod home;
pub mod index_state;
pub mod notify;
pub mod record;
pub mod schedule;
pub mod status;
pub mod transition;
pub mod votes;
mod voting;

use self::delivery::{AttemptResult, Delivery, DeliveryId, UpstreamConflict};
use self::event::{EventName, TokenEvent};
use self::history::{HistoryEntry, HistoryKind, MAX_STORED};
use self::home::Home;
use self::notify::{Recipient, Reminder};
use self::votes::{Quorum, Vote};
use crate::domain::text::prefix;
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// A waitpoint token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// When it was created.
    pub created_at: Timestamp,
    /// When it times out, if ever.
    pub timeout_at: Option<Timestamp>,
    /// How often the timeout was moved.
    pub extensions: u32,
    /// The output of its default decision, which is taken at the timeout.
    pub on_timeout: Option<DefaultDecision>,
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
    /// Who decides it by votes; if `None`, whoever has its link.
    pub quorum: Option<Quorum>,
    /// The votes, one an approver, in the order in which they were cast.
    pub votes: Vec<Vote>,
    /// Who is notified that it waits; at most 10, and the approvers.
    pub notify: Vec<Recipient>,
    /// When they are reminded; at most 5.
    pub reminders: Vec<Reminder>,
    /// When they were last reminded.
    pub reminded_at: Option<Timestamp>,
    /// What happened to it, besides its creation and its end, which the other fields hold.
    pub history: Vec<HistoryEntry>,
    /// The API at which it lives.
    pub home: Home,
    /// Its state.
    pub state: State,
    /// The deliveries of its events.
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
    /// Its owner withdrew it.
    Cancelled {
        /// When.
        at: Timestamp,
        /// Why, in the owner's words.
        reason: Option<String>,
    },
}

/// A decision that is taken at the timeout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultDecision {
    /// Its output; `None` if it has none.
    pub output: Option<Output>,
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
    /// Whether a secret key authorised it.
    pub is_by_owner: bool,
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
    /// Nobody: the token's default decision was taken at its timeout.
    Timeout,
    /// An operator, in the inbox.
    Inbox,
}

impl Token {
    /// A waiting token.
    #[must_use]
    pub fn new(created_at: Timestamp, timeout_at: Option<Timestamp>, tags: Vec<String>) -> Self {
        Self {
            created_at,
            timeout_at,
            extensions: 0,
            on_timeout: None,
            tags,
            approval: None,
            origin: String::new(),
            key: None,
            created_by_request: None,
            webhook: None,
            callback: None,
            quorum: None,
            votes: Vec::new(),
            notify: Vec::new(),
            reminders: Vec::new(),
            reminded_at: None,
            history: Vec::new(),
            home: Home::Here,
            state: State::Waiting,
            deliveries: Vec::new(),
            alarm: None,
        }
    }

    /// The delivery with this id.
    #[must_use]
    pub fn delivery(&self, id: DeliveryId) -> Option<&Delivery> {
        self.deliveries.iter().find(|one| one.id() == id)
    }

    /// How many of its deliveries have failed, of those that it keeps.
    #[must_use]
    pub fn failed_deliveries(&self) -> u32 {
        let failed = self.deliveries.iter().filter(|one| one.has_failed());
        u32::try_from(failed.count()).unwrap_or(u32::MAX)
    }

    fn delivery_mut(&mut self, id: DeliveryId) -> Option<&mut Delivery> {
        self.deliveries.iter_mut().find(|one| one.id() == id)
    }

    /// Records the result of an attempt at a delivery, see [`Delivery::record_attempt`], and that a
    /// recipient was notified. `id` is the token's id.
    pub fn record_attempt(
        &mut self,
        delivery: DeliveryId,
        result: AttemptResult,
        pause: Option<Duration>,
        id: &str,
        now: Timestamp,
    ) {
        let Some(one) = self.delivery_mut(delivery) else {
            return;
        };
        if one.record_attempt(result, pause, id, now)
            && let Some(entry) = HistoryEntry::of_delivered(delivery, now)
        {
            self.remember(entry);
        }
    }

    /// Records the decision that upstream has instead of the delivered one.
    pub fn record_conflict(&mut self, delivery: DeliveryId, conflict: UpstreamConflict) {
        if let Some(delivery) = self.delivery_mut(delivery) {
            delivery.conflict = Some(conflict);
        }
    }

    /// Removes what approvers filled in, where it is longer than this, in bytes.
    pub fn leave_out_long_votes(&mut self, most: usize) {
        for vote in &mut self.votes {
            vote.fields = vote.fields.take().filter(|fields| fields.len() <= most);
        }
    }

    /// Of an output that is longer than `most`, in bytes, keeps only so many characters, and an ellipsis,
    /// with which it is no JSON.
    pub fn shorten_long_output(&mut self, most: usize, kept: usize) {
        if let State::Completed { decision, .. } = &mut self.state
            && let Some(output) = &mut decision.output
            && output.text.len() > most
        {
            output.text = format!("{}…", prefix(&output.text, kept));
        }
    }

    /// When the token ended; `None` while it waits.
    #[must_use]
    pub fn finished_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Waiting => None,
            State::Completed { at, .. } | State::Cancelled { at, .. } => Some(*at),
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
            && self.notify.is_empty()
    }

    /// The token as an event shows it: only its end shows how it ended.
    #[must_use]
    pub fn as_of(mut self, event: TokenEvent) -> Self {
        if event != TokenEvent::Ended {
            self.state = State::Waiting;
        }
        self
    }

    /// The name of an event of this token.
    #[must_use]
    pub fn event_name(&self, event: TokenEvent) -> EventName {
        match (event, &self.state) {
            (TokenEvent::Created, _) => EventName::Created,
            (TokenEvent::Reminder(_), _) => EventName::Reminder,
            (TokenEvent::Extended(_), _) => EventName::Extended,
            (TokenEvent::Ended, State::TimedOut) => EventName::TimedOut,
            (TokenEvent::Ended, State::Cancelled { .. }) => EventName::Cancelled,
            (TokenEvent::Ended, State::Completed { .. } | State::Waiting) => EventName::Completed,
        }
    }

    /// When an event of this token happened.
    #[must_use]
    pub fn event_at(&self, event: TokenEvent) -> Timestamp {
        match event {
            TokenEvent::Created => self.created_at,
            TokenEvent::Reminder(at) | TokenEvent::Extended(at) => at,
            TokenEvent::Ended => self.finished_at().unwrap_or(self.created_at),
        }
    }

    /// Adds an entry. The oldest one makes room for it; for a vote, the oldest of that approver.
    fn remember(&mut self, entry: HistoryEntry) {
        if self.history.len() >= MAX_STORED {
            // Otherwise an approver could push out what others did, by changing a vote many times.
            let earlier = self.history.iter().position(|one| one.kind == entry.kind);
            let is_vote = matches!(entry.kind, HistoryKind::Voted(_));
            self.history
                .remove(earlier.filter(|_| is_vote).unwrap_or(0));
        }
        self.history.push(entry);
    }
}
