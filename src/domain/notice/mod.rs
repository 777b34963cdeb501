//! What recipients read when they are notified that a token waits: an e-mail, a message in Slack or Teams.
//! Rendered without a clock and without sending anything.
//!
//! Invariants:
//! - A notice has one link, to the page. Nothing in it decides, and nothing is loaded from elsewhere.
//! - Texts that somebody else wrote are shown as they are: in none of the formats do they become markup.
//! - A message keeps to the limits of its platform, which would refuse a longer one.

pub mod channels;
pub mod email;
pub mod mail_settings;
pub mod slack;
pub mod teams;
pub mod unreachable;

use crate::domain::page::approval_of;
use crate::domain::page::i18n::Words;
use crate::domain::text::{single_line, strip_invisible};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::Token;
use crate::domain::token::event::TokenEvent;

/// What a notice says, in any format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice<'a> {
    /// What is asked, in one line. Never empty.
    pub title: String,
    /// The information that is needed to decide, with line breaks. Not empty.
    pub description: Option<String>,
    /// The name of the requester, in one line. Not empty.
    pub requested_by: Option<String>,
    /// When the token times out.
    pub deadline: Option<Timestamp>,
    /// The token's `shortUrl`.
    pub link: &'a str,
    /// Whether the recipient was notified before.
    pub is_reminder: bool,
}

impl<'a> Notice<'a> {
    /// The notice of an event of a token.
    #[must_use]
    pub fn of(token: &Token, event: TokenEvent, words: &Words, link: &'a str) -> Self {
        let approval = approval_of(token, words);
        let line = |text: &str| Some(single_line(text)).filter(|line| !line.is_empty());
        let description = approval.description.as_deref().map(strip_invisible);
        let description = description.map(|text| text.trim().to_owned());
        Self {
            title: (approval.title.as_deref().and_then(line))
                .unwrap_or_else(|| words.question.to_owned()),
            description: description.filter(|text| !text.is_empty()),
            requested_by: approval.requested_by.as_deref().and_then(line),
            deadline: token.timeout_at,
            link,
            is_reminder: matches!(event, TokenEvent::Reminder(_)),
        }
    }

    /// The title, which says so if this is a reminder.
    fn headline(&self, words: &Words) -> String {
        let prefix = if self.is_reminder {
            words.reminder_of
        } else {
            ""
        };
        [prefix, &self.title].concat()
    }

    /// Who asked, in one line.
    fn requested_by(&self, words: &Words) -> Option<String> {
        let name = self.requested_by.as_deref()?;
        Some([words.asked_by, " ", name].concat())
    }

    /// Until when, in one line.
    fn decide_by(&self, words: &Words) -> Option<String> {
        Some([words.decide_by, " ", &words.utc(self.deadline?)].concat())
    }
}

/// The text if its characters cost at most `limit` together, else its beginning and an ellipsis.
fn shortened(text: &str, limit: usize, cost: impl Fn(char) -> usize) -> String {
    let (mut total, mut end) = (0, 0);
    for (at, c) in text.char_indices() {
        if total < limit {
            end = at;
        }
        total += cost(c);
        if total > limit {
            return [text.get(..end).unwrap_or_default().trim_end(), "…"].concat();
        }
    }
    text.to_owned()
}
