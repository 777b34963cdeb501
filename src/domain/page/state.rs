//! What the page shows.

use crate::domain::page::decide::{FormError, FormInput, NotRecorded};
use crate::domain::token::Token;

/// What the page shows.
#[derive(Clone, Copy, Debug)]
pub enum PageState<'a> {
    /// The token waits: its question and the form.
    Waiting {
        /// The token.
        token: &'a Token,
        /// The nonce that the form sends back.
        nonce: &'a str,
        /// The form's current input.
        input: &'a FormInput,
        /// Why the form is shown again.
        error: Option<&'a FormError>,
    },
    /// The token waits for votes: its question and the form of an approver.
    Voting {
        /// The token.
        token: &'a Token,
        /// The approver's index.
        approver: u8,
        /// The nonce that the form sends back.
        nonce: &'a str,
        /// The form's current input.
        input: &'a FormInput,
        /// Why the form is shown again.
        error: Option<&'a FormError>,
    },
    /// The token waits, and this link may not decide it.
    ShownOnly {
        /// The token.
        token: &'a Token,
    },
    /// The token is completed, has timed out or was withdrawn.
    Finished {
        /// The token.
        token: &'a Token,
        /// What this person may read.
        reads: Reads,
        /// The form that was sent but not recorded.
        submission: Option<Submission<'a>>,
    },
    /// The link has expired. The token may still be waiting.
    LinkExpired {
        /// The token.
        token: &'a Token,
        /// What this person may read.
        reads: Reads,
    },
    /// There is no such link.
    LinkNotFound,
    /// Storage failed.
    Unavailable {
        /// Whether a form was sent. If so, its decision may have been recorded.
        submitted: bool,
    },
    /// Too many requests.
    Busy {
        /// Whether a form was sent. If so, its decision may have been recorded.
        submitted: bool,
    },
    /// The form was sent by another site, or the body is not from this page.
    CrossSite,
    /// The form is too large.
    TooLarge,
}

/// A form that was sent for a finished token.
#[derive(Clone, Copy, Debug)]
pub struct Submission<'a> {
    /// The input of the form. The page shows the comment, so that it is not lost.
    pub input: &'a FormInput,
    /// Why the decision was not recorded.
    pub not_recorded: NotRecorded,
}

/// What the holder of a credential may read of a finished token. While the token waits, everyone who
/// may decide it may read the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// The question and the decision.
    Everything,
    /// The question.
    Question,
    /// Only that the token is finished.
    Nothing,
}

impl<'a> PageState<'a> {
    /// The page of a token that does not wait any more.
    #[must_use]
    pub fn ended(token: &'a Token, reads: Reads) -> Self {
        Self::Finished {
            token,
            reads,
            submission: None,
        }
    }
}
