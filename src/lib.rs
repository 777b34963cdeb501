//! Waitpoint tokens at the edge.
//!
//! A *waitpoint token* pauses a run until somebody, or something, decides. This crate is the
//! Cloudflare Worker that keeps those tokens, each in its own Durable Object, and the npm package
//! with which a browser completes one. It speaks trigger.dev's wire format.
//!
//! # Invariants
//!
//! 1. **One decision a token.** A token is `Waiting`, then `Completed` or `TimedOut`; both are
//!    final, and the output never changes again ([`token`]).
//! 2. **A late alarm is never observable.** Whoever reads a token settles it first
//!    ([`token::Token::settle_if_due`]).
//! 3. **An acknowledged decision is durable.** The record is written before the answer leaves.
//! 4. **Verified before anything wakes.** Credentials are checked without touching storage
//!    ([`auth`]); secrets and tokens reach no log line, no error and no stored record.
//! 5. **An output comes back as it went in**, byte for byte ([`wire`]).
//!
//! # Map
//!
//! | module | is about |
//! |---|---|
//! | [`time`] | instants, durations, ISO 8601; no clock |
//! | [`token`] | the state machine |
//! | [`delivery`] | the outbox: what is owed to whom, attempts, backoff |
//! | [`auth`] | who calls: secret keys, signatures, callback hashes |
//! | [`jwt`] | what a public access token says; scopes |
//! | `entry` | settings of one entry a line |
//! | `encoding` | base64, base64url and hexadecimal text |
//! | [`wire`] | request and response bodies, limits |
//! | [`error`] | every refusal: status, code, sentence |
//! | [`route`] | path to endpoint, endpoint to methods |
//! | [`limit`] | what rate limits count together, and when they are asked |
//! | [`list`] | what a list request asks, and what its page says |
//! | [`openapi`] | the API's description, for programs and for people |
//! | [`webhook`] | where webhooks may go and how they are signed |
//! | [`upstream`] | the relay: tokens that live at another API |
//! | [`approval`] | what a token asks of a person, and what a choice decides |
//! | [`text`] | what of a text can be seen, and which labels look the same |
//! | [`page`] | what the page at `token.url` shows |
//! | [`words`] | its sentences, in each of its languages |
//! | [`client`] | the npm package: features `browser` and `server` |
//! | `worker` | the Worker and its objects (feature `worker`) |
//!
//! The modules above `client` are pure: time and randomness are arguments, and `cargo test` runs
//! them all without a platform. `tests/laws.rs` enforces that.
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
mod encoding;
#[cfg(not(feature = "browser"))]
mod entry;

#[cfg(not(feature = "browser"))]
pub mod approval;
#[cfg(not(feature = "browser"))]
pub mod auth;
#[cfg(not(feature = "browser"))]
pub mod caller;
#[cfg(not(feature = "browser"))]
pub mod delivery;
#[cfg(not(feature = "browser"))]
pub mod error;
#[cfg(not(feature = "browser"))]
pub mod fingerprint;
#[cfg(not(feature = "browser"))]
pub mod jwt;
#[cfg(not(feature = "browser"))]
pub mod limit;
#[cfg(not(feature = "browser"))]
pub mod list;
#[cfg(any(feature = "worker", all(test, not(feature = "browser"))))]
pub mod openapi;
#[cfg(not(feature = "browser"))]
pub mod page;
#[cfg(any(feature = "worker", all(test, not(feature = "browser"))))]
pub mod recent;
#[cfg(not(feature = "browser"))]
pub mod route;
#[cfg(not(feature = "browser"))]
pub mod text;
#[cfg(not(feature = "browser"))]
pub mod time;
#[cfg(not(feature = "browser"))]
pub mod token;
#[cfg(not(feature = "browser"))]
pub mod upstream;
#[cfg(not(feature = "browser"))]
pub mod webhook;
#[cfg(not(feature = "browser"))]
pub mod wire;
#[cfg(not(feature = "browser"))]
pub mod words;

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
    mod approval;
    mod auth;
    mod client;
    mod commands;
    mod credentials;
    mod fingerprint;
    mod json;
    mod laws;
    mod limit;
    mod list;
    mod openapi;
    mod page;
    mod recent;
    mod route;
    mod simulation;
    mod text;
    mod time;
    mod token;
    mod upstream;
    mod webhook;
    mod wire;
}
