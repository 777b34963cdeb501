//! Calls of tools.

use super::{Call, public};
use crate::domain::api::create::CreateRequest;
use crate::domain::api::error::ApiError;
use crate::domain::auth::token_id::internal_id;
use crate::domain::list::cursor::Cursor;
use crate::domain::list::query::ListQuery;
use crate::domain::mcp::ask::{AGENT_TAG, Question};
use crate::domain::mcp::message::{INVALID_PARAMS, RpcError};
use crate::domain::mcp::outcome;
use crate::domain::mcp::tools::{self, ToolCall};
use crate::domain::token::State;
use crate::worker::http::response::HandlerResponse;
use crate::worker::http::routes::create::create_token;
use crate::worker::http::token_object::unavailable;
use crate::worker::objects::index;
use crate::worker::objects::token::response::links;

/// How many questions a page of `list_waiting` has.
const PAGE: usize = 20;

/// Why a call has no result.
pub(super) enum Failed {
    /// The agent can mend it: a result that says how.
    Told(String),
    /// The protocol, or this server, failed.
    Rpc(RpcError),
}

impl Call<'_> {
    pub(super) async fn call_tool(&self) -> Result<HandlerResponse, RpcError> {
        let name = self.param("name");
        let arguments = self.raw_param("arguments");
        let arguments = arguments.filter(|json| *json != "null").unwrap_or("{}");
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
        let question =
            Question::parse(arguments, self.agent.may_have_links).map_err(Failed::Told)?;
        let request = CreateRequest::parse_bounded(question.body.as_bytes(), context.now)?;
        let created = create_token(context, environment, request, "").await?;
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
        // A task has no place for the link before it ends.
        if created.token.state == State::Waiting && self.client.has_tasks && link.is_none() {
            let fields = self.task_fields(&created.id, &created.token);
            return Ok(self.reply(&outcome::task_created(&fields)));
        }
        self.wait(created.id, created.token, link).await
    }

    async fn check(&self, id: &str) -> Result<HandlerResponse, Failed> {
        let permit = self.permit().await?;
        let token = self.read(&permit, id).await?;
        let id = internal_id(id).unwrap_or_default().to_owned();
        self.wait(id, token, None).await
    }

    async fn cancel(&self, id: &str, reason: Option<String>) -> Result<HandlerResponse, Failed> {
        let permit = self.permit().await?;
        self.read(&permit, id).await?;
        let reason = reason
            .as_deref()
            .map_or(Ok(None), crate::domain::api::life::read_reason);
        let reason = reason.map_err(|length| {
            Failed::Told(format!("reason has {length} characters. Use at most 500."))
        })?;
        self.withdraw(&permit, id, reason).await?;
        let token = self.read(&permit, id).await?;
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
        let query = ListQuery::parse(&text, context.now)?;
        let permit = self.permit().await?;
        let id = &environment.id;
        let rows = index::rows(&permit, context.env, id, &query, &text, context.now).await;
        let rows = rows.map_err(|why| unavailable("the index did not answer", &why))?;
        let waiting = outcome::waiting_json(&query.page(rows));
        Ok(self.reply(&outcome::called(&self.client, &waiting)))
    }
}

/// What the agent can mend is told; what it cannot is an error of the protocol.
impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::TokenNotFound => Self::Told(
                "There is no such question, or it was deleted. Use an id that ask_human returned."
                    .to_owned(),
            ),
            error if error.status() < 500 => Self::Told(error.to_string()),
            error => Self::Rpc(error.into()),
        }
    }
}
