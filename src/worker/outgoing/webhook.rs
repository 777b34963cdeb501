//! Requests that deliver a token's events: webhooks, notices in channels, the completion upstream.

use super::{fetch, set_timeout};
use crate::worker::bindings::{settled, to_number};
use crate::worker::http::headers::{HeaderList, headers_of};
use crate::worker::now;
use js_sys::{Date, Uint8Array};
use std::time::Duration;
use wasm_bindgen::JsValue;
use web_sys::RequestInit;

/// The request that is sent to a receiver.
pub(crate) struct Post {
    pub(crate) url: String,
    pub(crate) headers: HeaderList,
    /// Outside wasm's memory, which never shrinks.
    pub(crate) body: Uint8Array,
}

/// The parts of a receiver's response that are used.
pub(crate) struct Received {
    pub(crate) status: u16,
    /// The pause that the receiver asks for.
    pub(crate) pause: Option<Duration>,
    /// The header `waitpoint-outcome`, if the receiver is a Waitpoint.
    pub(crate) outcome: Option<String>,
}

/// Sends a request to a receiver, which has `within` to answer.
pub(crate) async fn post(post: &Post, within: Duration) -> Result<Received, JsValue> {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers_of(&post.headers)?.into());
    init.set_body(&post.body);
    set_timeout(&init, within);
    let response = fetch(&post.url, &init).await?;
    if let Some(body) = response.body() {
        settled(body.cancel()).await?;
    }
    let headers = response.headers();
    let pause = match headers.get("retry-after")?.as_deref() {
        None | Some("") if response.status() == 429 => headers
            .get("x-ratelimit-reset")?
            .and_then(|reset| millis_until(to_number(&reset))),
        None | Some("") => None,
        Some(after) => match after.parse::<u64>() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            // The number has more digits than fit.
            Err(_) if after.bytes().all(|byte| byte.is_ascii_digit()) => Some(Duration::MAX),
            Err(_) => millis_until(Date::parse(after)),
        },
    };
    Ok(Received {
        status: response.status(),
        pause,
        outcome: headers.get("waitpoint-outcome")?,
    })
}

/// How long until `at`, which is in milliseconds since the epoch; `None` if it is `NaN`.
fn millis_until(at: f64) -> Option<Duration> {
    let millis = (at - now().as_millis() as f64).max(0.0);
    (!at.is_nan()).then(|| Duration::from_millis(millis.round() as u64))
}
