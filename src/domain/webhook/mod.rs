//! Webhooks: their URLs, their bodies and their signatures.

pub mod event;
pub mod settings;
mod signature;
pub mod url;
