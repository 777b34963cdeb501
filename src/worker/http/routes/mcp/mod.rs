//! `/mcp`: agents ask people, by the Model Context Protocol. Each POST is one message.
//!
//! Invariant: a key of `AGENT_KEYS` reads and withdraws what agents have asked, and decides nothing.

mod tools;
mod wait;

use crate::domain::api::error::ApiError;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::auth::authenticate::bearer;
use crate::domain::auth::keyring::Environment;
use crate::domain::auth::token_id::{internal_id, public_id};
use crate::domain::json::pick;
use crate::domain::mcp::ask::AGENT_TAG;
use crate::domain::mcp::client::{Client, McpHeaders, negotiated};
use crate::domain::mcp::message::{
    self, INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, Message, Request,
    RpcError,
};
use crate::domain::mcp::{outcome, tools as definitions};
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::domain::token::Token;
use crate::worker::http::body::{body, drain};
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::{Permit, enforce};
use crate::worker::http::request::header;
use crate::worker::http::response::{HandlerResponse, Reply};
use crate::worker::http::token_object::send;
use crate::worker::http::upstream_token::upstream_of;
use crate::worker::settings;

/// The largest message, in bytes.
const MAX_MESSAGE: usize = 1024 * 1024;

/// Who calls.
#[derive(Clone, Copy)]
struct Agent {
    environment: &'static Environment,
    /// Whether it has a secret key, and not one of `AGENT_KEYS`.
    is_owner: bool,
    /// Whether it may get the links of what it asks.
    may_have_links: bool,
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
        drain(context.request).await;
        let message = "Agents cannot ask in this environment: its tokens live at another API \
                       (UPSTREAM). Use a key of another environment.";
        return Ok(error_reply(&RpcError::new(501, INTERNAL_ERROR, message)).into());
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
        may_have_links: of_agent.is_none() || agents.may_have_links,
    })
}

fn error_reply(error: &RpcError) -> Reply {
    let reply = Reply::json(error.status, error.to_json());
    match error.status {
        429 => reply.with("retry-after", "10"),
        503 => reply.with("retry-after", "1"),
        _ => reply,
    }
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
            "tools/list" => outcome::listed(&self.client, &definitions::definitions()),
            "initialize" if !is_modern => {
                outcome::initialized(negotiated(&self.param("protocolVersion")))
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

    /// A parameter, as JSON text.
    fn raw_param(&self, name: &str) -> Option<&str> {
        let [value] = pick(self.request.params.unwrap_or("{}"), [name])?;
        value
    }

    /// A parameter that is a string, or `""`.
    fn param(&self, name: &str) -> String {
        let text = self.raw_param(name).map(serde_json::from_str);
        text.and_then(Result::ok).unwrap_or_default()
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
        let id = self.param("taskId");
        let unknown = || RpcError::new(200, INVALID_PARAMS, "There is no such task.");
        let permit = self.permit().await?;
        let token = match self.read(&permit, &id).await {
            Ok(token) => token,
            Err(ApiError::TokenNotFound) => return Err(unknown()),
            Err(error) => return Err(error.into()),
        };
        Ok(match self.request.method.as_str() {
            "tasks/cancel" => {
                self.withdraw(&permit, &id, None).await?;
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

impl From<ApiError> for RpcError {
    fn from(error: ApiError) -> Self {
        Self::new(error.status(), INTERNAL_ERROR, error.to_string())
    }
}
