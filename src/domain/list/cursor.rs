//! The position of a row among all rows.
//!
//! Invariant: rows are ordered by their time of creation and then by id, and no two rows share both.
//! So following cursors meets each row exactly once, in either direction.

use crate::domain::auth::token_id::internal_id;
use crate::domain::encoding::digits;
use crate::domain::time::timestamp::Timestamp;

/// The position of a row in the order of all rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub created_at: Timestamp,
    pub id: String,
}

impl Cursor {
    /// A position before all rows.
    #[must_use]
    pub fn oldest() -> Self {
        Self::at_end(Timestamp::from_millis(0), "0")
    }

    /// A position behind all rows.
    #[must_use]
    pub fn newest() -> Self {
        Self::at_end(Timestamp::MAX, "z")
    }

    fn at_end(created_at: Timestamp, id: &str) -> Self {
        let id = id.to_owned();
        Self { created_at, id }
    }

    /// The text for clients. It needs no escaping in a URL.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}_{}", self.created_at.as_millis(), self.id)
    }

    /// Parses only what [`to_text`](Self::to_text) returns.
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
