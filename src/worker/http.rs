//! Requests read, responses written: the one room for header names and CORS.

use super::now;
use super::platform::{self, Request, Response};
use super::task::End;
use crate::error::Refusal;
use crate::limit::PERIOD;
use crate::route::Endpoint;
use js_sys::Uint8Array;
use serde::Deserialize;
use wasm_bindgen::JsValue;

const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// For a page of another origin: what it may read of an answer.
const EXPOSED: &str = "x-trigger-jwt, x-trigger-jwt-claims, x-should-retry, x-ratelimit-limit, \
    x-ratelimit-remaining, x-ratelimit-reset, retry-after, etag, preference-applied, \
    waitpoint-outcome, waitpoint-hint, waitpoint-source";

/// For a page of words alone.
pub(super) const PLAIN: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Nothing that a page could ask a person for.
const PERMISSIONS: &str =
    "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()";

/// What `platform.js` reads of a request, a line each.
struct Lines {
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Lines {
    fn of(text: String) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let ends = breaks.map(|(at, _)| at).chain([text.len()]).collect();
        Self { text, ends }
    }

    fn line(&self, index: usize) -> &str {
        let start = match index {
            0 => Some(0),
            _ => self.ends.get(index - 1).map(|end| end + 1),
        };
        let end = self.ends.get(index).copied();
        let range = start.zip(end).map(|(start, end)| start..end);
        range.and_then(|range| self.text.get(range)).unwrap_or("")
    }
}

/// What the Worker reads of every request besides its body.
pub(super) struct Head(Lines);

impl Head {
    pub(super) fn of(request: &Request) -> Self {
        Self(Lines::of(platform::head(request)))
    }

    fn line(&self, index: usize) -> &str {
        self.0.line(index)
    }

    pub(super) fn method(&self) -> &str {
        self.line(0)
    }

    /// Scheme, host and port: `https://example.com`.
    pub(super) fn origin(&self) -> &str {
        self.split_url().0
    }

    pub(super) fn path(&self) -> &str {
        self.split_url().1.split(['?', '#']).next().unwrap_or("")
    }

    /// The query with its `?`, if there is one.
    pub(super) fn query(&self) -> &str {
        let rest = self.split_url().1;
        rest.find('?').and_then(|at| rest.get(at..)).unwrap_or("")
    }

    pub(super) fn authorization(&self) -> &str {
        self.line(2)
    }

    fn content_length(&self) -> Option<usize> {
        self.line(3).parse().ok()
    }

    /// The `Origin` of the page that sends this, if one does.
    pub(super) fn page_origin(&self) -> &str {
        self.line(4)
    }

    /// Whether a page of another origin sends this. One that keeps its origin to itself, as ours do,
    /// says "null".
    pub(super) fn is_of_another_origin(&self) -> bool {
        let origin = self.page_origin();
        !origin.is_empty() && origin != "null" && origin != self.origin()
    }

    pub(super) fn if_none_match(&self) -> &str {
        self.line(5)
    }

    fn preflight_headers(&self) -> &str {
        self.line(6)
    }

    fn split_url(&self) -> (&str, &str) {
        let url = self.line(1);
        let host = url.find("://").map_or(0, |at| at + 3);
        let path = url
            .get(host..)
            .and_then(|rest| rest.find('/'))
            .map_or(url.len(), |at| host + at);
        url.split_at_checked(path).unwrap_or((url, ""))
    }
}

/// What the SDK sends anew with every create, and again with every retry of it.
pub(super) fn request_key(request: &Request) -> String {
    platform::headers(request, "x-trigger-request-idempotency-key")
}

pub(super) fn content_type(request: &Request) -> String {
    platform::headers(request, "content-type")
}

/// What matters of a request to a `token.url` besides.
pub(super) struct LinkHead(Lines);

impl LinkHead {
    pub(super) fn of(request: &Request) -> Self {
        let names = "accept\naccept-language\nsec-fetch-site\nsec-fetch-mode\ncf-visitor";
        Self(Lines::of(platform::headers(request, names)))
    }

    /// Whether a browser asks, for a person.
    pub(super) fn wants_html(&self) -> bool {
        self.0.line(0).contains("text/html")
    }

    pub(super) fn accept_language(&self) -> &str {
        self.0.line(1)
    }

    /// Whether a page of another site sends this. Browsers alone say so, and not all of them.
    pub(super) fn is_of_another_site(&self) -> bool {
        matches!(self.0.line(2), "cross-site" | "same-site")
    }

    /// Whether a browser will show the answer as a page.
    pub(super) fn navigates(&self) -> bool {
        self.0.line(3) == "navigate"
    }

    /// Whether the connection to Cloudflare was plain HTTP.
    pub(super) fn is_plain_http(&self) -> bool {
        #[derive(Deserialize)]
        struct Visitor {
            scheme: String,
        }
        let visitor = serde_json::from_str(self.0.line(4));
        visitor.is_ok_and(|visitor: Visitor| visitor.scheme == "http")
    }
}

/// What matters of a request to wait besides.
pub(super) struct WaitHead(Lines);

impl WaitHead {
    pub(super) fn of(request: &Request) -> Self {
        let names = "upgrade\nsec-websocket-protocol\naccept\nprefer\nlast-event-id";
        Self(Lines::of(platform::headers(request, names)))
    }

    pub(super) fn upgrades(&self) -> bool {
        self.0.line(0).eq_ignore_ascii_case("websocket")
    }

    /// The subprotocols that are offered.
    pub(super) fn protocols(&self) -> impl Iterator<Item = &str> {
        self.0.line(1).split(',').map(str::trim)
    }

    pub(super) fn wants_events(&self) -> bool {
        self.0.line(2).contains("text/event-stream")
    }

    /// The seconds of `Prefer: wait=N`.
    pub(super) fn wait(&self) -> Option<u32> {
        let preferences = self.0.line(3).split([',', ';']);
        preferences
            .filter_map(|preference| preference.trim().strip_prefix("wait="))
            .find_map(|seconds| seconds.trim().parse().ok())
    }

    pub(super) fn last_event(&self) -> &str {
        self.0.line(4)
    }
}

/// The body, at most `limit` bytes.
///
/// # Errors
/// `BodyTooLarge`, or `BodyUnreadable` if the client left.
pub(super) async fn body(request: &Request, head: &Head, limit: usize) -> Result<Vec<u8>, Refusal> {
    if head.content_length().is_some_and(|length| length > limit) {
        return Err(Refusal::BodyTooLarge(limit));
    }
    let read = match head.content_length() {
        Some(0) => return Ok(Vec::new()),
        // The platform holds a body to the length that it claims; whole it is read for less than in pieces.
        Some(_) => platform::bytes(request),
        None => platform::read(request, u32::try_from(limit).unwrap_or(u32::MAX)),
    };
    let bytes = read.await.map_err(|_| Refusal::BodyUnreadable)?;
    if bytes.is_undefined() {
        return Err(Refusal::BodyTooLarge(limit));
    }
    let bytes = Uint8Array::new(&bytes);
    if bytes.length() as usize > limit {
        return Err(Refusal::BodyTooLarge(limit));
    }
    Ok(bytes.to_vec())
}

/// How a request is answered.
pub(super) enum Answered {
    /// By a response of our own.
    Made(Reply),
    /// By one that is ready as it came: from a token's object, or from upstream.
    Passed(Response),
}

impl From<Reply> for Answered {
    fn from(reply: Reply) -> Self {
        Self::Made(reply)
    }
}

/// A response in the making.
pub(super) struct Reply {
    status: u16,
    headers: String,
    body: Body,
    /// Whether others will have the same headers.
    is_usual: bool,
}

enum Body {
    None,
    Text(String),
    /// A `ReadableStream`.
    Stream(JsValue),
}

impl Reply {
    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: String::new(),
            body: Body::None,
            is_usual: false,
        }
        .with("cache-control", "no-store")
    }

    pub(super) fn json(status: u16, body: String) -> Self {
        let reply = Self {
            status,
            headers: String::new(),
            body: Body::Text(body),
            is_usual: true,
        };
        reply
            .with("content-type", JSON)
            .with("cache-control", "no-store")
    }

    /// JSON that a client may keep, but must ask about before it uses it again.
    pub(super) fn private_json(body: String) -> Self {
        let reply = Self {
            status: 200,
            headers: String::new(),
            body: Body::Text(body),
            is_usual: true,
        };
        reply
            .with("content-type", JSON)
            .with("cache-control", "private, no-cache")
    }

    /// JSON for everybody, pages of any origin too.
    pub(super) fn public_json(body: &str) -> Self {
        let reply = Self {
            status: 200,
            headers: String::new(),
            body: Body::Text(body.to_owned()),
            is_usual: true,
        };
        reply
            .with("content-type", JSON)
            .with("cache-control", "public, max-age=300")
            .with("access-control-allow-origin", "*")
    }

    /// Server-Sent Events, of a `ReadableStream`.
    pub(super) fn events(stream: JsValue) -> Self {
        let reply = Self {
            status: 200,
            headers: String::new(),
            body: Body::Stream(stream),
            is_usual: false,
        };
        reply
            .with("content-type", "text/event-stream; charset=utf-8")
            .with("cache-control", "no-store")
    }

    /// 304: the client has it already.
    pub(super) fn unchanged() -> Self {
        let reply = Self {
            status: 304,
            headers: String::new(),
            body: Body::None,
            is_usual: false,
        };
        reply.with("cache-control", "private, no-cache")
    }

    /// A page. `policy` is its Content-Security-Policy.
    pub(super) fn html(status: u16, body: String, policy: &str) -> Self {
        let reply = Self {
            status,
            headers: String::new(),
            body: Body::Text(body),
            is_usual: true,
        };
        reply
            .with("content-type", HTML)
            .with("cache-control", "no-store")
            .with("content-security-policy", policy)
            .with("referrer-policy", "no-referrer")
            .with("permissions-policy", PERMISSIONS)
            .with("origin-agent-cluster", "?1")
            .with("x-frame-options", "DENY")
            .with("cross-origin-opener-policy", "same-origin")
            .with("cross-origin-resource-policy", "same-origin")
    }

    /// What upstream has answered; `headers` is a line a name and a line a value.
    pub(super) fn of_upstream(status: u16, headers: String, body: String) -> Self {
        Self {
            status,
            headers,
            body: Body::Text(body),
            is_usual: false,
        }
    }

    pub(super) fn refusal(refusal: &Refusal) -> Self {
        let reply = Self::json(refusal.status(), refusal.to_json());
        match refusal {
            Refusal::MethodNotAllowed(allow) => reply.with("allow", allow),
            Refusal::NoAuthorization => reply.with("www-authenticate", "Bearer"),
            Refusal::StorageTrouble | Refusal::UpstreamTrouble => reply
                .with("retry-after", "1")
                .with("x-should-retry", "true"),
            // The SDK waits until the reset, unless it is told to retry: then it goes by its own pauses.
            Refusal::TooManyRequests(_) => reply
                .with("retry-after", "10")
                .with("x-ratelimit-remaining", "0")
                .with(
                    "x-ratelimit-reset",
                    &now().plus(PERIOD).as_millis().to_string(),
                ),
            // Later it fails no less.
            Refusal::TooManyFailures => reply
                .with("retry-after", "60")
                .with("x-should-retry", "false"),
            // The SDK would try any 404 of a token or 5xx again.
            Refusal::UnknownToken | Refusal::Misconfigured(_) | Refusal::UpstreamLoop => {
                reply.with("x-should-retry", "false")
            }
            _ => reply,
        }
    }

    /// Neither name nor value may hold a line break; a header of a request never does.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        for text in [name, value] {
            if !self.headers.is_empty() {
                self.headers.push('\n');
            }
            self.headers.push_str(text);
        }
        self
    }

    /// Likewise with a value that no other answer has.
    pub(super) fn with_unique(mut self, name: &str, value: &str) -> Self {
        self.is_usual = false;
        self.with(name, value)
    }

    /// Lets the page that asked read the answer.
    pub(super) fn with_cors(self, page_origin: &str) -> Self {
        match page_origin {
            "" => self,
            origin => self
                .with("access-control-allow-origin", origin)
                .with("vary", "Origin")
                .with("access-control-expose-headers", EXPOSED),
        }
    }

    pub(super) fn into_response(self) -> Result<Response, JsValue> {
        let reply = self
            .with("x-content-type-options", "nosniff")
            .with("x-robots-tag", "noindex, nofollow, noarchive, nosnippet")
            .with("strict-transport-security", "max-age=63072000");
        let (status, headers) = (reply.status, &reply.headers);
        match &reply.body {
            Body::None => platform::respond(status, headers, None, reply.is_usual),
            Body::Text(text) => {
                platform::respond(status, headers, Some(text.as_bytes()), reply.is_usual)
            }
            Body::Stream(stream) => platform::respond_stream(status, headers, stream),
        }
    }
}

/// An object's answer to the Worker or another object; 503 if there is none.
pub(super) fn respond(trouble: &str, answered: Result<String, JsValue>) -> End {
    let response = match answered {
        Ok(text) => platform::respond(200, "", Some(text.as_bytes()), true),
        Err(why) => {
            platform::error(trouble, &why);
            platform::respond(503, "", Some(b"storage trouble"), true)
        }
    };
    response.map(Into::into)
}

/// The answer to OPTIONS: for browsers' endpoints a preflight's, else nothing is granted.
pub(super) fn preflight(endpoint: Endpoint<'_>, head: &Head) -> Reply {
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
