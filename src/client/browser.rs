//! What the entry `waitpoint` calls. Absent texts are empty; what is refused is thrown as a sentence.

use super::reference::{Action, Given, Target, claims};
use super::retry::{Retry, Verdict};
use super::task::{Task, Wire};
use alloc::string::String;
use alloc::vec::Vec;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Starts to read a token (0), to complete it (1) or to wait for it (2). `given` holds the fields of
/// [`Given`], a line each; times are in milliseconds.
///
/// # Errors
/// Why there is no request to be made, as a sentence.
#[wasm_bindgen]
pub fn start(
    action: u8,
    given: String,
    wire: Wire,
    max_attempts: u32,
    min: f64,
    max: f64,
    factor: f64,
) -> Result<Task, JsValue> {
    let action = match action {
        1 => Action::Complete,
        2 => Action::Wait,
        _ => Action::Retrieve,
    };
    let retry = Retry {
        max_attempts,
        min,
        max,
        factor,
    };
    Task::to(Target::of(action, Given::from_lines(&given)), wire, retry)
}

/// Whether a request may succeed later, after this status (0: none came) and this header
/// `x-should-retry` (1 for true, 0 for false, NaN for none).
#[wasm_bindgen]
#[must_use]
pub fn retryable(status: u16, should: f64) -> bool {
    Verdict::new(status, should, f64::NAN).is_retryable()
}

/// The claims of a JWT or of the one in a `token.url`, as JSON in UTF-8; no bytes if there is none.
#[wasm_bindgen]
#[must_use]
pub fn decode(text: String) -> Vec<u8> {
    claims(&text).unwrap_or_default()
}
