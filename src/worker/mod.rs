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
//! | `settings.rs` | secrets and variables |
//! | `platform.*` | the crossings to JavaScript |

mod api;
mod deliver;
mod http;
mod index;
mod key;
mod limit;
mod link;
mod object;
mod platform;
mod record;
mod relay;
mod settings;
mod wait;

use crate::time::Timestamp;
use worker::{Context, Env, event};

/// The Worker's entry. Refusals are answers; an error is what could not be made a response.
#[event(fetch)]
async fn fetch(
    request: web_sys::Request,
    env: Env,
    _context: Context,
) -> Result<web_sys::Response, &'static str> {
    let response = api::answer(&request, &env).await;
    response.map_err(|_| "an answer could not be made a response")
}

/// The time, read once an event and passed on from there.
fn now() -> Timestamp {
    Timestamp::from_millis(js_sys::Date::now() as u64)
}
