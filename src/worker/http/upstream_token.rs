//! Tokens that live upstream, and what is stored of them here.
//!
//! Invariant: a decision is durable here before upstream is asked anything about it. The token's
//! object delivers it to upstream.

use crate::domain::api::error::ApiError;
use crate::domain::auth::caller::Caller;
use crate::domain::auth::keyring::Environment;
use crate::domain::relay::merge::{Existence, Source, UpstreamReply, combine, is_settled};
use crate::domain::relay::rewrite::rewrite_urls;
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::domain::stored::record::StoredToken;
use crate::domain::token::Token;
use crate::domain::token::home::Home;
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::Permit;
use crate::worker::http::response::Reply;
use crate::worker::http::token_object::{response_context, send};
use crate::worker::log_error;
use crate::worker::outgoing::upstream::{self, UpstreamResponse};
use crate::worker::settings;

/// The purpose of a read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadFor {
    /// To show the token's current state.
    Viewing,
    /// To let a person decide. This does not wait for upstream; what is stored here is enough.
    Deciding,
}

/// Where the tokens of an environment live, if not here.
pub(crate) fn upstream_of(
    context: &RequestContext<'_>,
    environment: &Environment,
) -> Result<Option<&'static str>, ApiError> {
    Ok(settings::upstreams(context.env)?.of(&environment.id))
}

/// A placeholder for a token that lives upstream and of which nothing is known here.
pub(crate) fn placeholder_token(context: &RequestContext<'_>, environment: &Environment) -> Token {
    Token {
        origin: context.link_origin(environment).to_owned(),
        home: Home::Upstream,
        ..Token::new(context.now, None, Vec::new())
    }
}

/// The token for the page, without a long output. If a person decides, upstream is not read.
pub(crate) async fn read(
    context: &RequestContext<'_>,
    permit: &Permit,
    environment: &Environment,
    internal: &str,
    upstream: &str,
    purpose: ReadFor,
) -> Result<Token, ApiError> {
    let is_deciding = purpose == ReadFor::Deciding;
    let command = CommandMessage::ReadForPage;
    match load_local(context, permit, environment, internal, &command).await? {
        Some(ours) if is_deciding || is_settled(&ours) || ours.home == Home::Here => Ok(ours),
        None if is_deciding => Ok(placeholder_token(context, environment)),
        ours => {
            let theirs = fetch_upstream(upstream, environment, internal).await;
            match combine_response(context, environment, ours, theirs, Existence::Proven) {
                Err(ApiError::UpstreamUnavailable) => Ok(placeholder_token(context, environment)),
                combined => combined.map(|(token, _)| token),
            }
        }
    }
}

/// The token as this caller may see it now.
pub(crate) async fn retrieve(
    context: &RequestContext<'_>,
    permit: &Permit,
    caller: Caller<'_>,
    internal: &str,
    upstream: &str,
) -> Result<Reply, ApiError> {
    let environment = caller.environment();
    let ours = load_local(
        context,
        permit,
        environment,
        internal,
        &CommandMessage::Read,
    )
    .await?;
    if let Some(ours) = ours.as_ref().filter(|ours| ours.home == Home::Here) {
        // The token was created before its environment had an upstream.
        return Ok(render(context, &caller, internal, ours));
    }
    let is_owner = matches!(caller, Caller::Secret(_));
    let is_decided_here = ours.as_ref().is_some_and(is_settled);
    let theirs = if is_owner && !is_decided_here {
        let response = upstream::fetch_token_like(context.request, upstream, internal).await;
        response.map_err(unavailable)
    } else {
        fetch_upstream(upstream, environment, internal).await
    };
    match theirs {
        // The owner gets upstream's own response, including its errors and limits, unless the token
        // was decided here.
        Ok(theirs) if is_owner && (ours.is_none() || theirs.status != 200 && !is_decided_here) => {
            Ok(upstream_reply(context.link_origin(environment), theirs))
        }
        theirs => {
            let existence = if is_owner {
                Existence::Unknown
            } else {
                Existence::Proven
            };
            let (token, source) = combine_response(context, environment, ours, theirs, existence)?;
            let reply = render(context, &caller, internal, &token);
            Ok(reply.with("waitpoint-source", source.as_str()))
        }
    }
}

/// The response that shows a token to this caller.
fn render(
    context: &RequestContext<'_>,
    caller: &Caller<'_>,
    internal: &str,
    token: &Token,
) -> Reply {
    response_context(context, caller).render(token, caller.environment(), internal, context.now)
}

/// Tells the token's object that somebody waits for the token. The object then polls upstream until
/// the token has ended.
pub(crate) async fn import_from_upstream(
    context: &RequestContext<'_>,
    permit: &Permit,
    caller: &Caller<'_>,
    internal: &str,
    upstream: &str,
) -> Result<(), ApiError> {
    let environment = caller.environment();
    let command = CommandMessage::ReadForPage;
    let ours = load_local(context, permit, environment, internal, &command).await?;
    let is_known = ours.is_some();
    if ours.is_some_and(|ours| ours.home == Home::Here || is_settled(&ours)) {
        return Ok(());
    }
    let existence = match caller {
        Caller::Public(_) => Existence::Proven,
        Caller::Secret(_) | Caller::CallbackHash(_) => Existence::Unknown,
    };
    let theirs = fetch_upstream(upstream, environment, internal).await;
    let token = match combine_response(context, environment, None, theirs, existence) {
        Ok((token, _)) => token,
        // The object will poll upstream again.
        Err(ApiError::UpstreamUnavailable | ApiError::TokenNotFound) if is_known => {
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let (record, text) = StoredToken::of(&token);
    let command = CommandMessage::ImportUpstream(record);
    let answer = send(context, permit, environment, internal, &command, text).await;
    answer.map(drop)
}

/// Loads what is stored of the token here.
async fn load_local(
    context: &RequestContext<'_>,
    permit: &Permit,
    environment: &Environment,
    internal: &str,
    command: &CommandMessage,
) -> Result<Option<Token>, ApiError> {
    match send(context, permit, environment, internal, command, "").await? {
        TokenReply::Found(token) => Ok(Some(token)),
        _ => Ok(None),
    }
}

/// Fetches the token from upstream, with the environment's own key.
async fn fetch_upstream(
    upstream: &str,
    environment: &Environment,
    internal: &str,
) -> Result<UpstreamResponse, ApiError> {
    let response = upstream::fetch_token(upstream, environment, internal).await;
    response.map_err(unavailable)
}

fn combine_response(
    context: &RequestContext<'_>,
    environment: &Environment,
    ours: Option<Token>,
    theirs: Result<UpstreamResponse, ApiError>,
    existence: Existence,
) -> Result<(Token, Source), ApiError> {
    let theirs = match &theirs {
        Ok(UpstreamResponse { status, text, .. }) => Ok(UpstreamReply {
            status: *status,
            text,
        }),
        Err(error) => Err(error.clone()),
    };
    combine(ours, theirs, context.link_origin(environment), existence)
}

/// Upstream's response for the client, with the URLs rewritten to ours.
pub(crate) fn upstream_reply(origin: &str, theirs: UpstreamResponse) -> Reply {
    let text = rewrite_urls(&theirs.text, origin);
    Reply::of_upstream(theirs.status, theirs.headers, text).with("waitpoint-source", "upstream")
}

/// The error for a failed request to upstream. The exception is not logged, because its text may
/// contain the URL, which may be a credential.
pub(crate) fn unavailable<T>(_: T) -> ApiError {
    let cause = "the exception is not logged, because it may contain a credential";
    log_error("upstream did not answer", &cause.into());
    ApiError::UpstreamUnavailable
}
