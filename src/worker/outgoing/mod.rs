//! Requests to other servers.

pub(crate) mod access;
mod confirmation;
pub(crate) mod mail;
pub(crate) mod upstream;
pub(crate) mod webhook;

// The names by which a token's object calls these.
pub(crate) use confirmation::confirm;
pub(crate) use webhook::{Post, post};

use crate::worker::bindings::{fetch_outside, settled};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, RequestInit, RequestRedirect, Response};

/// A request that follows no redirect.
async fn fetch(url: &str, init: &RequestInit) -> Result<Response, JsValue> {
    init.set_redirect(RequestRedirect::Manual);
    let response = settled(fetch_outside(url, init)?).await?;
    Ok(response.unchecked_into())
}

fn set_timeout(init: &RequestInit, timeout: Duration) {
    let millis = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(millis)));
}
