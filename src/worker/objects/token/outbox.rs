//! Requests from a token's object to the index, to webhooks and to upstream. The actor decides when
//! they are made.

use crate::domain::api::route::token_url;
use crate::domain::auth::keyring::Environment;
use crate::domain::auth::token_id::public_id;
use crate::domain::relay::complete_body::complete_json;
use crate::domain::relay::import::read_token;
use crate::domain::token::delivery::{ATTEMPT_WITHIN, AttemptResult, DeliveryId, Target};
use crate::domain::token::effects::FinishedAttempt;
use crate::domain::token::{State, Token};
use crate::domain::webhook::body::{message_id, webhook_json};
use crate::domain::webhook::url::{check_url, is_loopback_origin};
use crate::worker::now;
use crate::worker::objects::index::{self, Row};
use crate::worker::outgoing::upstream::fetch_token;
use crate::worker::outgoing::{self, Post};
use crate::worker::settings;
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use worker::Env;

/// The token that the requests are about.
pub(crate) struct Outbox<'a> {
    pub(crate) env: &'a Env,
    pub(crate) environment: &'a str,
    /// The internal id.
    pub(crate) id: &'a str,
}

impl Outbox<'_> {
    /// Sends the token's current row to the index. The index has stored it when this returns.
    pub(crate) async fn confirm_row(&self, token: Token) -> Result<(), JsValue> {
        let (row, created_at) = (Row::of(self.id, &token), token.created_at);
        // The token can be megabytes and is not needed while this waits.
        drop(token);
        index::put_row(self.env, self.environment, created_at, row).await
    }

    /// Makes one attempt at a delivery.
    pub(crate) async fn attempt(&self, token: Token, delivery: DeliveryId) -> FinishedAttempt {
        let DeliveryId { event, target } = delivery;
        let token = token.as_of(event);
        let request = match target {
            Target::Upstream => self.completion(&token),
            _ => self.webhook(&token, delivery),
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
        let Ok(received) = outgoing::post(&request, ATTEMPT_WITHIN).await else {
            return not_received(AttemptResult::NoResponse);
        };
        let was_received = matches!(received.status, 200..300);
        let is_completed = received.outcome.as_deref() == Some("completed");
        FinishedAttempt {
            result: AttemptResult::Status(received.status),
            pause: received.pause,
            may_conflict: target == Target::Upstream && was_received && !is_completed,
        }
    }

    /// The token as upstream has it, if it can be read.
    pub(crate) async fn fetch_upstream(&self) -> Option<Token> {
        let (upstream, environment) = self.upstream()?;
        let response = fetch_token(upstream, environment, self.id).await.ok()?;
        if response.status != 200 {
            return None;
        }
        read_token(&response.text, "")
    }

    /// Where the tokens of the environment live, and the environment.
    fn upstream(&self) -> Option<(&'static str, &'static Environment)> {
        let upstream = settings::upstreams(self.env).ok()?.of(self.environment)?;
        let environment = settings::keyring(self.env).ok()?.by_id(self.environment)?;
        Some((upstream, environment))
    }

    /// The request that completes the token upstream.
    fn completion(&self, token: &Token) -> Option<Post> {
        let State::Completed { decision, .. } = &token.state else {
            return None;
        };
        let (upstream, environment) = self.upstream()?;
        let (url, secret) = (token_url(upstream, self.id), environment.secret());
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

    /// The request of a webhook; `None` if its URL is not allowed or there is no secret to sign it.
    fn webhook(&self, token: &Token, delivery: DeliveryId) -> Option<Post> {
        let webhooks = settings::webhooks(self.env).ok()?;
        let url = match delivery.target {
            Target::Environment => webhooks.url(self.environment)?,
            Target::Token => token.webhook.as_deref()?,
            Target::Upstream | Target::Recipient(_) => return None,
        };
        check_url(url, is_loopback_origin(&token.origin)).ok()?;
        let public = public_id(self.id);
        let at = token_url(&token.origin, self.id);
        let body = webhook_json(&public, &at, None, delivery.event, token);
        let id = message_id(self.id, delivery.event);
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
