//! Requests to the API at which the tokens of a relayed environment live.

use super::{fetch, set_timeout};
use crate::domain::api::route::token_url;
use crate::domain::auth::keyring::Environment;
use crate::worker::bindings::header_pairs;
use crate::worker::http::body;
use crate::worker::http::headers::{HeaderList, headers_of};
use js_sys::{Array, Uint8Array};
use std::borrow::Cow;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, Request, RequestInit, Response, ResponseInit};

/// Marks the requests that a relay sends, so that a relay whose upstream leads back to it detects the
/// loop.
pub(crate) const RELAY_HEADER: &str = "waitpoint-relay";

/// How long upstream has to answer a request about one token.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(8);

/// The longest response, in bytes. It contains an output of at most 3 MiB, as a JSON string.
const MAX_RESPONSE: usize = 8 * 1024 * 1024;

/// A request to upstream.
pub(crate) struct UpstreamRequest<'a> {
    /// The client's request, whose headers are forwarded.
    pub(crate) like: Option<&'a Request>,
    pub(crate) url: &'a str,
    /// A credential that replaces the client's.
    pub(crate) bearer: Option<&'a str>,
    /// Makes it a POST; without a body it is a GET.
    pub(crate) body: Option<Uint8Array>,
    pub(crate) within: Duration,
}

/// Upstream's response.
pub(crate) struct UpstreamResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderList,
    pub(crate) text: String,
}

/// Sends a request to upstream and reads the response.
pub(crate) async fn request_upstream(
    request: UpstreamRequest<'_>,
) -> Result<UpstreamResponse, JsValue> {
    let headers = match request.like {
        Some(like) => headers_of(&headers_without(&like.headers(), is_of_connection)?)?,
        None => Headers::new()?,
    };
    headers.delete("if-none-match")?;
    headers.set(RELAY_HEADER, "1")?;
    if let Some(bearer) = request.bearer {
        headers.set("authorization", &format!("Bearer {bearer}"))?;
    }
    let init = RequestInit::new();
    init.set_headers(&headers);
    if let Some(body) = &request.body {
        init.set_method("POST");
        if request.like.is_none() {
            headers.set("content-type", "application/json")?;
        }
        init.set_body(body);
    }
    set_timeout(&init, request.within);
    let response = fetch(request.url, &init).await?;
    let headers = headers_without(&response.headers(), is_set_here)?;
    if !(200..600).contains(&response.status()) {
        return Err("upstream responded with an invalid status".into());
    }
    let body = body::read(response.body(), MAX_RESPONSE).await?;
    let body = body.ok_or("upstream's response is too long")?;
    Ok(UpstreamResponse {
        status: response.status(),
        headers,
        text: String::from_utf8(body).map_err(|_| "upstream's response is not UTF-8")?,
    })
}

/// Requests a token with the environment's own key. Nothing of the client's request is forwarded.
pub(crate) async fn fetch_token(
    upstream: &str,
    environment: &Environment,
    internal: &str,
) -> Result<UpstreamResponse, JsValue> {
    request_upstream(UpstreamRequest {
        like: None,
        url: &token_url(upstream, internal),
        bearer: Some(environment.secret()),
        body: None,
        within: TOKEN_TIMEOUT,
    })
    .await
}

/// The status of a read of a token with this credential.
pub(crate) async fn read_status(
    upstream: &str,
    credential: &str,
    internal: &str,
) -> Result<u16, JsValue> {
    let url = token_url(upstream, internal);
    status(&url, credential, None).await
}

/// The status of a list of one token with this credential.
pub(crate) async fn list_status(upstream: &str, credential: &str) -> Result<u16, JsValue> {
    let url = format!("{upstream}/api/v1/waitpoints/tokens?page[size]=1");
    status(&url, credential, None).await
}

/// The status of a completion with this credential. The token must not exist.
pub(crate) async fn write_status(
    upstream: &str,
    credential: &str,
    nonexistent: &str,
    body: &str,
) -> Result<u16, JsValue> {
    let url = format!("{}/complete", token_url(upstream, nonexistent));
    let body = Uint8Array::from(body.as_bytes());
    status(&url, credential, Some(body)).await
}

async fn status(url: &str, credential: &str, body: Option<Uint8Array>) -> Result<u16, JsValue> {
    let request = UpstreamRequest {
        like: None,
        url,
        bearer: Some(credential),
        body,
        within: TOKEN_TIMEOUT,
    };
    Ok(request_upstream(request).await?.status)
}

/// Requests a token with the client's own headers and credential.
pub(crate) async fn fetch_token_like(
    request: &Request,
    upstream: &str,
    internal: &str,
) -> Result<UpstreamResponse, JsValue> {
    request_upstream(UpstreamRequest {
        like: Some(request),
        url: &token_url(upstream, internal),
        bearer: None,
        body: None,
        within: TOKEN_TIMEOUT,
    })
    .await
}

/// Forwards the request to this URL unchanged. Returns upstream's response.
pub(crate) async fn pass(request: &Request, url: &str) -> Result<Response, JsValue> {
    let is_socket = request.headers().get("upgrade")?.as_deref() == Some("websocket");
    let headers = headers_of(&headers_without(&request.headers(), is_of_connection)?)?;
    if is_socket {
        headers.set("upgrade", "websocket")?;
    }
    headers.set(RELAY_HEADER, "1")?;
    let init = RequestInit::new();
    init.set_method(&request.method());
    init.set_headers(&headers);
    if let Some(body) = request.body() {
        init.set_body(&body);
    }
    let response = fetch(url, &init).await?;
    if is_socket && response.status() == 101 {
        return Ok(response);
    }
    // The headers of a fetched response are immutable, so this is a copy.
    let copy: &ResponseInit = response.unchecked_ref();
    let answer = Response::new_with_opt_readable_stream_and_init(response.body().as_ref(), copy)?;
    for name in [
        "connection",
        "keep-alive",
        "transfer-encoding",
        "set-cookie",
    ] {
        answer.headers().delete(name)?;
    }
    // A document of upstream would have the origin of the approval pages.
    answer.headers().set("x-content-type-options", "nosniff")?;
    answer
        .headers()
        .set("content-security-policy", "sandbox; default-src 'none'")?;
    Ok(answer)
}

/// Headers that belong to one connection, cookies, and headers that the platform sets.
fn is_of_connection(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "host"
            | "content-length"
            | "accept-encoding"
            | "cookie"
    ) || name.starts_with("proxy-")
}

/// Headers of upstream's responses that the Worker sets itself or does not forward.
fn is_set_here(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "transfer-encoding"
            | "content-length"
            | "content-encoding"
            | "strict-transport-security"
            | "x-robots-tag"
            | "x-content-type-options"
            | "etag"
            | "set-cookie"
    ) || name.starts_with("access-control-")
}

fn headers_without(
    headers: &Headers,
    is_left_out: fn(&str) -> bool,
) -> Result<HeaderList, JsValue> {
    let pairs = header_pairs(headers)?;
    let pair = |pair: JsValue| {
        let pair: Array = pair.unchecked_into();
        Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
    };
    Ok(pairs
        .iter()
        .filter_map(pair)
        .filter(|(name, _)| !is_left_out(name))
        .map(|(name, value)| (Cow::Owned(name), Cow::Owned(value)))
        .collect())
}
