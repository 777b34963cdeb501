//! What a token's object tells others: its row to the index, its end to webhooks. When that is due is
//! decided in `token.rs` and `delivery.rs`.

use super::index::{self, Row};
use super::platform::{self, Env};
use super::{now, settings};
use crate::delivery::{ANSWER_WITHIN, Answer, Listed, Target};
use crate::token::{State, Token};
use crate::upstream::{complete_json, read_token};
use crate::webhook::{check_url, is_loopback_origin};
use crate::wire;
use js_sys::{Array, Uint8Array};
use std::time::Duration;
use wasm_bindgen::JsCast;

/// How long upstream is asked for a token, in milliseconds.
pub(super) const ASKED_WITHIN: f64 = 8_000.0;

/// Whose token it is that tells.
pub(super) struct Outbox<'a> {
    pub(super) env: &'a Env,
    pub(super) environment: &'a str,
    /// The internal id.
    pub(super) id: &'a str,
}

/// How an attempt ended.
pub(super) struct Attempted {
    pub(super) answer: Answer,
    /// What the receiver asked for.
    pub(super) pause: Option<Duration>,
    /// Whether something else may stand upstream than what was delivered there.
    pub(super) may_differ: bool,
}

/// It could not be made.
impl Default for Attempted {
    fn default() -> Self {
        Self {
            answer: Answer::Impossible,
            pause: None,
            may_differ: false,
        }
    }
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

    /// Attempts a delivery once.
    pub(super) async fn attempt(&self, token: Token, index: usize) -> Attempted {
        let target = token.deliveries.get(index).map(|delivery| delivery.target);
        let request = match target {
            None => None,
            Some(Target::Upstream) => self.completion(&token),
            Some(target) => self.request(&token, target),
        };
        drop(token);
        let Some((url, headers, body)) = request else {
            return Attempted::default();
        };
        let answer = platform::post(&url, &headers, &body, ANSWER_WITHIN.as_millis() as f64).await;
        let answer = answer.ok().and_then(|answer| answer.as_string());
        let answer = answer.unwrap_or_default();
        // "<status> <milliseconds to wait, or nothing> <outcome>"; nothing at all if no answer came.
        let mut words = answer.split(' ');
        let mut word = || words.next().unwrap_or("");
        let answer = word().parse().map_or(Answer::None, Answer::Status);
        let pause = word().parse().ok().map(Duration::from_millis);
        let is_told = word() == "completed";
        let was_received = matches!(answer, Answer::Status(200..300));
        Attempted {
            answer,
            pause,
            may_differ: target == Some(Target::Upstream) && was_received && !is_told,
        }
    }

    /// The token as upstream has it, if that can be read.
    pub(super) async fn theirs(&self) -> Option<Token> {
        let (url, secret) = self.upstream()?;
        let answer = platform::relay(None, &url, secret, None, ASKED_WITHIN)
            .await
            .ok()?;
        let parts: &Array = answer.dyn_ref()?;
        if parts.get(0).as_f64()? != 200.0 {
            return None;
        }
        read_token(&parts.get(2).as_string()?, "")
    }

    /// The token's URL upstream, and the key that it is asked with.
    fn upstream(&self) -> Option<(String, &'static str)> {
        let upstream = settings::upstreams(self.env).ok()?.of(self.environment)?;
        let environment = settings::keyring(self.env).ok()?.by_id(self.environment)?;
        let url = format!("{upstream}/api/v1/waitpoints/tokens/waitpoint_{}", self.id);
        Some((url, environment.secret()))
    }

    /// What completes the token upstream.
    fn completion(&self, token: &Token) -> Option<(String, String, Uint8Array)> {
        let State::Completed { decision, .. } = &token.state else {
            return None;
        };
        let (url, secret) = self.upstream()?;
        let headers = format!("content-type\napplication/json\nauthorization\nBearer {secret}");
        let body = complete_json(decision.output.as_ref());
        let body = Uint8Array::from(body.as_bytes());
        Some((format!("{url}/complete"), headers, body))
    }

    /// URL, headers and body of a webhook; none if it has no URL that may be called, or nothing to sign
    /// it with.
    fn request(&self, token: &Token, target: Target) -> Option<(String, String, Uint8Array)> {
        let webhooks = settings::webhooks(self.env).ok()?;
        let url = match target {
            Target::Environment => webhooks.url(self.environment)?,
            Target::Token => token.webhook.as_deref()?,
            Target::Upstream => return None,
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
