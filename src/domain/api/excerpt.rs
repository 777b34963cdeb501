//! Shortens callers' values for error messages.
//!
//! Invariant: an error quotes at most [`EXCERPT`] characters of a caller's value.

use crate::domain::json::{minify_json, to_json};

/// The maximum number of characters of a value that an error quotes.
pub(crate) const EXCERPT: usize = 64;

/// A caller's value for an error message: JSON text of at most [`EXCERPT`] characters of it.
#[cold]
pub(crate) fn excerpt(value: &str) -> String {
    to_json(&shortened(value, EXCERPT))
}

/// A JSON value for an error message: a string as [`excerpt`] quotes it, anything else as JSON, of at most
/// [`EXCERPT`] characters.
#[cold]
pub(crate) fn excerpt_json(json: &str) -> String {
    match serde_json::from_str::<String>(json) {
        Ok(text) => excerpt(&text),
        Err(_) => minify_json(&shortened(json, EXCERPT)),
    }
}

/// The first `most` characters of a value, with `…` if it is longer.
pub(crate) fn shortened(value: &str, most: usize) -> String {
    let mut text: String = value.chars().take(most).collect();
    if text.len() < value.len() {
        text.push('…');
    }
    text
}
