//! The body of a webhook: what happened to a token.
//!
//! Invariant: of the events, only the end shows how the token ended, however late the others are
//! delivered.

use crate::domain::api::token_body::TokenBody;
use crate::domain::json::to_json;
use crate::domain::token::Token;
use crate::domain::token::event::TokenEvent;
use serde::Serialize;

/// The body of a webhook. `token` is [as of the event](Token::as_of). A recipient who is to act on it
/// gets the `short_url`.
#[must_use]
pub fn webhook_json(
    id: &str,
    url: &str,
    short_url: Option<&str>,
    event: TokenEvent,
    token: &Token,
) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "type")]
        kind: &'static str,
        timestamp: String,
        data: TokenBody<'a>,
    }
    to_json(&Body {
        kind: token.event_name(event).as_str(),
        timestamp: token.event_at(event).to_string(),
        data: TokenBody::of_webhook(id, url, short_url, token),
    })
}

/// What identifies the message of an event, for receivers that get it twice. `id` is the token's
/// internal id.
#[must_use]
pub fn message_id(id: &str, event: TokenEvent) -> String {
    match event {
        TokenEvent::Ended => format!("msg_{id}"),
        TokenEvent::Created => format!("msg_{id}_created"),
        TokenEvent::Reminder(at) => format!("msg_{id}_reminder_{}", at.as_millis()),
        TokenEvent::Extended(at) => format!("msg_{id}_extended_{}", at.as_millis()),
    }
}
