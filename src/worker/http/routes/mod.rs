//! The routes: one file for each endpoint.

pub(crate) mod approval_page;
mod callback;
pub(crate) mod complete;
pub(crate) mod create;
pub(crate) mod create_checks;
pub(crate) mod inbox;
pub(crate) mod life;
pub(crate) mod list;
pub(crate) mod mcp;
pub(crate) mod meta;
pub(crate) mod relay;
pub(crate) mod retrieve;
pub(crate) mod token_url;
pub(crate) mod wait;
mod wait_events;
