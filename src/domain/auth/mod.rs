//! Credentials: how they are made and verified, and what they allow.

pub mod access_assertion;
pub mod access_token;
pub mod agent_keys;
pub mod authenticate;
pub mod caller;
pub(crate) mod constant_time;
pub mod form_nonce;
pub mod form_origin;
pub mod inbox_session;
pub mod inbox_settings;
pub mod jwt;
pub mod keyring;
pub mod short_link;
pub mod token_id;
