//! Invariant: months compare as their texts do; a later one is greater.
//!
//! Months of UTC. The index keeps the rows of each apart.

use crate::domain::time::timestamp::Timestamp;
use std::fmt;

/// A month of UTC, such as `2026-11`; later is greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(String);

impl Month {
    /// The month in which an instant lies.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let mut text = at.to_string();
        text.truncate("2026-11".len());
        Self(text)
    }

    /// Reads `2026-11`, `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let first = Timestamp::parse_iso(&format!("{text}-01"))?;
        Some(Self::of(first)).filter(|month| month.0 == text)
    }

    /// Its text, `2026-11`.
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
