//! Requests: the method, the URL and the headers that the Worker reads.

use crate::domain::api::link_repair::repair_link;
use crate::domain::callback::negotiation::prefers_html;
use crate::worker::bindings::{
    AUTHORIZATION, CONTENT_LENGTH, IF_NONE_MATCH, ORIGIN, header_of, header_pairs,
};
use js_sys::JSON;
use std::borrow::Cow;
use web_sys::{Headers, Request};

/// The method, the URL and the headers that are read of every request.
pub(crate) struct Head {
    method: String,
    url: String,
    /// The index at which the path begins in the URL. The platform's `URL` would parse it again.
    path: usize,
    authorization: String,
    content_length: Option<usize>,
    cors_origin: String,
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
        let is_post = method == "POST";
        let read = |name| header_of(&headers, name).unwrap_or_default();
        let mut preflight_headers = String::new();
        if method == "OPTIONS" {
            preflight_headers = value(&headers, "access-control-request-headers");
        }
        Self {
            authorization: read(&AUTHORIZATION),
            content_length: is_post
                .then(|| read(&CONTENT_LENGTH).parse().ok())
                .flatten(),
            cors_origin: read(&ORIGIN),
            if_none_match: if is_post {
                String::new()
            } else {
                read(&IF_NONE_MATCH)
            },
            preflight_headers,
            method,
            url,
            path,
        }
    }

    /// Repairs the path, if it is that of a damaged link.
    pub(crate) fn repair_link(&mut self) {
        if let Some(path) = repair_link(self.path()) {
            self.url = format!("{}{path}{}", self.origin(), self.query());
        }
    }

    pub(crate) fn method(&self) -> &str {
        &self.method
    }

    /// Scheme, host and port, such as `https://example.com`.
    pub(crate) fn origin(&self) -> &str {
        self.split_url().0
    }

    pub(crate) fn path(&self) -> &str {
        self.split_url().1.split(['?', '#']).next().unwrap_or("")
    }

    /// The query with its `?`, or `""`.
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

    /// The `Origin` header: the origin of the web page that sends the request, or `""`.
    pub(crate) fn cors_origin(&self) -> &str {
        &self.cors_origin
    }

    /// Whether a web page of another origin sends the request. A page that hides its origin, as our
    /// own page does, sends "null".
    pub(crate) fn is_of_another_origin(&self) -> bool {
        let origin = self.cors_origin();
        !origin.is_empty() && origin != "null" && origin != self.origin()
    }

    pub(crate) fn if_none_match(&self) -> &str {
        &self.if_none_match
    }

    pub(crate) fn preflight_headers(&self) -> &str {
        &self.preflight_headers
    }

    fn split_url(&self) -> (&str, &str) {
        self.url
            .split_at_checked(self.path)
            .unwrap_or((&self.url, ""))
    }
}

/// All headers of a request to a `token.url`. Callbacks of many services are told apart by them, and
/// reading six one by one costs as much.
pub(crate) struct LinkHead<'a> {
    headers: Vec<(HeaderText<'a>, HeaderText<'a>)>,
}

/// A name or a value, borrowed unless JSON escapes something in it.
#[derive(serde::Deserialize)]
struct HeaderText<'a>(#[serde(borrow)] Cow<'a, str>);

/// The headers of a request as a JSON array of pairs, from which [`LinkHead`] borrows.
pub(crate) fn headers_json(request: &Request) -> String {
    let pairs = header_pairs(&request.headers());
    let json = pairs.and_then(|pairs| JSON::stringify(&pairs));
    json.map(String::from).unwrap_or_default()
}

impl<'a> LinkHead<'a> {
    pub(crate) fn of(headers_json: &'a str) -> Self {
        Self {
            headers: serde_json::from_str(headers_json).unwrap_or_default(),
        }
    }

    /// The value of a header, or `""`. The name is in lower case.
    pub(crate) fn get(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(found, _)| found.0 == name);
        found.map_or("", |(_, value)| &value.0)
    }

    /// The value of a header, if it was sent.
    pub(crate) fn find(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(found, _)| found.0 == name);
        found.map(|(_, value)| value.0.clone().into_owned())
    }

    /// Names in lower case, and values.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.headers.iter();
        pairs.map(|(name, value)| (&*name.0, &*value.0))
    }

    /// Whether an error is shown as a page.
    pub(crate) fn prefers_html(&self) -> bool {
        prefers_html(self.get("accept"))
    }

    /// Whether a web page of another site sends this. Only browsers say so, and not all of them do.
    pub(crate) fn is_of_another_site(&self) -> bool {
        matches!(self.get("sec-fetch-site"), "cross-site" | "same-site")
    }

    /// Whether a browser will show the response as a page.
    pub(crate) fn navigates(&self) -> bool {
        self.get("sec-fetch-mode") == "navigate"
    }

    /// Whether the client connected to Cloudflare by plain HTTP.
    pub(crate) fn is_plain_http(&self) -> bool {
        #[derive(serde::Deserialize)]
        struct Visitor {
            scheme: String,
        }
        let visitor = serde_json::from_str::<Visitor>(self.get("cf-visitor"));
        visitor.is_ok_and(|visitor| visitor.scheme == "http")
    }
}

/// The additional headers that are read of a request to wait.
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

    /// The WebSocket subprotocols that the client offers.
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

/// The SDK's idempotency key of a request: it differs for each create, and a retry repeats it.
pub(crate) fn request_key(request: &Request) -> String {
    header(request, "x-trigger-request-idempotency-key")
}

/// A header of a request, or `""`.
pub(crate) fn header(request: &Request, name: &str) -> String {
    value(&request.headers(), name)
}

fn value(headers: &Headers, name: &str) -> String {
    headers.get(name).ok().flatten().unwrap_or_default()
}
