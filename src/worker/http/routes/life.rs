//! Cancel and extend: what a token's owner may still do while it waits.

use crate::domain::api::error::ApiError;
use crate::domain::api::life::{
    parse_cancel, parse_extend, unknown_key_of_cancel, unknown_key_of_extend,
};
use crate::domain::api::limits::MAX_CREATE;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::auth::keyring::Environment;
use crate::domain::auth::token_id::{internal_id, public_id};
use crate::domain::stored::envelope::ResponseContext;
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::worker::http::authenticate::authenticate_secret;
use crate::worker::http::body::body;
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::{enforce, limit_unknown_credentials};
use crate::worker::http::response::{Reply, unknown_field_hint};
use crate::worker::http::token_object::send;
use crate::worker::http::upstream_token::upstream_of;
use crate::worker::objects::token::response::{links, with_jwt};
use crate::worker::settings;

/// Withdraws a token.
pub(crate) async fn cancel(context: &RequestContext<'_>, raw_id: &str) -> Result<Reply, ApiError> {
    let environment = owner(context).await?;
    let body = body(context.request, context.head, MAX_CREATE).await?;
    let command = CommandMessage::Cancel(parse_cancel(&body)?);
    let hint = unknown_key_of_cancel(&body);
    match command_token(context, environment, raw_id, &command).await? {
        TokenReply::Decided(outcome) => {
            let context = ResponseContext {
                hint: hint.as_deref().map(unknown_field_hint),
                ..ResponseContext::default()
            };
            Ok(context.render_outcome(outcome, None))
        }
        _ => Err(ApiError::TokenNotFound),
    }
}

/// Moves the timeout of a token.
pub(crate) async fn extend(context: &RequestContext<'_>, raw_id: &str) -> Result<Reply, ApiError> {
    let environment = owner(context).await?;
    let body = body(context.request, context.head, MAX_CREATE).await?;
    let timeout_at = parse_extend(&body, context.now)?;
    let command = CommandMessage::Extend(timeout_at.as_millis());
    let token = match command_token(context, environment, raw_id, &command).await? {
        TokenReply::Found(token) => token,
        TokenReply::Decided(outcome) => return Err(ApiError::TokenEnded(outcome)),
        _ => return Err(ApiError::TokenNotFound),
    };
    let id = internal_id(raw_id).ok_or(ApiError::TokenNotFound)?;
    let origin = context.link_origin(environment);
    let jwt = links(origin, environment, id, &token, context.now).into_jwt(
        environment,
        &public_id(id),
        &token,
        context.now,
    );
    // `If-None-Match` is not asked: it is for reads.
    let response_context = ResponseContext {
        origin: origin.into(),
        ..ResponseContext::default()
    };
    let reply = response_context.render(&token, environment, id, context.now);
    let reply = with_jwt(reply, environment, &jwt);
    Ok(match unknown_key_of_extend(&body).as_deref() {
        Some(key) => reply.with("waitpoint-hint", &unknown_field_hint(key)),
        None => reply,
    })
}

/// The environment whose secret key is in the `Authorization` header.
async fn owner(context: &RequestContext<'_>) -> Result<&'static Environment, ApiError> {
    match authenticate_secret(context) {
        // A key that only upstream may know. Upstream is not asked, but such keys are counted as if it
        // were.
        Err(ApiError::InvalidApiKey) if settings::keyring(context.env)?.is_upstream() => {
            limit_unknown_credentials(context).await?;
            Err(ApiError::NotSupportedUpstream)
        }
        environment => environment,
    }
}

async fn command_token(
    context: &RequestContext<'_>,
    environment: &Environment,
    raw_id: &str,
    command: &CommandMessage,
) -> Result<TokenReply, ApiError> {
    let permit = enforce(context, RateLimitKey::Environment(&environment.id)).await?;
    let id = internal_id(raw_id).ok_or(ApiError::TokenNotFound)?;
    match send(context, &permit, environment, id, command, "").await? {
        TokenReply::LivesUpstream => Err(ApiError::NotSupportedUpstream),
        // Nothing is stored here of most tokens that live upstream.
        TokenReply::NotFound if upstream_of(context, environment)?.is_some() => {
            Err(ApiError::NotSupportedUpstream)
        }
        reply => Ok(reply),
    }
}
