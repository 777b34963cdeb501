//! Waitpoint tokens at the edge.
//!
//! A *waitpoint token* pauses a run until somebody, or something, decides. This crate is the
//! Cloudflare Worker that keeps those tokens, each in its own Durable Object, and the npm package
//! with which a browser completes one. It speaks trigger.dev's wire format.
//!
//! # Invariants
//!
//! 1. **One decision a token.** A token is `Waiting`, then `Completed` or `TimedOut`; both are
//!    final, and the output never changes again ([`domain::token`]).
//! 2. **A late alarm is never observable.** Whoever reads a token settles it first
//!    ([`domain::token::Token::settle_if_due`]).
//! 3. **An acknowledged decision is durable.** The record is written before the answer leaves.
//! 4. **Verified before anything wakes.** Credentials are checked without touching storage
//!    ([`domain::auth`]); secrets and tokens reach no log line, no error and no stored record.
//! 5. **An output comes back as it went in**, byte for byte ([`domain::api`]).
//!
//! # Map
//!
//! | module | is about |
//! |---|---|
//! | [`domain`] | the rules, by folder; pure |
//! | [`approval`] | what a token asks of a person, and what a choice decides |
//! | [`text`] | what of a text can be seen, and which labels look the same |
//! | [`page`] | what the page at `token.url` shows |
//! | [`words`] | its sentences, in each of its languages |
//! | [`client`] | the npm package: features `browser` and `server` |
//! | `worker` | the Worker and its objects (feature `worker`) |
//!
//! The modules above `client` are pure: time and randomness are arguments, and `cargo test` runs
//! them all without a platform. `tests/architecture.rs` enforces that.
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

#[cfg(not(feature = "browser"))]
pub mod approval;
#[cfg(not(feature = "browser"))]
pub mod page;
#[cfg(not(feature = "browser"))]
pub mod text;
#[cfg(not(feature = "browser"))]
pub mod words;

#[cfg(feature = "worker")]
mod worker;

// The paths of before `domain/`. They go once every caller names the new ones.
#[cfg(not(feature = "browser"))]
pub use aliases::*;
pub(crate) use domain::encoding;

#[cfg(not(feature = "browser"))]
#[allow(missing_docs, reason = "they go")]
mod aliases {
    #[cfg(any(feature = "worker", test))]
    pub use crate::domain::api::openapi;
    pub use crate::domain::api::rate_limit as limit;
    pub use crate::domain::auth::caller;
    pub use crate::domain::cache as recent;

    pub mod auth {
        pub use crate::domain::auth::{
            access_token::*, authenticate::*, form_nonce::*, keyring::*,
        };
    }
    pub mod delivery {
        pub use crate::domain::token::schedule::{Debt, LEASE};
        pub use crate::domain::token::{delivery::*, index_state::*};
    }
    pub mod error {
        pub use crate::domain::api::error::*;
        pub(crate) use crate::domain::api::excerpt::*;
    }
    pub mod list {
        pub use crate::domain::list::{
            cursor::*, month::*, page::*, query::*, row::*, statuses::*,
        };
        pub use crate::domain::token::status::Status;
    }
    pub mod route {
        pub use crate::domain::api::route::*;
        pub use crate::domain::auth::token_id::internal_id;
    }
    pub mod time {
        pub use crate::domain::time::{duration::*, period::*, timestamp::*};
    }
    pub mod token {
        pub use crate::domain::token::*;
        pub use crate::domain::token::{command::*, schedule::*, transition::*};
    }
    pub mod upstream {
        pub use crate::domain::relay::{complete_body::*, conflict::*, edge_fields::*};
        pub use crate::domain::relay::{import::*, merge::*, rewrite::*, settings::*};
    }
    pub mod webhook {
        pub use crate::domain::webhook::{settings::*, url::*};
    }
    pub mod wire {
        pub use crate::domain::api::{callback::*, claims::*, complete::*, create::*};
        pub use crate::domain::api::{delivery_body::*, event_stream::*, form::*};
        pub use crate::domain::api::{limits::*, token_body::*};
        pub use crate::domain::list::page_body::*;
        pub use crate::domain::webhook::event::*;
    }
}

#[cfg(test)]
#[cfg(not(feature = "browser"))]
extern crate self as waitpoint;

/// `tests/`: written against the public API, compiled in here (see Cargo.toml).
#[cfg(test)]
#[cfg(not(feature = "browser"))]
#[path = "../tests"]
mod tests {
    mod approval;
    mod architecture;
    mod client;
    mod commands;
    mod domain;
    mod page;
    mod simulation;
    mod text;
}
