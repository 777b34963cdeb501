//! Endpoints that are not about one token: the start page, health, claims, and trigger.dev's run
//! hook.

use crate::domain::api::claims::claims_json;
use crate::domain::api::error::ApiError;
use crate::domain::api::openapi;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::auth::token_id::internal_id;
use crate::domain::page;
use crate::worker::http::authenticate::authenticate_secret;
use crate::worker::http::context::RequestContext;
use crate::worker::http::csp;
use crate::worker::http::rate_limit::enforce;
use crate::worker::http::response::Reply;
use crate::worker::http::routes::retrieve::read_token;
use crate::worker::http::upstream_token::ReadFor;
use crate::worker::settings;

/// `/`: shows the API to people.
pub(crate) fn start() -> Reply {
    let (page, own) = (csp::source_hash(page::CSS), csp::source_hash(openapi::CSS));
    let policy = format!(
        "{}; style-src '{page}' '{own}'; img-src data:",
        csp::TEXT_ONLY
    );
    Reply::html(200, openapi::start_page(), &policy)
}

/// `/healthz`: healthy if the settings can be read.
pub(crate) fn health(context: &RequestContext<'_>) -> Result<Reply, ApiError> {
    settings::keyring(context.env)?;
    settings::webhooks(context.env)?;
    settings::callback_secrets(context.env)?;
    settings::channels(context.env)?;
    settings::mail(context.env)?;
    settings::inbox(context.env)?;
    settings::agent_keys(context.env)?;
    settings::log(context.env)?;
    Ok(Reply::json(200, r#"{"status":"ok"}"#.to_owned()))
}

/// The claims for the public access tokens that the SDK signs with this key.
pub(crate) fn claims(context: &RequestContext<'_>) -> Result<Reply, ApiError> {
    let environment = authenticate_secret(context)?;
    Ok(Reply::json(200, claims_json(&environment.id)))
}

/// trigger.dev's run hook. No run is blocked here, so it only reports whether the token exists.
pub(crate) async fn run_wait(
    context: &RequestContext<'_>,
    raw_id: &str,
) -> Result<Reply, ApiError> {
    let environment = authenticate_secret(context)?;
    let internal = internal_id(raw_id).ok_or(ApiError::TokenNotFound)?;
    let permit = enforce(context, RateLimitKey::Environment(&environment.id)).await?;
    read_token(context, &permit, environment, internal, ReadFor::Viewing).await?;
    Ok(Reply::json(200, r#"{"success":true}"#.to_owned()))
}
