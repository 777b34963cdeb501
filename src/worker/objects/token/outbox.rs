//! What a token's object tells others: its row to the index, its end to webhooks. When that is due is
//! decided in `token.rs` and `delivery.rs`.

use crate::domain::relay::complete_body::complete_json;
use crate::domain::relay::import::read_token;
use crate::domain::token::delivery::{ANSWER_WITHIN, AttemptResult, Target};
use crate::domain::token::index_state::IndexState;
use crate::domain::token::{State, Token};
use crate::domain::webhook::event::webhook_json;
use crate::domain::webhook::url::{check_url, is_loopback_origin};
use crate::worker::objects::index::{self, Row};
use crate::worker::outgoing::{self, Post, UpstreamRequest};
use crate::worker::settings;
use crate::worker::{log_error, now};
use js_sys::Uint8Array;
use std::time::Duration;
use worker::Env;

/// How long upstream is asked for a token.
pub(crate) const ASKED_WITHIN: Duration = Duration::from_secs(8);

/// Whose token it is that tells.
pub(crate) struct Outbox<'a> {
    pub(crate) env: &'a Env,
    pub(crate) environment: &'a str,
    /// The internal id.
    pub(crate) id: &'a str,
}

/// How an attempt ended.
pub(crate) struct Attempted {
    pub(crate) answer: AttemptResult,
    /// What the receiver asked for.
    pub(crate) pause: Option<Duration>,
    /// Whether something else may stand upstream than what was delivered there.
    pub(crate) may_differ: bool,
}

/// It could not be made.
impl Default for Attempted {
    fn default() -> Self {
        Self {
            answer: AttemptResult::NotSendable,
            pause: None,
            may_differ: false,
        }
    }
}

impl Outbox<'_> {
    /// Tells the index of the token as it stands, and tells what the index has by then.
    pub(crate) async fn list(&self, token: Token) -> IndexState {
        let (row, created_at) = (Row::of(self.id, &token), token.created_at);
        let expected = token.expected_index_state();
        // It may be megabytes, and is not needed while others are awaited.
        drop(token);
        match index::put(self.env, self.environment, created_at, row).await {
            Ok(()) => expected,
            Err(why) => {
                log_error("the index was not reached; it will be told again", &why);
                IndexState::Unreachable
            }
        }
    }

    /// Attempts a delivery once.
    pub(crate) async fn attempt(&self, token: Token, index: usize) -> Attempted {
        let target = token.deliveries.get(index).map(|delivery| delivery.target);
        let request = match target {
            None => None,
            Some(Target::Upstream) => self.completion(&token),
            Some(target) => self.request(&token, target),
        };
        drop(token);
        let Some(request) = request else {
            return Attempted::default();
        };
        let received = outgoing::post(&request, ANSWER_WITHIN).await.ok();
        let answer = received
            .as_ref()
            .map_or(AttemptResult::NoResponse, |received| {
                AttemptResult::Status(received.status)
            });
        let pause = received.as_ref().and_then(|received| received.pause);
        let outcome = received.and_then(|received| received.outcome);
        let is_told = outcome.as_deref() == Some("completed");
        let was_received = matches!(answer, AttemptResult::Status(200..300));
        Attempted {
            answer,
            pause,
            may_differ: target == Some(Target::Upstream) && was_received && !is_told,
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
