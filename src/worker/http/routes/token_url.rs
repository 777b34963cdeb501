//! `token.url` and `shortUrl`: the approval page for people, and a callback for machines
//! (`callback.rs`).
//!
//! Invariant: GET and HEAD decide nothing, whatever the query or the headers.

use crate::domain::api::error::ApiError;
use crate::domain::api::route::Endpoint;
use crate::domain::auth::caller::Caller;
use crate::domain::auth::token_id::internal_id;
use crate::domain::page::Reads;
use crate::domain::page::i18n::{self, Words};
use crate::worker::http::body::drain;
use crate::worker::http::context::RequestContext;
use crate::worker::http::cors::preflight;
use crate::worker::http::rate_limit::throttle_failed_auth;
use crate::worker::http::request::{LinkHead, headers_json};
use crate::worker::http::response::{HandlerResponse, Reply};
use crate::worker::http::routes::approval_page::{Link, error_page};
use crate::worker::http::routes::callback::{handshake_of, receive};
use crate::worker::settings;

/// The credential in the path of a link.
#[derive(Clone, Copy)]
pub(crate) enum Credential<'a> {
    /// Of a `token.url`.
    OfUrl(&'a str),
    /// Of a `shortUrl`.
    OfShortUrl(&'a str),
}

/// Answers every method that a link accepts.
pub(crate) async fn token_url(
    context: &RequestContext<'_>,
    raw_id: &str,
    credential: Credential<'_>,
) -> Result<HandlerResponse, ApiError> {
    let headers = headers_json(context.request);
    let head = LinkHead::of(&headers);
    let words = i18n::choose(query_value(context, "lang"), head.get("accept-language"));
    let shows_page = context.head.method() != "POST" || head.prefers_html();
    match answer(context, raw_id, credential, head, words).await {
        Err(error) if shows_page => {
            drain(context.request).await;
            let error = throttle_failed_auth(context, error).await;
            error_page(context, words, error).map(Into::into)
        }
        result => result,
    }
}

async fn answer(
    context: &RequestContext<'_>,
    raw_id: &str,
    credential: Credential<'_>,
    head: LinkHead<'_>,
    words: &'static Words,
) -> Result<HandlerResponse, ApiError> {
    if head.is_plain_http() {
        let secure = context.head.origin().replacen("http:", "https:", 1);
        let location = format!("{secure}{}{}", context.head.path(), context.head.query());
        return Ok(Reply::empty(308).with("location", &location).into());
    }
    let post = context.head.method() == "POST";
    let (caller, expired) = authenticate(context, raw_id, credential)?;
    if expired && post && !head.prefers_html() {
        return Err(ApiError::PublicTokenExpired);
    }
    let id = internal_id(raw_id).ok_or(ApiError::TokenNotFound)?;
    let link = Link {
        context,
        head,
        words,
        environment: caller.environment(),
        id,
        expired,
        may_decide: caller.allows("write", raw_id),
        reads: match &caller {
            Caller::CallbackHash(_) => Reads::Nothing,
            caller if caller.allows("read", raw_id) => Reads::Everything,
            _ => Reads::Question,
        },
        caller,
    };
    if post && !expired {
        return receive(link, raw_id).await;
    }
    match handshake_of(context, &link.head, &[], "", None) {
        Some(handshake) if !expired => Ok(Reply::handshake(handshake).into()),
        _ => link.show().await.map(Into::into),
    }
}

/// Answers OPTIONS: a service may ask so whether it may send events, a browser whether a page may.
pub(crate) fn options(
    context: &RequestContext<'_>,
    endpoint: Endpoint<'_>,
    raw_id: &str,
    credential: Credential<'_>,
) -> Result<Reply, ApiError> {
    let headers = headers_json(context.request);
    let head = LinkHead::of(&headers);
    if head.get("webhook-request-origin").is_empty() {
        return Ok(preflight(endpoint, context.head));
    }
    authenticate(context, raw_id, credential)?;
    let handshake = handshake_of(context, &head, &[], "", None);
    Ok(handshake.map_or_else(|| preflight(endpoint, context.head), Reply::handshake))
}

fn authenticate(
    context: &RequestContext<'_>,
    raw_id: &str,
    credential: Credential<'_>,
) -> Result<(Caller<'static>, bool), ApiError> {
    let keyring = settings::keyring(context.env)?;
    match credential {
        Credential::OfUrl(text) => keyring.authenticate_link(raw_id, text, context.now),
        Credential::OfShortUrl(text) => keyring.authenticate_short_link(raw_id, text, context.now),
    }
}

/// The value of a query parameter, not decoded.
fn query_value<'a>(context: &RequestContext<'a>, name: &str) -> &'a str {
    let query = context.head.query().trim_start_matches('?');
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(found, _)| *found == name)
        .map_or("", |(_, value)| value)
}
