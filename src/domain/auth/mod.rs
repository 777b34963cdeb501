//! Credentials: how they are made and verified, and what they allow.

pub mod access_token;
pub mod caller;
pub mod keyring;
