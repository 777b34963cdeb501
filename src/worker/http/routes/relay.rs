//! The relay: requests that upstream answers.

use crate::domain::api::create::parse_webhook;
use crate::domain::api::error::ApiError;
use crate::domain::api::limits::{MAX_COMPLETE, MAX_CREATE_WITH_APPROVAL};
use crate::domain::api::notify::{parse_notify, parse_reminders};
use crate::domain::api::route::Endpoint;
use crate::domain::approval::schema::Approval;
use crate::domain::auth::authenticate::bearer;
use crate::domain::auth::keyring::Environment;
use crate::domain::callback::config::CallbackConfig;
use crate::domain::relay::edge_fields::{EdgeFields, check_decided_here};
use crate::domain::relay::forward::{self, Forward};
use crate::domain::relay::import::created_id;
use crate::domain::stored::message::CommandMessage;
use crate::domain::stored::record::StoredToken;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::Token;
use crate::domain::token::notify::{Recipient, Reminder};
use crate::worker::http::body::body;
use crate::worker::http::context::RequestContext;
use crate::worker::http::foreign::{environment_of_created, is_remembered};
use crate::worker::http::rate_limit::{Permit, enforce_recipients, limit_unknown_credentials};
use crate::worker::http::request::header;
use crate::worker::http::response::{HandlerResponse, Reply};
use crate::worker::http::routes::create_checks::{check_recipients, check_webhook};
use crate::worker::http::token_object::send;
use crate::worker::http::upstream_token::{placeholder_token, unavailable, upstream_reply};
use crate::worker::outgoing::upstream::{
    self, RELAY_HEADER, UpstreamRequest, UpstreamResponse, request_upstream,
};
use crate::worker::settings;
use js_sys::Uint8Array;
use std::time::Duration;

/// How long upstream has to answer a client's request.
const FORWARD_TIMEOUT: Duration = Duration::from_secs(25);

/// Forwards a request that upstream must answer; `None` if it is answered here.
pub(crate) async fn relay(
    context: &RequestContext<'_>,
    endpoint: Option<Endpoint<'_>>,
) -> Result<Option<HandlerResponse>, ApiError> {
    let upstreams = settings::upstreams(context.env)?;
    if upstreams.is_empty() {
        return Ok(None);
    }
    if !header(context.request, RELAY_HEADER).is_empty() {
        return Err(ApiError::UpstreamLoop);
    }
    let keyring = settings::keyring(context.env)?;
    let credential = bearer(context.head.authorization()).unwrap_or("");
    let known = keyring.environment_of(credential, context.now);
    let upstream = match known {
        Some(environment) => upstreams.of(&environment.id),
        // If all tokens live at the same upstream, a credential that is unknown here is sent there.
        None if keyring.is_upstream() => upstreams.sole(),
        None => None,
    };
    let Some(upstream) = upstream else {
        return Ok(None);
    };
    let request = forward::Request {
        method: context.head.method(),
        path: context.head.path(),
        credential,
        is_known: known.is_some(),
    };
    let opens_here =
        |id: &str, hash: &str| keyring.authenticate_link(id, hash, context.now).is_ok();
    let Some(forward) = forward::forward(request, endpoint, opens_here) else {
        return Ok(None);
    };
    if known.is_none() {
        if let Some(Endpoint::Token { id }) = endpoint
            && is_remembered(context, credential, id)
        {
            // A decision that it made here may not have reached upstream yet.
            return Ok(None);
        }
        limit_unknown_credentials(context).await?;
    }
    let origin = match known {
        Some(environment) => context.link_origin(environment),
        None => keyring.link_origin(context.head.origin()),
    };
    let reply = match forward {
        Forward::Create => create(context, upstream, known, origin).await?,
        Forward::Read => {
            let theirs = forward_request(context, upstream, None).await?;
            upstream_reply(origin, theirs)
        }
        Forward::Callback => {
            // The body is read into wasm's memory because that enforces the limit. It does not stay
            // there.
            let body = {
                let body = body(context.request, context.head, MAX_COMPLETE).await?;
                Uint8Array::from(body.as_slice())
            };
            let theirs = forward_request(context, upstream, Some(body)).await?;
            upstream_reply(origin, theirs)
        }
        Forward::Whole => {
            let response = upstream::pass(context.request, &url_at(context, upstream)).await;
            let response = response.map_err(unavailable)?;
            return Ok(Some(HandlerResponse::Forwarded(response)));
        }
    };
    Ok(Some(reply.into()))
}

/// The fields of a create that upstream does not know. They are stored here.
struct FieldsToStore {
    /// `None` if only upstream knows the credential.
    environment: Option<&'static Environment>,
    approval: Option<String>,
    webhook: Option<String>,
    callback: Option<String>,
    notify: Vec<Recipient>,
    reminders: Vec<Reminder>,
}

/// Creates a token upstream, and stores the fields that upstream does not know.
async fn create(
    context: &RequestContext<'_>,
    upstream: &str,
    known: Option<&'static Environment>,
    origin: &str,
) -> Result<Reply, ApiError> {
    let (body, fields) = {
        let body = body(context.request, context.head, MAX_CREATE_WITH_APPROVAL).await?;
        let edge = EdgeFields::of(&body)?;
        // Upstream's limit is smaller.
        let forwarded = edge.fit(&body)?;
        let body = Uint8Array::from(forwarded.as_ref());
        (body, fields_to_store(context, edge, known)?)
    };
    if let (Some(fields), Some(environment)) = (&fields, known) {
        enforce_recipients(context, environment, &fields.notify, &fields.reminders).await?;
    }
    let theirs = forward_request(context, upstream, Some(body)).await?;
    if let (Some(permit), Some(fields)) = (Permit::of_upstream(&theirs), fields) {
        let id = created_id(&theirs.text).ok_or(ApiError::UpstreamUnavailable)?;
        let environment = match fields.environment {
            Some(environment) => environment,
            None => {
                let environment = Box::pin(environment_of_created(context, &id)).await?;
                check_webhook(context, environment, fields.webhook.as_deref())?;
                check_recipients(context, environment, &fields.notify)?;
                enforce_recipients(context, environment, &fields.notify, &fields.reminders).await?;
                environment
            }
        };
        let token = Token {
            approval: fields.approval,
            webhook: fields.webhook,
            callback: fields.callback,
            notify: fields.notify,
            reminders: fields.reminders,
            ..placeholder_token(context, environment)
        };
        let (record, text) = StoredToken::of(&token);
        let command = CommandMessage::Create(record);
        send(context, &permit, environment, &id, &command, text).await?;
    }
    Ok(upstream_reply(origin, theirs))
}

fn fields_to_store(
    context: &RequestContext<'_>,
    fields: EdgeFields,
    known: Option<&'static Environment>,
) -> Result<Option<FieldsToStore>, ApiError> {
    if fields == EdgeFields::default() {
        return Ok(None);
    }
    if let Some(text) = &fields.approval {
        check_decided_here(&Approval::parse(text)?)?;
    }
    let webhook = fields.webhook.as_deref().map(parse_webhook).transpose()?;
    if let Some(text) = &fields.callback
        && CallbackConfig::parse(text)?.verify.is_some()
    {
        // Upstream makes the token's url, and that may decide.
        let message = "signatures are not checked for tokens that live upstream. Leave it out.";
        return Err(ApiError::ValidationError {
            path: "callback.verify",
            message: message.to_owned(),
        });
    }
    check_deadline_is_here(&fields)?;
    // Before upstream has judged an unknown credential it learns nothing of the settings here.
    let notify = parse_notify(fields.notify.as_deref())?;
    if let Some(environment) = known {
        check_recipients(context, environment, &notify)?;
    }
    let mut candidates: Vec<_> = known.into_iter().collect();
    if known.is_none() {
        candidates.extend(settings::keyring(context.env)?.upstream_environments());
    }
    let mut checked = Err(ApiError::InvalidApiKey);
    for environment in candidates {
        checked = check_webhook(context, environment, webhook.as_deref());
        if checked.is_ok() {
            break;
        }
    }
    checked?;
    let reminders = relayed_reminders(fields.reminders.as_deref(), &notify, context.now)?;
    Ok(Some(FieldsToStore {
        environment: known,
        approval: fields.approval,
        callback: fields.callback,
        webhook,
        notify,
        reminders,
    }))
}

/// The reminders of a token whose timeout only upstream knows.
fn relayed_reminders(
    text: Option<&str>,
    notify: &[Recipient],
    now: Timestamp,
) -> Result<Vec<Reminder>, ApiError> {
    let reminders = parse_reminders(text, notify, now, Some(Timestamp::MAX))?;
    let is_before = |reminder: &Reminder| matches!(reminder, Reminder::Before(_));
    if reminders.iter().any(is_before) {
        let message = "before is not known of a token that lives upstream. Use after.";
        return Err(ApiError::ValidationError {
            path: "reminders",
            message: message.to_owned(),
        });
    }
    Ok(reminders)
}

/// Rejects a default decision, because a token times out where it lives.
fn check_deadline_is_here(fields: &EdgeFields) -> Result<(), ApiError> {
    if fields.on_timeout.is_none() {
        return Ok(());
    }
    let message =
        "a token that lives upstream times out there, without a default decision. Leave it out.";
    Err(ApiError::ValidationError {
        path: "onTimeout",
        message: message.to_owned(),
    })
}

/// Forwards this request with the caller's credential.
async fn forward_request(
    context: &RequestContext<'_>,
    upstream: &str,
    body: Option<Uint8Array>,
) -> Result<UpstreamResponse, ApiError> {
    let url = url_at(context, upstream);
    let request = UpstreamRequest {
        like: Some(context.request),
        url: &url,
        bearer: None,
        body,
        within: FORWARD_TIMEOUT,
    };
    request_upstream(request).await.map_err(unavailable)
}

/// The URL of this request at upstream.
fn url_at(context: &RequestContext<'_>, upstream: &str) -> String {
    format!("{upstream}{}{}", context.head.path(), context.head.query())
}
