//! Requests of a token's object to others: the index, receivers of webhooks, upstream. When they are due is
//! decided by its actor.

use crate::domain::relay::complete_body::complete_json;
use crate::domain::relay::import::read_token;
use crate::domain::token::delivery::{ANSWER_WITHIN, AttemptResult, Target};
use crate::domain::token::effects::FinishedAttempt;
use crate::domain::token::{State, Token};
use crate::domain::webhook::body::webhook_json;
use crate::domain::webhook::url::{check_url, is_loopback_origin};
use crate::worker::now;
use crate::worker::objects::index::{self, Row};
use crate::worker::outgoing::{self, Post, UpstreamRequest};
use crate::worker::settings;
use js_sys::Uint8Array;
use std::time::Duration;
use wasm_bindgen::JsValue;
use worker::Env;

/// How long upstream is asked for a token.
pub(crate) const ASKED_WITHIN: Duration = Duration::from_secs(8);

/// The token that the requests are about.
pub(crate) struct Outbox<'a> {
    pub(crate) env: &'a Env,
    pub(crate) environment: &'a str,
    /// The internal id.
    pub(crate) id: &'a str,
}

impl Outbox<'_> {
    /// Sends the row of the token as it stands to the index, which has it when this returns.
    pub(crate) async fn confirm_row(&self, token: Token) -> Result<(), JsValue> {
        let (row, created_at) = (Row::of(self.id, &token), token.created_at);
        // It may be megabytes, and is not needed while others are awaited.
        drop(token);
        index::put(self.env, self.environment, created_at, row).await
    }

    /// Attempts a delivery once.
    pub(crate) async fn attempt(&self, token: Token, delivery: usize) -> FinishedAttempt {
        let target = token.deliveries.get(delivery).map(|one| one.target);
        let request = match target {
            None => None,
            Some(Target::Upstream) => self.completion(&token),
            Some(target) => self.request(&token, target),
        };
        drop(token);
        let not_received = |result| FinishedAttempt {
            result,
            pause: None,
            may_conflict: false,
        };
        let Some(request) = request else {
            return not_received(AttemptResult::NotSendable);
        };
        let Ok(received) = outgoing::post(&request, ANSWER_WITHIN).await else {
            return not_received(AttemptResult::NoResponse);
        };
        let was_received = matches!(received.status, 200..300);
        let is_completed = received.outcome.as_deref() == Some("completed");
        FinishedAttempt {
            result: AttemptResult::Status(received.status),
            pause: received.pause,
            may_conflict: target == Some(Target::Upstream) && was_received && !is_completed,
        }
    }

    /// The token as upstream has it, if that can be read.
    pub(crate) async fn fetch_upstream(&self) -> Option<Token> {
        let (url, secret) = self.upstream()?;
        let asked = UpstreamRequest {
            like: None,
            url: &url,
            bearer: Some(secret),
            body: None,
            within: ASKED_WITHIN,
        };
        let answer = outgoing::ask_upstream(asked).await.ok()?;
        if answer.status != 200 {
            return None;
        }
        read_token(&answer.text, "")
    }

    /// The token's URL upstream, and the key that it is asked with.
    fn upstream(&self) -> Option<(String, &'static str)> {
        let upstream = settings::upstreams(self.env).ok()?.of(self.environment)?;
        let environment = settings::keyring(self.env).ok()?.by_id(self.environment)?;
        let url = format!("{upstream}/api/v1/waitpoints/tokens/waitpoint_{}", self.id);
        Some((url, environment.secret()))
    }

    /// What completes the token upstream.
    fn completion(&self, token: &Token) -> Option<Post> {
        let State::Completed { decision, .. } = &token.state else {
            return None;
        };
        let (url, secret) = self.upstream()?;
        let body = complete_json(decision.output.as_ref());
        Some(Post {
            url: format!("{url}/complete"),
            headers: vec![
                ("content-type".into(), "application/json".into()),
                ("authorization".into(), format!("Bearer {secret}").into()),
            ],
            body: Uint8Array::from(body.as_bytes()),
        })
    }

    /// The request of a webhook; none if it has no URL that may be called, or nothing to sign
    /// it with.
    fn request(&self, token: &Token, target: Target) -> Option<Post> {
        let webhooks = settings::webhooks(self.env).ok()?;
        let url = match target {
            Target::Environment => webhooks.url(self.environment)?,
            Target::Token => token.webhook.as_deref()?,
            Target::Upstream => return None,
        };
        check_url(url, is_loopback_origin(&token.origin)).ok()?;
        let public = format!("waitpoint_{}", self.id);
        let at = format!("{}/api/v1/waitpoints/tokens/{public}", token.origin);
        let body = webhook_json(&public, &at, token);
        // A token ends once, so its id tells the message from all others.
        let id = format!("msg_{}", self.id);
        let seconds = now().as_secs();
        let signature = webhooks.sign(self.environment, &id, seconds, body.as_bytes())?;
        Some(Post {
            url: url.to_owned(),
            headers: vec![
                ("content-type".into(), "application/json".into()),
                ("user-agent".into(), "waitpoint".into()),
                ("webhook-id".into(), id.into()),
                ("webhook-timestamp".into(), seconds.to_string().into()),
                ("webhook-signature".into(), signature.into()),
            ],
            body: Uint8Array::from(body.as_bytes()),
        })
    }
}
