//! What happens to a token, of which others are notified.
//!
//! Invariant: two events of one token are equal only if they are the same, so an event identifies its
//! message.

use crate::domain::time::timestamp::Timestamp;

/// An event of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenEvent {
    /// It was created.
    Created,
    /// A reminder was due at this time.
    Reminder(Timestamp),
    /// Its timeout was moved at this time.
    Extended(Timestamp),
    /// It ended.
    Ended,
}

/// The name of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventName {
    /// See [`TokenEvent::Created`].
    Created,
    /// See [`TokenEvent::Reminder`].
    Reminder,
    /// See [`TokenEvent::Extended`].
    Extended,
    /// The token was decided.
    Completed,
    /// Nobody decided in time.
    TimedOut,
    /// Its owner withdrew it.
    Cancelled,
}

impl EventName {
    /// Every name, in the order in which documents list them.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::Reminder,
        Self::Extended,
        Self::Completed,
        Self::TimedOut,
        Self::Cancelled,
    ];

    /// The name in webhooks and in `WEBHOOK_EVENTS`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "waitpoint.created",
            Self::Reminder => "waitpoint.reminder",
            Self::Extended => "waitpoint.extended",
            Self::Completed => "waitpoint.completed",
            Self::TimedOut => "waitpoint.timed_out",
            Self::Cancelled => "waitpoint.cancelled",
        }
    }

    /// The event of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// A set of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventSet(u8);

impl EventSet {
    /// None of them.
    pub const NONE: Self = Self(0);

    /// The three ends, which webhooks get unless `WEBHOOK_EVENTS` says otherwise.
    pub const ENDS: Self = Self::NONE
        .with(EventName::Completed)
        .with(EventName::TimedOut)
        .with(EventName::Cancelled);

    /// This set and an event.
    #[must_use]
    pub const fn with(self, name: EventName) -> Self {
        Self(self.0 | 1 << name as u8)
    }

    /// Whether it has an event.
    #[must_use]
    pub const fn has(self, name: EventName) -> bool {
        self.0 & 1 << name as u8 != 0
    }
}

/// Whether there is a webhook besides a token's own, and which events webhooks get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscriptions {
    /// Whether the environment has a webhook.
    pub has_environment: bool,
    /// What the webhooks of the environment and of the token get.
    pub events: EventSet,
}
