//! The relay: what is asked of tokens that live upstream.
//!
//! Invariant: a decision is durable here before upstream is asked anything about it; it is the token's object
//! that hands it on (`deliver.rs`).

use super::api::Call;
use super::body::body;
use super::deliver::ASKED_WITHIN;
use super::http::{Answered, Reply, header};
use super::outgoing::{self, HOP, UpstreamRequest, UpstreamResponse};
use super::record::{Answer, Command, Record};
use super::{log_error, settings};
use crate::approval::Approval;
use crate::auth::{Environment, bearer};
use crate::caller::Caller;
use crate::domain::relay::forward::{self, Forward};
use crate::error::Refusal;
use crate::route::Endpoint;
use crate::token::{State, Token};
use crate::upstream::{Extras, created_id, merge, read_token, rewrite_urls};
use crate::wire;
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

impl Call<'_> {
    /// Where the tokens of an environment live, if not here.
    pub(super) fn upstream_of(
        &self,
        environment: &Environment,
    ) -> Result<Option<&'static str>, Refusal> {
        Ok(settings::upstreams(self.env)?.of(&environment.id))
    }

    /// Answers what upstream is asked; nothing if the request is to be answered here.
    pub(super) async fn relayed(
        &self,
        endpoint: Option<Endpoint<'_>>,
    ) -> Result<Option<Answered>, Refusal> {
        let upstreams = settings::upstreams(self.env)?;
        if upstreams.is_empty() {
            return Ok(None);
        }
        if !header(self.request, HOP).is_empty() {
            return Err(Refusal::UpstreamLoop);
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
        let opens_here = |id: &str, hash: &str| keyring.link_reader(id, hash, self.now).is_ok();
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
                let body = body(self.request, self.head, wire::MAX_COMPLETE).await?;
                let body = Uint8Array::from(body.as_slice());
                let theirs = self.hand_on(upstream, Some(body)).await?;
                theirs.into_reply(self.head.origin())
            }
            Forward::Whole => return self.pass(upstream).await,
        };
        Ok(Some(reply.into()))
    }

    async fn pass(&self, upstream: &str) -> Result<Option<Answered>, Refusal> {
        let response = outgoing::pass(self.request, &self.at(upstream)).await;
        Ok(Some(Answered::Passed(response.map_err(trouble)?)))
    }

    /// This request's own URL, there.
    fn at(&self, upstream: &str) -> String {
        format!("{upstream}{}{}", self.head.path(), self.head.query())
    }

    async fn ask_upstream(&self, upstream: &str) -> Result<Reply, Refusal> {
        let theirs = self.hand_on(upstream, None).await?;
        Ok(theirs.into_reply(self.head.origin()))
    }

    /// Sends this request on, with the caller's credential.
    async fn hand_on(
        &self,
        upstream: &str,
        body: Option<Uint8Array>,
    ) -> Result<UpstreamResponse, Refusal> {
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
    ) -> Result<Reply, Refusal> {
        let body = body(self.request, self.head, wire::MAX_CREATE).await?;
        let extras = Extras::of(&body)?;
        let extra = if extras == Extras::default() {
            None
        } else {
            let environment = known.ok_or(Refusal::InvalidApiKey)?;
            if let Some(text) = &extras.approval {
                Approval::parse(text)?;
            }
            let webhook = extras
                .webhook
                .as_deref()
                .map(wire::parse_webhook)
                .transpose()?;
            self.check_webhook(environment, webhook.as_deref())?;
            Some((environment, webhook))
        };
        let bytes = Uint8Array::from(body.as_slice());
        let theirs = self.hand_on(upstream, Some(bytes)).await?;
        if let (200, Some((environment, webhook))) = (theirs.status, extra) {
            let id = created_id(&theirs.text).ok_or(Refusal::UpstreamTrouble)?;
            let token = Token {
                approval: extras.approval,
                webhook,
                ..self.unseen()
            };
            let (record, text) = Record::of(&token);
            self.send(environment, &id, &Command::Create(record), text)
                .await?;
        }
        Ok(theirs.into_reply(self.head.origin()))
    }

    /// A token that lives upstream, of which nothing is known but that.
    pub(super) fn unseen(&self) -> Token {
        Token {
            origin: self.head.origin().to_owned(),
            is_upstream: true,
            ..Token::new(self.now, None, Vec::new())
        }
    }

    /// The token as a person is shown it, and decides on it. `decides`: upstream is not asked, as nobody who
    /// decides waits for it.
    pub(super) async fn page_upstream(
        &self,
        environment: &Environment,
        internal: &str,
        upstream: &str,
        decides: bool,
    ) -> Result<Token, Refusal> {
        let ours = self
            .kept(environment, internal, &Command::ReadForPage)
            .await?;
        match ours {
            Some(ours) if decides || is_settled(&ours) || !ours.is_upstream => Ok(ours),
            None if decides => Ok(self.unseen()),
            ours => {
                let theirs = self.theirs(environment, internal, upstream).await;
                match both(ours, theirs, self.head.origin(), true) {
                    Err(Refusal::UpstreamTrouble) => Ok(self.unseen()),
                    both => both.map(|(token, _)| token),
                }
            }
        }
    }

    /// The token as this caller may see it now.
    pub(super) async fn told_upstream(
        &self,
        caller: Caller<'_>,
        internal: &str,
        upstream: &str,
    ) -> Result<Reply, Refusal> {
        let environment = caller.environment();
        let ours = self.kept(environment, internal, &Command::Read).await?;
        if let Some(ours) = ours.as_ref().filter(|ours| !ours.is_upstream) {
            // It was made before there was an upstream.
            return Ok(self.shown(&caller, internal, ours));
        }
        let is_owner = matches!(caller, Caller::Secret(_));
        let theirs = if is_owner && !ours.as_ref().is_some_and(is_settled) {
            self.hand_on_id(upstream, internal).await
        } else {
            self.theirs(environment, internal, upstream).await
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
                let (token, source) = both(ours, theirs, self.head.origin(), !is_owner)?;
                let reply = self.shown(&caller, internal, &token);
                Ok(reply.with("waitpoint-source", source))
            }
        }
    }

    /// What is kept of it here.
    async fn kept(
        &self,
        environment: &Environment,
        internal: &str,
        command: &Command,
    ) -> Result<Option<Token>, Refusal> {
        match self.send(environment, internal, command, "").await? {
            Answer::Found(token) => Ok(Some(token)),
            _ => Ok(None),
        }
    }

    /// As upstream tells the caller.
    async fn hand_on_id(
        &self,
        upstream: &str,
        internal: &str,
    ) -> Result<UpstreamResponse, Refusal> {
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
    async fn theirs(
        &self,
        environment: &Environment,
        internal: &str,
        upstream: &str,
    ) -> Result<UpstreamResponse, Refusal> {
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
    pub(super) async fn learn(
        &self,
        environment: &Environment,
        internal: &str,
        upstream: &str,
        is_named: bool,
    ) -> Result<(), Refusal> {
        let ours = self
            .kept(environment, internal, &Command::ReadForPage)
            .await?;
        let is_known = ours.is_some();
        if ours.is_some_and(|ours| !ours.is_upstream || is_settled(&ours)) {
            return Ok(());
        }
        let theirs = self.theirs(environment, internal, upstream).await;
        let token = match both(None, theirs, self.head.origin(), is_named) {
            Ok((token, _)) => token,
            // It will ask again.
            Err(Refusal::UpstreamTrouble | Refusal::UnknownToken) if is_known => return Ok(()),
            Err(refusal) => return Err(refusal),
        };
        let (record, text) = Record::of(&token);
        self.send(environment, internal, &Command::Learn(record), text)
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
fn both(
    ours: Option<Token>,
    theirs: Result<UpstreamResponse, Refusal>,
    origin: &str,
    is_named: bool,
) -> Result<(Token, &'static str), Refusal> {
    let theirs = match theirs {
        Ok(theirs) if theirs.status == 200 => {
            Ok(read_token(&theirs.text, origin).ok_or(Refusal::UpstreamTrouble)?)
        }
        Ok(theirs) if theirs.status == 404 => Err(Refusal::UnknownToken),
        // trigger.dev says so of a token that it does not know.
        Ok(theirs) if theirs.status == 500 && ours.is_none() && !is_named => {
            Err(Refusal::UnknownToken)
        }
        Ok(_) => Err(Refusal::UpstreamTrouble),
        Err(refusal) => Err(refusal),
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
        (Some(ours), Err(_)) if is_settled(&ours) || !ours.is_passing() => Ok((ours, "edge")),
        (Some(_), Err(refusal)) => Err(refusal),
    }
}

fn trouble<T>(_: T) -> Refusal {
    // Not the exception, whose text may hold the URL, which may be a credential.
    log_error("upstream did not answer", &JsValue::NULL);
    Refusal::UpstreamTrouble
}

fn read(answer: Result<UpstreamResponse, JsValue>) -> Result<UpstreamResponse, Refusal> {
    answer.map_err(trouble)
}
