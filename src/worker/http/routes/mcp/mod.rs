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
use crate::domain::mcp::ask::is_of_agent;
use crate::domain::mcp::client::{Client, McpHeaders, negotiated};
use crate::domain::mcp::message::{
    self, INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, Message, Request,
    RpcError,
};
use crate::domain::mcp::rights::Rights;
use crate::domain::mcp::{outcome, tools as definitions};
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::domain::token::Token;
use crate::domain::webhook::url::is_loopback_origin;
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
    /// Which of `AGENT_KEYS` it has; `None` if it has a secret key.
    key: Option<usize>,
    rights: Rights,
}

impl Agent {
    /// Whether it may know of a token.
    fn sees(self, token: &Token) -> bool {
        self.key.is_none() || is_of_agent(token)
    }

    fn limit(self) -> RateLimitKey<'static> {
        let environment = &self.environment.id;
        match self.key {
            Some(number) => RateLimitKey::Agent(environment, number),
            None => RateLimitKey::Environment(environment),
        }
    }
}

pub(crate) async fn mcp(context: &RequestContext<'_>) -> Result<HandlerResponse, ApiError> {
    if is_of_other_page(context)? {
        drain(context.request).await;
        let message = "Web pages of other origins may not call this.";
        return Ok(error_reply(&RpcError::new(403, INVALID_REQUEST, message)).into());
    }
    let agent = authenticate(context)?;
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
    match respond(context, agent, &body).await {
        Ok(response) => Ok(response),
        Err(error) => Ok(error_reply(&error).into()),
    }
}

/// Whether a web page of another origin calls. A name that leads here by DNS rebinding is no origin of
/// ours, so one without TLS must be a loopback one.
fn is_of_other_page(context: &RequestContext<'_>) -> Result<bool, ApiError> {
    let (origin, own) = (context.head.cors_origin(), context.head.origin());
    let is_own = origin == own && (own.starts_with("https://") || is_loopback_origin(own));
    let is_ours = origin.is_empty() || is_own;
    Ok(!is_ours && !settings::keyring(context.env)?.is_link_origin(origin))
}

fn authenticate(context: &RequestContext<'_>) -> Result<Agent, ApiError> {
    let key = bearer(context.head.authorization()).ok_or(ApiError::MissingAuthorization)?;
    let keyring = settings::keyring(context.env)?;
    let agents = settings::agent_keys(context.env)?;
    let mail = settings::mail(context.env)?;
    let Some((id, number)) = agents.find(key) else {
        return Ok(Agent {
            environment: keyring.by_secret(key).ok_or(ApiError::InvalidApiKey)?,
            key: None,
            rights: Rights {
                links: true,
                mail: true,
            },
        });
    };
    let environment = keyring.by_id(id).ok_or(ApiError::InvalidApiKey)?;
    let links = agents.may_have_links;
    // Mail of a local Worker stays on its machine.
    let is_local = is_loopback_origin(context.link_origin(environment));
    Ok(Agent {
        environment,
        key: Some(number),
        rights: Rights {
            links,
            mail: links || is_local || mail.has_domains(),
        },
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

async fn respond(
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
    if upstream_of(context, agent.environment)?.is_some() {
        let message = "Agents cannot ask in this environment: its tokens live at another API \
                       (UPSTREAM). Use a key of another environment.";
        return Err(RpcError::new(501, INTERNAL_ERROR, message).of(&request));
    }
    let call = Call {
        context,
        agent,
        client,
        request: &request,
    };
    call.respond().await.map_err(|error| {
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
    async fn respond(&self) -> Result<HandlerResponse, RpcError> {
        let is_modern = self.client.is_modern;
        let result = match self.request.method.as_str() {
            "tools/call" => return self.call_tool().await,
            "tools/list" => {
                let tools = definitions::definitions(self.agent.rights);
                outcome::list_result(&self.client, &tools)
            }
            "initialize" if !is_modern => {
                outcome::initialize_result(negotiated(&self.param("protocolVersion")))
            }
            "ping" if !is_modern => "{}".to_owned(),
            "server/discover" if is_modern => outcome::discover_result(),
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
        self.client.require_tasks()?;
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

    /// Counts a call.
    async fn permit(&self) -> Result<Permit, ApiError> {
        enforce(self.context, self.agent.limit()).await
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

async fn read(
    context: &RequestContext<'_>,
    permit: &Permit,
    agent: Agent,
    id: &str,
) -> Result<Token, ApiError> {
    let id = internal_id(id).ok_or(ApiError::TokenNotFound)?;
    let command = CommandMessage::Read;
    match send(context, permit, agent.environment, id, &command, "").await? {
        TokenReply::Found(token) if agent.sees(&token) => Ok(token),
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
