//! The inbox: pages for operators, who are signed in.
//!
//! Invariants:
//! - Without a valid session no object is called, except to use up a link that signs in.
//! - A form does something only with the nonce of the session, and only if a page of the inbox sends it.

mod bulk;
mod list;
mod operator;
mod sign_in;
mod token;

use crate::domain::api::error::ApiError;
use crate::domain::api::form::form_fields;
use crate::domain::api::route::InboxPath;
use crate::domain::auth::form_origin::is_own_form;
use crate::domain::auth::inbox_settings::InboxSettings;
use crate::domain::inbox::render::{self, Frame, Message};
use crate::domain::page::i18n::{self, Words};
use crate::domain::page::{self, MAX_FORM};
use crate::worker::http::body::{body, drain};
use crate::worker::http::context::RequestContext;
use crate::worker::http::csp;
use crate::worker::http::request::{LinkHead, headers_json};
use crate::worker::http::response::{HandlerResponse, Reply};
use crate::worker::http::upstream_token::upstream_of;
use operator::Refused;
use std::cell::OnceCell;

/// A request to the inbox, before anybody is known to be signed in.
pub(super) struct Visit<'a> {
    pub(super) context: &'a RequestContext<'a>,
    pub(super) head: LinkHead<'a>,
    pub(super) words: &'static Words,
    pub(super) settings: &'static InboxSettings,
}

/// Answers a request to a page of the inbox. There is one: `settings` say so.
pub(crate) async fn inbox(
    context: &RequestContext<'_>,
    page: InboxPath<'_>,
    settings: &'static InboxSettings,
) -> Result<HandlerResponse, ApiError> {
    let headers = headers_json(context.request);
    let head = LinkHead::of(&headers);
    if head.is_plain_http() {
        let secure = context.head.origin().replacen("http:", "https:", 1);
        let location = format!("{secure}{}{}", context.head.path(), context.head.query());
        return Ok(Reply::empty(308).with("location", &location).into());
    }
    let visit = Visit {
        words: i18n::choose("", head.get("accept-language")),
        context,
        head,
        settings,
    };
    let reply = match answer(&visit, page).await {
        Ok(reply) => reply,
        Err(error) => {
            drain(context.request).await;
            visit.error(error)?
        }
    };
    Ok(reply.into())
}

async fn answer(visit: &Visit<'_>, page: InboxPath<'_>) -> Result<Reply, ApiError> {
    if page == InboxPath::SignIn {
        return sign_in::sign_in(visit).await;
    }
    let operator = match operator::authenticate(visit).await? {
        Ok(operator) => operator,
        Err(Refused::NotSignedIn) => return Ok(sign_in::ask(visit)),
        Err(Refused::ByAccess) => return Ok(visit.message(403, Message::AccessDenied)),
    };
    let lives_upstream = upstream_of(visit.context, operator.environment)?.is_some();
    if lives_upstream && page != InboxPath::SignOut {
        return Ok(operator.message(200, Message::LivesUpstream));
    }
    if visit.context.head.method() != "POST" {
        return match page {
            InboxPath::Token { id } => token::show(&operator, id).await,
            _ => list::list(&operator).await,
        };
    }
    let origin = visit.context.link_origin(operator.environment);
    let Some(form) = Form::read(visit, origin).await? else {
        return Ok(operator.message(403, Message::CrossSite));
    };
    match page {
        InboxPath::SignOut => Ok(sign_in::sign_out(&operator, &form)),
        InboxPath::Bulk => bulk::bulk(&operator, &form).await,
        InboxPath::Token { id } => token::submit(&operator, id, &form).await,
        InboxPath::List | InboxPath::SignIn => Err(ApiError::PathNotFound),
    }
}

/// A form that a page of the inbox has sent.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a form; `None` if it is not sent by a page of the inbox. `origin` is that of links, which
    /// behind a proxy is not that of the request.
    async fn read(visit: &Visit<'_>, origin: &str) -> Result<Option<Self>, ApiError> {
        let context = visit.context;
        let own = [context.head.origin(), origin];
        let fetch_site = visit.head.get("sec-fetch-site");
        if !is_own_form(context.head.cors_origin(), fetch_site, own) {
            drain(context.request).await;
            return Ok(None);
        }
        let body = body(context.request, context.head, MAX_FORM).await?;
        let text = String::from_utf8_lossy(&body);
        Ok(Some(Self(form_fields(&text).collect())))
    }

    /// The first value of a field, or `""`.
    fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or("")
    }

    /// The values of a field.
    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(one, _)| one == name);
        named.map(|(_, value)| value.as_str())
    }
}

impl Visit<'_> {
    fn frame(&self) -> Frame<'_> {
        Frame {
            words: self.words,
            now: self.context.now,
            operator: None,
        }
    }

    fn message(&self, status: u16, message: Message) -> Reply {
        html(status, render::message(self.frame(), message))
    }

    /// The page for an error; errors without a page are returned.
    fn error(&self, error: ApiError) -> Result<Reply, ApiError> {
        let submitted = self.context.head.method() == "POST";
        Ok(match error {
            ApiError::TokenNotFound => self.message(404, Message::NotFound),
            ApiError::StorageUnavailable | ApiError::UpstreamUnavailable => self
                .message(503, Message::Unavailable { submitted })
                .with("retry-after", "2"),
            ApiError::TooManyRequests(_) => {
                self.message(429, Message::Busy).with("retry-after", "10")
            }
            ApiError::BodyTooLarge { .. } => self.message(413, Message::TooLarge),
            other => return Err(other),
        })
    }
}

/// The response that holds a page.
fn html(status: u16, text: String) -> Reply {
    thread_local! {
        static POLICY: OnceCell<String> = const { OnceCell::new() };
    }
    POLICY.with(|policy| {
        let policy = policy.get_or_init(|| csp::of_page(&[page::CSS, render::CSS], &[render::JS]));
        Reply::html(status, text, policy).with("vary", "Accept-Language, Cookie")
    })
}

/// A redirect to a page, after a POST too.
fn redirect(location: &str) -> Reply {
    Reply::empty(303).with_unique("location", location)
}
