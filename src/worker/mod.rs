//! The Worker: a stateless part that verifies, and one object a token that remembers.
//!
//! | file | is about |
//! |---|---|
//! | `api.rs` | what each endpoint does |
//! | `link.rs` | `token.url`: its page, and what machines send there |
//! | `limit.rs` | rate limits: the bindings asked |
//! | `relay.rs` | what is asked of tokens that live upstream |
//! | `wait.rs` | how a token ends, told when it does |
//! | `http.rs` | requests read, responses written, CORS |
//! | `object.rs` | the Durable Object of a token |
//! | `deliver.rs` | what that tells others: the index, webhooks |
//! | `index.rs` | the Durable Objects that list an environment's tokens |
//! | `key.rs` | the Durable Object of an idempotency key |
//! | `record.rs` | the stored form, and what Worker and object say to each other |
//! | `message.rs` | how a command travels |
//! | `view.rs` | what a client is told of a token |
//! | `settings.rs` | secrets and variables |
//! | `entry.js` | what the platform calls |
//! | `task.rs`, `runtime.js` | futures, and the instance that they run in |
//! | `platform.*` | the crossings to JavaScript |

mod api;
mod deliver;
mod http;
mod index;
mod key;
mod limit;
mod link;
mod message;
mod object;
mod platform;
mod record;
mod relay;
mod settings;
mod task;
mod view;
mod wait;

use crate::time::Timestamp;
use platform::{Env, Request};
use wasm_bindgen::prelude::wasm_bindgen;

/// A task that answers a request. Refusals are answers; it fails if there is nothing that could be made a
/// response.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "wasm-bindgen exports what is public alone")]
pub fn fetch(request: Request, env: Env) -> u32 {
    task::task(async move {
        #[cfg(feature = "faults")]
        fault("fault:request", &platform::head(&request));
        api::answer(&request, &env).await.map(Into::into)
    })
}

/// Has the place of each panic logged; not its message, as that of a text that is cut amiss holds the text.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or(String::new(), ToString::to_string);
        platform::error("a panic", &place.into());
    }));
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
