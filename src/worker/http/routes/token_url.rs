//! `token.url`: the approval page for people, and a callback for machines.
//!
//! Invariant: GET and HEAD decide nothing, whatever the query or the headers.

use crate::domain::api::callback::parse_callback;
use crate::domain::api::error::ApiError;
use crate::domain::api::limits::MAX_COMPLETE;
use crate::domain::auth::caller::Caller;
use crate::domain::auth::token_id::internal_id;
use crate::domain::page::Reads;
use crate::domain::page::i18n::{self, Words};
use crate::domain::token::CompletedBy;
use crate::worker::http::body::{body, drain};
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::throttle_failed_auth;
use crate::worker::http::request::{LinkHead, content_type};
use crate::worker::http::response::{HandlerResponse, Reply};
use crate::worker::http::routes::approval_page::{Link, error_page};
use crate::worker::http::routes::complete::decide;
use crate::worker::settings;

/// Answers every method that `token.url` accepts.
pub(crate) async fn token_url(
    context: &RequestContext<'_>,
    raw_id: &str,
    credential: &str,
) -> Result<HandlerResponse, ApiError> {
    let head = LinkHead::of(context.request);
    let words = i18n::choose(query_value(context, "lang"), head.accept_language());
    let shows_page = context.head.method() != "POST" || head.wants_html();
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
    credential: &str,
    head: LinkHead,
    words: &'static Words,
) -> Result<HandlerResponse, ApiError> {
    if head.is_plain_http() {
        let secure = context.head.origin().replacen("http:", "https:", 1);
        let location = format!("{secure}{}{}", context.head.path(), context.head.query());
        return Ok(Reply::empty(308).with("location", &location).into());
    }
    let post = context.head.method() == "POST";
    if post && (head.is_of_another_site() || context.head.is_of_another_origin()) {
        return Err(ApiError::CrossSiteForm);
    }
    let keyring = settings::keyring(context.env)?;
    let (caller, expired) = keyring.authenticate_link(raw_id, credential, context.now)?;
    if expired && post && !head.wants_html() {
        return Err(ApiError::PublicTokenExpired);
    }
    let link = Link {
        context,
        head,
        words,
        environment: caller.environment(),
        id: internal_id(raw_id).ok_or(ApiError::TokenNotFound)?,
        expired,
        reads: match &caller {
            Caller::CallbackHash(_) => Reads::Nothing,
            caller if caller.allows("read", raw_id) => Reads::Everything,
            _ => Reads::Question,
        },
    };
    if !post || expired {
        return link.show().await.map(Into::into);
    }
    let body = body(context.request, context.head, MAX_COMPLETE).await?;
    // The body is dropped before the object is called, because the platform frees the request of a
    // client that has left late.
    match link.parse_form(&body)? {
        Some((nonce, input)) => {
            drop(body);
            link.submit(caller, &nonce, &input).await.map(Into::into)
        }
        None => {
            let output = parse_callback(&content_type(context.request), &body)?;
            drop(body);
            decide(
                context,
                caller,
                raw_id,
                Some(output),
                CompletedBy::Callback,
                None,
            )
            .await
        }
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
