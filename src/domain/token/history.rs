//! What happened to a token.
//!
//! Invariants:
//! - An entry is written together with its change.
//! - The stored entries leave out what the token's other fields hold: its creation and its end.

use super::delivery::{DeliveryId, Target};
use super::event::TokenEvent;
use crate::domain::time::timestamp::Timestamp;

/// The most entries that are shown: the first, and the last ones.
pub const MAX_HISTORY: usize = 100;
/// The most entries that are stored. With the creation, they are those that are shown.
pub(super) const MAX_STORED: usize = MAX_HISTORY - 1;

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: HistoryKind,
}

/// The kinds of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryKind {
    /// The recipient with this index was notified that the token waits.
    Notified(u8),
    /// The recipient with this index was reminded.
    Reminded(u8),
    /// The timeout was moved to this time.
    Extended(Timestamp),
    /// The approver with this index voted.
    Voted(u8),
    /// A callback came that does not decide.
    CallbackIgnored,
}

impl HistoryEntry {
    /// The entry for a delivery that succeeded; `None` if it is not one to a recipient.
    #[must_use]
    pub fn of_delivered(delivery: DeliveryId, at: Timestamp) -> Option<Self> {
        let kind = match (delivery.event, delivery.target) {
            (TokenEvent::Created, Target::Recipient(index)) => HistoryKind::Notified(index),
            (TokenEvent::Reminder(_), Target::Recipient(index)) => HistoryKind::Reminded(index),
            _ => return None,
        };
        Some(Self { at, kind })
    }
}
