//! Who is notified that a token waits, and when they are reminded.
//!
//! Invariants:
//! - The notices of the creation are in the very write that creates the token.
//! - A token that has ended reminds nobody.
//! - There is at least [`REMINDER_GAP`] between two reminders of a token, however often its timeout
//!   is moved.

use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// The most recipients.
pub const MAX_RECIPIENTS: usize = 10;
/// The most reminders.
pub const MAX_REMINDERS: usize = 5;
/// The shortest time between two reminders.
pub const REMINDER_GAP: Duration = Duration::from_secs(60);

/// Somebody who is notified that a token waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// A person, by e-mail.
    Email {
        /// The address.
        address: String,
        /// The language of the mail, such as `de`; the default one if `None`.
        locale: Option<String>,
        /// The index of the approver with this address, who gets a link of their own.
        approver: Option<u8>,
    },
    /// A Slack channel, by its name in `CHANNELS`.
    Slack(String),
    /// A Teams channel, by its name in `CHANNELS`.
    Teams(String),
    /// The receiver of a webhook, by its URL.
    Webhook(String),
}

/// When recipients are reminded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reminder {
    /// This long after the creation.
    After(Duration),
    /// This long before the timeout.
    Before(Duration),
}

/// What came of an operator's wish to remind the recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReminderOutcome {
    /// The reminder is on its way.
    Sent,
    /// They were reminded less than a [`REMINDER_GAP`] ago.
    TooSoon,
    /// There is nobody to remind.
    Nobody,
}

impl Reminder {
    /// When it is due for a token with these times. `None` if that depends on a timeout that the token
    /// has not, or is before 1970.
    #[must_use]
    pub fn due_at(self, created_at: Timestamp, timeout_at: Option<Timestamp>) -> Option<Timestamp> {
        match self {
            Self::After(wait) => Some(created_at.plus(wait)),
            Self::Before(before) => {
                let before = u64::try_from(before.as_millis()).unwrap_or(u64::MAX);
                let due = timeout_at?.as_millis().checked_sub(before);
                due.map(Timestamp::from_millis)
            }
        }
    }
}
