//! Callbacks: what machines POST to `token.url`, and what of it decides.

pub mod accept;
mod answer;
pub mod charset;
pub mod config;
pub mod content;
mod fields;
pub mod handshake;
mod incoming;
pub mod judge;
pub mod kept_headers;
pub mod media_type;
pub mod multipart;
pub mod negotiation;
pub mod secrets;
mod signature;
mod sns;
pub mod verify;
