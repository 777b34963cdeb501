//! The setting `LOG`: which lines are logged.
//!
//! Invariant: what failed is always logged.

use crate::domain::api::excerpt::excerpt;
use crate::domain::token::effects::LogLine;

/// Which lines are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogSetting {
    /// All of them.
    All,
    /// All but those of creates, of which there are as many as tokens.
    Decisions,
    /// Those of what failed.
    Errors,
}

impl LogSetting {
    /// Reads `LOG`. It may be empty.
    ///
    /// # Errors
    /// A sentence that names the value and says what would do.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "" | "all" => Ok(Self::All),
            "decisions" => Ok(Self::Decisions),
            "errors" => Ok(Self::Errors),
            other => Err(format!(
                "LOG is {}. Use \"all\", \"decisions\" or \"errors\".",
                excerpt(other)
            )),
        }
    }

    /// Whether this line is logged.
    #[must_use]
    pub fn includes(self, line: LogLine) -> bool {
        match line {
            LogLine::Attempt(_) => true,
            LogLine::Created => self == Self::All,
            LogLine::Completed(_)
            | LogLine::Cancelled
            | LogLine::Extended
            | LogLine::Voted
            | LogLine::Reminded => self != Self::Errors,
        }
    }
}
