//! Webhooks: their URLs, their bodies and their signatures.

pub mod body;
pub mod settings;
mod signature;
pub mod url;
