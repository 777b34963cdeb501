//! Invariant: a request goes upstream only by parts that were taken apart and recognised here. What a
//! server there could take for another path does not, as a decision would be taken there that was
//! not taken here.
//!
//! Which requests go upstream, and how.

use crate::domain::api::route::{Endpoint, is_of_another_api};
use crate::domain::auth::token_id::internal_id;
use crate::domain::encoding::hex_decode;

/// How a request goes upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forward {
    /// As a create, parts of which are kept here.
    Create,
    /// As a read, in whose answer URLs are rewritten.
    Read,
    /// As a callback, whose body is read first.
    Callback,
    /// As it is.
    Whole,
}

/// What the relay looks at of a request.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub method: &'a str,
    /// The path, as it is spelled.
    pub path: &'a str,
    /// The credential of the `Authorization` header, `""` if there is none.
    pub credential: &'a str,
    /// Whether a key of an environment here made that credential.
    pub is_known: bool,
}

/// How this request goes upstream, if it does. `opens_here` tells whether a link's credential is
/// good for a token id here.
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
