//! The parts of a request that every endpoint needs.

use crate::domain::api::route::Endpoint;
use crate::domain::auth::keyring::Environment;
use crate::domain::time::timestamp::Timestamp;
use crate::worker::http::cors::cors_origin;
use crate::worker::http::request::Head;
use crate::worker::now;
use web_sys::Request;
use worker::Env;

/// A request that is being answered.
pub(crate) struct RequestContext<'a> {
    pub(crate) request: &'a Request,
    pub(crate) head: &'a Head,
    /// The origin of the web page that sends the request, if it may read the response; otherwise
    /// `""`.
    pub(crate) cors_origin: &'a str,
    pub(crate) env: &'a Env,
    /// The time, read once for the whole request.
    pub(crate) now: Timestamp,
}

impl<'a> RequestContext<'a> {
    pub(crate) fn new(
        request: &'a Request,
        head: &'a Head,
        endpoint: Option<Endpoint<'_>>,
        env: &'a Env,
    ) -> Self {
        Self {
            request,
            head,
            cors_origin: cors_origin(endpoint, head),
            env,
            now: now(),
        }
    }

    /// The origin of the links to the tokens of an environment.
    pub(crate) fn link_origin(&self, environment: &'a Environment) -> &'a str {
        environment.link_origin(self.head.origin())
    }
}
