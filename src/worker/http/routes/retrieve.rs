//! Retrieve: the current state of a token.

use crate::domain::api::error::ApiError;
use crate::domain::auth::caller::Caller;
use crate::domain::auth::keyring::Environment;
use crate::domain::auth::token_id::internal_id;
use crate::domain::stored::envelope::ResponseContext;
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::domain::token::Token;
use crate::worker::http::authenticate::{authenticate, authenticate_for};
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::{Permit, enforce, reader_limit};
use crate::worker::http::response::HandlerResponse;
use crate::worker::http::token_object::{forward, name, response_context, send};
use crate::worker::http::upstream_token::{self, ReadFor, upstream_of};
use crate::worker::objects::call::envelope;

pub(crate) async fn retrieve(
    context: &RequestContext<'_>,
    raw_id: &str,
) -> Result<HandlerResponse, ApiError> {
    let authorization = context.head.authorization();
    let caller = authenticate_for(context, authenticate(context), authorization, raw_id).await?;
    if !caller.allows("read", raw_id) {
        return Err(ApiError::InsufficientScope);
    }
    let internal = internal_id(raw_id).ok_or(ApiError::TokenNotFound)?;
    let limit = reader_limit(&caller, context.head.authorization());
    let permit = enforce(context, limit).await?;
    token_response(context, &permit, caller, internal, None).await
}

/// The token as this caller may see it. `waited` is how many seconds the request was held, if the
/// client asked for that.
pub(crate) async fn token_response(
    context: &RequestContext<'_>,
    permit: &Permit,
    caller: Caller<'_>,
    internal: &str,
    waited: Option<u32>,
) -> Result<HandlerResponse, ApiError> {
    let environment = caller.environment();
    if let Some(upstream) = upstream_of(context, environment)? {
        let reply = upstream_token::retrieve(context, permit, caller, internal, upstream).await?;
        return Ok(match waited {
            Some(seconds) => reply.with("preference-applied", &format!("wait={seconds}")),
            None => reply,
        }
        .into());
    }
    let response_context = ResponseContext {
        waited,
        ..response_context(context, &caller)
    };
    let envelope = envelope(&CommandMessage::Read, Some(response_context), "");
    let name = name(environment, internal);
    let response = forward(context, permit, &name, envelope).await?;
    Ok(HandlerResponse::Forwarded(response))
}

/// The current state of the token, without a long output.
pub(crate) async fn read_token(
    context: &RequestContext<'_>,
    permit: &Permit,
    environment: &Environment,
    internal: &str,
    purpose: ReadFor,
) -> Result<Token, ApiError> {
    if let Some(upstream) = upstream_of(context, environment)? {
        return upstream_token::read(context, permit, environment, internal, upstream, purpose)
            .await;
    }
    let command = CommandMessage::ReadForPage;
    match send(context, permit, environment, internal, &command, "").await? {
        TokenReply::Found(token) => Ok(token),
        _ => Err(ApiError::TokenNotFound),
    }
}
