//! What each endpoint does. Credentials are verified here, before any object wakes.

use super::http::{Head, PLAIN, Reply, body, preflight};
use super::limit::Doubt;
use super::record::{Answer, Command, Deciding, Record, pack};
use super::relay::Relayed;
use super::wait::Waited;
use super::{index, key, now, platform, settings};
use crate::auth::{Caller, Environment};
use crate::error::Refusal;
use crate::limit::Share;
use crate::list::ListQuery;
use crate::route::{Endpoint, internal_id};
use crate::time::Timestamp;
use crate::token::{CompletedBy, Decision, Outcome, Output, State, Token};
use crate::upstream::complete_json;
use crate::webhook::{check_url, is_loopback_origin};
use crate::wire::{self, CompleteRequest, CreateRequest, Reader};
use js_sys::Uint8Array;
use serde::Serialize;
use std::cell::Cell;
use wasm_bindgen::JsValue;
use web_sys::{Request, Response};
use worker::Env;

/// A request under way: what every endpoint needs.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) head: &'a Head,
    pub(super) env: &'a Env,
    pub(super) now: Timestamp,
    /// Whether the platform must be asked before an object is.
    pub(super) doubt: Cell<Option<Doubt>>,
}

/// Answers any request.
pub(super) async fn answer(request: &Request, env: &Env) -> Result<Response, JsValue> {
    let head = Head::of(request);
    let call = Call {
        request,
        head: &head,
        env,
        now: now(),
        doubt: Cell::default(),
    };
    let endpoint = Endpoint::of(head.path());
    let reply = match (call.relayed(endpoint).await, endpoint) {
        (Ok(Some(Relayed::Passed(response))), _) => return Ok(response),
        (Ok(Some(Relayed::Told(reply))), _) => Ok(reply),
        // What is misconfigured does not keep the start page from saying what this is.
        (Err(refusal), endpoint) if endpoint != Some(Endpoint::Start) => Err(refusal),
        // A socket is the platform's own response.
        (_, Some(Endpoint::Wait { id })) if head.method() == "GET" => match call.wait(id).await {
            Ok(Waited::Socket(response)) => return Ok(response),
            Ok(Waited::Told(reply)) => Ok(reply),
            Err(refusal) => Err(refusal),
        },
        (_, Some(endpoint)) => call.answer(endpoint).await,
        (_, None) => call.no_such_path(),
    };
    let reply = match reply {
        Ok(reply) => reply,
        Err(refusal) => {
            let refusal = call.slowed(refusal).await;
            if let Refusal::Misconfigured(what) = &refusal {
                platform::error("the Worker is misconfigured", &what.into());
            }
            // A sender that has left meanwhile needs no answer.
            let _ = platform::drain(request).await;
            Reply::refusal(&refusal)
        }
    };
    let for_browsers = endpoint.is_some_and(Endpoint::is_for_browsers);
    let reply = if for_browsers && head.method() != "OPTIONS" {
        reply.with_cors(&head)
    } else {
        reply
    };
    reply.into_response()
}

impl Call<'_> {
    async fn answer(&self, endpoint: Endpoint<'_>) -> Result<Reply, Refusal> {
        let method = self.head.method();
        if !endpoint.allows(method) {
            return Err(Refusal::MethodNotAllowed(endpoint.allow()));
        }
        match (endpoint, method) {
            (_, "OPTIONS") => Ok(preflight(endpoint, self.head)),
            (Endpoint::Start, _) => Ok(Reply::html(
                200,
                include_str!("../../www/start.html").to_owned(),
                PLAIN,
            )),
            (Endpoint::Health, _) => self.health(),
            (Endpoint::Tokens, "POST") => self.create().await,
            (Endpoint::Tokens, _) => self.list().await,
            (Endpoint::Token { id }, _) => self.retrieve(id).await,
            (Endpoint::Complete { id }, _) => self.complete(id).await,
            (Endpoint::Callback { id, credential }, _) => self.link(id, credential).await,
            // GET is answered before, and it takes no other.
            (Endpoint::Wait { .. }, _) => Err(Refusal::NoSuchPath),
            (Endpoint::RunWait { id }, _) => self.run_wait(id).await,
            (Endpoint::Claims, _) => self.claims(),
        }
    }

    /// 404, or the way to the path without its last slash; the method stays.
    fn no_such_path(&self) -> Result<Reply, Refusal> {
        let trimmed = self.head.path().trim_end_matches('/');
        if trimmed.len() == self.head.path().len() || Endpoint::of(trimmed).is_none() {
            return Err(Refusal::NoSuchPath);
        }
        Ok(Reply::empty(308).with("location", &format!("{trimmed}{}", self.head.query())))
    }

    /// Ready once the keys can be read.
    fn health(&self) -> Result<Reply, Refusal> {
        settings::keyring(self.env)?;
        settings::webhooks(self.env)?;
        Ok(Reply::json(200, r#"{"status":"ok"}"#.to_owned()))
    }

    async fn create(&self) -> Result<Reply, Refusal> {
        let environment = self.secret_caller()?;
        let body = body(self.request, self.head, wire::MAX_CREATE).await?;
        let request = CreateRequest::parse(&body, self.now)?;
        self.check_webhook(environment, request.webhook.as_deref())?;
        let mut token = Token {
            approval: request.approval,
            origin: self.head.origin().to_owned(),
            key: request.key,
            webhook: request.webhook,
            ..Token::new(self.now, request.timeout_at, request.tags)
        };
        // What this request is known by: a token that it made is its own, not a cached one.
        let random = || environment.token_id(platform::unique().as_bytes());
        let mut own = match self.head.request_key() {
            "" => random(),
            key => environment.token_id(key.as_bytes()),
        };
        let mut stored = self.store(environment, &own, &mut token).await?;
        if let (id, Answer::Unknown) = &stored {
            // A token of this id is forgotten and not yet gone, or has just gone.
            if let Some(key) = &token.key {
                let released = key::release(self.env, &environment.id, &key.text, id).await;
                released.map_err(no_key)?;
            }
            own = random();
            stored = self.store(environment, &own, &mut token).await?;
        }
        let (id, token, is_cached) = match stored {
            (id, Answer::Found(earlier)) => {
                let is_cached = *earlier.creator.as_ref().unwrap_or(&id) != own;
                (id, earlier, is_cached)
            }
            (id, Answer::Created) => {
                log("created", environment, &id, None);
                (id, token, false)
            }
            _ => return Err(Refusal::StorageTrouble),
        };
        let id = format!("waitpoint_{id}");
        let jwt = environment.mint(&id, token.created_at, token.timeout_at, self.now);
        let url = self.url(&id, &jwt);
        Ok(Reply::json(200, wire::created_json(&id, is_cached, &url))
            .with("x-trigger-jwt", &jwt)
            .with("x-trigger-jwt-claims", &wire::claims_json(&environment.id)))
    }

    /// Stores a token, unless there is one: under this request's own id, or the one that its key stands
    /// for. Tells which.
    async fn store(
        &self,
        environment: &Environment,
        own: &str,
        token: &mut Token,
    ) -> Result<(String, Answer), Refusal> {
        self.admit().await?;
        let id = match &token.key {
            None => own.to_owned(),
            Some(key) => key::claim(self.env, &environment.id, key, own)
                .await
                .map_err(no_key)?,
        };
        token.creator = (id != own).then(|| own.to_owned());
        let (record, text) = Record::of(token);
        let answer = self
            .send(environment, &id, &Command::Create(record), text)
            .await?;
        Ok((id, answer))
    }

    /// Whether a webhook may go there and can be signed.
    pub(super) fn check_webhook(
        &self,
        environment: &Environment,
        url: Option<&str>,
    ) -> Result<(), Refusal> {
        let Some(url) = url else { return Ok(()) };
        let invalid = |message| Refusal::Invalid {
            path: "webhook",
            message,
        };
        check_url(url, is_loopback_origin(self.head.origin()))
            .map_err(|why| invalid(why.sentence(url)))?;
        if settings::webhooks(self.env)?.can_sign(&environment.id) {
            Ok(())
        } else {
            Err(invalid(
                "WEBHOOK_SECRET is not set, so nothing could be signed".to_owned(),
            ))
        }
    }

    async fn list(&self) -> Result<Reply, Refusal> {
        let environment = self.secret_caller()?;
        let text = self.head.query().trim_start_matches('?');
        let query = ListQuery::parse(text, self.now)?;
        self.admit().await?;
        let rows = index::rows(self.env, &environment.id, &query, text, self.now)
            .await
            .map_err(|why| {
                platform::error("the index did not answer", &why);
                Refusal::StorageTrouble
            })?;
        let page = query.page(rows);
        let body = wire::list_json(&page, self.now, |row| {
            let id = format!("waitpoint_{}", row.id);
            let jwt = environment.mint(&id, row.created_at, row.timeout_at, self.now);
            self.url(&id, &jwt)
        });
        Ok(Reply::json(200, body))
    }

    async fn retrieve(&self, typed: &str) -> Result<Reply, Refusal> {
        let caller = self.caller()?;
        if !caller.may("read", typed) {
            return Err(Refusal::ScopeTooSmall);
        }
        let internal = internal_id(typed).ok_or(Refusal::UnknownToken)?;
        self.count_reader(&caller, self.head.authorization());
        self.told(caller, internal).await
    }

    /// The token as this caller may see it now.
    pub(super) async fn told(&self, caller: Caller<'_>, internal: &str) -> Result<Reply, Refusal> {
        let environment = caller.environment();
        if let Some(upstream) = self.upstream_of(environment)? {
            return self.told_upstream(caller, internal, upstream).await;
        }
        let token = self.read_token(environment, internal, false).await?;
        Ok(self.shown(&caller, internal, &token))
    }

    /// A token as a caller may see it.
    pub(super) fn shown(&self, caller: &Caller<'_>, internal: &str, token: &Token) -> Reply {
        let (reader, etag) = version(token, caller);
        let reply = if matches_etag(self.head.if_none_match(), &etag) {
            Reply::unchanged()
        } else {
            let id = format!("waitpoint_{internal}");
            let url = match caller {
                Caller::Secret(environment) => {
                    let jwt = environment.mint(&id, token.created_at, token.timeout_at, self.now);
                    self.url(&id, &jwt)
                }
                // The caller's own credential: a link must not grant more than its reader has.
                Caller::Public(_) => self.url(&id, self.credential()),
            };
            Reply::private_json(wire::token_json(&id, &url, token, reader))
        };
        reply.with("etag", &etag).with("vary", "Authorization")
    }

    async fn complete(&self, typed: &str) -> Result<Reply, Refusal> {
        let caller = self.caller()?;
        let request = {
            let body = body(self.request, self.head, wire::MAX_COMPLETE).await?;
            CompleteRequest::parse(&body)?
        };
        if !caller.may("write", typed) {
            return Err(Refusal::ScopeTooSmall);
        }
        let reply = self
            .decide(caller, typed, request.output, CompletedBy::Api)
            .await?;
        Ok(match request.unknown_key {
            Some(key) => reply.with("waitpoint-hint", &hint(&key)),
            None => reply,
        })
    }

    pub(super) async fn decide(
        &self,
        caller: Caller<'_>,
        typed: &str,
        output: Option<Output>,
        by: CompletedBy,
    ) -> Result<Reply, Refusal> {
        let environment = caller.environment();
        let internal = internal_id(typed).ok_or(Refusal::UnknownToken)?;
        self.count(Share::Decisions(&environment.id, internal));
        let decision = Decision {
            output,
            by,
            subject: caller.subject(),
        };
        let outcome = self
            .complete_token(environment, internal, &decision)
            .await?;
        let reply = Reply::json(200, r#"{"success":true}"#.to_owned());
        Ok(reply.with("waitpoint-outcome", outcome.as_str()))
    }

    /// Hands a decision to the token's object; the answer is durable.
    pub(super) async fn complete_token(
        &self,
        environment: &Environment,
        internal: &str,
        decision: &Decision,
    ) -> Result<Outcome, Refusal> {
        let message = {
            let (deciding, text) = Deciding::of(decision);
            if self.upstream_of(environment)?.is_some() {
                // Else upstream would refuse what was acknowledged here.
                if complete_json(decision.output.as_ref()).len() > wire::MAX_COMPLETE {
                    return Err(Refusal::BodyTooLarge(wire::MAX_COMPLETE));
                }
                let (record, _) = Record::of(&self.unseen());
                message(&Command::Relay(record, deciding), text)
            } else {
                message(&Command::Complete(deciding), text)
            }
        };
        let Answer::Decided(outcome) = self.ask(environment, internal, message).await? else {
            return Err(Refusal::UnknownToken);
        };
        log(
            "decided",
            environment,
            internal,
            Some((outcome.as_str(), decision.by)),
        );
        Ok(outcome)
    }

    /// The token as it stands now. `decides`: as far as it is known here, for somebody who decides on it.
    pub(super) async fn read_token(
        &self,
        environment: &Environment,
        internal: &str,
        decides: bool,
    ) -> Result<Token, Refusal> {
        if let Some(upstream) = self.upstream_of(environment)? {
            return self
                .page_upstream(environment, internal, upstream, decides)
                .await;
        }
        match self.send(environment, internal, &Command::Read, "").await? {
            Answer::Found(token) => Ok(token),
            _ => Err(Refusal::UnknownToken),
        }
    }

    /// trigger.dev's run hook. No run is blocked here: whether the token exists is all there is to
    /// say.
    async fn run_wait(&self, typed: &str) -> Result<Reply, Refusal> {
        let environment = self.secret_caller()?;
        let internal = internal_id(typed).ok_or(Refusal::UnknownToken)?;
        self.read_token(environment, internal, false).await?;
        Ok(Reply::json(200, r#"{"success":true}"#.to_owned()))
    }

    fn claims(&self) -> Result<Reply, Refusal> {
        let environment = self.secret_caller()?;
        Ok(Reply::json(200, wire::claims_json(&environment.id)))
    }

    pub(super) fn caller(&self) -> Result<Caller<'static>, Refusal> {
        settings::keyring(self.env)?.caller(self.head.authorization(), self.now)
    }

    fn secret_caller(&self) -> Result<&'static Environment, Refusal> {
        let environment = settings::keyring(self.env)?.secret_caller(self.head.authorization())?;
        self.count(Share::Environment(&environment.id));
        Ok(environment)
    }

    fn credential(&self) -> &str {
        crate::auth::bearer(self.head.authorization()).unwrap_or("")
    }

    /// `token.url` for the public id of a token.
    fn url(&self, id: &str, credential: &str) -> String {
        let origin = self.head.origin();
        format!("{origin}/api/v1/waitpoints/tokens/{id}/callback/{credential}")
    }

    /// Sends a command to a token's object.
    pub(super) async fn send(
        &self,
        environment: &Environment,
        internal: &str,
        command: &Command,
        text: &str,
    ) -> Result<Answer, Refusal> {
        self.ask(environment, internal, message(command, text))
            .await
    }

    /// Asks a token's object.
    async fn ask(
        &self,
        environment: &Environment,
        internal: &str,
        message: Uint8Array,
    ) -> Result<Answer, Refusal> {
        self.admit().await?;
        let name = format!("{}/{internal}", environment.id);
        let answer = platform::ask(self.env, "TOKENS", &name, &message).await;
        let answer = answer.map_err(|why| {
            platform::error("a token's object did not answer", &why);
            Refusal::StorageTrouble
        })?;
        Answer::from_bytes(&Uint8Array::new(&answer).to_vec()).map_err(|_| {
            platform::error(
                "a token's object answered what cannot be read",
                &name.into(),
            );
            Refusal::StorageTrouble
        })
    }
}

fn no_key(why: JsValue) -> Refusal {
    platform::error("an idempotency key's object did not answer", &why);
    Refusal::StorageTrouble
}

/// A command for an object, outside wasm's memory: that never shrinks, and while the answer is
/// awaited many outputs of megabytes may be under way.
fn message(command: &Command, text: &str) -> Uint8Array {
    Uint8Array::from(pack(command, text).as_slice())
}

/// What a caller sees of a token, and its version: one a state, and for the owner, who sees deliveries, one
/// an attempt. The bodies of the same version differ by caller, hence `Vary`. Of a token that lives
/// upstream two ends can be seen, one after the other.
fn version(token: &Token, caller: &Caller<'_>) -> (Reader, String) {
    let mut version = String::from(if token.state == State::Waiting {
        "\"v1"
    } else {
        "\"v2"
    });
    if let (true, Some(at)) = (token.is_upstream, token.finished_at()) {
        version += &format!(".{at}");
    }
    let attempts: u32 = token.deliveries.iter().map(|one| one.attempts).sum();
    let reader = match caller {
        Caller::Secret(_) => Reader::Owner,
        Caller::Public(_) => Reader::Guest,
    };
    if reader == Reader::Owner && attempts > 0 {
        version += &format!(".{attempts}");
    }
    version.push('"');
    (reader, version)
}

/// Whether an `If-None-Match` names this tag.
fn matches_etag(header: &str, etag: &str) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/") == etag;
    header.trim() == "*" || header.split(',').any(strong)
}

/// The value of `waitpoint-hint` for a key of complete's body that is not `data`.
fn hint(key: &str) -> String {
    let plain = key.len() <= 40 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain {
        format!("unknown-field \"{key}\"")
    } else {
        "unknown-field".to_owned()
    }
}

/// A line for the operator. It holds no credential and nothing that a caller wrote but the id.
fn log(event: &str, environment: &Environment, id: &str, decided: Option<(&str, CompletedBy)>) {
    #[derive(Serialize)]
    struct Line<'a> {
        event: &'a str,
        environment: &'a str,
        token: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        outcome: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<&'static str>,
    }
    let line = Line {
        event,
        environment: &environment.id,
        token: &format!("waitpoint_{id}"),
        outcome: decided.map(|(outcome, _)| outcome),
        by: decided.map(|(_, by)| by.as_str()),
    };
    platform::log(&serde_json::to_string(&line).unwrap_or_default());
}
