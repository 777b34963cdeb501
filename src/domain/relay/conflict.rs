//! Detects that a token ended differently upstream.
//!
//! Invariant: a conflict is reported only if both outputs can be compared. Outputs that are stored
//! elsewhere cannot.

use super::fingerprint::Fingerprint;
use crate::domain::token::delivery::UpstreamConflict;
use crate::domain::token::{OutputKind, State, Token};

/// How the token ended upstream, if that is known to differ from the decision here. The outputs may
/// be megabytes, so they are not parsed into values.
#[must_use]
pub fn detect_conflict(ours: &Token, theirs: &Token) -> Option<UpstreamConflict> {
    match theirs.state {
        State::Waiting => None,
        // Upstream shows a cancelled token as one that has timed out.
        State::TimedOut | State::Cancelled { .. } => Some(UpstreamConflict::TimedOutUpstream),
        State::Completed { .. } => {
            let (ours, theirs) = (meaning(ours)?, meaning(theirs)?);
            // Upstream stores no empty text.
            let is_same =
                ours == theirs || (theirs.is_none() && ours == Some(Fingerprint::of_string("")));
            (!is_same).then_some(UpstreamConflict::DecidedOtherwiseUpstream)
        }
    }
}

/// The fingerprint of a completed token's output, `Some(None)` if it has none. `None` if it cannot be
/// compared: it is stored elsewhere, or not plain JSON.
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
