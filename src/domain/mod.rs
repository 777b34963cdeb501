//! The rules, by topic. They are pure: no platform, no clock and no randomness; time and random
//! values are arguments. `tests/architecture.rs` enforces this, and that imports have no cycles.
//!
//! The size of the npm package's browser entry matters (feature `browser`), so it includes only
//! `encoding`.

pub(crate) mod encoding;

#[cfg(not(feature = "browser"))]
pub mod api;
#[cfg(not(feature = "browser"))]
pub mod approval;
#[cfg(not(feature = "browser"))]
pub mod auth;
#[cfg(not(feature = "browser"))]
pub mod cache;
#[cfg(not(feature = "browser"))]
pub mod callback;
#[cfg(not(feature = "browser"))]
mod email_address;
#[cfg(not(feature = "browser"))]
mod environment_lines;
#[cfg(not(feature = "browser"))]
mod hash;
#[cfg(not(any(feature = "browser", feature = "server")))]
pub mod inbox;
#[cfg(not(feature = "browser"))]
pub(crate) mod json;
#[cfg(not(feature = "browser"))]
pub mod jurisdiction;
#[cfg(not(feature = "browser"))]
pub mod list;
#[cfg(not(feature = "browser"))]
pub mod log_setting;
#[cfg(not(any(feature = "browser", feature = "server")))]
pub mod mcp;
#[cfg(not(feature = "browser"))]
pub mod notice;
#[cfg(not(feature = "browser"))]
pub mod page;
#[cfg(not(feature = "browser"))]
pub mod relay;
#[cfg(not(feature = "browser"))]
pub mod stored;
#[cfg(not(feature = "browser"))]
pub mod text;
#[cfg(not(feature = "browser"))]
pub mod time;
#[cfg(not(feature = "browser"))]
pub mod token;
#[cfg(not(feature = "browser"))]
pub mod webhook;
