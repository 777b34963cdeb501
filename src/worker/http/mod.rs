//! The HTTP side of the Worker: requests, routes and responses.

pub(crate) mod authenticate;
pub(crate) mod body;
mod callback_body;
pub(crate) mod context;
pub(crate) mod cors;
mod csp;
pub(crate) mod dispatch;
pub(crate) mod failure;
mod foreign;
pub(crate) mod headers;
pub(crate) mod rate_limit;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod routes;
mod token_object;
mod upstream_token;
