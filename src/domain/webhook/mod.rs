//! Webhooks: where they may go, what they say, how they are signed.

pub mod event;
pub mod settings;
mod signature;
pub mod url;
