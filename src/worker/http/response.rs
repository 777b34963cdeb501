//! Responses.

use crate::domain::api::error::ApiError;
use crate::domain::api::rate_limit::PERIOD;
use crate::domain::callback::config::Respond;
use crate::domain::callback::handshake::Handshake;
use crate::worker::bindings;
use crate::worker::http::headers::{HeaderList, append, cached_headers, headers_of};
use crate::worker::{log_error, now};
use std::borrow::Cow;
use wasm_bindgen::JsValue;
use web_sys::{Headers, ReadableStream, Response, ResponseInit};

pub(crate) const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// The permissions policy: a page may ask for none of these permissions.
const PERMISSIONS: &str =
    "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()";

/// The response to a request.
pub(crate) enum HandlerResponse {
    /// A response that the Worker builds.
    Built(Reply),
    /// A complete response, from a token's object or from upstream.
    Forwarded(Response),
}

impl From<Reply> for HandlerResponse {
    fn from(reply: Reply) -> Self {
        Self::Built(reply)
    }
}

/// A response that is being built.
pub(crate) struct Reply {
    status: u16,
    headers: HeaderList,
    /// Headers that no other response has.
    unique: HeaderList,
    body: Body,
    /// Whether `headers` are cached. They are if other responses will have the same ones.
    has_shared_headers: bool,
}

enum Body {
    None,
    Text(String),
    Stream(ReadableStream),
}

impl Reply {
    fn new(status: u16, body: Body) -> Self {
        Self {
            status,
            headers: Vec::with_capacity(12),
            unique: Vec::new(),
            body,
            has_shared_headers: false,
        }
    }

    /// A response whose headers are cached, because many responses have the same ones.
    fn shared(status: u16, body: Body) -> Self {
        Self {
            has_shared_headers: true,
            ..Self::new(status, body)
        }
    }

    /// A text response whose headers are not cached.
    pub(crate) fn text(status: u16, content_type: &'static str, body: &str) -> Self {
        Self::new(status, Body::Text(body.to_owned())).with_fixed("content-type", content_type)
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::new(status, Body::None).with_fixed("cache-control", "no-store")
    }

    pub(crate) fn json(status: u16, body: String) -> Self {
        Self::shared(status, Body::Text(body))
            .with_fixed("content-type", JSON)
            .with_fixed("cache-control", "no-store")
    }

    /// What the creator of a token chose that a machine hears. Whatever it is, no browser runs it.
    pub(crate) fn chosen(respond: Respond) -> Self {
        let body = match respond.body.as_str() {
            "" => Body::None,
            _ => Body::Text(respond.body),
        };
        let reply = Self::new(respond.status, body)
            .with_fixed("cache-control", "no-store")
            .with_fixed("content-security-policy", "default-src 'none'; sandbox");
        match respond.content_type {
            Some(content_type) => reply.with("content-type", &content_type),
            None => reply,
        }
    }

    /// The answer to a handshake.
    pub(crate) fn handshake(handshake: Handshake) -> Self {
        let respond = Respond {
            status: handshake.status,
            content_type: handshake.content_type.map(str::to_owned),
            body: handshake.body,
        };
        let reply = Self::chosen(respond).with_fixed("waitpoint-outcome", "handshake");
        let headers = handshake.headers.iter();
        headers.fold(reply, |reply, (name, value)| reply.with(name, value))
    }

    /// JSON that a client may cache, and must revalidate before each use.
    pub(crate) fn private_json(body: String) -> Self {
        Self::shared(200, Body::Text(body))
            .with_fixed("content-type", JSON)
            .with_fixed("cache-control", "private, no-cache")
    }

    /// JSON for everybody, including web pages of any origin.
    pub(crate) fn public_json(body: &str) -> Self {
        Self::shared(200, Body::Text(body.to_owned()))
            .with_fixed("content-type", JSON)
            .with_fixed("cache-control", "public, max-age=300")
            .with_fixed("access-control-allow-origin", "*")
    }

    /// Server-Sent Events.
    pub(crate) fn events(stream: ReadableStream) -> Self {
        Self::new(200, Body::Stream(stream))
            .with_fixed("content-type", "text/event-stream; charset=utf-8")
            .with_fixed("cache-control", "no-store")
    }

    /// 304: the client's copy is current.
    pub(crate) fn unchanged() -> Self {
        Self::new(304, Body::None).with_fixed("cache-control", "private, no-cache")
    }

    /// An HTML page. `policy` is its Content-Security-Policy.
    pub(crate) fn html(status: u16, body: String, policy: &str) -> Self {
        Self::shared(status, Body::Text(body))
            .with_fixed("content-type", HTML)
            // A proxy that rewrites addresses and links in it would break what it shows.
            .with_fixed("cache-control", "no-store, no-transform")
            .with("content-security-policy", policy)
            .with_fixed("referrer-policy", "no-referrer")
            .with_fixed("permissions-policy", PERMISSIONS)
            .with_fixed("origin-agent-cluster", "?1")
            .with_fixed("x-frame-options", "DENY")
            .with_fixed("cross-origin-opener-policy", "same-origin")
            .with_fixed("cross-origin-resource-policy", "same-origin")
    }

    /// Upstream's response.
    pub(crate) fn of_upstream(status: u16, headers: HeaderList, body: String) -> Self {
        Self {
            headers,
            ..Self::new(status, Body::Text(body))
        }
    }

    #[cold]
    pub(crate) fn error(error: &ApiError) -> Self {
        let reply = Self::json(error.status(), error.to_json());
        match error {
            ApiError::MethodNotAllowed(allow) => reply.with("allow", allow),
            ApiError::MissingAuthorization => reply.with("www-authenticate", "Bearer"),
            ApiError::StorageUnavailable
            | ApiError::UpstreamUnavailable
            | ApiError::TooManyBodies => reply
                .with("retry-after", "1")
                .with("x-should-retry", "true"),
            // The SDK waits until the reset. With `x-should-retry: true` it would use its own pauses
            // instead.
            ApiError::TooManyRequests(_) => reply
                .with("retry-after", "10")
                .with("x-ratelimit-remaining", "0")
                .with(
                    "x-ratelimit-reset",
                    &now().plus(PERIOD).as_millis().to_string(),
                ),
            // A retry with the same credential would fail too.
            ApiError::TooManyFailures => reply
                .with("retry-after", "60")
                .with("x-should-retry", "false"),
            // Without this the SDK would retry every 404 of a token, every 409 and every 5xx.
            ApiError::TokenNotFound
            | ApiError::TokenEnded(_)
            | ApiError::NotSupportedUpstream
            | ApiError::Misconfigured(_)
            | ApiError::UpstreamLoop => reply.with("x-should-retry", "false"),
            _ => reply,
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = Cow::Owned(value.to_owned());
        self.headers.push((Cow::Borrowed(name), value));
        self
    }

    pub(crate) fn with_fixed(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers
            .push((Cow::Borrowed(name), Cow::Borrowed(value)));
        self
    }

    /// Adds a header whose value no other response has.
    pub(crate) fn with_unique(mut self, name: &'static str, value: &str) -> Self {
        let value = Cow::Owned(value.to_owned());
        self.unique.push((Cow::Borrowed(name), value));
        self
    }

    /// Fails if HTTP cannot carry the header.
    pub(crate) fn into_response(self) -> Result<Response, JsValue> {
        let reply = self
            .with_fixed("x-content-type-options", "nosniff")
            .with_fixed("x-robots-tag", "noindex, nofollow, noarchive, nosnippet")
            .with_fixed("strict-transport-security", "max-age=63072000");
        let headers = if reply.has_shared_headers {
            cached_headers(reply.headers)?
        } else {
            headers_of(&reply.headers)?
        };
        let response = reply.body.into_response(reply.status, &headers)?;
        if !reply.unique.is_empty() {
            append(&response.headers(), &reply.unique)?;
        }
        Ok(response)
    }
}

impl Body {
    fn into_response(self, status: u16, headers: &Headers) -> Result<Response, JsValue> {
        if let Self::Text(text) = &self {
            return bindings::respond(status, Some(headers), text.as_bytes());
        }
        let init = ResponseInit::new();
        init.set_status(status);
        init.set_headers(headers);
        match self {
            Self::Stream(stream) => {
                Response::new_with_opt_readable_stream_and_init(Some(&stream), &init)
            }
            Self::None | Self::Text(_) => Response::new_with_opt_str_and_init(None, &init),
        }
    }
}

/// An object's response that has only a status.
pub(crate) fn respond_status(status: u16) -> Result<Response, JsValue> {
    let init = ResponseInit::new();
    init.set_status(status);
    Response::new_with_opt_str_and_init(None, &init)
}

/// An object's response to the Worker or another object: 503 for an error.
pub(crate) fn respond(
    failure: &str,
    result: Result<Vec<u8>, JsValue>,
) -> Result<Response, JsValue> {
    match result {
        Ok(bytes) => bindings::respond(200, None, &bytes),
        Err(why) => {
            log_error(failure, &why);
            bindings::respond(503, None, b"the object's storage failed")
        }
    }
}

/// The value of `waitpoint-hint` for an unknown key of a request's body.
pub(crate) fn unknown_field_hint(key: &str) -> String {
    let is_plain = key.len() <= 40 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if is_plain {
        format!("unknown-field \"{key}\"")
    } else {
        "unknown-field".to_owned()
    }
}
