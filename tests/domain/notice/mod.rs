//! Notices.

mod channels;
mod mail_settings;
