//! Requests come in, responses go out.

pub(crate) mod api;
pub(crate) mod body;
pub(crate) mod rate_limit;
pub(crate) mod response;
pub(crate) mod routes;
