//! Cancel and extend: what a token's owner may still do while it waits.

use crate::domain::api::error::ApiError;
use crate::domain::api::life::{
    parse_cancel, parse_extend, unknown_key_of_cancel, unknown_key_of_extend,
};
use crate::domain::api::limits::MAX_CREATE;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::api::token_body::{Visibility, owned_token_json};
use crate::domain::auth::keyring::Environment;
use crate::domain::auth::token_id::{internal_id, public_id};
use crate::domain::stored::envelope::ResponseContext;
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::worker::http::authenticate::authenticate_secret;
use crate::worker::http::body::body;
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::enforce;
use crate::worker::http::response::{Reply, unknown_field_hint};
use crate::worker::http::token_object::send;
use crate::worker::http::upstream_token::upstream_of;
use crate::worker::objects::token::response::{etag, links_since, with_jwt};

/// Withdraws a token.
pub(crate) async fn cancel(context: &RequestContext<'_>, raw_id: &str) -> Result<Reply, ApiError> {
    let environment = authenticate_secret(context)?;
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
    let environment = authenticate_secret(context)?;
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
    // Not those of the creation, which may expire before the new timeout.
    let links = links_since(context.now, origin, environment, id, &token, context.now);
    let public = public_id(id);
    let extended = owned_token_json(
        &public,
        &links.url,
        &links.short_url,
        &links.approvers,
        &token,
    );
    let jwt = links.into_jwt(environment, &public, &token);
    let reply = with_jwt(Reply::private_json(extended), environment, &jwt)
        .with("etag", &etag(&token, Visibility::Owner))
        .with("vary", "Authorization");
    Ok(match unknown_key_of_extend(&body).as_deref() {
        Some(key) => reply.with("waitpoint-hint", &unknown_field_hint(key)),
        None => reply,
    })
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
