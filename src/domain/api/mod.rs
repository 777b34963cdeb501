//! The API: paths, bodies of requests and responses, errors, limits.

pub mod approver_link;
mod body;
pub mod claims;
pub mod complete;
pub mod create;
pub mod delivery_body;
pub mod error;
pub mod event_stream;
pub(crate) mod excerpt;
pub mod form;
pub(crate) mod history_body;
pub mod life;
pub mod limits;
pub mod link_repair;
pub mod notify;
#[cfg(any(feature = "worker", all(test, not(feature = "browser"))))]
pub mod openapi;
pub mod public_url;
pub mod rate_limit;
pub mod route;
pub mod token_body;
mod vote_body;
