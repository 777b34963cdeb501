//! Calls a token's object for the routes. Failures are logged and become `StorageUnavailable`.

use crate::domain::api::error::ApiError;
use crate::domain::auth::authenticate::bearer;
use crate::domain::auth::caller::Caller;
use crate::domain::auth::keyring::Environment;
use crate::domain::stored::envelope::ResponseContext;
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::Permit;
use crate::worker::log_error;
use crate::worker::objects::call::{ObjectRef, TokenEnvelope, envelope};
use crate::worker::objects::token::waiters::Waiter;
use crate::worker::objects::{Namespace, ObjectName};
use std::borrow::Cow;
use wasm_bindgen::JsValue;
use web_sys::Response;
use worker::{Env, WebSocket};

/// Sends a command.
pub(crate) async fn send(
    context: &RequestContext<'_>,
    permit: &Permit,
    environment: &Environment,
    internal: &str,
    command: &CommandMessage,
    text: &str,
) -> Result<TokenReply, ApiError> {
    let envelope = envelope(command, None, text);
    send_envelope(context, permit, environment, internal, envelope).await
}

pub(crate) async fn send_envelope(
    context: &RequestContext<'_>,
    permit: &Permit,
    environment: &Environment,
    internal: &str,
    envelope: TokenEnvelope,
) -> Result<TokenReply, ApiError> {
    let name = name(environment, internal);
    let reply = object(context.env, &name).call(permit, envelope).await;
    reply.map_err(|why| unavailable("a token's object did not reply", &why))
}

/// Has the object build the client's response.
pub(crate) async fn forward(
    context: &RequestContext<'_>,
    permit: &Permit,
    name: &ObjectName,
    envelope: TokenEnvelope,
) -> Result<Response, ApiError> {
    let response = object(context.env, name).respond(permit, envelope).await;
    response.map_err(|why| unavailable("a token's object did not reply", &why))
}

/// Opens a socket on which the object sends what the waiter asked for.
pub(crate) async fn wait(
    context: &RequestContext<'_>,
    permit: &Permit,
    environment: &Environment,
    internal: &str,
    waiter: &Waiter,
) -> Result<WebSocket, ApiError> {
    let name = name(environment, internal);
    let socket = object(context.env, &name).wait(permit, waiter).await;
    socket
        .map_err(|why| unavailable("a token's object took no waiter", &why))?
        .ok_or(ApiError::TokenNotFound)
}

pub(crate) fn name(environment: &Environment, internal: &str) -> ObjectName {
    ObjectName::of_token(&environment.id, internal)
}

/// The data that a token's object needs to build the response to this request.
pub(crate) fn response_context<'a>(
    context: &RequestContext<'a>,
    caller: &Caller<'a>,
) -> ResponseContext<'a> {
    let credential = match caller {
        Caller::Secret(_) => None,
        Caller::Public(_) | Caller::CallbackHash(_) => bearer(context.head.authorization()),
    };
    ResponseContext {
        origin: context.link_origin(caller.environment()).into(),
        cors_origin: context.cors_origin.into(),
        etag: context.head.if_none_match().into(),
        credential: credential.map(Cow::from),
        ..ResponseContext::default()
    }
}

/// Logs that an object failed, and returns the error for the client.
pub(crate) fn unavailable(line: &str, why: &JsValue) -> ApiError {
    log_error(line, why);
    ApiError::StorageUnavailable
}

fn object<'a>(env: &'a Env, name: &'a ObjectName) -> ObjectRef<'a> {
    ObjectRef::new(env, Namespace::Tokens, name)
}
