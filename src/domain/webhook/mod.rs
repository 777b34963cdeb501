//! Webhooks: where they may go, what they say, how they are signed.

pub mod body;
pub mod settings;
mod signature;
pub mod url;
