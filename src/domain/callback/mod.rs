//! Callbacks: what machines POST to `token.url`, and what of it decides.

pub mod accept;
mod answer;
pub mod config;
mod fields;
pub mod handshake;
mod incoming;
pub mod kept_headers;
mod object;
pub mod secrets;
mod signature;
mod sns;
pub mod verify;
