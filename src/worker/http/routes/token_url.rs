//! `token.url` and `shortUrl`: the approval page for people, and a callback for machines.
//!
//! Invariant: GET and HEAD decide nothing, whatever the query or the headers.

use crate::domain::api::error::ApiError;
use crate::domain::api::limits::MAX_COMPLETE;
use crate::domain::auth::caller::Caller;
use crate::domain::auth::token_id::internal_id;
use crate::domain::callback::content::Content;
use crate::domain::callback::media_type::MediaType;
use crate::domain::callback::negotiation::Sender;
use crate::domain::page::i18n::{self, Words};
use crate::domain::page::{FormInput, MAX_FORM, NONCE_FIELD, Reads};
use crate::domain::token::CompletedBy;
use crate::worker::http::body::{body, drain};
use crate::worker::http::callback_body::{Platform, unpack};
use crate::worker::http::context::RequestContext;
use crate::worker::http::rate_limit::throttle_failed_auth;
use crate::worker::http::request::LinkHead;
use crate::worker::http::response::{HandlerResponse, Reply};
use crate::worker::http::routes::approval_page::{Link, error_page};
use crate::worker::http::routes::complete::decide;
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
    let head = LinkHead::of(context.request);
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
    head: LinkHead,
    words: &'static Words,
) -> Result<HandlerResponse, ApiError> {
    if head.is_plain_http() {
        let secure = context.head.origin().replacen("http:", "https:", 1);
        let location = format!("{secure}{}{}", context.head.path(), context.head.query());
        return Ok(Reply::empty(308).with("location", &location).into());
    }
    let post = context.head.method() == "POST";
    let keyring = settings::keyring(context.env)?;
    let (caller, expired) = match credential {
        Credential::OfUrl(text) => keyring.authenticate_link(raw_id, text, context.now),
        Credential::OfShortUrl(text) => keyring.authenticate_short_link(raw_id, text, context.now),
    }?;
    if expired && post && !head.prefers_html() {
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
    receive(link, caller, raw_id).await
}

/// Takes a POST: the page's form, or a callback.
async fn receive(
    link: Link<'_>,
    caller: Caller<'_>,
    raw_id: &str,
) -> Result<HandlerResponse, ApiError> {
    let (context, head) = (link.context, &link.head);
    let media = MediaType::parse(head.get("content-type"));
    let body = body(context.request, context.head, MAX_COMPLETE).await?;
    let body = unpack(body, head.get("content-encoding")).await?;
    let size = body.len();
    let content = Content::read(&media, &body, &Platform)?;
    let nonce = content.field(NONCE_FIELD);
    match Sender::of(&media, nonce.is_some(), head.navigates()) {
        Sender::Page | Sender::Browser => {
            // Behind a proxy the page's own origin is not that of the request.
            let is_own = context.head.cors_origin() == context.link_origin(link.environment);
            if head.is_of_another_site() || context.head.is_of_another_origin() && !is_own {
                return Err(ApiError::CrossSiteForm);
            }
            if size > MAX_FORM {
                return Err(ApiError::BodyTooLarge(MAX_FORM));
            }
            let nonce = nonce.unwrap_or_default();
            let input = FormInput::of(|name| content.field(name));
            link.submit(caller, nonce, &input).await.map(Into::into)
        }
        Sender::Machine => {
            let (output, hint) = content.into_output(&media)?;
            let hint = hint.map(str::to_owned);
            decide(
                context,
                caller,
                raw_id,
                Some(output),
                CompletedBy::Callback,
                hint,
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
