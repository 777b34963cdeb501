//! Complete: decides a token. `token.url` uses the same functions.

use crate::domain::api::complete::CompleteRequest;
use crate::domain::api::error::ApiError;
use crate::domain::api::limits::MAX_COMPLETE;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::auth::caller::Caller;
use crate::domain::auth::keyring::Environment;
use crate::domain::auth::token_id::internal_id;
use crate::domain::relay::complete_body::{NOT_BY_OWNER, complete_json_len};
use crate::domain::stored::envelope::ResponseContext;
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::domain::stored::record::{StoredDecision, StoredToken};
use crate::domain::token::transition::Outcome;
use crate::domain::token::{CompletedBy, Decision};
use crate::worker::bindings::{WAITPOINT_OUTCOME, header_of};
use crate::worker::http::authenticate::{authenticate, authenticate_for};
use crate::worker::http::body::body;
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::{Permit, enforce};
use crate::worker::http::request::header;
use crate::worker::http::response::{HandlerResponse, unknown_field_hint};
use crate::worker::http::token_object::{forward, name, send_envelope};
use crate::worker::http::upstream_token::{placeholder_token, upstream_of};
use crate::worker::objects::call::{TokenEnvelope, envelope};
use crate::worker::settings;
use web_sys::Response;

pub(crate) async fn complete(
    context: &RequestContext<'_>,
    raw_id: &str,
) -> Result<HandlerResponse, ApiError> {
    let authorization = context.head.authorization();
    let caller = authenticate_for(context, authenticate(context), authorization, raw_id).await?;
    let request = {
        let body = body(context.request, context.head, MAX_COMPLETE).await?;
        CompleteRequest::parse(&body)?
    };
    if !caller.allows("write", raw_id) {
        return Err(ApiError::InsufficientScope);
    }
    let hint = request.unknown_key.as_deref().map(unknown_field_hint);
    let environment = caller.environment();
    let is_by_owner =
        matches!(caller, Caller::Secret(_)) && header(context.request, NOT_BY_OWNER).is_empty();
    let decision = Decision {
        is_by_owner,
        output: request.output,
        by: CompletedBy::Api,
        subject: caller.subject().map(str::to_owned),
        callback: None,
    };
    decide(context, environment, raw_id, decision, hint).await
}

/// Sends a decision to the token's object, which builds the response.
pub(crate) async fn decide(
    context: &RequestContext<'_>,
    environment: &Environment,
    raw_id: &str,
    decision: Decision,
    hint: Option<String>,
) -> Result<HandlerResponse, ApiError> {
    let internal = internal_id(raw_id).ok_or(ApiError::TokenNotFound)?;
    let limit = RateLimitKey::Decisions(&environment.id, internal);
    let response_context = ResponseContext {
        cors_origin: context.cors_origin.into(),
        hint,
        ..ResponseContext::default()
    };
    let name = name(environment, internal);
    // A double click or a retry is answered without a call of the object. Only the object knows what
    // a callback is answered.
    let completed = settings::completed(context.env);
    let is_remembered = completed.borrow().get(name.as_str(), context.now).is_some();
    if is_remembered && decision.by != CompletedBy::Callback {
        let _permit = enforce(context, limit).await?;
        return Ok(response_context
            .render_outcome(Outcome::AlreadyCompleted, None)
            .into());
    }
    // The output can be megabytes, so it is dropped before anything is awaited.
    let envelope = completion(context, environment, &decision, Some(response_context))?;
    drop(decision);
    let permit = enforce(context, limit).await?;
    let response = forward(context, &permit, &name, envelope).await?;
    // Upstream can still overrule a decision on its own tokens, so only our own are cached.
    if is_completed_now(&response) && upstream_of(context, environment)?.is_none() {
        let until = context.now.plus(settings::retention(context.env));
        completed.borrow_mut().put(name.as_str(), (), until);
    }
    Ok(HandlerResponse::Forwarded(response))
}

/// Sends a decision to the token's object. The decision is durable when this returns.
pub(crate) async fn complete_token(
    context: &RequestContext<'_>,
    permit: &Permit,
    environment: &Environment,
    internal: &str,
    decision: &Decision,
) -> Result<Outcome, ApiError> {
    let envelope = completion(context, environment, decision, None)?;
    match send_envelope(context, permit, environment, internal, envelope).await? {
        TokenReply::Decided(outcome) => Ok(outcome),
        _ => Err(ApiError::TokenNotFound),
    }
}

fn completion(
    context: &RequestContext<'_>,
    environment: &Environment,
    decision: &Decision,
    response_context: Option<ResponseContext<'_>>,
) -> Result<TokenEnvelope, ApiError> {
    let (completion, text) = StoredDecision::of(decision);
    let command = if upstream_of(context, environment)?.is_none() {
        CommandMessage::Complete(completion)
    } else {
        // The Worker would acknowledge an output that upstream then rejects.
        let size = complete_json_len(decision.output.as_ref());
        if size > MAX_COMPLETE {
            return Err(ApiError::BodyTooLarge {
                limit: MAX_COMPLETE,
                size,
            });
        }
        let (record, _) = StoredToken::of(&placeholder_token(context, environment));
        CommandMessage::CompleteRelayed(record, completion)
    };
    Ok(envelope(&command, response_context, text))
}

/// Whether a token's object reports that this request completed the token.
fn is_completed_now(response: &Response) -> bool {
    header_of(&response.headers(), &WAITPOINT_OUTCOME).as_deref() == Some("completed")
}
