//! The rules, through their public API, by the folders of `src/domain/`.

mod api;
mod approval;
mod auth;
mod cache;
mod callback;
mod inbox;
mod json;
mod jurisdiction;
mod list;
mod log_setting;
mod mcp;
mod notice;
mod page;
mod relay;
mod stored;
mod stored_records;
mod text;
mod time;
mod token;
mod webhook;
