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
//! | [`auth`] | who calls: secret keys, signatures, callback hashes |
//! | [`jwt`] | what a public access token says; scopes |
//! | `encoding` | base64url and hexadecimal text |
//! | [`wire`] | request and response bodies, limits |
//! | [`error`] | every refusal: status, code, sentence |
//! | [`route`] | path to endpoint, endpoint to methods |
//! | `worker` | the Worker and its objects (feature `worker`) |
//!
//! The modules above `worker` are pure: time and randomness are arguments, and `cargo test` runs
//! them all without a platform. `tests/laws.rs` enforces that.

pub mod auth;
mod encoding;
pub mod error;
pub mod jwt;
pub mod route;
pub mod time;
pub mod token;
pub mod wire;

#[cfg(feature = "worker")]
mod worker;

#[cfg(test)]
extern crate self as waitpoint;

/// `tests/`: written against the public API, compiled in here (see Cargo.toml).
#[cfg(test)]
#[path = "../tests"]
mod tests {
    mod auth;
    mod laws;
    mod route;
    mod time;
    mod token;
    mod wire;
}
