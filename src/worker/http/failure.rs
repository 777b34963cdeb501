//! The response to a request that failed or panicked, which may be sent again.

use crate::domain::api::route::Endpoint;
use crate::worker::http::cors::cors_origin;
use crate::worker::http::request::{Head, header};
use crate::worker::http::response::{JSON, Reply};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Request, Response};

/// Avoids state that a panic may have left inconsistent.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "wasm-bindgen exports what is public alone")]
#[allow(clippy::missing_errors_doc, reason = "js/entry.js alone calls it")]
pub fn failure(request: &Request) -> Result<Response, JsValue> {
    let sentence = "Something went wrong here; it is safe to try again";
    let reply = if header(request, "accept").contains("text/html") {
        Reply::text(500, "text/plain; charset=utf-8", sentence)
    } else {
        let json = format!(r#"{{"error":"{sentence}","code":"internal_error"}}"#);
        Reply::text(500, JSON, &json)
    };
    let head = Head::of(request);
    let origin = cors_origin(Endpoint::of(head.path()), &head);
    reply
        .with_fixed("cache-control", "no-store")
        .with_fixed("retry-after", "1")
        .with_fixed("x-should-retry", "true")
        .with_exposed(origin, "x-should-retry, retry-after")
        .into_response()
}
