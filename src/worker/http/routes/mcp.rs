//! `/mcp`: agents ask people, by the Model Context Protocol. Each POST is one message.
//!
//! Invariant: a key of `AGENT_KEYS` reads and withdraws what agents have asked, and decides nothing.

use crate::domain::api::create::CreateRequest;
use crate::domain::api::error::ApiError;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::api::route::token_url;
use crate::domain::auth::authenticate::bearer;
use crate::domain::auth::keyring::Environment;
use crate::domain::auth::token_id::{internal_id, public_id};
use crate::domain::list::cursor::Cursor;
use crate::domain::list::query::ListQuery;
use crate::domain::mcp::ask::{AGENT_TAG, Question};
use crate::domain::mcp::client::{Client, McpHeaders, negotiated};
use crate::domain::mcp::message::{
    self, INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, Message, Request,
    RpcError,
};
use crate::domain::mcp::outcome;
use crate::domain::mcp::tools::{self, ToolCall};
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::domain::token::{State, Token};
use crate::worker::events::{Aborted, FirstEvent};
use crate::worker::http::body::{body, drain};
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::{Permit, enforce};
use crate::worker::http::request::{Head, header};
use crate::worker::http::response::{HandlerResponse, Reply};
use crate::worker::http::routes::create::create_token;
use crate::worker::http::routes::wait_events::{close, text_stream};
use crate::worker::http::token_object::{self, send, unavailable};
use crate::worker::http::upstream_token::upstream_of;
use crate::worker::objects::index;
use crate::worker::objects::token::response::links;
use crate::worker::objects::token::waiters::{Waiter, WaiterKind};
use crate::worker::settings;
use futures_util::future::{Either, select};
use futures_util::stream;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;
use wasm_bindgen::JsValue;
use worker::{Delay, Env, WebSocket};

/// The largest message, in bytes.
const MAX_MESSAGE: usize = 1024 * 1024;
/// How long a call is held for a decision: many clients give up after 60 seconds.
const WAIT: Duration = Duration::from_secs(25);
/// How often a client that waits hears that nobody has decided yet.
const PROGRESS_EVERY: Duration = Duration::from_secs(5);
/// How many questions a page of `list_waiting` has.
const PAGE: usize = 20;

/// Who calls.
#[derive(Clone, Copy)]
struct Agent {
    environment: &'static Environment,
    /// Whether it has a secret key, and not one of `AGENT_KEYS`.
    is_owner: bool,
}

/// Why a call has no result.
enum Failed {
    /// The agent can mend it: a result that says how.
    Told(String),
    /// The protocol, or this server, failed.
    Rpc(RpcError),
}

pub(crate) async fn mcp(context: &RequestContext<'_>) -> Result<HandlerResponse, ApiError> {
    let origin = context.head.cors_origin();
    let agent = authenticate(context)?;
    let own = context.link_origin(agent.environment);
    if !origin.is_empty() && origin != context.head.origin() && origin != own {
        drain(context.request).await;
        let error = RpcError::new(
            403,
            INVALID_REQUEST,
            "Web pages of other origins may not call this.",
        );
        return Ok(error_reply(&error).into());
    }
    if upstream_of(context, agent.environment)?.is_some() {
        return Err(ApiError::NotSupportedUpstream);
    }
    let body = match body(context.request, context.head, MAX_MESSAGE).await {
        Ok(body) => body,
        Err(error) => {
            drain(context.request).await;
            let status = error.status();
            return Ok(
                error_reply(&RpcError::new(status, INVALID_REQUEST, error.to_string())).into(),
            );
        }
    };
    match answer(context, agent, &body).await {
        Ok(response) => Ok(response),
        Err(error) => Ok(error_reply(&error).into()),
    }
}

fn authenticate(context: &RequestContext<'_>) -> Result<Agent, ApiError> {
    let key = bearer(context.head.authorization()).ok_or(ApiError::MissingAuthorization)?;
    let keyring = settings::keyring(context.env)?;
    let agents = settings::agent_keys(context.env)?;
    let of_agent = agents.environment_of(key).and_then(|id| keyring.by_id(id));
    let environment = of_agent.or_else(|| keyring.by_secret(key));
    Ok(Agent {
        environment: environment.ok_or(ApiError::InvalidApiKey)?,
        is_owner: of_agent.is_none(),
    })
}

fn error_reply(error: &RpcError) -> Reply {
    Reply::json(error.status, error.to_json())
}

async fn answer(
    context: &RequestContext<'_>,
    agent: Agent,
    body: &[u8],
) -> Result<HandlerResponse, RpcError> {
    let request = match message::parse(body)? {
        Message::Request(request) => request,
        Message::Notification => return Ok(Reply::empty(202).into()),
    };
    let (version, method, name) = (
        header(context.request, "mcp-protocol-version"),
        header(context.request, "mcp-method"),
        header(context.request, "mcp-name"),
    );
    let headers = McpHeaders {
        version: &version,
        method: &method,
        name: &name,
    };
    let client = Client::of(&request, headers).map_err(|error| error.of(&request))?;
    let call = Call {
        context,
        agent,
        client,
        request: &request,
    };
    call.answer().await.map_err(|error| {
        let error = error.of(&request);
        match call.client.is_modern {
            true => error,
            // Clients of earlier revisions read the errors of no other status.
            false => RpcError {
                status: 200,
                ..error
            },
        }
    })
}

/// A request that is being answered.
struct Call<'a> {
    context: &'a RequestContext<'a>,
    agent: Agent,
    client: Client,
    request: &'a Request<'a>,
}

impl Call<'_> {
    async fn answer(&self) -> Result<HandlerResponse, RpcError> {
        let is_modern = self.client.is_modern;
        let result = match self.request.method.as_str() {
            "tools/call" => return self.call_tool().await,
            "tools/list" => outcome::listed(&self.client, &tools::definitions()),
            "initialize" if !is_modern => {
                let asked: Option<String> = self.param("protocolVersion");
                outcome::initialized(negotiated(&asked.unwrap_or_default()))
            }
            "ping" if !is_modern => "{}".to_owned(),
            "server/discover" if is_modern => outcome::discovered(),
            "tasks/get" | "tasks/update" | "tasks/cancel" if is_modern => self.task().await?,
            _ => {
                let message = "This server has no such method. It has tools alone.";
                return Err(RpcError::new(404, METHOD_NOT_FOUND, message));
            }
        };
        Ok(self.reply(&result))
    }

    fn reply(&self, result: &str) -> HandlerResponse {
        Reply::json(200, message::response(self.request.id, result)).into()
    }

    /// A parameter, if it has this type.
    fn param<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Option<T> {
        let params = self.request.params.map_or("{}", RawValue::get);
        let fields = crate::domain::json::entries(params)?;
        let (_, value) = fields.into_iter().find(|(one, _)| one == name)?;
        serde_json::from_str(value.get()).ok()
    }

    /// `tasks/get`, `tasks/update` and `tasks/cancel`. A task is a token.
    async fn task(&self) -> Result<String, RpcError> {
        if !self.client.has_tasks {
            let data =
                r#"{"requiredCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}}"#;
            return Err(RpcError {
                data: Some(data.to_owned()),
                ..RpcError::new(400, -32_021, "Missing required client capability")
            });
        }
        let id: Option<String> = self.param("taskId");
        let id = id.unwrap_or_default();
        let unknown = || RpcError::new(200, INVALID_PARAMS, "There is no such task.");
        let permit = self.permit().await.map_err(|error| rpc(&error))?;
        let token = match self.read(&permit, &id).await {
            Ok(token) => token,
            Err(ApiError::TokenNotFound) => return Err(unknown()),
            Err(error) => return Err(rpc(&error)),
        };
        Ok(match self.request.method.as_str() {
            "tasks/cancel" => {
                self.withdraw(&permit, &id, None)
                    .await
                    .map_err(|error| rpc(&error))?;
                outcome::complete("")
            }
            "tasks/update" => outcome::complete(""),
            _ => outcome::complete(&self.task_fields(&id, &token)),
        })
    }

    fn task_fields(&self, id: &str, token: &Token) -> String {
        let id = public(id);
        let decision = outcome::decision_json(&id, token, None);
        let retention = settings::retention(self.context.env);
        outcome::task_fields(&id, token, retention, &decision)
    }

    async fn call_tool(&self) -> Result<HandlerResponse, RpcError> {
        let name: String = self.param("name").unwrap_or_default();
        let arguments: Option<Box<RawValue>> = self.param("arguments");
        let arguments = arguments.as_ref().map_or("{}", |raw| raw.get());
        if !tools::is_tool(&name) {
            let why = tools::parse(&name, "{}").err().unwrap_or_default();
            return Err(RpcError::new(200, INVALID_PARAMS, why));
        }
        let called = match tools::parse(&name, arguments) {
            Err(why) => Err(Failed::Told(why)),
            Ok(ToolCall::AskHuman(arguments)) => self.ask(&arguments).await,
            Ok(ToolCall::CheckDecision { id }) => self.check(&id).await,
            Ok(ToolCall::Cancel { id, reason }) => self.cancel(&id, reason).await,
            Ok(ToolCall::ListWaiting { cursor }) => self.list(cursor.as_deref()).await,
        };
        match called {
            Ok(response) => Ok(response),
            Err(Failed::Told(why)) => Ok(self.reply(&outcome::failed(&self.client, &why))),
            Err(Failed::Rpc(error)) => Err(error),
        }
    }

    async fn ask(&self, arguments: &str) -> Result<HandlerResponse, Failed> {
        let (context, environment) = (self.context, self.agent.environment);
        let question = Question::parse(arguments).map_err(Failed::Told)?;
        let request = CreateRequest::parse_bounded(question.body.as_bytes(), context.now);
        let request = request.map_err(|error| failed(&error))?;
        let created = create_token(context, environment, request, "").await;
        let created = created.map_err(|error| failed(&error))?;
        if !self.sees(&created.token) {
            return Err(Failed::Told(
                "This idempotencyKey belongs to a token that no agent has asked. Use another one."
                    .to_owned(),
            ));
        }
        let links = question.returns_link.then(|| {
            let origin = context.link_origin(environment);
            links(
                origin,
                environment,
                &created.id,
                &created.token,
                context.now,
            )
        });
        let link = links.map(|links| links.short_url);
        if created.token.state == State::Waiting && self.client.has_tasks {
            let fields = self.task_fields(&created.id, &created.token);
            return Ok(self.reply(&outcome::task_created(&fields)));
        }
        self.wait(created.id, created.token, link).await
    }

    async fn check(&self, id: &str) -> Result<HandlerResponse, Failed> {
        let permit = self.permit().await.map_err(|error| failed(&error))?;
        let token = self
            .read(&permit, id)
            .await
            .map_err(|error| failed(&error))?;
        let id = internal_id(id).unwrap_or_default().to_owned();
        self.wait(id, token, None).await
    }

    async fn cancel(&self, id: &str, reason: Option<String>) -> Result<HandlerResponse, Failed> {
        let permit = self.permit().await.map_err(|error| failed(&error))?;
        self.read(&permit, id)
            .await
            .map_err(|error| failed(&error))?;
        let reason = reason
            .as_deref()
            .map_or(Ok(None), crate::domain::api::life::read_reason);
        let reason = reason.map_err(|length| {
            Failed::Told(format!("reason has {length} characters. Use at most 500."))
        })?;
        self.withdraw(&permit, id, reason)
            .await
            .map_err(|error| failed(&error))?;
        let token = self
            .read(&permit, id)
            .await
            .map_err(|error| failed(&error))?;
        let decision = outcome::decision_json(&public(id), &token, None);
        Ok(self.reply(&outcome::called(&self.client, &decision)))
    }

    async fn list(&self, cursor: Option<&str>) -> Result<HandlerResponse, Failed> {
        let (context, environment) = (self.context, self.agent.environment);
        let mut text = format!("page[size]={PAGE}&filter[status]=WAITING");
        if !self.agent.is_owner {
            text += &format!("&filter[tags]={AGENT_TAG}");
        }
        if let Some(cursor) = cursor {
            let cursor = Cursor::parse(cursor).ok_or_else(|| {
                Failed::Told("cursor is not the nextCursor of an earlier page.".to_owned())
            })?;
            text += &format!("&page[after]={}", cursor.to_text());
        }
        let query = ListQuery::parse(&text, context.now).map_err(|error| failed(&error))?;
        let permit = self.permit().await.map_err(|error| failed(&error))?;
        let id = &environment.id;
        let rows = index::rows(&permit, context.env, id, &query, &text, context.now).await;
        let rows = rows.map_err(|why| failed(&unavailable("the index did not answer", &why)))?;
        let waiting = outcome::waiting_json(&query.page(rows));
        Ok(self.reply(&outcome::called(&self.client, &waiting)))
    }

    /// Answers with the decision, or after a while that there is none yet.
    async fn wait(
        &self,
        id: String,
        token: Token,
        link: Option<String>,
    ) -> Result<HandlerResponse, Failed> {
        let context = self.context;
        let decision = |token: &Token| {
            let json = outcome::decision_json(&public_id(&id), token, link.as_deref());
            self.reply(&outcome::called(&self.client, &json))
        };
        // Whoever is to show the link must have it first.
        if token.state != State::Waiting || link.is_some() {
            return Ok(decision(&token));
        }
        let permit = self.permit().await.map_err(|error| failed(&error))?;
        let environment = self.agent.environment;
        let waiter = Waiter {
            url: token_url(context.link_origin(environment), &id),
            kind: WaiterKind::End,
        };
        let socket = token_object::wait(context, &permit, environment, &id, &waiter).await;
        let socket = match socket {
            Ok(socket) => socket,
            Err(ApiError::TokenNotFound) => return Ok(decision(&token)),
            Err(error) => return Err(failed(&error)),
        };
        let accepts_events = header(context.request, "accept").contains("text/event-stream");
        if let (Some(progress_token), true) = (self.client.progress_token.clone(), accepts_events) {
            let waiting = Waiting {
                env: context.env.clone(),
                request: Clone::clone(context.request),
                agent: self.agent,
                client: self.client.clone(),
                rpc_id: self.request.id.to_owned(),
                progress_token,
                id,
                token: Some(token),
                closed: FirstEvent::of(socket.as_ref(), &["close", "error"]).map_err(no_waiter)?,
                waited: Duration::ZERO,
                socket,
            };
            waiting.socket.accept().map_err(no_waiter)?;
            let texts = Box::pin(stream::unfold(waiting, Waiting::next));
            let stream = text_stream(texts, &context.request.signal()).map_err(no_waiter)?;
            // Proxies are to pass each notice on at once.
            let reply = Reply::events(stream).with_fixed("x-accel-buffering", "no");
            return Ok(reply.into());
        }
        let left = Aborted::of(context.request.signal()).map_err(no_waiter)?;
        let closed = FirstEvent::of(socket.as_ref(), &["close", "error"]).map_err(no_waiter)?;
        socket.accept().map_err(no_waiter)?;
        select(closed, select(Delay::from(WAIT), left)).await;
        close(&socket);
        let token = self
            .read(&permit, &id)
            .await
            .map_err(|error| failed(&error))?;
        Ok(decision(&token))
    }

    fn sees(&self, token: &Token) -> bool {
        sees(self.agent, token)
    }

    async fn permit(&self) -> Result<Permit, ApiError> {
        let limit = RateLimitKey::Environment(&self.agent.environment.id);
        enforce(self.context, limit).await
    }

    async fn read(&self, permit: &Permit, id: &str) -> Result<Token, ApiError> {
        read(self.context, permit, self.agent, id).await
    }

    async fn withdraw(
        &self,
        permit: &Permit,
        id: &str,
        reason: Option<String>,
    ) -> Result<(), ApiError> {
        let id = internal_id(id).ok_or(ApiError::TokenNotFound)?;
        let command = CommandMessage::Cancel(reason);
        let environment = self.agent.environment;
        send(self.context, permit, environment, id, &command, "").await?;
        Ok(())
    }
}

/// Whether an agent may know of a token.
fn sees(agent: Agent, token: &Token) -> bool {
    agent.is_owner || token.tags.iter().any(|tag| tag == AGENT_TAG)
}

async fn read(
    context: &RequestContext<'_>,
    permit: &Permit,
    agent: Agent,
    id: &str,
) -> Result<Token, ApiError> {
    let id = internal_id(id).ok_or(ApiError::TokenNotFound)?;
    let command = CommandMessage::Read;
    match send(context, permit, agent.environment, id, &command, "").await? {
        TokenReply::Found(token) if sees(agent, &token) => Ok(token),
        _ => Err(ApiError::TokenNotFound),
    }
}

fn public(id: &str) -> String {
    public_id(internal_id(id).unwrap_or_default())
}

/// What the agent can mend is told; what it cannot is an error of the protocol.
fn failed(error: &ApiError) -> Failed {
    match error {
        ApiError::TokenNotFound => Failed::Told(
            "There is no such question, or it was deleted. Use an id that ask_human returned."
                .to_owned(),
        ),
        error if error.status() < 500 && !matches!(error, ApiError::TooManyRequests(_)) => {
            Failed::Told(error.to_string())
        }
        error => Failed::Rpc(rpc(error)),
    }
}

fn rpc(error: &ApiError) -> RpcError {
    RpcError::new(error.status(), INTERNAL_ERROR, error.to_string())
}

fn no_waiter(why: impl Into<JsValue>) -> Failed {
    failed(&unavailable("a token's object took no waiter", &why.into()))
}

/// A call that waits for a decision, and tells its client so.
struct Waiting {
    env: Env,
    request: web_sys::Request,
    agent: Agent,
    client: Client,
    rpc_id: String,
    progress_token: String,
    /// The internal id.
    id: String,
    /// `None` once the result was sent.
    token: Option<Token>,
    closed: FirstEvent,
    waited: Duration,
    socket: WebSocket,
}

impl Waiting {
    /// The next event, and the last one.
    async fn next(mut self) -> Option<(String, Self)> {
        let known = self.token.take()?;
        let tick = Delay::from(PROGRESS_EVERY);
        if let Either::Right(_) = select(&mut self.closed, tick).await {
            self.waited += PROGRESS_EVERY;
            if self.waited < WAIT {
                let text = message::progress(&self.progress_token, self.waited.as_secs());
                self.token = Some(known);
                return Some((message::event(&text), self));
            }
        }
        let head = Head::of(&self.request);
        let context = RequestContext::new(&self.request, &head, None, &self.env);
        let limit = RateLimitKey::Environment(&self.agent.environment.id);
        let token = match enforce(&context, limit).await {
            Ok(permit) => read(&context, &permit, self.agent, &self.id)
                .await
                .unwrap_or(known),
            Err(_) => known,
        };
        let decision = outcome::decision_json(&public_id(&self.id), &token, None);
        let result = outcome::called(&self.client, &decision);
        let text = message::event(&message::response(&self.rpc_id, &result));
        Some((text, self))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        close(&self.socket);
    }
}
