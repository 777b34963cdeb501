//! The rules, through their public API, by the folders of `src/domain/`.

mod api;
mod auth;
mod cache;
mod json;
mod list;
mod relay;
mod time;
mod token;
mod webhook;
