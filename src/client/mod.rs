//! The npm package: the client, from the caller's arguments to the response.
//!
//! Invariant: a call ends. Each attempt has a timeout, the number of attempts is limited, and a
//! server that asks for a longer pause than [`retry::LONGEST_PAUSE`] ends the call. Only waiting for
//! a token has no limit of its own: after the server was reached once, it ends when the token does.
//!
//! Invariant: no JavaScript exception passes through Rust. A future that throws is never polled
//! again, so its promise would never settle. So every import that can throw is declared with `catch`,
//! whatever callers pass or servers respond.
//!
//! `reference` and `retry` are pure: they use neither JavaScript nor a clock. `options` parses
//! arguments, `http` sends requests, `wait` waits, and `response` parses bodies. `js` and `events`
//! bind JavaScript for them. `browser`, `server` and `life` are the exports of the two wasm modules.
//!
//! Everything but `server` uses only `alloc`, without formatting and without panic messages, to keep
//! the browser's download small.

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
pub mod life;
#[cfg(feature = "server")]
pub mod server;
