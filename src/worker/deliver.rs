//! What a token's object tells others: its row to the index, its end to webhooks. When that is due is
//! decided in `token.rs` and `delivery.rs`.

use super::index::{self, Row};
use super::{now, platform, settings};
use crate::delivery::{ANSWER_WITHIN, Answer, Listed, Target};
use crate::token::Token;
use crate::webhook::{check_url, is_loopback_origin};
use crate::wire;
use js_sys::Uint8Array;
use std::time::Duration;
use worker::Env;

/// Whose token it is that tells.
pub(super) struct Outbox<'a> {
    pub(super) env: &'a Env,
    pub(super) environment: &'a str,
    /// The internal id.
    pub(super) id: &'a str,
}

impl Outbox<'_> {
    /// Tells the index of the token as it stands, and tells what the index has by then.
    pub(super) async fn list(&self, token: Token) -> Listed {
        let (row, created_at) = (Row::of(self.id, &token), token.created_at);
        let listing = token.listing();
        // It may be megabytes, and is not needed while others are awaited.
        drop(token);
        match index::put(self.env, self.environment, created_at, row).await {
            Ok(()) => listing,
            Err(why) => {
                platform::error("the index was not reached; it will be told again", &why);
                Listed::Unreachable
            }
        }
    }

    /// Attempts a delivery once. The pause is what the receiver asked for.
    pub(super) async fn attempt(&self, token: Token, index: usize) -> (Answer, Option<Duration>) {
        let target = token.deliveries.get(index).map(|delivery| delivery.target);
        let request = target.and_then(|to| self.request(&token, to));
        drop(token);
        let Some((url, headers, body)) = request else {
            return (Answer::Impossible, None);
        };
        let answer = platform::post(&url, &headers, &body, ANSWER_WITHIN.as_millis() as f64).await;
        let answer = answer.ok().and_then(|answer| answer.as_string());
        let answer = answer.unwrap_or_default();
        // "<status> <milliseconds to wait, or nothing>"; nothing at all if no answer came.
        let (status, pause) = answer.split_once(' ').unwrap_or_default();
        let answer = status.parse().map_or(Answer::None, Answer::Status);
        (answer, pause.parse().ok().map(Duration::from_millis))
    }

    /// URL, headers and body of a webhook; none if it has no URL that may be called, or nothing to sign
    /// it with.
    fn request(&self, token: &Token, target: Target) -> Option<(String, String, Uint8Array)> {
        let webhooks = settings::webhooks(self.env).ok()?;
        let url = match target {
            Target::Environment => webhooks.url(self.environment)?,
            Target::Token => token.webhook.as_deref()?,
        };
        check_url(url, is_loopback_origin(&token.origin)).ok()?;
        let public = format!("waitpoint_{}", self.id);
        let at = format!("{}/api/v1/waitpoints/tokens/{public}", token.origin);
        let body = wire::webhook_json(&public, &at, token);
        // A token ends once, so its id tells the message from all others.
        let id = format!("msg_{}", self.id);
        let seconds = now().as_secs();
        let signature = webhooks.sign(self.environment, &id, seconds, body.as_bytes())?;
        let headers = format!(
            "content-type\napplication/json\nuser-agent\nwaitpoint\nwebhook-id\n{id}\n\
             webhook-timestamp\n{seconds}\nwebhook-signature\n{signature}"
        );
        // Outside wasm's memory, which never shrinks.
        let body = Uint8Array::from(body.as_bytes());
        Some((url.to_owned(), headers, body))
    }
}
