//! The API: paths, bodies of requests and responses, errors, limits.

pub mod create;
pub mod error;
#[cfg(any(feature = "worker", all(test, not(feature = "browser"))))]
pub mod openapi;
pub mod rate_limit;
pub mod route;
pub mod token_body;
