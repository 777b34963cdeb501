//! The Worker: a stateless part that verifies, and one object a token that remembers.
//!
//! `ARCHITECTURE.md` is the map.

mod bindings;
mod events;
mod guard;
mod http;
mod objects;
mod outgoing;
mod settings;

use crate::domain::time::timestamp::Timestamp;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Request, Response};
use worker::{Context, Env, console_error, event};

/// Answers a request.
///
/// Request and response are the platform's own: those of `worker` are copies, and an object's response
/// is passed on as it came. The error is a string: `worker::Error` would bring the code that prints it.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response, String> {
    guard::log_panics();
    let request = Rc::new(JsValue::from(request));
    let answering = async {
        let request: &Request = request.unchecked_ref();
        #[cfg(feature = "faults")]
        fault("fault:request", &request.url());
        let answered = http::dispatch::dispatch(request, &env)
            .await
            .or_else(|why| {
                log_error("a request failed", &why);
                http::failure::failure(request)
            });
        answered.map_err(|why| error_text(&why))
    };
    guard::watch(&request, answering).await
}

/// Called when an instance is made.
#[event(start)]
fn start() {
    bindings::intern_names();
}

/// Logs what failed, and the exception's message.
fn log_error(line: &str, cause: &JsValue) {
    console_error!("{line} {}", error_text(cause));
}

/// The message of an exception, or the value that was thrown.
fn error_text(cause: &JsValue) -> String {
    let message = if cause.is_object() {
        cause.unchecked_ref::<bindings::ObjectError>().message()
    } else {
        cause.clone()
    };
    bindings::to_text(&message).unwrap_or_default()
}

/// Panics if the text contains this name: tests ask for panics so.
#[cfg(feature = "faults")]
#[allow(clippy::panic, reason = "what it is for")]
fn fault(name: &str, text: &str) {
    if text.contains(name) {
        panic!("{name}");
    }
}

/// The time. It is read once an event and passed on.
fn now() -> Timestamp {
    Timestamp::from_millis(js_sys::Date::now() as u64)
}
