//! The body of a webhook: how a token ended.
//!
//! Invariant: the body is the same for each attempt.

use crate::domain::api::token_body::{TokenBody, Visibility};
use crate::domain::json::to_json;
use crate::domain::token::{State, Token};
use serde::Serialize;

/// The body of a webhook.
#[must_use]
pub fn webhook_json(id: &str, url: &str, token: &Token) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "type")]
        kind: &'static str,
        timestamp: String,
        data: TokenBody<'a>,
    }
    to_json(&Body {
        kind: match token.state {
            State::TimedOut => "waitpoint.timed_out",
            State::Completed { .. } | State::Waiting => "waitpoint.completed",
        },
        timestamp: token.finished_at().unwrap_or(token.created_at).to_string(),
        data: TokenBody::of(id, url, token, Visibility::Webhook),
    })
}
