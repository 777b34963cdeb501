//! Calls of tools.

use super::{Call, public};
use crate::domain::api::error::ApiError;
use crate::domain::api::life::read_reason;
use crate::domain::auth::token_id::{internal_id, public_id};
use crate::domain::list::cursor::Cursor;
use crate::domain::list::query::ListQuery;
use crate::domain::mcp::ask::{AGENT_TAG, Question, check_same_question};
use crate::domain::mcp::message::{INVALID_PARAMS, RpcError};
use crate::domain::mcp::outcome;
use crate::domain::mcp::tools::{self, ToolCall, ToolError};
use crate::domain::token::State;
use crate::worker::http::rate_limit::Permit;
use crate::worker::http::response::HandlerResponse;
use crate::worker::http::routes::create::{CreatedToken, create_token};
use crate::worker::http::routes::create_checks::recipient_problem;
use crate::worker::http::token_object::unavailable;
use crate::worker::objects::index;
use crate::worker::objects::token::response::links;
use crate::worker::settings;

/// How many questions a page of `list_waiting` has.
const PAGE: usize = 20;

/// Why a call has no result.
pub(super) enum Failed {
    /// The agent can mend it: a result that says how.
    Agent(String),
    /// The protocol, or this server, failed.
    Rpc(RpcError),
}

impl Call<'_> {
    pub(super) async fn call_tool(&self) -> Result<HandlerResponse, RpcError> {
        let name = self.param("name");
        let arguments = self.raw_param("arguments");
        let arguments = arguments.filter(|json| *json != "null").unwrap_or("{}");
        let call = match tools::parse(&name, arguments) {
            Ok(call) => call,
            Err(ToolError::Unknown(why)) => return Err(RpcError::new(200, INVALID_PARAMS, why)),
            Err(ToolError::Arguments(why)) => return Ok(self.failed_call(&why)),
        };
        match self.carry_out(call).await {
            Ok(response) => Ok(response),
            Err(Failed::Agent(why)) => Ok(self.failed_call(&why)),
            Err(Failed::Rpc(error)) => Err(error),
        }
    }

    fn failed_call(&self, why: &str) -> HandlerResponse {
        self.reply(&outcome::failed_call(&self.client, why))
    }

    async fn carry_out(&self, call: ToolCall) -> Result<HandlerResponse, Failed> {
        let permit = self.permit().await?;
        match call {
            ToolCall::AskHuman(arguments) => self.ask(permit, &arguments).await,
            ToolCall::CheckDecision { id } => {
                let token = self.read(&permit, &id).await?;
                let id = internal_id(&id).unwrap_or_default().to_owned();
                self.wait(permit, id, token).await
            }
            ToolCall::Cancel { id, reason } => self.cancel(&permit, &id, reason).await,
            ToolCall::ListWaiting { cursor } => self.list(&permit, cursor.as_deref()).await,
        }
    }

    async fn ask(&self, permit: Permit, arguments: &str) -> Result<HandlerResponse, Failed> {
        let (context, environment) = (self.context, self.agent.environment);
        let question = Question::parse(arguments, self.agent.rights, context.now);
        let question = question.map_err(Failed::Agent)?;
        for recipient in &question.recipients {
            if let Some(problem) = recipient_problem(context, environment, recipient)? {
                let channels: Vec<_> = settings::channels(context.env)?.names().collect();
                return Err(Failed::Agent(problem.for_agent(&channels.join(", "))));
            }
        }
        let asked = question.request.approval.clone();
        let created = create_token(context, environment, question.request, "").await?;
        let CreatedToken { id, token, .. } = created;
        check_same_question(asked.as_deref(), &id, &token).map_err(Failed::Agent)?;
        if token.state == State::Waiting && question.returns_link {
            // An agent needs the link before anybody can decide, to show it, so this is neither a task
            // nor a wait.
            let origin = context.link_origin(environment);
            let links = links(origin, environment, &id, &token, context.now);
            let link = Some(links.short_url.as_str());
            let decision = outcome::decision_json(&public_id(&id), &token, link);
            return Ok(self.reply(&outcome::call_result(&self.client, &decision)));
        }
        if token.state == State::Waiting && self.client.has_tasks {
            let fields = self.task_fields(&id, &token);
            return Ok(self.reply(&outcome::task_result(&fields)));
        }
        self.wait(permit, id, token).await
    }

    async fn cancel(
        &self,
        permit: &Permit,
        id: &str,
        reason: Option<String>,
    ) -> Result<HandlerResponse, Failed> {
        self.read(permit, id).await?;
        let reason = reason.as_deref().map_or(Ok(None), read_reason);
        let reason = reason.map_err(|length| {
            Failed::Agent(format!("reason has {length} characters. Use at most 500."))
        })?;
        self.withdraw(permit, id, reason).await?;
        let token = self.read(permit, id).await?;
        let decision = outcome::decision_json(&public(id), &token, None);
        Ok(self.reply(&outcome::call_result(&self.client, &decision)))
    }

    async fn list(&self, permit: &Permit, cursor: Option<&str>) -> Result<HandlerResponse, Failed> {
        let (context, environment) = (self.context, self.agent.environment);
        let mut text = format!("page[size]={PAGE}&filter[status]=WAITING");
        if self.agent.key.is_some() {
            text += &format!("&filter[tags]={AGENT_TAG}");
        }
        if let Some(cursor) = cursor {
            let cursor = Cursor::parse(cursor).ok_or_else(|| {
                Failed::Agent("cursor is not the nextCursor of an earlier page.".to_owned())
            })?;
            text += &format!("&page[after]={}", cursor.to_text());
        }
        let query = ListQuery::parse(&text, context.now)?;
        let id = &environment.id;
        let page = index::list(permit, context.env, id, &query, &text, context.now).await;
        let page = page.map_err(|why| unavailable("the index did not answer", &why))?;
        let waiting = outcome::waiting_json(&page);
        Ok(self.reply(&outcome::call_result(&self.client, &waiting)))
    }
}

/// What the agent can mend is told; what it cannot is an error of the protocol.
impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::TokenNotFound => Self::Agent(
                "There is no such question, or it was deleted. Use an id that ask_human returned."
                    .to_owned(),
            ),
            error if error.status() < 500 => Self::Agent(error.to_string()),
            error => Self::Rpc(error.into()),
        }
    }
}
