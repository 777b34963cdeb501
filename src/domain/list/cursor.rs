//! Invariant: cursors are in the order of rows, time of creation and then id, and no two rows have
//! the same. So a page's end is a place, and following cursors meets each row exactly once, in
//! either direction.
//!
//! A row's place among all rows.

use crate::domain::auth::token_id::internal_id;
use crate::domain::encoding::digits;
use crate::domain::time::timestamp::Timestamp;

/// A row's place in the order of all rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub created_at: Timestamp,
    pub id: String,
}

impl Cursor {
    /// The text that a client sends back. It needs no escaping in a URL.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}_{}", self.created_at.as_millis(), self.id)
    }

    /// Reads what [`to_text`](Self::to_text) has written, and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (millis, id) = text.split_once('_')?;
        let created_at = Timestamp::from_millis(digits(millis)?);
        let cursor = Self {
            created_at,
            id: internal_id(id)?.to_owned(),
        };
        (cursor.to_text() == text).then_some(cursor)
    }
}
