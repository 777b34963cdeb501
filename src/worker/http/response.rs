//! Requests read, responses written: the one room for header names and CORS.

use crate::domain::api::error::ApiError;
use crate::domain::api::rate_limit::PERIOD;
use crate::domain::api::route::Endpoint;
use crate::worker::bindings;
use crate::worker::{log_error, now};
use std::borrow::Cow;
use std::cell::RefCell;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::{Headers, ReadableStream, Request, Response, ResponseInit};

const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// For a page of another origin: what it may read of an answer.
const EXPOSED: &str = "x-trigger-jwt, x-trigger-jwt-claims, x-should-retry, x-ratelimit-limit, \
    x-ratelimit-remaining, x-ratelimit-reset, retry-after, etag, preference-applied, \
    waitpoint-outcome, waitpoint-hint, waitpoint-source";

/// For a page of words alone.
pub(crate) const PLAIN: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Nothing that a page could ask a person for.
const PERMISSIONS: &str =
    "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()";

/// A header of a request, `""` if it has none of this name.
pub(crate) fn header(request: &Request, name: &str) -> String {
    value(&request.headers(), name)
}

fn value(headers: &Headers, name: &str) -> String {
    headers.get(name).ok().flatten().unwrap_or_default()
}

/// What the Worker reads of every request besides its body.
pub(crate) struct Head {
    method: String,
    url: String,
    /// Where the path begins in the URL, which a call into the platform would have to parse again.
    path: usize,
    authorization: String,
    content_length: Option<usize>,
    page_origin: String,
    if_none_match: String,
    preflight_headers: String,
}

impl Head {
    pub(crate) fn of(request: &Request) -> Self {
        let (method, url, headers) = (request.method(), request.url(), request.headers());
        let host = url.find("://").map_or(0, |at| at + 3);
        let path = url
            .get(host..)
            .and_then(|rest| rest.find('/'))
            .map_or(url.len(), |at| host + at);
        let posts = method == "POST";
        let read = |name, matters| {
            if matters {
                value(&headers, name)
            } else {
                String::new()
            }
        };
        Self {
            authorization: read("authorization", true),
            content_length: read("content-length", posts).parse().ok(),
            page_origin: read("origin", true),
            if_none_match: read("if-none-match", !posts),
            preflight_headers: read("access-control-request-headers", method == "OPTIONS"),
            method,
            url,
            path,
        }
    }

    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    /// Scheme, host and port: `https://example.com`.
    pub(crate) fn origin(&self) -> &str {
        self.split_url().0
    }

    pub(crate) fn path(&self) -> &str {
        self.split_url().1.split(['?', '#']).next().unwrap_or("")
    }

    /// The query with its `?`, if there is one.
    pub(crate) fn query(&self) -> &str {
        let rest = self.split_url().1;
        rest.find('?').and_then(|at| rest.get(at..)).unwrap_or("")
    }

    pub(crate) fn authorization(&self) -> &str {
        &self.authorization
    }

    pub(crate) fn content_length(&self) -> Option<usize> {
        self.content_length
    }

    /// The `Origin` of the page that sends this, if one does.
    pub(crate) fn page_origin(&self) -> &str {
        &self.page_origin
    }

    /// Whether a page of another origin sends this. One that keeps its origin to itself, as ours do,
    /// says "null".
    pub(crate) fn is_of_another_origin(&self) -> bool {
        let origin = self.page_origin();
        !origin.is_empty() && origin != "null" && origin != self.origin()
    }

    pub(crate) fn if_none_match(&self) -> &str {
        &self.if_none_match
    }

    fn preflight_headers(&self) -> &str {
        &self.preflight_headers
    }

    fn split_url(&self) -> (&str, &str) {
        self.url
            .split_at_checked(self.path)
            .unwrap_or((&self.url, ""))
    }
}

/// What the SDK sends anew with every create, and again with every retry of it.
pub(crate) fn request_key(request: &Request) -> String {
    header(request, "x-trigger-request-idempotency-key")
}

pub(crate) fn content_type(request: &Request) -> String {
    header(request, "content-type")
}

/// What matters of a request to a `token.url` besides.
pub(crate) struct LinkHead {
    accept: String,
    accept_language: String,
    sec_fetch_site: String,
    sec_fetch_mode: String,
    cf_visitor: String,
}

impl LinkHead {
    pub(crate) fn of(request: &Request) -> Self {
        let headers = request.headers();
        Self {
            accept: value(&headers, "accept"),
            accept_language: value(&headers, "accept-language"),
            sec_fetch_site: value(&headers, "sec-fetch-site"),
            sec_fetch_mode: value(&headers, "sec-fetch-mode"),
            cf_visitor: value(&headers, "cf-visitor"),
        }
    }

    /// Whether a browser asks, for a person.
    pub(crate) fn wants_html(&self) -> bool {
        self.accept.contains("text/html")
    }

    pub(crate) fn accept_language(&self) -> &str {
        &self.accept_language
    }

    /// Whether a page of another site sends this. Browsers alone say so, and not all of them.
    pub(crate) fn is_of_another_site(&self) -> bool {
        matches!(self.sec_fetch_site.as_str(), "cross-site" | "same-site")
    }

    /// Whether a browser will show the answer as a page.
    pub(crate) fn navigates(&self) -> bool {
        self.sec_fetch_mode == "navigate"
    }

    /// Whether the connection to Cloudflare was plain HTTP.
    pub(crate) fn is_plain_http(&self) -> bool {
        #[derive(serde::Deserialize)]
        struct Visitor {
            scheme: String,
        }
        let visitor = serde_json::from_slice::<Visitor>(self.cf_visitor.as_bytes());
        visitor.is_ok_and(|visitor| visitor.scheme == "http")
    }
}

/// What matters of a request to wait besides.
pub(crate) struct WaitHead {
    upgrade: String,
    protocols: String,
    accept: String,
    prefer: String,
    last_event: String,
}

impl WaitHead {
    pub(crate) fn of(request: &Request) -> Self {
        let headers = request.headers();
        Self {
            upgrade: value(&headers, "upgrade"),
            protocols: value(&headers, "sec-websocket-protocol"),
            accept: value(&headers, "accept"),
            prefer: value(&headers, "prefer"),
            last_event: value(&headers, "last-event-id"),
        }
    }

    pub(crate) fn upgrades(&self) -> bool {
        self.upgrade.eq_ignore_ascii_case("websocket")
    }

    /// The subprotocols that are offered.
    pub(crate) fn protocols(&self) -> impl Iterator<Item = &str> {
        self.protocols.split(',').map(str::trim)
    }

    pub(crate) fn wants_events(&self) -> bool {
        self.accept.contains("text/event-stream")
    }

    /// The seconds of `Prefer: wait=N`.
    pub(crate) fn wait(&self) -> Option<u32> {
        let preferences = self.prefer.split([',', ';']);
        preferences
            .filter_map(|preference| preference.trim().strip_prefix("wait="))
            .find_map(|seconds| seconds.trim().parse().ok())
    }

    pub(crate) fn last_event(&self) -> &str {
        &self.last_event
    }
}

/// How a request is answered.
pub(crate) enum HandlerResponse {
    /// By a response of our own.
    Built(Reply),
    /// By one that is ready as it came: from a token's object, or from upstream.
    Forwarded(Response),
}

impl From<Reply> for HandlerResponse {
    fn from(reply: Reply) -> Self {
        Self::Built(reply)
    }
}

/// Names and values.
pub(crate) type HeaderList = Vec<(Cow<'static, str>, Cow<'static, str>)>;

/// A response in the making.
pub(crate) struct Reply {
    status: u16,
    headers: HeaderList,
    body: Body,
    /// Whether others will have the same headers.
    is_usual: bool,
}

enum Body {
    None,
    Text(String),
    Stream(ReadableStream),
}

impl Reply {
    fn new(status: u16, body: Body, is_usual: bool) -> Self {
        Self {
            status,
            headers: Vec::with_capacity(12),
            body,
            is_usual,
        }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::new(status, Body::None, false).with_fixed("cache-control", "no-store")
    }

    pub(crate) fn json(status: u16, body: String) -> Self {
        Self::new(status, Body::Text(body), true)
            .with_fixed("content-type", JSON)
            .with_fixed("cache-control", "no-store")
    }

    /// JSON that a client may keep, but must ask about before it uses it again.
    pub(crate) fn private_json(body: String) -> Self {
        Self::new(200, Body::Text(body), true)
            .with_fixed("content-type", JSON)
            .with_fixed("cache-control", "private, no-cache")
    }

    /// JSON for everybody, pages of any origin too.
    pub(crate) fn public_json(body: &str) -> Self {
        Self::new(200, Body::Text(body.to_owned()), true)
            .with_fixed("content-type", JSON)
            .with_fixed("cache-control", "public, max-age=300")
            .with_fixed("access-control-allow-origin", "*")
    }

    /// Server-Sent Events.
    pub(crate) fn events(stream: ReadableStream) -> Self {
        Self::new(200, Body::Stream(stream), false)
            .with_fixed("content-type", "text/event-stream; charset=utf-8")
            .with_fixed("cache-control", "no-store")
    }

    /// 304: the client has it already.
    pub(crate) fn unchanged() -> Self {
        Self::new(304, Body::None, false).with_fixed("cache-control", "private, no-cache")
    }

    /// A page. `policy` is its Content-Security-Policy.
    pub(crate) fn html(status: u16, body: String, policy: &str) -> Self {
        Self::new(status, Body::Text(body), true)
            .with_fixed("content-type", HTML)
            .with_fixed("cache-control", "no-store")
            .with("content-security-policy", policy)
            .with_fixed("referrer-policy", "no-referrer")
            .with_fixed("permissions-policy", PERMISSIONS)
            .with_fixed("origin-agent-cluster", "?1")
            .with_fixed("x-frame-options", "DENY")
            .with_fixed("cross-origin-opener-policy", "same-origin")
            .with_fixed("cross-origin-resource-policy", "same-origin")
    }

    /// What upstream has answered.
    pub(crate) fn of_upstream(status: u16, headers: HeaderList, body: String) -> Self {
        Self {
            headers,
            ..Self::new(status, Body::Text(body), false)
        }
    }

    pub(crate) fn error(error: &ApiError) -> Self {
        let reply = Self::json(error.status(), error.to_json());
        match error {
            ApiError::MethodNotAllowed(allow) => reply.with("allow", allow),
            ApiError::MissingAuthorization => reply.with("www-authenticate", "Bearer"),
            ApiError::StorageUnavailable | ApiError::UpstreamUnavailable => reply
                .with("retry-after", "1")
                .with("x-should-retry", "true"),
            // The SDK waits until the reset, unless it is told to retry: then it goes by its own pauses.
            ApiError::TooManyRequests(_) => reply
                .with("retry-after", "10")
                .with("x-ratelimit-remaining", "0")
                .with(
                    "x-ratelimit-reset",
                    &now().plus(PERIOD).as_millis().to_string(),
                ),
            // Later it fails no less.
            ApiError::TooManyFailures => reply
                .with("retry-after", "60")
                .with("x-should-retry", "false"),
            // The SDK would try any 404 of a token or 5xx again.
            ApiError::TokenNotFound | ApiError::Misconfigured(_) | ApiError::UpstreamLoop => {
                reply.with("x-should-retry", "false")
            }
            _ => reply,
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = Cow::Owned(value.to_owned());
        self.headers.push((Cow::Borrowed(name), value));
        self
    }

    fn with_fixed(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers
            .push((Cow::Borrowed(name), Cow::Borrowed(value)));
        self
    }

    /// Likewise with a value that no other answer has.
    pub(crate) fn with_unique(mut self, name: &'static str, value: &str) -> Self {
        self.is_usual = false;
        self.with(name, value)
    }

    /// Lets the page that asked read the answer.
    pub(crate) fn with_cors(self, page_origin: &str) -> Self {
        match page_origin {
            "" => self,
            origin => self
                .with("access-control-allow-origin", origin)
                .with("vary", "Origin")
                .with("access-control-expose-headers", EXPOSED),
        }
    }

    /// Throws for a header that HTTP cannot carry.
    pub(crate) fn into_response(self) -> Result<Response, JsValue> {
        let reply = self
            .with_fixed("x-content-type-options", "nosniff")
            .with_fixed("x-robots-tag", "noindex, nofollow, noarchive, nosnippet")
            .with_fixed("strict-transport-security", "max-age=63072000");
        let headers = if reply.is_usual {
            usual_headers(reply.headers)?
        } else {
            headers_of(&reply.headers)?
        };
        if let Body::Text(text) = &reply.body {
            return bindings::respond(reply.status, Some(&headers), text.as_bytes());
        }
        let init = ResponseInit::new();
        init.set_status(reply.status);
        init.set_headers(&headers);
        match &reply.body {
            Body::Stream(stream) => {
                Response::new_with_opt_readable_stream_and_init(Some(stream), &init)
            }
            Body::None | Body::Text(_) => Response::new_with_opt_str_and_init(None, &init),
        }
    }
}

/// An object's answer that has a status alone.
pub(crate) fn respond_status(status: u16) -> Result<Response, JsValue> {
    let init = ResponseInit::new();
    init.set_status(status);
    Response::new_with_opt_str_and_init(None, &init)
}

/// By `append`: from an array of pairs they would cost five times as much.
pub(crate) fn headers_of(list: &HeaderList) -> Result<Headers, JsValue> {
    let headers = Headers::new()?;
    for (name, value) in list {
        headers.append(name, value)?;
    }
    Ok(headers)
}

const MOST_KNOWN: usize = 50;

/// Headers that many responses have are made once: the response copies them, which costs a third of
/// making them.
fn usual_headers(list: HeaderList) -> Result<Headers, JsValue> {
    thread_local! {
        static KNOWN: RefCell<Vec<(HeaderList, Headers)>> = const { RefCell::new(Vec::new()) };
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some((_, headers)) = known.iter().find(|(known, _)| *known == list) {
            return Ok(headers.clone());
        }
        let headers = headers_of(&list)?;
        // Some hold what a client wrote.
        if list.iter().map(|(_, value)| value.len()).sum::<usize>() <= 1_000 {
            if known.len() >= MOST_KNOWN {
                known.clear();
            }
            known.push((list, headers.clone()));
        }
        Ok(headers)
    })
}

/// An object's answer to the Worker or another object; 503 if there is none.
pub(crate) fn respond(
    trouble: &str,
    answered: Result<Vec<u8>, JsValue>,
) -> Result<Response, JsValue> {
    match answered {
        Ok(bytes) => bindings::respond(200, None, &bytes),
        Err(why) => {
            log_error(trouble, &why);
            bindings::respond(503, None, b"storage trouble")
        }
    }
}

/// The answer to a request that failed or panicked: it may be sent again. It uses little of what a
/// panic may have left half done.
#[wasm_bindgen]
#[allow(unreachable_pub, reason = "wasm-bindgen exports what is public alone")]
#[allow(clippy::missing_errors_doc, reason = "js/entry.js alone calls it")]
pub fn failure(request: &Request) -> Result<Response, JsValue> {
    let sentence = "Something went wrong here; it is safe to try again";
    let head = Head::of(request);
    let reply = if header(request, "accept").contains("text/html") {
        Reply::new(500, Body::Text(sentence.to_owned()), false)
            .with_fixed("content-type", "text/plain; charset=utf-8")
    } else {
        let json = format!(r#"{{"error":"{sentence}","code":"internal_error"}}"#);
        Reply::new(500, Body::Text(json), false).with_fixed("content-type", JSON)
    };
    let reply = reply
        .with_fixed("cache-control", "no-store")
        .with_fixed("retry-after", "1")
        .with_fixed("x-should-retry", "true");
    let is_for_browsers = Endpoint::of(head.path()).is_some_and(Endpoint::is_for_browsers);
    let reply = match head.page_origin() {
        page if is_for_browsers && !page.is_empty() => reply
            .with("access-control-allow-origin", page)
            .with_fixed("vary", "Origin")
            .with_fixed(
                "access-control-expose-headers",
                "x-should-retry, retry-after",
            ),
        _ => reply,
    };
    reply.into_response()
}

/// The answer to OPTIONS: for browsers' endpoints a preflight's, else nothing is granted.
pub(crate) fn preflight(endpoint: Endpoint<'_>, head: &Head) -> Reply {
    if !endpoint.is_for_browsers() {
        return Reply::empty(204).with("allow", endpoint.allow());
    }
    // The header list is reflected, as callers may add headers of their own (traceparent).
    Reply::json(200, "{}".to_owned())
        .with_cors(head.page_origin())
        .with("vary", "Access-Control-Request-Headers")
        .with(
            "access-control-allow-methods",
            "GET,HEAD,PUT,PATCH,POST,DELETE",
        )
        .with("access-control-allow-headers", head.preflight_headers())
        .with("access-control-max-age", "86400")
}
