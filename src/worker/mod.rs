//! The Worker: a stateless part that verifies requests, and one Durable Object for each token.
//!
//! See `ARCHITECTURE.md` for an overview.

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

/// Two thirds of the time of `std`'s allocator, and 4 kB less of upload.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// Answers a request.
///
/// Request and response are the platform's own types. Those of `worker` are copies, but an object's
/// response is passed on unchanged. The error is a string, because `worker::Error` would link the
/// code that formats it.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response, String> {
    guard::log_panics();
    let request = Rc::new(JsValue::from(request));
    let answering = async {
        let request: &Request = request.unchecked_ref();
        #[cfg(feature = "faults")]
        fault("fault:request", &request.url());
        let result = http::dispatch::dispatch(request, &env)
            .await
            .or_else(|why| {
                log_error("a request failed", &why);
                http::failure::failure(request)
            });
        result.map_err(|why| error_text(&why))
    };
    guard::watch(&request, answering).await
}

/// Logs `line`, which names what failed, and the exception's message.
#[cold]
fn log_error(line: &str, cause: &JsValue) {
    console_error!("{line}: {}", error_text(cause));
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

/// Panics if the text contains this name. Tests use it to cause panics.
#[cfg(feature = "faults")]
#[allow(clippy::panic, reason = "what it is for")]
fn fault(name: &str, text: &str) {
    if text.contains(name) {
        panic!("{name}");
    }
}

/// The current time. It is read once for each event and passed on.
fn now() -> Timestamp {
    Timestamp::from_millis(js_sys::Date::now() as u64)
}
