//! Determines which requests go upstream, and how.
//!
//! Invariant: a request is sent upstream only if its path was recognised here. If upstream could read
//! the path as another one, a token could be decided there and not here.

use crate::domain::api::route::{Endpoint, is_of_another_api};
use crate::domain::auth::token_id::internal_id;
use crate::domain::encoding::hex_decode;

/// How a request goes upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// As a create. Fields that upstream does not know are stored here.
    Create,
    /// As a read. URLs in the response are rewritten.
    Read,
    /// As a callback. Its body is read first.
    Callback,
    /// Unchanged.
    Whole,
}

/// The parts of a request that the relay needs.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub method: &'a str,
    /// The path, not decoded.
    pub path: &'a str,
    /// The credential of the `Authorization` header, `""` if there is none.
    pub credential: &'a str,
    /// Whether that credential is a key of an environment here, or was made with one.
    pub is_known: bool,
}

/// How a request is sent upstream; `None` if it is not. `opens_here` returns whether a link's
/// credential is valid here for a token id.
#[must_use]
pub fn forward(
    request: Request<'_>,
    endpoint: Option<Endpoint<'_>>,
    opens_here: impl FnOnce(&str, &str) -> bool,
) -> Option<Forward> {
    match (endpoint, request.method) {
        (Some(Endpoint::Tokens), "POST") => Some(Forward::Create),
        (Some(Endpoint::Tokens), "GET" | "HEAD") => Some(Forward::Read),
        // A key that only upstream knows.
        (Some(Endpoint::Token { id }), "GET" | "HEAD")
            if !request.is_known && !request.credential.is_empty() && internal_id(id).is_some() =>
        {
            Some(Forward::Read)
        }
        (Some(Endpoint::RunWait { id }), _) if internal_id(id).is_some() => Some(Forward::Whole),
        (Some(Endpoint::Claims), _) => Some(Forward::Whole),
        // A hash that only upstream knows.
        (Some(Endpoint::Callback { id, credential }), "POST")
            if internal_id(id).is_some()
                && hex_decode(credential).is_some()
                && !opens_here(id, credential) =>
        {
            Some(Forward::Callback)
        }
        (None, _) if is_of_another_api(request.path) => Some(Forward::Whole),
        _ => None,
    }
}
