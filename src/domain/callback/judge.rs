//! Whether a callback decides its token.

use super::config::CallbackConfig;
use crate::domain::token::command::Verdict;
use crate::domain::token::{Decision, OutputKind};

/// Judges a callback by the text of the token's `callback`, which was checked when it was created. If
/// it cannot be read, nothing decides: it may have asked for a signature.
#[must_use]
pub fn judge(callback: &str, decision: &Decision) -> Verdict {
    let Ok(config) = CallbackConfig::parse(callback) else {
        return Verdict::Unsigned;
    };
    let is_signed = decision.callback.as_ref().is_some_and(|one| one.is_signed);
    if config.verify.is_some() && !is_signed {
        return Verdict::Unsigned;
    }
    let Some(accept) = config.accept else {
        return Verdict::Decides;
    };
    let output = decision.output.as_ref();
    match output.filter(|output| output.kind == OutputKind::Json) {
        Some(output) if accept.matches(&output.text) => Verdict::Decides,
        _ => Verdict::Ignored,
    }
}
