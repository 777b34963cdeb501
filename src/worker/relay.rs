//! The relay: what is asked of tokens that live upstream.
//!
//! Invariant: a decision is durable here before upstream is asked anything about it; it is the token's object
//! that hands it on (`deliver.rs`).

use super::api::Call;
use super::http::{Reply, body};
use super::record::{Answer, Command, Record};
use super::{platform, settings};
use crate::approval::Approval;
use crate::auth::{Caller, Environment, bearer};
use crate::error::Refusal;
use crate::route::Endpoint;
use crate::token::{State, Token};
use crate::upstream::{Extras, created_id, merge, read_token, rewrite_urls};
use crate::wire::{self, CreateRequest};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Response;

/// How a request that is not ours alone is answered.
pub(super) enum Relayed {
    /// By upstream's own response.
    Passed(Response),
    /// By upstream's answer as it is told here.
    Told(Reply),
}

/// What upstream answers.
struct Theirs {
    status: u16,
    headers: String,
    text: String,
}

impl Theirs {
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
    ) -> Result<Option<Relayed>, Refusal> {
        let upstreams = settings::upstreams(self.env)?;
        if upstreams.is_empty() {
            return Ok(None);
        }
        let keyring = settings::keyring(self.env)?;
        let credential = bearer(self.head.authorization()).unwrap_or("");
        let known = keyring.by_secret(credential);
        let upstream = match known {
            Some(environment) => upstreams.of(&environment.id),
            None => upstreams.sole(),
        };
        let Some(upstream) = upstream else {
            return Ok(None);
        };
        let is_jwt = credential.matches('.').count() == 2;
        match (endpoint, self.head.method()) {
            (Some(Endpoint::Tokens), "POST") => {
                let reply = self.create_upstream(upstream, known).await?;
                Ok(Some(Relayed::Told(reply)))
            }
            (Some(Endpoint::Tokens), "GET") => {
                Ok(Some(Relayed::Told(self.ask_upstream(upstream).await?)))
            }
            // A key that only upstream knows.
            (Some(Endpoint::Token { .. }), "GET")
                if known.is_none() && !is_jwt && !credential.is_empty() =>
            {
                Ok(Some(Relayed::Told(self.ask_upstream(upstream).await?)))
            }
            (Some(Endpoint::RunWait { .. } | Endpoint::Claims), _) => self.pass(upstream).await,
            (Some(Endpoint::Callback { id, credential }), "POST")
                if !credential.contains('.')
                    && keyring.link_reader(id, credential, self.now).is_err() =>
            {
                self.pass(upstream).await
            }
            (None, _) if is_of_an_api(self.head.path()) => self.pass(upstream).await,
            _ => Ok(None),
        }
    }

    async fn pass(&self, upstream: &str) -> Result<Option<Relayed>, Refusal> {
        let response = platform::pass(self.request, &self.at(upstream)).await;
        let response = response.map_err(trouble)?.dyn_into().map_err(trouble)?;
        Ok(Some(Relayed::Passed(response)))
    }

    /// This request's own URL, there.
    fn at(&self, upstream: &str) -> String {
        format!("{upstream}{}{}", self.head.path(), self.head.query())
    }

    async fn ask_upstream(&self, upstream: &str) -> Result<Reply, Refusal> {
        let theirs = self.relay(&self.at(upstream), "", None).await?;
        Ok(theirs.into_reply(self.head.origin()))
    }

    async fn relay(
        &self,
        url: &str,
        bearer: &str,
        body: Option<Uint8Array>,
    ) -> Result<Theirs, Refusal> {
        let answer = platform::relay(Some(self.request), url, bearer, body).await;
        read(&answer.map_err(trouble)?).ok_or(Refusal::UpstreamTrouble)
    }

    /// Creates a token upstream. What upstream does not know of it is kept here.
    async fn create_upstream(
        &self,
        upstream: &str,
        known: Option<&'static Environment>,
    ) -> Result<Reply, Refusal> {
        let body = body(self.request, self.head, wire::MAX_CREATE).await?;
        let extras = Extras::of(&body);
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
        let theirs = self.relay(&self.at(upstream), "", Some(bytes)).await?;
        if let (200, Some((environment, webhook))) = (theirs.status, extra) {
            let id = created_id(&theirs.text).ok_or(Refusal::UpstreamTrouble)?;
            // What it cannot read of a timeout it takes for none.
            let timeout_at = CreateRequest::parse(&body, self.now)
                .ok()
                .and_then(|request| request.timeout_at);
            let token = Token {
                approval: extras.approval,
                webhook,
                timeout_at,
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

    /// The token as both sides have it.
    pub(super) async fn read_upstream(
        &self,
        environment: &Environment,
        internal: &str,
        upstream: &str,
    ) -> Result<Token, Refusal> {
        let ours = self.kept(environment, internal).await?;
        let theirs = self.theirs(environment, internal, upstream).await;
        self.both(ours, theirs).map(|(token, _)| token)
    }

    /// The token as this caller may see it now.
    pub(super) async fn told_upstream(
        &self,
        caller: Caller<'_>,
        internal: &str,
        upstream: &str,
    ) -> Result<Reply, Refusal> {
        let environment = caller.environment();
        let ours = self.kept(environment, internal).await?;
        let theirs = self.theirs(environment, internal, upstream).await;
        match (ours, theirs, &caller) {
            // Nothing is known here: its owner gets what upstream says, errors and limits too.
            (None, Ok(theirs), Caller::Secret(_)) => Ok(theirs.into_reply(self.head.origin())),
            (ours, theirs, _) => {
                let (token, source) = self.both(ours, theirs)?;
                let reply = self.shown(&caller, internal, &token);
                Ok(reply.with("waitpoint-source", source))
            }
        }
    }

    /// The token of both sides, and which of them says how it stands.
    fn both(
        &self,
        ours: Option<Token>,
        theirs: Result<Theirs, Refusal>,
    ) -> Result<(Token, &'static str), Refusal> {
        let theirs = match theirs {
            Ok(theirs) if theirs.status == 200 => {
                Ok(read_token(&theirs.text, self.head.origin()).ok_or(Refusal::UpstreamTrouble)?)
            }
            // trigger.dev says 500 of a token that it does not know.
            Ok(theirs) if matches!(theirs.status, 404 | 500) => Err(Refusal::UnknownToken),
            Ok(_) => Err(Refusal::UpstreamTrouble),
            Err(refusal) => Err(refusal),
        };
        match (ours, theirs) {
            (None, Ok(theirs)) => Ok((theirs, "upstream")),
            (None, Err(refusal)) => Err(refusal),
            (Some(ours), theirs) => {
                let is_ours = matches!(ours.state, State::Completed { .. });
                match theirs {
                    Ok(theirs) => Ok((
                        merge(ours, theirs),
                        if is_ours { "edge" } else { "upstream" },
                    )),
                    // What was decided or asked here is known without upstream.
                    Err(refusal) if ours.state == State::Waiting && ours.approval.is_none() => {
                        Err(refusal)
                    }
                    Err(_) => Ok((ours, "edge")),
                }
            }
        }
    }

    /// What is kept of it here.
    async fn kept(
        &self,
        environment: &Environment,
        internal: &str,
    ) -> Result<Option<Token>, Refusal> {
        match self.send(environment, internal, &Command::Read, "").await? {
            Answer::Found(token) => Ok(Some(token)),
            _ => Ok(None),
        }
    }

    async fn theirs(
        &self,
        environment: &Environment,
        internal: &str,
        upstream: &str,
    ) -> Result<Theirs, Refusal> {
        let url = format!("{upstream}/api/v1/waitpoints/tokens/waitpoint_{internal}");
        self.relay(&url, environment.secret(), None).await
    }

    /// Lets the token's object know of a token that somebody waits for, as it will ask for its end.
    pub(super) async fn learn(
        &self,
        environment: &Environment,
        internal: &str,
        upstream: &str,
    ) -> Result<(), Refusal> {
        let ours = self.kept(environment, internal).await?;
        let is_known = ours.is_some();
        let theirs = self.theirs(environment, internal, upstream).await;
        let token = match self.both(ours, theirs) {
            Ok((token, _)) => token,
            // It will ask again.
            Err(Refusal::UpstreamTrouble) if is_known => return Ok(()),
            Err(refusal) => return Err(refusal),
        };
        let (record, text) = Record::of(&token);
        self.send(environment, internal, &Command::Learn(record), text)
            .await
            .map(|_| ())
    }
}

/// Whether a path that is none of ours may be one of upstream's API.
fn is_of_an_api(path: &str) -> bool {
    ["/api/", "/engine/", "/realtime/"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

fn trouble(why: JsValue) -> Refusal {
    platform::error("upstream did not answer", &why);
    Refusal::UpstreamTrouble
}

fn read(answer: &JsValue) -> Option<Theirs> {
    let parts: &Array = answer.dyn_ref()?;
    Some(Theirs {
        status: parts.get(0).as_f64()? as u16,
        headers: parts.get(1).as_string()?,
        text: parts.get(2).as_string()?,
    })
}
