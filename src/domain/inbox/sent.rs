//! Whether a token's end was brought about by a form of the inbox.
//!
//! Invariant: a form that is sent again, by a double click, a reload or the back button, does nothing again
//! and has the same outcome: what it has done is known by who did it, what was decided, and when.

use crate::domain::approval::schema::minify_json;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::{CompletedBy, State, Token};

/// A form that an operator has sent, perhaps not for the first time.
#[derive(Clone, Copy, Debug)]
pub struct SentForm<'a> {
    /// The e-mail address of the operator, if it is known.
    pub subject: Option<&'a str>,
    /// When the page was opened, to the second.
    pub shown_at: Timestamp,
}

impl SentForm<'_> {
    /// Whether it has decided the token with this output.
    #[must_use]
    pub fn has_decided(self, token: &Token, output: &str) -> bool {
        let State::Completed { at, decision } = &token.state else {
            return false;
        };
        let made = decision.output.as_ref().map(|made| minify_json(&made.text));
        decision.by == CompletedBy::Inbox
            && decision.subject.as_deref() == self.subject
            && *at >= self.shown_at
            && made == Some(minify_json(output))
    }

    /// Whether it has withdrawn the token for this reason.
    #[must_use]
    pub fn has_withdrawn(self, token: &Token, reason: Option<&str>) -> bool {
        match &token.state {
            State::Cancelled { at, reason: made } => {
                made.as_deref() == reason && *at >= self.shown_at
            }
            State::Completed { .. } | State::TimedOut | State::Waiting => false,
        }
    }
}
