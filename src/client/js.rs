//! JavaScript that js-sys and web-sys have no names for, and the package's errors.

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
    // web-sys has `fetch` on windows and web workers alone; Node and Workers have neither.
    #[wasm_bindgen(catch, js_name = fetch)]
    fn fetch_unchecked(request: &JsValue, init: &Init) -> Result<JsValue, JsValue>;

    // js-sys would carry the text through Rust's memory.
    #[wasm_bindgen(catch, js_namespace = JSON)]
    fn parse(text: &JsValue) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = String)]
    fn to_text(value: &JsValue) -> Result<JsString, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["Object", "prototype", "toString"], js_name = call)]
    fn class_of(value: &JsValue) -> Result<String, JsValue>;

    /// What a request is made of, with the field that web-sys leaves out.
    #[wasm_bindgen(extends = RequestInit)]
    pub(crate) type Init;
    #[wasm_bindgen(method, setter)]
    pub(crate) fn set_keepalive(this: &Init, on: bool);
}

#[wasm_bindgen(module = "/pkg/shared.js")]
extern "C" {
    #[wasm_bindgen(js_name = makeError)]
    fn make_error(
        message: &str,
        code: &str,
        status: Option<u16>,
        retryable: bool,
        cause: &JsValue,
    ) -> JsValue;

    /// What `configure` was given, of all modules of the package.
    #[wasm_bindgen(js_name = configuredSettings)]
    pub(crate) fn configured_settings() -> JsValue;
}

/// Why a call fails, as a `WaitpointError` says it.
pub(crate) struct Failure<'a> {
    pub(crate) message: &'a str,
    pub(crate) code: &'a str,
    /// The HTTP status, if the server answered.
    pub(crate) status: Option<u16>,
    pub(crate) retryable: bool,
    pub(crate) cause: JsValue,
}

impl From<Failure<'_>> for JsValue {
    fn from(failure: Failure<'_>) -> Self {
        make_error(
            failure.message,
            failure.code,
            failure.status,
            failure.retryable,
            &failure.cause,
        )
    }
}

#[inline(never)]
fn final_failure(parts: &[&str], code: &str, cause: JsValue) -> JsValue {
    Failure {
        message: &concat(parts),
        code,
        status: None,
        retryable: false,
        cause,
    }
    .into()
}

/// A mistake of the caller's: nothing was sent.
pub(crate) fn invalid_argument(parts: &[&str]) -> JsValue {
    invalid_argument_because(parts, JsValue::UNDEFINED)
}

/// The same, with the error that it comes from.
pub(crate) fn invalid_argument_because(parts: &[&str], cause: JsValue) -> JsValue {
    final_failure(parts, "invalid_argument", cause)
}

/// A 2xx whose body is not what was asked for, such as a captive portal's page.
pub(crate) fn invalid_response(what: &str) -> JsValue {
    let message = [
        "The server's answer has no valid ",
        what,
        ". Is the base URL that of a waitpoint server?",
    ];
    final_failure(&message, "invalid_response", JsValue::UNDEFINED)
}

/// The error of a token that timed out.
pub(crate) fn timed_out(message: &str) -> JsValue {
    final_failure(&[message], "timed_out", JsValue::UNDEFINED)
}

/// `[&str]::concat`, whose general form is large for what is downloaded here.
pub(crate) fn concat(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}

/// A value as a message names it: texts in backticks, objects by their class.
pub(crate) fn show(value: &JsValue) -> String {
    if value.is_object() || value.is_function() {
        return class_of(value).unwrap_or_default();
    }
    let text = to_text(value).map(|text| String::from(text.slice(0, 60)));
    concat(&["`", &text.unwrap_or_default(), "`"])
}

/// A field; undefined of what is no object.
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

/// Undefined for what is no JSON.
pub(crate) fn parse_json(text: &JsValue) -> JsValue {
    parse(text).unwrap_or_default()
}

/// Sends a request. Whatever `fetch` returns is waited for: tests put their own in its place.
pub(crate) async fn fetch(request: &JsValue, init: &Init) -> Result<JsValue, JsValue> {
    resolve(fetch_unchecked(request, init)?).await
}

/// What a promise comes to; any other value is itself.
pub(crate) async fn resolve(value: JsValue) -> Result<JsValue, JsValue> {
    JsFuture::from(Promise::resolve(&value)).await
}

/// A call under way.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>;

/// Runs a future, up to its first `await` at once: the request leaves in the click's own task, before
/// whatever the page does next.
pub(crate) fn start(mut future: Running) -> Promise {
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(Ok(value)) => Promise::resolve(&value),
        Poll::Ready(Err(error)) => Promise::reject(&error),
        // The promise polls once more, in a microtask, with a waker that counts.
        Poll::Pending => future_to_promise(future),
    }
}
