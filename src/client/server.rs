//! What the entry `waitpoint/server` calls beyond `browser`: the calls that need a secret key.

use super::reference::{Given, Target};
use super::retry::Retry;
use super::task::{Task, Wire};
use crate::time::Timestamp;
use crate::wire::CreateRequest;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Starts to create a token. `given` holds the fields of [`Given`], a line each. `fields` is the body;
/// it is checked here as the Worker will check it, since trigger.dev takes a timeout that it cannot
/// read for none. Times are in milliseconds, `now` since the epoch.
///
/// # Errors
/// What is wrong with the fields or the base URL, as a sentence.
#[wasm_bindgen]
#[allow(
    clippy::too_many_arguments,
    reason = "an object would cost an import for each field"
)]
pub fn create(
    fields: &str,
    now: f64,
    given: &str,
    wire: Wire,
    max_attempts: u32,
    min: f64,
    max: f64,
    factor: f64,
) -> Result<Task, JsValue> {
    CreateRequest::parse(fields.as_bytes(), Timestamp::from_millis(now as u64))
        .map_err(|why| JsValue::from_str(&why.to_string()))?;
    let retry = Retry {
        max_attempts,
        min,
        max,
        factor,
    };
    Task::to(Target::tokens(Given::from_lines(given)), wire, retry)
}

/// Starts to list tokens: those that the query asks for, which begins with `?`.
///
/// # Errors
/// What is wrong with the base URL or the credential, as a sentence.
#[wasm_bindgen]
pub fn list(
    query: &str,
    given: &str,
    wire: Wire,
    max_attempts: u32,
    min: f64,
    max: f64,
    factor: f64,
) -> Result<Task, JsValue> {
    let retry = Retry {
        max_attempts,
        min,
        max,
        factor,
    };
    let mut target = Target::tokens(Given::from_lines(given));
    if let Ok(target) = &mut target {
        target.url += query;
    }
    Task::to(target, wire, retry)
}
