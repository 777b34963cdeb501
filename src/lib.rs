//! Waitpoint tokens at the edge.
//!
//! A *waitpoint token* pauses a run until somebody, or something, decides. This crate is the
//! Cloudflare Worker that keeps those tokens, each in its own Durable Object, and the npm package
//! with which a browser completes one. It speaks trigger.dev's wire format.
//!
//! # Invariants
//!
//! 1. **One end per token.** A token is `Waiting`, then `Completed`, `TimedOut` or `Cancelled`; all
//!    three are final, and the output never changes again ([`domain::token`]).
//! 2. **A late alarm is never observable.** Every read first times out a token that is due
//!    ([`domain::token::Token::time_out_if_due`]).
//! 3. **An acknowledged decision is durable.** The record is written before the response is sent.
//! 4. **Credentials are verified before any object is called**, without touching storage
//!    ([`domain::auth`]); secrets and tokens never appear in a log line, an error or a stored record.
//! 5. **An output comes back as it went in**, byte for byte ([`domain::api`]).
//!
//! # Map
//!
//! `ARCHITECTURE.md` is the map: [`domain`] has the rules, [`client`] the npm package (features `browser`
//! and `server`), `worker` the Worker and its objects (feature `worker`).
//!
//! The rules are pure: time and randomness are arguments, and `cargo test` runs them all without a
//! platform. `tests/architecture.rs` enforces that.
//!
//! Each of the features is a wasm module of its own. `browser` is counted in bytes: it leaves `std` and
//! `serde` out, and with them the modules that need them.

#![cfg_attr(all(feature = "browser", not(test)), no_std)]

extern crate alloc;

#[cfg(all(
    target_arch = "wasm32",
    any(
        all(feature = "browser", feature = "server"),
        all(feature = "browser", feature = "worker"),
        all(feature = "server", feature = "worker"),
    )
))]
compile_error!("the features browser, server and worker are three wasm modules: choose one");

#[cfg(all(not(target_arch = "wasm32"), feature = "browser"))]
compile_error!("the feature browser is for wasm32-unknown-unknown");

#[cfg(not(feature = "worker"))]
pub mod client;
pub mod domain;

#[cfg(feature = "worker")]
mod worker;

#[cfg(test)]
#[cfg(not(feature = "browser"))]
extern crate self as waitpoint;

/// `tests/`: written against the public API, compiled in here (see Cargo.toml).
#[cfg(test)]
#[cfg(not(feature = "browser"))]
#[path = "../tests"]
mod tests {
    mod architecture;
    mod client;
    mod domain;
    mod simulation;
}
