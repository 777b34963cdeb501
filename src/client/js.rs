//! JavaScript functions that js-sys and web-sys do not bind, and the package's errors.

use alloc::boxed::Box;
use alloc::string::String;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use js_sys::{JsString, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::RequestInit;

#[wasm_bindgen]
extern "C" {
    // web-sys has `fetch` only on windows and web workers, but Node and Workers need it as well.
    #[wasm_bindgen(catch, js_name = fetch)]
    fn fetch_unchecked(request: &JsValue, init: &Init) -> Result<JsValue, JsValue>;

    // js-sys would copy the text through wasm's memory.
    #[wasm_bindgen(catch, js_namespace = JSON)]
    fn parse(text: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = String)]
    fn to_text(value: &JsValue) -> Result<JsString, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["Object", "prototype", "toString"], js_name = call)]
    fn class_of(value: &JsValue) -> Result<String, JsValue>;

    /// The options of a request, with a field that web-sys lacks.
    #[wasm_bindgen(extends = RequestInit)]
    pub(crate) type Init;
    #[wasm_bindgen(method, setter)]
    pub(crate) fn set_keepalive(this: &Init, on: bool);
}

#[wasm_bindgen(module = "/pkg/shared.js")]
extern "C" {
    /// Makes a `WaitpointError`. The status is that of the response, or [`NO_STATUS`].
    #[wasm_bindgen(js_name = makeError)]
    pub(crate) fn make_error(
        message: &str,
        code: &str,
        status: u16,
        retryable: bool,
        cause: &JsValue,
    ) -> JsValue;

    /// The options that `configure` has set, shared by all modules of the package.
    #[wasm_bindgen(js_name = configuredSettings)]
    pub(crate) fn configured_settings() -> JsValue;
}

#[inline(never)]
fn final_failure(parts: &[&str], code: &str, cause: &JsValue) -> JsValue {
    make_error(&concat(parts), code, NO_STATUS, false, cause)
}

/// The status of an error without a response.
pub(crate) const NO_STATUS: u16 = 0;

/// The error for a mistake of the caller. Nothing was sent.
pub(crate) fn invalid_argument(parts: &[&str]) -> JsValue {
    invalid_argument_because(parts, &JsValue::UNDEFINED)
}

/// The same, with the error that caused it.
pub(crate) fn invalid_argument_because(parts: &[&str], cause: &JsValue) -> JsValue {
    final_failure(parts, "invalid_argument", cause)
}

/// The error for a 2xx with an unexpected body, such as the page of a captive portal.
pub(crate) fn invalid_response(what: &str) -> JsValue {
    let message = [
        "The server's answer has no valid ",
        what,
        ". Is the base URL that of a waitpoint server?",
    ];
    final_failure(&message, "invalid_response", &JsValue::UNDEFINED)
}

/// The error of a token that ended without a decision: `timed_out` or `cancelled`.
pub(crate) fn undecided(message: &str, code: &str) -> JsValue {
    final_failure(&[message], code, &JsValue::UNDEFINED)
}

/// Like `[&str]::concat`, whose generic form is large for a download.
pub(crate) fn concat(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}

/// A value in an error message: strings in backticks, objects by their class.
pub(crate) fn show(value: &JsValue) -> String {
    if value.is_object() || value.is_function() {
        return class_of(value).unwrap_or_default();
    }
    concat(&["`", &short_text(value), "`"])
}

/// The beginning of a value as text.
pub(crate) fn short_text(value: &JsValue) -> String {
    let text = to_text(value).map(|text| String::from(text.slice(0, 60)));
    text.unwrap_or_default()
}

/// A field of a value; undefined if the value is not an object.
pub(crate) fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

/// A field that is neither undefined nor null.
pub(crate) fn get_some(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = get(object, name);
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

pub(crate) fn set(object: &JsValue, name: &str, value: &JsValue) {
    let _ = Reflect::set(object, &name.into(), value);
}

/// The parsed JSON; undefined if it is not valid.
pub(crate) fn parse_json(text: &JsValue) -> JsValue {
    parse(text).unwrap_or_default()
}

/// Sends a request. The result may be any value, because tests provide their own `fetch`.
pub(crate) fn fetch(request: &JsValue, init: &Init) -> Result<JsFuture, JsValue> {
    Ok(resolve(&fetch_unchecked(request, init)?))
}

/// Awaits a promise. Any other value is returned as it is.
pub(crate) fn resolve(value: &JsValue) -> JsFuture {
    JsFuture::from(Promise::resolve(value))
}

/// The future of a call.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>;

/// Starts a future and runs it at once up to its first `await`. So a request is sent in the task of
/// the click, before the page does anything else.
pub(crate) fn start(mut future: Running) -> Promise {
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(Ok(value)) => Promise::resolve(&value),
        Poll::Ready(Err(error)) => Promise::reject(&error),
        // The promise polls the future again, in a microtask, with its own waker.
        Poll::Pending => future_to_promise(future),
    }
}
