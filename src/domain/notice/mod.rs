//! Notices: who is told that a token waits, and how.

pub mod channels;
pub mod mail_settings;
