//! The Worker: a stateless part that verifies, and one object a token that remembers.
//!
//! | file | is about |
//! |---|---|
//! | `api.rs` | what each endpoint does |
//! | `link.rs` | `token.url`: its page, and what machines send there |
//! | `limit.rs` | rate limits: the bindings asked |
//! | `relay.rs` | what is asked of tokens that live upstream |
//! | `wait.rs` | how a token ends, told when it does |
//! | `http.rs`, `body.rs` | requests read, responses written, CORS |
//! | `object.rs` | the Durable Object of a token |
//! | `waiters.rs` | who waits there |
//! | `storage.rs` | what it stores |
//! | `deliver.rs` | what that tells others: the index, webhooks |
//! | `index.rs` | the Durable Objects that list an environment's tokens |
//! | `batch.rs` | rows on their way there |
//! | `key.rs` | the Durable Object of an idempotency key |
//! | `record.rs` | the stored form, and what Worker and object say to each other |
//! | `envelope.rs`, `call.rs` | how a command travels, and its response |
//! | `outgoing.rs` | requests to others |
//! | `view.rs` | what a client is told of a token |
//! | `settings.rs` | secrets and variables |
//! | `bindings.rs` | what the platform has and the crate `worker` lacks |
//! | `guard.rs`, `js/` | panics: what the platform calls outlives them |

mod api;
mod batch;
mod bindings;
mod body;
mod call;
mod deliver;
mod envelope;
mod guard;
mod http;
mod index;
mod key;
mod limit;
mod link;
mod object;
mod outgoing;
mod record;
mod relay;
mod settings;
mod storage;
mod view;
mod wait;
mod waiters;

use crate::domain::time::timestamp::Timestamp;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Request, Response};
use worker::{Context, Env, console_error, event};

/// Answers a request.
///
/// Request and response are the platform's own: `worker`'s are made of what these are taken apart
/// into, and an object's response is passed on as it came. The error is a text, as with that of
/// `worker` would come all that prints it.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response, String> {
    guard::log_panics();
    let request = Rc::new(JsValue::from(request));
    let answering = async {
        let request: &Request = request.unchecked_ref();
        #[cfg(feature = "faults")]
        fault("fault:request", &request.url());
        let answered = api::answer(request, &env).await.or_else(|why| {
            log_error("a request failed", &why);
            http::failure(request)
        });
        answered.map_err(|why| error_text(&why))
    };
    guard::watch(&request, answering).await
}

/// An instance begins.
#[event(start)]
fn start() {
    bindings::intern_names();
}

/// A line for the operator: what failed, and the exception's message.
fn log_error(line: &str, cause: &JsValue) {
    console_error!("{line} {}", error_text(cause));
}

/// An exception's message, or whatever else was thrown.
fn error_text(cause: &JsValue) -> String {
    let message = if cause.is_object() {
        cause.unchecked_ref::<bindings::ObjectError>().message()
    } else {
        cause.clone()
    };
    bindings::to_text(&message).unwrap_or_default()
}

/// Panics if a text asks for it by this name.
#[cfg(feature = "faults")]
#[allow(clippy::panic, reason = "what it is for")]
fn fault(name: &str, text: &str) {
    if text.contains(name) {
        panic!("{name}");
    }
}

/// The time, read once an event and passed on from there.
fn now() -> Timestamp {
    Timestamp::from_millis(js_sys::Date::now() as u64)
}
