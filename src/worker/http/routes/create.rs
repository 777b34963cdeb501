//! Create: stores a token, unless the request or its idempotency key already has one.

use crate::domain::api::claims::claims_json;
use crate::domain::api::create::{CreateRequest, created_json, unknown_key_of_create};
use crate::domain::api::error::ApiError;
use crate::domain::api::limits::MAX_CREATE;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::auth::keyring::Environment;
use crate::domain::auth::token_id::public_id;
use crate::domain::stored::record::{Answer, Command, Record};
use crate::domain::token::Token;
use crate::domain::webhook::url::{check_url, is_loopback_origin};
use crate::worker::bindings::random_uuid;
use crate::worker::http::authenticate::authenticate_secret;
use crate::worker::http::body::body;
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::{Permit, enforce};
use crate::worker::http::request::request_key;
use crate::worker::http::response::{Reply, unknown_field_hint};
use crate::worker::http::token_object::{send, unavailable};
use crate::worker::objects::idempotency_key;
use crate::worker::objects::token::response::url;
use crate::worker::settings;
use wasm_bindgen::JsValue;

pub(crate) async fn create(context: &RequestContext<'_>) -> Result<Reply, ApiError> {
    let environment = authenticate_secret(context)?;
    let body = body(context.request, context.head, MAX_CREATE).await?;
    let request = CreateRequest::parse(&body, context.now)?;
    let hint = unknown_key_of_create(&body)
        .as_deref()
        .map(unknown_field_hint);
    #[cfg(feature = "faults")]
    crate::worker::fault("fault:worker", &request.tags.join(" "));
    check_webhook(context, environment, request.webhook.as_deref())?;
    let permit = enforce(context, RateLimitKey::Environment(&environment.id)).await?;
    let mut token = Token {
        approval: request.approval,
        origin: context.head.origin().to_owned(),
        key: request.key,
        webhook: request.webhook,
        ..Token::new(context.now, request.timeout_at, request.tags)
    };
    // What this request is known by: a token that it made is its own, not a cached one.
    let random = || environment.token_id(random_uuid().as_bytes());
    let mut own = match request_key(context.request).as_str() {
        "" => random(),
        key => environment.token_id(key.as_bytes()),
    };
    let mut stored = store(context, &permit, environment, &own, &mut token).await?;
    if let (id, Answer::Unknown) = &stored {
        // A token of this id is past its retention and about to be deleted, or has just been.
        if let Some(key) = &token.key {
            let released =
                idempotency_key::release(context.env, &environment.id, &key.text, id).await;
            released.map_err(no_key)?;
        }
        own = random();
        stored = store(context, &permit, environment, &own, &mut token).await?;
    }
    let (id, token, is_cached) = match stored {
        (id, Answer::Found(earlier)) => {
            let is_cached = *earlier.creator.as_ref().unwrap_or(&id) != own;
            (id, earlier, is_cached)
        }
        (id, Answer::Created) => (id, token, false),
        _ => return Err(ApiError::StorageUnavailable),
    };
    let id = public_id(&id);
    let jwt = environment.mint(&id, token.created_at, token.timeout_at, context.now);
    let url = url(context.head.origin(), &id, &jwt);
    let reply = Reply::json(200, created_json(&id, is_cached, &url))
        .with_unique("x-trigger-jwt", &jwt)
        .with("x-trigger-jwt-claims", &claims_json(&environment.id));
    Ok(match hint {
        Some(hint) => reply.with("waitpoint-hint", &hint),
        None => reply,
    })
}

/// Stores a token, unless there is one: under this request's own id, or the one for which its key
/// stands. Returns that id.
async fn store(
    context: &RequestContext<'_>,
    permit: &Permit,
    environment: &Environment,
    own: &str,
    token: &mut Token,
) -> Result<(String, Answer), ApiError> {
    let id = match &token.key {
        None => own.to_owned(),
        Some(key) => idempotency_key::claim(permit, context.env, &environment.id, key, own)
            .await
            .map_err(no_key)?,
    };
    token.creator = (id != own).then(|| own.to_owned());
    let (record, text) = Record::of(token);
    let command = Command::Create(record);
    let answer = send(context, permit, environment, &id, &command, text).await?;
    Ok((id, answer))
}

fn no_key(why: JsValue) -> ApiError {
    unavailable("an idempotency key's object did not answer", &why)
}

/// Checks that a webhook may go there and can be signed.
///
/// # Errors
/// `ValidationError`.
pub(crate) fn check_webhook(
    context: &RequestContext<'_>,
    environment: &Environment,
    url: Option<&str>,
) -> Result<(), ApiError> {
    let Some(url) = url else { return Ok(()) };
    let invalid = |message| ApiError::ValidationError {
        path: "webhook",
        message,
    };
    check_url(url, is_loopback_origin(context.head.origin()))
        .map_err(|why| invalid(why.sentence(url)))?;
    if settings::webhooks(context.env)?.can_sign(&environment.id) {
        Ok(())
    } else {
        Err(invalid(
            "WEBHOOK_SECRET is not set, so nothing could be signed".to_owned(),
        ))
    }
}
