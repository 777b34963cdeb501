//! What each endpoint does. Credentials are verified here, before any object wakes.

use crate::domain::api::claims::claims_json;
use crate::domain::api::complete::CompleteRequest;
use crate::domain::api::create::{CreateRequest, created_json, unknown_key_of_create};
use crate::domain::api::error::ApiError;
use crate::domain::api::limits::{MAX_COMPLETE, MAX_CREATE};
use crate::domain::api::openapi;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::api::route::Endpoint;
use crate::domain::auth::authenticate::bearer;
use crate::domain::auth::caller::Caller;
use crate::domain::auth::keyring::Environment;
use crate::domain::auth::token_id::internal_id;
use crate::domain::list::page_body::list_json;
use crate::domain::list::query::ListQuery;
use crate::domain::page;
use crate::domain::relay::complete_body::complete_json_len;
use crate::domain::stored::envelope::ResponseContext;
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::domain::stored::record::{StoredDecision, StoredToken};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::creation::{Answer, Created, Creation, Step};
use crate::domain::token::transition::Outcome;
use crate::domain::token::{CompletedBy, Decision, Output, Token};
use crate::domain::webhook::url::{check_url, is_loopback_origin};
use crate::worker::bindings::random_uuid;
use crate::worker::http::body::{body, drain};
use crate::worker::http::rate_limit::PendingCheck;
use crate::worker::http::response::{HandlerResponse, Head, PLAIN, Reply, preflight, request_key};
use crate::worker::http::routes::token_url::hash;
use crate::worker::objects::call::{Namespace, ObjectRef, TokenEnvelope, envelope};
use crate::worker::objects::token::response::url;
use crate::worker::objects::{idempotency_key, index};
use crate::worker::settings;
use crate::worker::{log_error, now};
use std::cell::Cell;
use wasm_bindgen::JsValue;
use web_sys::{Request, Response};
use worker::Env;

/// A request under way: what every endpoint needs.
pub(crate) struct RequestContext<'a> {
    pub(crate) request: &'a Request,
    pub(crate) head: &'a Head,
    /// The origin of the page that asks, if it may read the answer.
    pub(crate) page: &'a str,
    pub(crate) env: &'a Env,
    pub(crate) now: Timestamp,
    /// Whether the platform must be asked before an object is.
    pub(crate) pending_check: Cell<Option<PendingCheck>>,
}

/// TokenReplys any request.
pub(crate) async fn answer(request: &Request, env: &Env) -> Result<Response, JsValue> {
    let head = Head::of(request);
    let endpoint = Endpoint::of(head.path());
    let is_read_by_page = endpoint.is_some_and(Endpoint::is_for_browsers);
    let call = RequestContext {
        request,
        head: &head,
        page: if is_read_by_page {
            head.page_origin()
        } else {
            ""
        },
        env,
        now: now(),
        pending_check: Cell::default(),
    };
    let answered = match (call.relayed(endpoint).await, endpoint) {
        (Ok(Some(answered)), _) => Ok(answered),
        // What is misconfigured does not keep them from saying what this is.
        (_, Some(endpoint @ (Endpoint::Start | Endpoint::OpenApi))) => call.answer(endpoint).await,
        (Err(error), _) => Err(error),
        (_, Some(endpoint)) => call.answer(endpoint).await,
        (_, None) => call.no_such_path(),
    };
    let reply = match answered {
        Ok(HandlerResponse::Forwarded(response)) => return Ok(response),
        Ok(HandlerResponse::Built(reply)) => reply,
        Err(error) => {
            let error = call.throttle_failed_auth(error).await;
            if let ApiError::Misconfigured(what) = &error {
                log_error("the Worker is misconfigured", &what.into());
            }
            drain(request).await;
            Reply::error(&error)
        }
    };
    let is_preflight = head.method() == "OPTIONS";
    let page = if is_preflight { "" } else { call.page };
    reply.with_cors(page).into_response()
}

impl RequestContext<'_> {
    async fn answer(&self, endpoint: Endpoint<'_>) -> Result<HandlerResponse, ApiError> {
        let method = self.head.method();
        if !endpoint.allows(method) {
            return Err(ApiError::MethodNotAllowed(endpoint.allow()));
        }
        let reply = match (endpoint, method) {
            (_, "OPTIONS") => preflight(endpoint, self.head),
            (Endpoint::Complete { id }, _) => return self.complete(id).await,
            (Endpoint::Token { id }, _) => return self.retrieve(id).await,
            (Endpoint::Callback { id, credential }, _) => return self.link(id, credential).await,
            (Endpoint::Wait { id }, _) => return self.wait(id).await,
            (Endpoint::Start, _) => start(),
            (Endpoint::OpenApi, _) => Reply::public_json(openapi::document()),
            (Endpoint::Health, _) => self.health()?,
            (Endpoint::Tokens, "POST") => self.create().await?,
            (Endpoint::Tokens, _) => self.list().await?,
            (Endpoint::RunWait { id }, _) => self.run_wait(id).await?,
            (Endpoint::Claims, _) => self.claims()?,
        };
        Ok(reply.into())
    }

    /// 404, or the way to the path without its last slash; the method stays.
    fn no_such_path(&self) -> Result<HandlerResponse, ApiError> {
        let trimmed = self.head.path().trim_end_matches('/');
        if trimmed.len() == self.head.path().len() || Endpoint::of(trimmed).is_none() {
            return Err(ApiError::PathNotFound);
        }
        let location = format!("{trimmed}{}", self.head.query());
        Ok(Reply::empty(308).with("location", &location).into())
    }

    /// Ready once the keys can be read.
    fn health(&self) -> Result<Reply, ApiError> {
        settings::keyring(self.env)?;
        settings::webhooks(self.env)?;
        Ok(Reply::json(200, r#"{"status":"ok"}"#.to_owned()))
    }

    async fn create(&self) -> Result<Reply, ApiError> {
        let environment = self.authenticate_secret()?;
        let body = body(self.request, self.head, MAX_CREATE).await?;
        let request = CreateRequest::parse(&body, self.now)?;
        let hint = unknown_key_of_create(&body).as_deref().map(hint);
        #[cfg(feature = "faults")]
        crate::worker::fault("fault:worker", &request.tags.join(" "));
        self.check_webhook(environment, request.webhook.as_deref())?;
        let mut token = Token {
            approval: request.approval,
            origin: self.head.origin().to_owned(),
            key: request.key,
            webhook: request.webhook,
            ..Token::new(self.now, request.timeout_at, request.tags)
        };
        // What this request is known by: a token that it made is its own, not a cached one.
        let random = || environment.token_id(random_uuid().as_bytes());
        let own = match request_key(self.request).as_str() {
            "" => random(),
            key => environment.token_id(key.as_bytes()),
        };
        let (mut creation, mut step) = Creation::begin(own, token.key.is_some());
        let created = loop {
            let asked = self
                .carry_out(environment, &creation, step, &mut token)
                .await;
            step = match asked? {
                None => break step,
                Some(answer) => creation.handle(answer, random),
            };
        };
        let Step::Done(Created { is_cached }) = created else {
            return Err(ApiError::StorageUnavailable);
        };
        let id = format!("waitpoint_{}", creation.id());
        let jwt = environment.mint(&id, token.created_at, token.timeout_at, self.now);
        let url = url(self.head.origin(), &id, &jwt);
        let reply = Reply::json(200, created_json(&id, is_cached, &url))
            .with_unique("x-trigger-jwt", &jwt)
            .with("x-trigger-jwt-claims", &claims_json(&environment.id));
        Ok(match hint {
            Some(hint) => reply.with("waitpoint-hint", &hint),
            None => reply,
        })
    }

    /// Carries out a step of a create; none if it has ended. `token` becomes the one that is found.
    async fn carry_out(
        &self,
        environment: &Environment,
        creation: &Creation,
        step: Step,
        token: &mut Token,
    ) -> Result<Option<Answer>, ApiError> {
        let key = token.key.as_ref();
        Ok(match (step, key) {
            (Step::ClaimKey, Some(key)) => {
                self.admit().await?;
                let own = creation.own_id();
                let claimed = idempotency_key::claim(self.env, &environment.id, key, own).await;
                Some(Answer::KeyClaimed(claimed.map_err(no_key)?))
            }
            (Step::ReleaseKey, Some(key)) => {
                let (environment, id) = (&environment.id, creation.id());
                let released = idempotency_key::release(self.env, environment, &key.text, id).await;
                released.map_err(no_key)?;
                Some(Answer::KeyReleased)
            }
            (Step::Store, _) => {
                token.created_by_request = creation.created_by_request().map(str::to_owned);
                let (stored, text) = StoredToken::of(token);
                let command = CommandMessage::Create(stored);
                let id = creation.id();
                Some(match self.send(environment, id, &command, text).await? {
                    TokenReply::Created => Answer::Stored,
                    TokenReply::Found(found) => {
                        *token = found;
                        Answer::Found(token.created_by_request.clone())
                    }
                    TokenReply::NotFound => Answer::NotStored,
                    TokenReply::Decided(_) => return Err(ApiError::StorageUnavailable),
                })
            }
            _ => None,
        })
    }

    /// Whether a webhook may go there and can be signed.
    pub(crate) fn check_webhook(
        &self,
        environment: &Environment,
        url: Option<&str>,
    ) -> Result<(), ApiError> {
        let Some(url) = url else { return Ok(()) };
        let invalid = |message| ApiError::ValidationError {
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

    async fn list(&self) -> Result<Reply, ApiError> {
        let environment = self.authenticate_secret()?;
        let text = self.head.query().trim_start_matches('?');
        let query = ListQuery::parse(text, self.now)?;
        self.admit().await?;
        let rows = index::rows(self.env, &environment.id, &query, text, self.now)
            .await
            .map_err(|why| {
                log_error("the index did not answer", &why);
                ApiError::StorageUnavailable
            })?;
        let page = query.page(rows);
        let body = list_json(&page, self.now, |row| {
            let id = format!("waitpoint_{}", row.id);
            let jwt = environment.mint(&id, row.created_at, row.timeout_at, self.now);
            url(self.head.origin(), &id, &jwt)
        });
        Ok(Reply::json(200, body))
    }

    async fn retrieve(&self, typed: &str) -> Result<HandlerResponse, ApiError> {
        let caller = self.caller()?;
        if !caller.allows("read", typed) {
            return Err(ApiError::InsufficientScope);
        }
        let internal = internal_id(typed).ok_or(ApiError::TokenNotFound)?;
        self.count_reader(&caller, self.head.authorization());
        self.token_response(caller, internal, None).await
    }

    /// The token as this caller may see it now. `waited`: how many seconds the caller was held for,
    /// if it asked to be.
    pub(crate) async fn token_response(
        &self,
        caller: Caller<'_>,
        internal: &str,
        waited: Option<u32>,
    ) -> Result<HandlerResponse, ApiError> {
        let environment = caller.environment();
        if let Some(upstream) = self.upstream_of(environment)? {
            let reply = self
                .upstream_token_response(caller, internal, upstream)
                .await?;
            return Ok(match waited {
                Some(seconds) => reply.with("preference-applied", &format!("wait={seconds}")),
                None => reply,
            }
            .into());
        }
        let context = ResponseContext {
            waited,
            ..self.viewer(&caller)
        };
        let envelope = envelope(&CommandMessage::Read, Some(context), "");
        let name = object_name(environment, internal);
        Ok(HandlerResponse::Forwarded(
            self.forward_to_object(&name, envelope).await?,
        ))
    }

    /// A token as a caller may see it.
    pub(crate) fn shown(&self, caller: &Caller<'_>, internal: &str, token: &Token) -> Reply {
        self.viewer(caller)
            .shown(token, caller.environment(), internal, self.now)
    }

    /// Who reads a token by this request.
    fn viewer(&self, caller: &Caller<'_>) -> ResponseContext {
        let credential = match caller {
            Caller::Secret(_) => None,
            Caller::Public(_) | Caller::CallbackHash(_) => bearer(self.head.authorization()),
        };
        ResponseContext {
            origin: self.head.origin().to_owned(),
            page: self.page.to_owned(),
            etag: self.head.if_none_match().to_owned(),
            credential: credential.map(str::to_owned),
            ..ResponseContext::default()
        }
    }

    async fn complete(&self, typed: &str) -> Result<HandlerResponse, ApiError> {
        let caller = self.caller()?;
        let request = {
            let body = body(self.request, self.head, MAX_COMPLETE).await?;
            CompleteRequest::parse(&body)?
        };
        if !caller.allows("write", typed) {
            return Err(ApiError::InsufficientScope);
        }
        let hint = request.unknown_key.as_deref().map(hint);
        self.decide(caller, typed, request.output, CompletedBy::Api, hint)
            .await
    }

    /// Hands a decision to the token's object, which answers.
    pub(crate) async fn decide(
        &self,
        caller: Caller<'_>,
        typed: &str,
        output: Option<Output>,
        by: CompletedBy,
        hint: Option<String>,
    ) -> Result<HandlerResponse, ApiError> {
        let environment = caller.environment();
        let internal = internal_id(typed).ok_or(ApiError::TokenNotFound)?;
        self.count(RateLimitKey::Decisions(&environment.id, internal));
        let viewer = ResponseContext {
            page: self.page.to_owned(),
            hint,
            ..ResponseContext::default()
        };
        let name = object_name(environment, internal);
        // Who presses twice, or did not get the answer, is spared the way to the object.
        let completed = settings::completed(self.env);
        if completed.borrow().get(&name, self.now).is_some() {
            self.admit().await?;
            return Ok(viewer.decided(Outcome::AlreadyCompleted).into());
        }
        let envelope = {
            let decision = Decision {
                output,
                by,
                subject: caller.subject(),
            };
            self.completion(environment, &decision, Some(viewer))?
        };
        let response = self.forward_to_object(&name, envelope).await?;
        // Upstream has the last word on its own.
        if tells_of_completion(&response) && self.upstream_of(environment)?.is_none() {
            let until = self.now.plus(settings::retention(self.env));
            completed.borrow_mut().put(&name, (), until);
        }
        Ok(HandlerResponse::Forwarded(response))
    }

    /// Hands a decision to the token's object; the answer is durable.
    pub(crate) async fn complete_token(
        &self,
        environment: &Environment,
        internal: &str,
        decision: &Decision,
    ) -> Result<Outcome, ApiError> {
        let envelope = self.completion(environment, decision, None)?;
        match self.ask(environment, internal, envelope).await? {
            TokenReply::Decided(outcome) => Ok(outcome),
            _ => Err(ApiError::TokenNotFound),
        }
    }

    fn completion(
        &self,
        environment: &Environment,
        decision: &Decision,
        viewer: Option<ResponseContext>,
    ) -> Result<TokenEnvelope, ApiError> {
        let (completion, text) = StoredDecision::of(decision);
        let command = if self.upstream_of(environment)?.is_none() {
            CommandMessage::Complete(completion)
        } else {
            // Else upstream would refuse what was acknowledged here.
            if complete_json_len(decision.output.as_ref()) > MAX_COMPLETE {
                return Err(ApiError::BodyTooLarge(MAX_COMPLETE));
            }
            let (record, _) = StoredToken::of(&self.placeholder_token());
            CommandMessage::CompleteRelayed(record, completion)
        };
        Ok(envelope(&command, viewer, text))
    }

    /// The token as it stands now, without a long output. `decides`: as far as it is known here, for
    /// somebody who decides on it.
    pub(crate) async fn read_token(
        &self,
        environment: &Environment,
        internal: &str,
        decides: bool,
    ) -> Result<Token, ApiError> {
        if let Some(upstream) = self.upstream_of(environment)? {
            return self
                .page_upstream(environment, internal, upstream, decides)
                .await;
        }
        let command = CommandMessage::ReadForPage;
        match self.send(environment, internal, &command, "").await? {
            TokenReply::Found(token) => Ok(token),
            _ => Err(ApiError::TokenNotFound),
        }
    }

    /// trigger.dev's run hook. No run is blocked here: whether the token exists is all there is to
    /// say.
    async fn run_wait(&self, typed: &str) -> Result<Reply, ApiError> {
        let environment = self.authenticate_secret()?;
        let internal = internal_id(typed).ok_or(ApiError::TokenNotFound)?;
        self.read_token(environment, internal, false).await?;
        Ok(Reply::json(200, r#"{"success":true}"#.to_owned()))
    }

    fn claims(&self) -> Result<Reply, ApiError> {
        let environment = self.authenticate_secret()?;
        Ok(Reply::json(200, claims_json(&environment.id)))
    }

    pub(crate) fn caller(&self) -> Result<Caller<'static>, ApiError> {
        let credential = bearer(self.head.authorization()).ok_or(ApiError::MissingAuthorization)?;
        let verified = settings::verified(self.env);
        if let Some(claims) = verified.borrow().get(credential, self.now) {
            return Ok(Caller::Public(claims.clone()));
        }
        let caller =
            settings::keyring(self.env)?.authenticate(self.head.authorization(), self.now)?;
        if let Caller::Public(claims) = &caller {
            let until = Timestamp::from_millis(claims.expires_at.saturating_mul(1_000));
            verified.borrow_mut().put(credential, claims.clone(), until);
        }
        Ok(caller)
    }

    fn authenticate_secret(&self) -> Result<&'static Environment, ApiError> {
        let environment =
            settings::keyring(self.env)?.authenticate_secret(self.head.authorization())?;
        self.count(RateLimitKey::Environment(&environment.id));
        Ok(environment)
    }

    /// Sends a command to a token's object.
    pub(crate) async fn send(
        &self,
        environment: &Environment,
        internal: &str,
        command: &CommandMessage,
        text: &str,
    ) -> Result<TokenReply, ApiError> {
        self.ask(environment, internal, envelope(command, None, text))
            .await
    }

    /// Asks a token's object.
    async fn ask(
        &self,
        environment: &Environment,
        internal: &str,
        envelope: TokenEnvelope,
    ) -> Result<TokenReply, ApiError> {
        self.admit().await?;
        let name = object_name(environment, internal);
        self.object(&name).ask(envelope).await.map_err(no_answer)
    }

    /// Lets the object of this name answer.
    async fn forward_to_object(
        &self,
        name: &str,
        envelope: TokenEnvelope,
    ) -> Result<Response, ApiError> {
        self.admit().await?;
        self.object(name).respond(envelope).await.map_err(no_answer)
    }

    /// A token's object.
    pub(crate) fn object<'a>(&'a self, name: &'a str) -> ObjectRef<'a> {
        ObjectRef {
            env: self.env,
            namespace: Namespace::Tokens,
            name,
            within: None,
        }
    }
}

/// Whether a token's object says that this request completed it.
fn tells_of_completion(response: &Response) -> bool {
    let outcome = response.headers().get("waitpoint-outcome");
    outcome.is_ok_and(|outcome| outcome.as_deref() == Some("completed"))
}

/// The name of a token's object.
pub(crate) fn object_name(environment: &Environment, internal: &str) -> String {
    format!("{}/{internal}", environment.id)
}

fn no_answer(why: JsValue) -> ApiError {
    log_error("a token's object did not answer", &why);
    ApiError::StorageUnavailable
}

/// What this is, for people.
fn start() -> Reply {
    let styles = format!("'{}' '{}'", hash(page::CSS), hash(openapi::CSS));
    Reply::html(
        200,
        openapi::start_page(),
        &format!("{PLAIN}; style-src {styles}; img-src data:"),
    )
}

fn no_key(why: JsValue) -> ApiError {
    log_error("an idempotency key's object did not answer", &why);
    ApiError::StorageUnavailable
}

/// The value of `waitpoint-hint` for a key of a body that means nothing.
fn hint(key: &str) -> String {
    let plain = key.len() <= 40 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain {
        format!("unknown-field \"{key}\"")
    } else {
        "unknown-field".to_owned()
    }
}
