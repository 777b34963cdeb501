//! Invariant: what upstream says of a token is never trusted over a decision that stands here.
//!
//! A token of which something is kept on both sides.

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

/// What the caller's credential tells of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    /// The credential was made for this token, so there was such a token.
    Proven,
    /// The credential is good for all tokens of its environment.
    Unknown,
}

/// The side that says how a token stands.
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

/// The token as both sides together have it. `ours` is what is kept here, `origin` our own origin.
///
/// # Errors
/// `TokenNotFound`, `UpstreamUnavailable`, or the error of the request upstream.
pub fn combine(
    ours: Option<Token>,
    theirs: Result<UpstreamReply<'_>, ApiError>,
    origin: &str,
    existence: Existence,
) -> Result<(Token, Source), ApiError> {
    let is_unreadable = matches!(&theirs, Ok(theirs) if theirs.status == 200
        && read_token(theirs.text, origin).is_none());
    if is_unreadable && !ours.as_ref().is_some_and(is_settled) {
        // It may be decided there, in a form that cannot be read here.
        return Err(ApiError::UpstreamUnavailable);
    }
    let theirs = theirs.and_then(|theirs| match theirs.status {
        200 => read_token(theirs.text, origin).ok_or(ApiError::UpstreamUnavailable),
        404 => Err(ApiError::TokenNotFound),
        // trigger.dev answers 500 for a token that it does not know.
        500 if ours.is_none() && existence == Existence::Unknown => Err(ApiError::TokenNotFound),
        _ => Err(ApiError::UpstreamUnavailable),
    });
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
        // What was decided or asked here is known without upstream.
        (Some(ours), Err(_)) if is_settled(&ours) || !ours.is_kept_only_for_waiters() => {
            Ok((ours, Source::Edge))
        }
        (Some(_), Err(error)) => Err(error),
    }
}

/// Whether a decision stands here, so that upstream is not asked how the token stands.
#[must_use]
pub fn is_settled(ours: &Token) -> bool {
    matches!(ours.state, State::Completed { .. })
}

/// A token of which something is kept here because of what was asked or decided here.
#[must_use]
pub fn merge(ours: Token, theirs: Token) -> Token {
    let is_ours = match ours.state {
        State::Completed { .. } => true,
        // Only our clock says so; somebody may have been in time there.
        State::TimedOut => theirs.state == State::Waiting,
        State::Waiting => false,
    };
    Token {
        approval: ours.approval.or(theirs.approval),
        origin: ours.origin,
        webhook: ours.webhook,
        deliveries: ours.deliveries,
        timeout_at: theirs.timeout_at.or(ours.timeout_at),
        state: if is_ours { ours.state } else { theirs.state },
        ..theirs
    }
}
