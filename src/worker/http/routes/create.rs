//! Create: stores a token, unless the request or its idempotency key already has one.

use crate::domain::api::create::{CreateRequest, created_json, unknown_key_of_create};
use crate::domain::api::error::ApiError;
use crate::domain::api::limits::MAX_CREATE_WITH_APPROVAL;
use crate::domain::api::notify::{parse_notify, parse_reminders};
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::approval::approvers::{check_no_callback, quorum, recipients};
use crate::domain::approval::schema::{Approval, minify_json};
use crate::domain::auth::keyring::Environment;
use crate::domain::auth::token_id::public_id;
use crate::domain::mcp::ask::check_not_of_agent;
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::domain::token::Token;
use crate::domain::token::creation::{Answer, Created, Creation, Step};
use crate::worker::bindings::random_uuid;
use crate::worker::http::authenticate::authenticate_secret;
use crate::worker::http::body::body;
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::{Permit, enforce, enforce_recipients};
use crate::worker::http::request::request_key;
use crate::worker::http::response::{Reply, unknown_field_hint};
use crate::worker::http::routes::create_checks::{
    check_approvers, check_callback, check_recipients, check_webhook,
};
use crate::worker::http::token_object::{send, unavailable};
use crate::worker::objects::idempotency_key;
use crate::worker::objects::token::response::{links, with_jwt};
use wasm_bindgen::JsValue;

pub(crate) async fn create(context: &RequestContext<'_>) -> Result<Reply, ApiError> {
    let environment = authenticate_secret(context)?;
    let body = body(context.request, context.head, MAX_CREATE_WITH_APPROVAL).await?;
    let request = CreateRequest::parse_bounded(&body, context.now)?;
    check_not_of_agent(&request)?;
    let hint = unknown_key_of_create(&body)
        .as_deref()
        .map(unknown_field_hint);
    #[cfg(feature = "faults")]
    crate::worker::fault("fault:worker", &request.tags.join(" "));
    let key = request_key(context.request);
    let created = create_token(context, environment, request, &key).await?;
    let CreatedToken {
        id,
        token,
        is_cached,
    } = created;
    let origin = context.link_origin(environment);
    let public = public_id(&id);
    let links = links(origin, environment, &id, &token, context.now);
    let created = created_json(
        &public,
        is_cached,
        &links.url,
        &links.short_url,
        &links.approvers,
    );
    let jwt = links.into_jwt(environment, &public, &token);
    let reply = with_jwt(Reply::json(200, created), environment, &jwt);
    Ok(match hint {
        Some(hint) => reply.with("waitpoint-hint", &hint),
        None => reply,
    })
}

/// A token that was created, or that was there.
pub(crate) struct CreatedToken {
    /// The internal id.
    pub(crate) id: String,
    pub(crate) token: Token,
    /// Whether it was there.
    pub(crate) is_cached: bool,
}

/// Creates a token. `request_key` is the same if the request is repeated, or `""`.
pub(crate) async fn create_token(
    context: &RequestContext<'_>,
    environment: &Environment,
    request: CreateRequest,
    request_key: &str,
) -> Result<CreatedToken, ApiError> {
    check_webhook(context, environment, request.webhook.as_deref())?;
    check_callback(context, request.callback.as_deref())?;
    let approval = request
        .approval
        .as_deref()
        .map(Approval::read)
        .transpose()?;
    let approvers = match &approval {
        Some(approval) => approval.parse_approvers()?,
        None => Vec::new(),
    };
    let required = approval.and_then(|approval| approval.required);
    check_no_callback(&approvers, request.callback.as_deref())?;
    let mut notify = parse_notify(request.notify.as_deref())?;
    check_recipients(context, environment, &notify)?;
    notify.extend(recipients(&approvers));
    check_approvers(context, environment, &notify)?;
    let reminders = request.reminders.as_deref();
    let reminders = parse_reminders(reminders, &notify, context.now, request.timeout_at)?;
    enforce_recipients(context, environment, &notify, &reminders).await?;
    let permit = enforce(context, RateLimitKey::Environment(&environment.id)).await?;
    let mut token = Token {
        approval: request.approval,
        origin: context.link_origin(environment).to_owned(),
        key: request.key,
        webhook: request.webhook,
        callback: request.callback.as_deref().map(minify_json),
        on_timeout: request.on_timeout,
        quorum: quorum(&approvers, required),
        notify,
        reminders,
        ..Token::new(context.now, request.timeout_at, request.tags)
    };
    // Identifies the request. If a repeated request finds the token that it created, `isCached` is
    // false.
    let random = || environment.token_id(random_uuid().as_bytes());
    let own = match request_key {
        "" => random(),
        key => environment.token_id(key.as_bytes()),
    };
    let (mut creation, mut step) = Creation::begin(own, token.key.is_some());
    let created = loop {
        let reply = carry_out(context, &permit, environment, &creation, step, &mut token);
        step = match reply.await? {
            None => break step,
            Some(answer) => creation.handle(answer, random),
        };
    };
    let Step::Done(Created { is_cached }) = created else {
        return Err(ApiError::StorageUnavailable);
    };
    Ok(CreatedToken {
        id: creation.id().to_owned(),
        token,
        is_cached,
    })
}

/// Carries out a step of a create; `None` if the create has ended. `token` is set to the token that
/// is found.
async fn carry_out(
    context: &RequestContext<'_>,
    permit: &Permit,
    environment: &Environment,
    creation: &Creation,
    step: Step,
    token: &mut Token,
) -> Result<Option<Answer>, ApiError> {
    let key = token.key.as_ref();
    Ok(match (step, key) {
        (Step::ClaimKey, Some(key)) => {
            let own = creation.own_id();
            let claimed =
                idempotency_key::claim(permit, context.env, &environment.id, key, own).await;
            Some(Answer::KeyClaimed(claimed.map_err(no_key)?))
        }
        (Step::ReleaseKey, Some(key)) => {
            let (environment, id) = (&environment.id, creation.id());
            let released = idempotency_key::release(context.env, environment, &key.text, id).await;
            released.map_err(no_key)?;
            Some(Answer::KeyReleased)
        }
        (Step::Store, _) => {
            token.created_by_request = creation.created_by_request().map(str::to_owned);
            let command = CommandMessage::create(token);
            let id = creation.id();
            Some(
                match send(context, permit, environment, id, &command, "").await? {
                    TokenReply::Created => Answer::Stored,
                    TokenReply::Found(found) => {
                        *token = found;
                        Answer::Found(token.created_by_request.clone())
                    }
                    TokenReply::NotFound => Answer::NotStored,
                    TokenReply::Decided(_)
                    | TokenReply::Invalid(_)
                    | TokenReply::Reminded(_)
                    | TokenReply::LivesUpstream => {
                        return Err(ApiError::StorageUnavailable);
                    }
                },
            )
        }
        _ => None,
    })
}

fn no_key(why: JsValue) -> ApiError {
    unavailable("an idempotency key's object did not answer", &why)
}
