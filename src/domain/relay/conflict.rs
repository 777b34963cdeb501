//! Invariant: a conflict is reported only if it can be told; outputs that lie elsewhere are not
//! compared.
//!
//! Whether upstream holds another end of a token than the one that stands here.

use super::fingerprint::Fingerprint;
use crate::domain::token::delivery::UpstreamConflict;
use crate::domain::token::{OutputKind, State, Token};

/// What stands upstream in place of the decision that stands here, if that can be told. The outputs may be
/// megabytes, so their values are never built.
#[must_use]
pub fn detect_conflict(ours: &Token, theirs: &Token) -> Option<UpstreamConflict> {
    match theirs.state {
        State::Waiting => None,
        State::TimedOut => Some(UpstreamConflict::TimedOutUpstream),
        State::Completed { .. } => {
            let (ours, theirs) = (meaning(ours)?, meaning(theirs)?);
            // Upstream keeps no empty text.
            let is_same =
                ours == theirs || (theirs.is_none() && ours == Some(Fingerprint::of_string("")));
            (!is_same).then_some(UpstreamConflict::DecidedOtherwiseUpstream)
        }
    }
}

/// What a completed token's output means, `Some(None)` if it has none. Nothing if that cannot be told: it
/// lies elsewhere, or in a form that is not JSON's alone.
fn meaning(token: &Token) -> Option<Option<Fingerprint>> {
    let State::Completed { decision, .. } = &token.state else {
        return None;
    };
    let Some(output) = &decision.output else {
        return Some(None);
    };
    match output.kind {
        OutputKind::Stored => None,
        OutputKind::Json => Fingerprint::of_json(&output.text).map(Some),
        OutputKind::Text => Some(Some(Fingerprint::of_string(&output.text))),
    }
}
