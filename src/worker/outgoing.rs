//! Requests to others: webhooks, and the API at which tokens live.

use crate::worker::bindings::{fetch_outside, header_pairs, settled, to_number};
use crate::worker::http::body;
use crate::worker::http::response::{HeaderList, headers_of};
use crate::worker::now;
use js_sys::{Array, Date, Uint8Array};
use std::borrow::Cow;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    AbortSignal, Headers, Request, RequestInit, RequestRedirect, Response, ResponseInit,
};

/// What a relay sends, so that one that leads to itself is noticed.
pub(crate) const HOP: &str = "waitpoint-relay";

/// In bytes. An answer holds an output of 3 MiB at most, as a JSON string.
const LONGEST_ANSWER: usize = 8 * 1024 * 1024;

/// What belongs to one connection or to one's own cookies, and what the platform sets anew.
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

/// What an answer says of its encoding and to browsers: said anew here.
fn is_said_anew(name: &str) -> bool {
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

async fn fetch(url: &str, init: &RequestInit) -> Result<Response, JsValue> {
    init.set_redirect(RequestRedirect::Manual);
    let response = settled(fetch_outside(url, init)?).await?;
    Ok(response.unchecked_into())
}

fn end_within(init: &RequestInit, within: Duration) {
    let millis = u32::try_from(within.as_millis()).unwrap_or(u32::MAX);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(millis)));
}

/// Hands the request on to this URL as it is, and answers with what comes back.
pub(crate) async fn pass(request: &Request, url: &str) -> Result<Response, JsValue> {
    let is_socket = request.headers().get("upgrade")?.as_deref() == Some("websocket");
    let headers = headers_of(&headers_without(&request.headers(), is_of_connection)?)?;
    if is_socket {
        headers.set("upgrade", "websocket")?;
    }
    headers.set(HOP, "1")?;
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
    // A copy, as what comes from elsewhere cannot be changed.
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
    // Its documents are not ours, and stand where the pages of tokens do.
    answer.headers().set("x-content-type-options", "nosniff")?;
    answer
        .headers()
        .set("content-security-policy", "sandbox; default-src 'none'")?;
    Ok(answer)
}

/// What upstream is asked.
pub(crate) struct UpstreamRequest<'a> {
    /// Whose headers go with it.
    pub(crate) like: Option<&'a Request>,
    pub(crate) url: &'a str,
    /// The credential instead of theirs.
    pub(crate) bearer: Option<&'a str>,
    /// Without one it is a GET.
    pub(crate) body: Option<Uint8Array>,
    pub(crate) within: Duration,
}

/// What upstream answers.
pub(crate) struct UpstreamResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderList,
    pub(crate) text: String,
}

pub(crate) async fn ask_upstream(asked: UpstreamRequest<'_>) -> Result<UpstreamResponse, JsValue> {
    let headers = match asked.like {
        Some(like) => headers_of(&headers_without(&like.headers(), is_of_connection)?)?,
        None => Headers::new()?,
    };
    headers.delete("if-none-match")?;
    headers.set(HOP, "1")?;
    if let Some(bearer) = asked.bearer {
        headers.set("authorization", &format!("Bearer {bearer}"))?;
    }
    let init = RequestInit::new();
    init.set_headers(&headers);
    if let Some(body) = &asked.body {
        init.set_method("POST");
        init.set_body(body);
    }
    end_within(&init, asked.within);
    let response = fetch(asked.url, &init).await?;
    let headers = headers_without(&response.headers(), is_said_anew)?;
    if !(200..600).contains(&response.status()) {
        return Err("upstream answered with a status that no response may have".into());
    }
    let body = body::read(response.body(), LONGEST_ANSWER).await?;
    let body = body.ok_or("upstream answered more than is read")?;
    Ok(UpstreamResponse {
        status: response.status(),
        headers,
        text: String::from_utf8(body).map_err(|_| "upstream answered what is no UTF-8")?,
    })
}

/// What is sent to a receiver.
pub(crate) struct Post {
    pub(crate) url: String,
    pub(crate) headers: HeaderList,
    /// Outside wasm's memory, which never shrinks.
    pub(crate) body: Uint8Array,
}

/// What a receiver answers.
pub(crate) struct Received {
    pub(crate) status: u16,
    /// The pause that it asks for.
    pub(crate) pause: Option<Duration>,
    /// Its `waitpoint-outcome`, if it is a Waitpoint.
    pub(crate) outcome: Option<String>,
}

/// POSTs to a URL of somebody else's. Follows no redirect.
pub(crate) async fn post(post: &Post, within: Duration) -> Result<Received, JsValue> {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers_of(&post.headers)?.into());
    init.set_body(&post.body);
    end_within(&init, within);
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
            // A number of more digits than fit.
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

/// How long until this time in milliseconds since the epoch, which may be no number.
fn millis_until(at: f64) -> Option<Duration> {
    let millis = (at - now().as_millis() as f64).max(0.0);
    (!at.is_nan()).then(|| Duration::from_millis(millis.round() as u64))
}
