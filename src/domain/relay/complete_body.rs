//! Invariant: an output is sent upstream as it came: JSON unchanged, text as a JSON string.
//!
//! The body of the request that completes a token upstream.

use crate::domain::json::{quoted_len, to_json};
use crate::domain::token::{Output, OutputKind};

/// The header that says that a decision was not the owner's, though a secret key delivers it. Another
/// Waitpoint upstream counts it as a public access token's.
pub const NOT_BY_OWNER: &str = "waitpoint-not-by-owner";

/// The body of the request that completes a token upstream.
#[must_use]
pub fn complete_json(output: Option<&Output>) -> String {
    match output {
        None => "{}".to_owned(),
        Some(output) => format!("{{\"data\":{}}}", as_json(output)),
    }
}

/// The length of that body in bytes, computed without making it.
#[must_use]
pub fn complete_json_len(output: Option<&Output>) -> usize {
    let text = output.map_or(0, |output| match output.kind {
        OutputKind::Json => output.text.len(),
        OutputKind::Text | OutputKind::Stored => quoted_len(&output.text),
    });
    match output {
        None => "{}".len(),
        Some(_) => "{\"data\":}".len() + text,
    }
}

fn as_json(output: &Output) -> String {
    match output.kind {
        OutputKind::Json => output.text.clone(),
        OutputKind::Text | OutputKind::Stored => to_json(&output.text),
    }
}
