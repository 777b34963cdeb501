//! The relay: what is asked of tokens that live upstream.
//!
//! Invariant: a decision is durable here before upstream is asked anything about it; it is the token's object
//! that hands it on (`deliver.rs`).

use crate::domain::api::create::parse_webhook;
use crate::domain::api::error::ApiError;
use crate::domain::api::limits::{MAX_COMPLETE, MAX_CREATE};
use crate::domain::api::route::Endpoint;
use crate::domain::approval::schema::Approval;
use crate::domain::auth::authenticate::bearer;
use crate::domain::auth::caller::Caller;
use crate::domain::auth::keyring::Environment;
use crate::domain::relay::edge_fields::EdgeFields;
use crate::domain::relay::forward::{self, Forward};
use crate::domain::relay::import::{created_id, read_token};
use crate::domain::relay::merge::merge;
use crate::domain::relay::rewrite::rewrite_urls;
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::domain::stored::record::StoredToken;
use crate::domain::token::home::Home;
use crate::domain::token::{State, Token};
use crate::worker::http::api::RequestContext;
use crate::worker::http::body::body;
use crate::worker::http::response::{HandlerResponse, Reply, header};
use crate::worker::log_error;
use crate::worker::objects::token::outbox::ASKED_WITHIN;
use crate::worker::outgoing::{self, HOP, UpstreamRequest, UpstreamResponse};
use crate::worker::settings;
use js_sys::Uint8Array;
use std::time::Duration;
use wasm_bindgen::JsValue;

/// How long upstream has to answer what is handed on.
const HANDED_ON_WITHIN: Duration = Duration::from_secs(25);

impl UpstreamResponse {
    fn into_reply(self, origin: &str) -> Reply {
        let text = rewrite_urls(&self.text, origin);
        Reply::of_upstream(self.status, self.headers, text).with("waitpoint-source", "upstream")
    }
}

impl RequestContext<'_> {
    /// Where the tokens of an environment live, if not here.
    pub(crate) fn upstream_of(
        &self,
        environment: &Environment,
    ) -> Result<Option<&'static str>, ApiError> {
        Ok(settings::upstreams(self.env)?.of(&environment.id))
    }

    /// Answers what upstream is asked; nothing if the request is to be answered here.
    pub(crate) async fn relayed(
        &self,
        endpoint: Option<Endpoint<'_>>,
    ) -> Result<Option<HandlerResponse>, ApiError> {
        let upstreams = settings::upstreams(self.env)?;
        if upstreams.is_empty() {
            return Ok(None);
        }
        if !header(self.request, HOP).is_empty() {
            return Err(ApiError::UpstreamLoop);
        }
        let keyring = settings::keyring(self.env)?;
        let credential = bearer(self.head.authorization()).unwrap_or("");
        let known = keyring.environment_of(credential, self.now);
        let upstream = match known {
            Some(environment) => upstreams.of(&environment.id),
            // What nobody here knows goes where all tokens live, if they do.
            None if keyring.is_upstream() => upstreams.sole(),
            None => None,
        };
        let Some(upstream) = upstream else {
            return Ok(None);
        };
        let request = forward::Request {
            method: self.head.method(),
            path: self.head.path(),
            credential,
            is_known: known.is_some(),
        };
        let opens_here =
            |id: &str, hash: &str| keyring.authenticate_link(id, hash, self.now).is_ok();
        let Some(forward) = forward::forward(request, endpoint, opens_here) else {
            return Ok(None);
        };
        if known.is_none() {
            self.limit_strangers().await?;
        }
        let reply = match forward {
            Forward::Create => self.create_upstream(upstream, known).await?,
            Forward::Read => self.ask_upstream(upstream).await?,
            Forward::Callback => {
                let body = body(self.request, self.head, MAX_COMPLETE).await?;
                let body = Uint8Array::from(body.as_slice());
                let theirs = self.forward_request(upstream, Some(body)).await?;
                theirs.into_reply(self.head.origin())
            }
            Forward::Whole => return self.pass(upstream).await,
        };
        Ok(Some(reply.into()))
    }

    async fn pass(&self, upstream: &str) -> Result<Option<HandlerResponse>, ApiError> {
        let response = outgoing::pass(self.request, &self.at(upstream)).await;
        Ok(Some(HandlerResponse::Forwarded(response.map_err(trouble)?)))
    }

    /// This request's own URL, there.
    fn at(&self, upstream: &str) -> String {
        format!("{upstream}{}{}", self.head.path(), self.head.query())
    }

    async fn ask_upstream(&self, upstream: &str) -> Result<Reply, ApiError> {
        let theirs = self.forward_request(upstream, None).await?;
        Ok(theirs.into_reply(self.head.origin()))
    }

    /// Sends this request on, with the caller's credential.
    async fn forward_request(
        &self,
        upstream: &str,
        body: Option<Uint8Array>,
    ) -> Result<UpstreamResponse, ApiError> {
        let url = self.at(upstream);
        let asked = UpstreamRequest {
            like: Some(self.request),
            url: &url,
            bearer: None,
            body,
            within: HANDED_ON_WITHIN,
        };
        read(outgoing::ask_upstream(asked).await)
    }

    /// Creates a token upstream. What upstream does not know of it is kept here.
    async fn create_upstream(
        &self,
        upstream: &str,
        known: Option<&'static Environment>,
    ) -> Result<Reply, ApiError> {
        let body = body(self.request, self.head, MAX_CREATE).await?;
        let extras = EdgeFields::of(&body)?;
        let extra = if extras == EdgeFields::default() {
            None
        } else {
            let environment = known.ok_or(ApiError::InvalidApiKey)?;
            if let Some(text) = &extras.approval {
                Approval::parse(text)?;
            }
            let webhook = extras.webhook.as_deref().map(parse_webhook).transpose()?;
            self.check_webhook(environment, webhook.as_deref())?;
            Some((environment, webhook))
        };
        let bytes = Uint8Array::from(body.as_slice());
        let theirs = self.forward_request(upstream, Some(bytes)).await?;
        if let (200, Some((environment, webhook))) = (theirs.status, extra) {
            let id = created_id(&theirs.text).ok_or(ApiError::UpstreamUnavailable)?;
            let token = Token {
                approval: extras.approval,
                webhook,
                ..self.placeholder_token()
            };
            let (record, text) = StoredToken::of(&token);
            self.send(environment, &id, &CommandMessage::Create(record), text)
                .await?;
        }
        Ok(theirs.into_reply(self.head.origin()))
    }

    /// A token that lives upstream, of which nothing is known but that.
    pub(crate) fn placeholder_token(&self) -> Token {
        Token {
            origin: self.head.origin().to_owned(),
            home: Home::Upstream,
            ..Token::new(self.now, None, Vec::new())
        }
    }

    /// The token as a person is shown it, and decides on it. `decides`: upstream is not asked, as nobody who
    /// decides waits for it.
    pub(crate) async fn page_upstream(
        &self,
        environment: &Environment,
        internal: &str,
        upstream: &str,
        decides: bool,
    ) -> Result<Token, ApiError> {
        let ours = self
            .load_local(environment, internal, &CommandMessage::ReadForPage)
            .await?;
        match ours {
            Some(ours) if decides || is_settled(&ours) || ours.home == Home::Here => Ok(ours),
            None if decides => Ok(self.placeholder_token()),
            ours => {
                let theirs = self.fetch_upstream(environment, internal, upstream).await;
                match combine(ours, theirs, self.head.origin(), true) {
                    Err(ApiError::UpstreamUnavailable) => Ok(self.placeholder_token()),
                    both => both.map(|(token, _)| token),
                }
            }
        }
    }

    /// The token as this caller may see it now.
    pub(crate) async fn upstream_token_response(
        &self,
        caller: Caller<'_>,
        internal: &str,
        upstream: &str,
    ) -> Result<Reply, ApiError> {
        let environment = caller.environment();
        let ours = self
            .load_local(environment, internal, &CommandMessage::Read)
            .await?;
        if let Some(ours) = ours.as_ref().filter(|ours| ours.home == Home::Here) {
            // It was made before there was an upstream.
            return Ok(self.shown(&caller, internal, ours));
        }
        let is_owner = matches!(caller, Caller::Secret(_));
        let theirs = if is_owner && !ours.as_ref().is_some_and(is_settled) {
            self.hand_on_id(upstream, internal).await
        } else {
            self.fetch_upstream(environment, internal, upstream).await
        };
        match (&ours, theirs) {
            // Its owner gets what upstream says, errors and limits too, unless something was decided here.
            (ours, Ok(theirs))
                if is_owner
                    && (ours.is_none()
                        || theirs.status != 200 && !ours.as_ref().is_some_and(is_settled)) =>
            {
                Ok(theirs.into_reply(self.head.origin()))
            }
            (_, theirs) => {
                let (token, source) = combine(ours, theirs, self.head.origin(), !is_owner)?;
                let reply = self.shown(&caller, internal, &token);
                Ok(reply.with("waitpoint-source", source))
            }
        }
    }

    /// What is kept of it here.
    async fn load_local(
        &self,
        environment: &Environment,
        internal: &str,
        command: &CommandMessage,
    ) -> Result<Option<Token>, ApiError> {
        match self.send(environment, internal, command, "").await? {
            TokenReply::Found(token) => Ok(Some(token)),
            _ => Ok(None),
        }
    }

    /// As upstream tells the caller.
    async fn hand_on_id(
        &self,
        upstream: &str,
        internal: &str,
    ) -> Result<UpstreamResponse, ApiError> {
        let url = format!("{upstream}/api/v1/waitpoints/tokens/waitpoint_{internal}");
        let asked = UpstreamRequest {
            like: Some(self.request),
            url: &url,
            bearer: None,
            body: None,
            within: ASKED_WITHIN,
        };
        read(outgoing::ask_upstream(asked).await)
    }

    /// As upstream tells the environment. Nothing of the caller's goes with its key.
    async fn fetch_upstream(
        &self,
        environment: &Environment,
        internal: &str,
        upstream: &str,
    ) -> Result<UpstreamResponse, ApiError> {
        let url = format!("{upstream}/api/v1/waitpoints/tokens/waitpoint_{internal}");
        let asked = UpstreamRequest {
            like: None,
            url: &url,
            bearer: Some(environment.secret()),
            body: None,
            within: ASKED_WITHIN,
        };
        read(outgoing::ask_upstream(asked).await)
    }

    /// Lets the token's object know of a token that somebody waits for, as it will ask for its end.
    pub(crate) async fn import_from_upstream(
        &self,
        environment: &Environment,
        internal: &str,
        upstream: &str,
        is_named: bool,
    ) -> Result<(), ApiError> {
        let ours = self
            .load_local(environment, internal, &CommandMessage::ReadForPage)
            .await?;
        let is_known = ours.is_some();
        if ours.is_some_and(|ours| ours.home == Home::Here || is_settled(&ours)) {
            return Ok(());
        }
        let theirs = self.fetch_upstream(environment, internal, upstream).await;
        let token = match combine(None, theirs, self.head.origin(), is_named) {
            Ok((token, _)) => token,
            // It will ask again.
            Err(ApiError::UpstreamUnavailable | ApiError::TokenNotFound) if is_known => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let (record, text) = StoredToken::of(&token);
        self.send(
            environment,
            internal,
            &CommandMessage::ImportUpstream(record),
            text,
        )
        .await
        .map(|_| ())
    }
}

/// Whether a decision stands here.
fn is_settled(ours: &Token) -> bool {
    matches!(ours.state, State::Completed { .. })
}

/// The token of both sides, and which of them says how it stands. `origin` is ours; `is_named`: a credential
/// was made for it, so there was such a token.
fn combine(
    ours: Option<Token>,
    theirs: Result<UpstreamResponse, ApiError>,
    origin: &str,
    is_named: bool,
) -> Result<(Token, &'static str), ApiError> {
    let theirs = match theirs {
        Ok(theirs) if theirs.status == 200 => {
            Ok(read_token(&theirs.text, origin).ok_or(ApiError::UpstreamUnavailable)?)
        }
        Ok(theirs) if theirs.status == 404 => Err(ApiError::TokenNotFound),
        // trigger.dev says so of a token that it does not know.
        Ok(theirs) if theirs.status == 500 && ours.is_none() && !is_named => {
            Err(ApiError::TokenNotFound)
        }
        Ok(_) => Err(ApiError::UpstreamUnavailable),
        Err(error) => Err(error),
    };
    match (ours, theirs) {
        (None, theirs) => theirs.map(|theirs| (theirs, "upstream")),
        (Some(ours), Ok(theirs)) => {
            let source = if is_settled(&ours) {
                "edge"
            } else {
                "upstream"
            };
            Ok((merge(ours, theirs), source))
        }
        // What was decided or asked here is known without upstream.
        (Some(ours), Err(_)) if is_settled(&ours) || !ours.is_kept_only_for_waiters() => {
            Ok((ours, "edge"))
        }
        (Some(_), Err(error)) => Err(error),
    }
}

fn trouble<T>(_: T) -> ApiError {
    // Not the exception, whose text may hold the URL, which may be a credential.
    log_error("upstream did not answer", &JsValue::NULL);
    ApiError::UpstreamUnavailable
}

fn read(answer: Result<UpstreamResponse, JsValue>) -> Result<UpstreamResponse, ApiError> {
    answer.map_err(trouble)
}
