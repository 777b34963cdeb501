//! The npm package: the client, from the caller's arguments to the request and back.
//!
//! Invariant: a call ends. Each attempt has a limit, attempts are counted, and a server that asks for
//! more patience than [`retry::LONGEST_PAUSE`] is not waited for. To wait for a token is the one call that
//! has no end but the token's, once the server was reached.
//!
//! Invariant: nothing that a caller gives or a server answers throws through Rust. A future that JavaScript
//! throws out of is never polled again, and its promise would never settle; so whatever may throw is
//! imported with `catch`.
//!
//! `reference` and `retry` are pure: they see neither JavaScript nor a clock. `options` reads what a caller
//! gives, `http` carries requests, `wait` waits, `response` reads answers; `js` and `events` are JavaScript
//! as those need it. `browser` and `server` are what the two wasm modules export. All but `server` stay
//! within `alloc`: no formatting, no panics with a message, nothing that would be downloaded by a person
//! who presses Approve and sees nothing of it.

pub mod reference;
pub mod retry;

#[cfg(any(feature = "browser", feature = "server"))]
mod events;
#[cfg(any(feature = "browser", feature = "server"))]
mod http;
#[cfg(any(feature = "browser", feature = "server"))]
mod js;
#[cfg(any(feature = "browser", feature = "server"))]
mod options;
#[cfg(any(feature = "browser", feature = "server"))]
mod response;

#[cfg(feature = "browser")]
pub mod browser;
#[cfg(feature = "browser")]
mod wait;

#[cfg(all(target_arch = "wasm32", any(feature = "browser", feature = "server")))]
mod runtime;

#[cfg(feature = "server")]
pub mod server;
