//! Endpoints that are not about one token: the start page, health, claims, and trigger.dev's run
//! hook.

use crate::domain::api::claims::claims_json;
use crate::domain::api::error::ApiError;
use crate::domain::api::openapi;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::auth::token_id::internal_id;
use crate::domain::page;
use crate::worker::bindings::variable;
use crate::worker::http::authenticate::authenticate_secret;
use crate::worker::http::context::RequestContext;
use crate::worker::http::csp;
use crate::worker::http::rate_limit::{BINDINGS, enforce};
use crate::worker::http::response::Reply;
use crate::worker::http::routes::retrieve::read_token;
use crate::worker::http::upstream_token::ReadFor;
use crate::worker::outgoing::mail;
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

/// `/healthz`: healthy if the settings can be read. It names the bindings that are missing: rate limits,
/// which limit nothing then, and the mail service if there is a sender.
pub(crate) fn health(context: &RequestContext<'_>) -> Result<Reply, ApiError> {
    let env = context.env;
    settings::keyring(env)?;
    settings::webhooks(env)?;
    settings::callback_secrets(env)?;
    settings::channels(env)?;
    let mail = settings::mail(env)?;
    settings::inbox(env)?;
    settings::agent_keys(env)?;
    settings::log(env)?;
    let mut missing = BINDINGS.to_vec();
    missing.retain(|name| variable(env, name).is_undefined());
    if mail.from.is_some() && !mail::is_bound(env) {
        missing.push("EMAIL");
    }
    let body = match missing.join(r#"",""#) {
        none if none.is_empty() => r#"{"status":"ok"}"#.to_owned(),
        names => format!(r#"{{"status":"ok","missing":["{names}"]}}"#),
    };
    Ok(Reply::json(200, body))
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
