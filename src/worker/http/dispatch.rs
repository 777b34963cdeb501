//! Finds the endpoint of a request, and the route that answers it.

use crate::domain::api::error::ApiError;
use crate::domain::api::openapi;
use crate::domain::api::route::Endpoint;
use crate::worker::http::body::drain;
use crate::worker::http::context::RequestContext;
use crate::worker::http::cors::preflight;
use crate::worker::http::rate_limit::throttle_failed_auth;
use crate::worker::http::request::Head;
use crate::worker::http::response::{HandlerResponse, Reply};
use crate::worker::http::routes::relay::relay;
use crate::worker::http::routes::token_url::Credential;
use crate::worker::http::routes::{
    complete, create, inbox, life, list, mcp, meta, retrieve, token_url, wait,
};
use crate::worker::log_error;
use crate::worker::settings;
use wasm_bindgen::JsValue;
use web_sys::{Request, Response};
use worker::Env;

/// Answers any request.
pub(crate) async fn dispatch(request: &Request, env: &Env) -> Result<Response, JsValue> {
    let mut head = Head::of(request);
    head.repair_link();
    let endpoint = Endpoint::of(head.path());
    let context = RequestContext::new(request, &head, endpoint, env);
    let reply = match handle(&context, endpoint).await {
        Ok(HandlerResponse::Forwarded(response)) => return Ok(response),
        Ok(HandlerResponse::Built(reply)) => reply,
        Err(error) => {
            let error = throttle_failed_auth(&context, error).await;
            if let ApiError::Misconfigured(what) = &error {
                log_error("the Worker is misconfigured", &what.into());
            }
            drain(request).await;
            Reply::error(&error)
        }
    };
    // A preflight sets its own CORS headers.
    let is_preflight = head.method() == "OPTIONS";
    let origin = if is_preflight {
        ""
    } else {
        context.cors_origin
    };
    reply.with_cors(origin).into_response()
}

/// Upstream answers if the token lives there; otherwise a route does.
async fn handle(
    context: &RequestContext<'_>,
    endpoint: Option<Endpoint<'_>>,
) -> Result<HandlerResponse, ApiError> {
    match (relay(context, endpoint).await, endpoint) {
        (Ok(Some(response)), _) => Ok(response),
        // These endpoints answer however the Worker is configured.
        (_, Some(endpoint @ (Endpoint::Start | Endpoint::OpenApi))) => {
            route(context, endpoint).await
        }
        (Err(error), _) => Err(error),
        (_, Some(endpoint)) => route(context, endpoint).await,
        (_, None) => path_not_found(context),
    }
}

async fn route(
    context: &RequestContext<'_>,
    endpoint: Endpoint<'_>,
) -> Result<HandlerResponse, ApiError> {
    let method = context.head.method();
    if matches!(endpoint, Endpoint::Inbox(_)) && !settings::has_inbox(context.env) {
        return Err(ApiError::PathNotFound);
    }
    if !endpoint.allows(method) {
        return Err(ApiError::MethodNotAllowed(endpoint.allow()));
    }
    let reply = match (endpoint, method) {
        (Endpoint::Callback { id, credential }, "OPTIONS") => {
            token_url::options(context, endpoint, id, Credential::OfUrl(credential))?
        }
        (Endpoint::ShortLink { id, credential }, "OPTIONS") => {
            token_url::options(context, endpoint, id, Credential::OfShortUrl(credential))?
        }
        (_, "OPTIONS") => preflight(endpoint, context.head),
        (Endpoint::Complete { id }, _) => return complete::complete(context, id).await,
        (Endpoint::Token { id }, _) => return retrieve::retrieve(context, id).await,
        (Endpoint::Callback { id, credential }, _) => {
            let credential = Credential::OfUrl(credential);
            return token_url::token_url(context, id, credential).await;
        }
        (Endpoint::ShortLink { id, credential }, _) => {
            let credential = Credential::OfShortUrl(credential);
            return token_url::token_url(context, id, credential).await;
        }
        (Endpoint::Inbox(page), _) => {
            let sign_in = settings::inbox(context.env)?.ok_or(ApiError::PathNotFound)?;
            // Boxed, because few requests need it.
            return Box::pin(inbox::inbox(context, page, sign_in)).await;
        }
        // Boxed, because few requests need it.
        (Endpoint::Mcp, _) => return Box::pin(mcp::mcp(context)).await,
        (Endpoint::Wait { id }, _) => return wait::wait(context, id).await,
        (Endpoint::Cancel { id }, _) => life::cancel(context, id).await?,
        (Endpoint::Extend { id }, _) => life::extend(context, id).await?,
        (Endpoint::Start, _) => meta::start(),
        (Endpoint::OpenApi, _) => Reply::public_json(openapi::document()),
        (Endpoint::Health, _) => meta::health(context)?,
        (Endpoint::Tokens, "POST") => create::create(context).await?,
        (Endpoint::Tokens, _) => list::list(context).await?,
        (Endpoint::RunWait { id }, _) => meta::run_wait(context, id).await?,
        (Endpoint::Claims, _) => meta::claims(context)?,
    };
    Ok(reply.into())
}

/// 404, or a redirect to the path without its trailing slash. 308 keeps the method.
fn path_not_found(context: &RequestContext<'_>) -> Result<HandlerResponse, ApiError> {
    let path = context.head.path();
    let trimmed = path.trim_end_matches('/');
    if trimmed.len() == path.len() || Endpoint::of(trimmed).is_none() {
        return Err(ApiError::PathNotFound);
    }
    let location = format!("{trimmed}{}", context.head.query());
    Ok(Reply::empty(308).with("location", &location).into())
}
