//! CORS: what web pages of other origins may send and read.

use crate::domain::api::route::Endpoint;
use crate::worker::http::request::Head;
use crate::worker::http::response::Reply;

/// The headers of a response that a web page of another origin may read.
const EXPOSED: &str = "x-trigger-jwt, x-trigger-jwt-claims, x-should-retry, x-ratelimit-limit, \
    x-ratelimit-remaining, x-ratelimit-reset, retry-after, etag, preference-applied, \
    waitpoint-outcome, waitpoint-hint, waitpoint-source";

/// The origin of the web page that sends the request, if it may read the response; otherwise `""`.
pub(crate) fn cors_origin<'a>(endpoint: Option<Endpoint<'_>>, head: &'a Head) -> &'a str {
    if endpoint.is_some_and(Endpoint::is_for_browsers) {
        head.cors_origin()
    } else {
        ""
    }
}

impl Reply {
    /// Lets a web page of this origin read the response.
    pub(crate) fn with_cors(self, origin: &str) -> Self {
        self.with_exposed(origin, EXPOSED)
    }

    /// Lets a web page of this origin read the response, but only these headers of it.
    pub(crate) fn with_exposed(self, origin: &str, exposed: &'static str) -> Self {
        if origin.is_empty() {
            return self;
        }
        self.with("access-control-allow-origin", origin)
            .with_fixed("vary", "Origin")
            .with_fixed("access-control-expose-headers", exposed)
    }
}

/// The response to OPTIONS. A preflight is granted only for endpoints that browsers may call.
pub(crate) fn preflight(endpoint: Endpoint<'_>, head: &Head) -> Reply {
    if !endpoint.is_for_browsers() {
        return Reply::empty(204).with("allow", endpoint.allow());
    }
    // The list of headers is reflected, because callers may add headers of their own (traceparent).
    Reply::json(200, "{}".to_owned())
        .with_cors(head.cors_origin())
        .with("vary", "Access-Control-Request-Headers")
        .with(
            "access-control-allow-methods",
            "GET,HEAD,PUT,PATCH,POST,DELETE",
        )
        .with("access-control-allow-headers", head.preflight_headers())
        .with("access-control-max-age", "86400")
}
