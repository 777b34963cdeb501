//! Merges the two parts of a token that is stored both here and upstream.
//!
//! Invariant: a decision that was made here takes precedence over upstream's response.

use super::import::read_token;
use crate::domain::api::error::ApiError;
use crate::domain::token::{State, Token};

/// Upstream's response about a token.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamReply<'a> {
    /// The status code.
    pub status: u16,
    /// The body.
    pub text: &'a str,
}

/// What the caller's credential proves about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    /// The credential was made for this token, so the token existed.
    Proven,
    /// The credential is for all tokens of its environment, so it proves nothing.
    Unknown,
}

/// The side that determines the token's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// This Worker.
    Edge,
    /// The API at which the token lives.
    Upstream,
}

impl Source {
    /// Its name in the header `waitpoint-source`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edge => "edge",
            Self::Upstream => "upstream",
        }
    }
}

/// Merges both sides. `ours` is the token as stored here, `origin` our own origin.
///
/// # Errors
/// `TokenNotFound`, `UpstreamUnavailable`, or the error of the request upstream.
pub fn combine(
    ours: Option<Token>,
    theirs: Result<UpstreamReply<'_>, ApiError>,
    origin: &str,
    existence: Existence,
) -> Result<(Token, Source), ApiError> {
    let theirs = match theirs {
        Ok(theirs) if theirs.status == 200 => match read_token(theirs.text, origin) {
            Some(theirs) => Ok(theirs),
            // It may be decided there, in a form that cannot be read here.
            None if !ours.as_ref().is_some_and(is_settled) => {
                return Err(ApiError::UpstreamUnavailable);
            }
            None => Err(ApiError::UpstreamUnavailable),
        },
        Ok(theirs) if theirs.status == 404 => Err(ApiError::TokenNotFound),
        // trigger.dev answers 500 for a token that it does not know.
        Ok(theirs) if theirs.status == 500 && ours.is_none() && existence == Existence::Unknown => {
            Err(ApiError::TokenNotFound)
        }
        Ok(_) => Err(ApiError::UpstreamUnavailable),
        Err(error) => Err(error),
    };
    match (ours, theirs) {
        (None, theirs) => theirs.map(|theirs| (theirs, Source::Upstream)),
        (Some(ours), Ok(theirs)) => {
            let source = if is_settled(&ours) {
                Source::Edge
            } else {
                Source::Upstream
            };
            Ok((merge(ours, theirs), source))
        }
        // A decision or an approval that is stored here can be shown without upstream.
        (Some(ours), Err(_)) if is_settled(&ours) || !ours.is_kept_only_for_waiters() => {
            Ok((ours, Source::Edge))
        }
        (Some(_), Err(error)) => Err(error),
    }
}

/// Whether the token was decided here, so that upstream need not be asked.
#[must_use]
pub fn is_settled(ours: &Token) -> bool {
    matches!(ours.state, State::Completed { .. })
}

/// Merges both records of a token. The decision and the question that are stored here take precedence.
#[must_use]
pub fn merge(ours: Token, theirs: Token) -> Token {
    let is_ours = match ours.state {
        State::Completed { .. } | State::Cancelled { .. } => true,
        // Only our clock says that the token timed out. Upstream may have a decision that was in
        // time.
        State::TimedOut => theirs.state == State::Waiting,
        State::Waiting => false,
    };
    Token {
        approval: ours.approval.or(theirs.approval),
        origin: ours.origin,
        webhook: ours.webhook,
        callback: ours.callback,
        notify: ours.notify,
        reminders: ours.reminders,
        reminded_at: ours.reminded_at,
        history: ours.history,
        deliveries: ours.deliveries,
        timeout_at: theirs.timeout_at.or(ours.timeout_at),
        state: if is_ours { ours.state } else { theirs.state },
        ..theirs
    }
}
