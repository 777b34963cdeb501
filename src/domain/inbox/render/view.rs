//! What the pages of the inbox show.

use crate::domain::approval::schema::Comment;
pub use crate::domain::inbox::bulk::ReviewProblem;
use crate::domain::inbox::bulk::{BulkAction, BulkOutcome, Marked, SharedChoice};
use crate::domain::page::i18n::Words;
use crate::domain::page::{FormError, FormInput, NotRecorded};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::{State, Token};

/// What every page of the inbox has.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    pub words: &'a Words,
    /// The time, for the script.
    pub now: Timestamp,
    /// Who is signed in.
    pub operator: Option<Operator<'a>>,
}

/// Who is signed in.
#[derive(Clone, Copy)]
pub struct Operator<'a> {
    pub environment: &'a str,
    /// The e-mail address, if Cloudflare Access has signed them in.
    pub person: Option<&'a str>,
    /// What every form sends back.
    pub nonce: &'a str,
}

/// The form that signs in with a secret key.
#[derive(Clone, Copy)]
pub struct SignIn<'a> {
    /// The path and query that is opened afterwards.
    pub next: &'a str,
    pub nonce: &'a str,
    pub problem: Option<SignInProblem>,
}

/// Why nobody was signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInProblem {
    WrongKey,
    /// Too many wrong keys from this address.
    TooManyAttempts,
    /// The one-time link was used before, or has expired.
    LinkUsed,
    /// The form was open for too long.
    Stale,
}

/// A token's page.
#[derive(Clone, Copy)]
pub struct TokenView<'a> {
    /// The public id.
    pub id: &'a str,
    pub token: &'a Token,
    /// What the decision's form holds.
    pub input: &'a FormInput,
    pub problem: Option<&'a TokenProblem>,
    /// What was sent besides a decision, to be shown again.
    pub written: Written<'a>,
    /// What was just done.
    pub done: Option<Done>,
}

/// What an operator wrote in a form besides that of the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written<'a> {
    Nothing,
    /// The reason of a withdrawal.
    Reason(&'a str),
    /// The new deadline.
    Deadline(&'a str),
}

/// Why nothing was done to a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenProblem {
    /// The decision's form has faults.
    Form(FormError),
    /// The token does not wait any more, so the decision was not recorded.
    NotRecorded(NotRecorded),
    /// The token does not wait any more, so nothing was done.
    Ended,
    /// The new deadline is not a time to come.
    Deadline,
    /// The reason of a withdrawal is too long.
    ReasonTooLong,
    /// Its people were reminded less than a minute ago.
    RemindedRecently,
    /// There is nobody to notify.
    NobodyToNotify,
    /// The form was open for too long, or is a copy.
    Stale,
    /// Storage failed. It may have been done.
    Unavailable,
}

/// What was just done to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Decided,
    Withdrawn,
    Extended,
    Notified,
}

impl Done {
    pub const ALL: [Self; 4] = [
        Self::Decided,
        Self::Withdrawn,
        Self::Extended,
        Self::Notified,
    ];

    /// Whether this was done to the token, as far as it shows. An address can say anything.
    #[must_use]
    pub fn is_seen_on(self, token: &Token) -> bool {
        match self {
            Self::Decided => matches!(token.state, State::Completed { .. }),
            Self::Withdrawn => matches!(token.state, State::Cancelled { .. }),
            Self::Extended => token.extensions > 0,
            Self::Notified => token.reminded_at.is_some(),
        }
    }

    /// The value of `?done=`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Withdrawn => "withdrawn",
            Self::Extended => "extended",
            Self::Notified => "notified",
        }
    }
}

/// The summary of what is about to be done to marked tokens.
#[derive(Clone, Copy)]
pub struct Review<'a> {
    pub marked: &'a [Marked],
    /// The decisions that all of them share.
    pub choices: &'a [SharedChoice],
    /// Whether a comment goes with the decision.
    pub comment: Comment,
    /// What was written, if the summary is shown again.
    pub written: &'a str,
    pub problem: Option<ReviewProblem>,
}

/// What was done to marked tokens.
#[derive(Clone, Copy)]
pub struct Outcomes<'a> {
    pub action: &'a BulkAction,
    /// In the order in which they were marked.
    pub outcomes: &'a [(Marked, BulkOutcome)],
}

/// A page that has only a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// There is no such token in this environment.
    NotFound,
    /// Storage failed. `submitted`: a form was sent, so what it says may have been done.
    Unavailable {
        submitted: bool,
    },
    Busy,
    /// The form was sent by another site.
    CrossSite,
    /// The form was open for too long, or is a copy. Nothing was done.
    Stale,
    TooLarge,
    NothingMarked,
    /// More than [`MAX_MARKED`](crate::domain::inbox::bulk::MAX_MARKED).
    TooManyMarked,
    /// The tokens of this environment live at another API.
    LivesUpstream,
    /// Cloudflare Access let this person in, but its assertion is not valid here.
    AccessDenied,
}
