//! Months in UTC. The index stores the rows of each month separately.
//!
//! Invariant: months compare like their texts; a later one is greater.

use crate::domain::time::timestamp::Timestamp;
use std::fmt;

/// A month in UTC, such as `2026-11`. A later month is greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(String);

impl Month {
    /// The month that contains an instant.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let mut text = at.to_string();
        text.truncate("2026-11".len());
        Self(text)
    }

    /// Parses `2026-11`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let first = Timestamp::parse_iso(&format!("{text}-01"))?;
        Some(Self::of(first)).filter(|month| month.0 == text)
    }

    /// The text, such as `2026-11`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
