//! Requests from a token's object to the index, to webhooks and to upstream. The actor decides when
//! they are made.

use crate::domain::api::route::token_url;
use crate::domain::auth::keyring::Environment;
use crate::domain::relay::complete_body::{NOT_BY_OWNER, complete_json};
use crate::domain::relay::import::read_token;
use crate::domain::token::delivery::{ATTEMPT_WITHIN, AttemptResult, DeliveryId, Target};
use crate::domain::token::effects::FinishedAttempt;
use crate::domain::token::{State, Token};
use crate::worker::objects::index::{self, Row};
use crate::worker::outgoing::mail::{self, Mail};
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

/// What is sent in an attempt (`message.rs`).
pub(super) enum Message {
    /// A request.
    Post(Post),
    /// A mail.
    Mail(Mail),
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
        let message = match delivery.target {
            Target::Upstream => self.completion(&token).map(Message::Post),
            _ => self.message(&token.as_of(delivery.event), delivery),
        };
        let finished = |result| FinishedAttempt {
            result,
            pause: None,
            may_conflict: false,
        };
        let request = match message {
            None => return finished(AttemptResult::NotSendable),
            Some(Message::Mail(mail)) => {
                return finished(mail::send(self.env, &mail, ATTEMPT_WITHIN).await);
            }
            Some(Message::Post(request)) => request,
        };
        let Ok(received) = outgoing::post(&request, ATTEMPT_WITHIN).await else {
            return finished(AttemptResult::NoResponse);
        };
        let was_received = matches!(received.status, 200..300);
        let is_completed = received.outcome.as_deref() == Some("completed");
        FinishedAttempt {
            result: AttemptResult::Status(received.status),
            pause: received.pause,
            may_conflict: delivery.target == Target::Upstream && was_received && !is_completed,
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
        let mut headers = vec![
            ("content-type".into(), "application/json".into()),
            ("authorization".into(), format!("Bearer {secret}").into()),
        ];
        if !decision.is_by_owner {
            headers.push((NOT_BY_OWNER.into(), "1".into()));
        }
        Some(Post {
            url: format!("{url}/complete"),
            headers,
            body: Uint8Array::from(body.as_bytes()),
        })
    }
}
