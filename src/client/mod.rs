//! The npm package: what its JavaScript (`pkg/`) leaves to Rust.
//!
//! Invariant: a call ends. Each attempt has a limit, attempts are counted, and a server that asks for
//! more patience than [`retry::LONGEST_PAUSE`] is not waited for. To wait for a token is the one call that
//! has no end but the token's, once the server was reached.
//!
//! `reference` and `retry` are pure: they see neither JavaScript nor a clock. `task` lets a future
//! await JavaScript's promises. `browser` and `server` are what the two wasm modules export. All but
//! `server` stay within `alloc`: no formatting, no panics with a message, nothing that would be
//! downloaded by a person who presses Approve and sees nothing of it.

pub mod reference;
pub mod retry;

#[cfg(any(feature = "browser", feature = "server"))]
pub mod task;

#[cfg(feature = "browser")]
pub mod browser;

#[cfg(all(target_arch = "wasm32", any(feature = "browser", feature = "server")))]
mod runtime;

#[cfg(feature = "server")]
pub mod server;
