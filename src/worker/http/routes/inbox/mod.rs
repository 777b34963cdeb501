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
use crate::domain::api::form::{check_field_count, form_fields};
use crate::domain::api::route::InboxPath;
use crate::domain::auth::form_origin::is_own_form;
use crate::domain::auth::inbox_settings::SignInBy;
use crate::domain::inbox::render::{self, Frame, Message};
use crate::domain::page::i18n::{self, Words};
use crate::domain::page::{self, MAX_FORM};
use crate::worker::http::body::{body, drain};
use crate::worker::http::context::RequestContext;
use crate::worker::http::csp;
use crate::worker::http::request::{LinkHead, headers_json};
use crate::worker::http::response::{HandlerResponse, Reply};
use crate::worker::http::upstream_token::upstream_of;
use operator::{Operator, Refused};
use std::cell::RefCell;

/// A request to the inbox, before anybody is known to be signed in.
pub(super) struct Visit<'a> {
    pub(super) context: &'a RequestContext<'a>,
    pub(super) head: LinkHead<'a>,
    pub(super) words: &'static Words,
    pub(super) sign_in: &'static SignInBy,
}

/// How many objects are asked at the same time.
const AT_ONCE: usize = 20;

/// Answers a request to a page of the inbox. `sign_in` is who may see it.
pub(crate) async fn inbox(
    context: &RequestContext<'_>,
    page: InboxPath<'_>,
    sign_in: &'static SignInBy,
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
        sign_in,
    };
    let reply = match handle(&visit, page).await {
        Ok(reply) => reply,
        Err(error) => {
            drain(context.request).await;
            visit.error(visit.frame(), error)?
        }
    };
    Ok(reply.into())
}

async fn handle(visit: &Visit<'_>, page: InboxPath<'_>) -> Result<Reply, ApiError> {
    if page == InboxPath::SignIn {
        return sign_in::sign_in(visit).await;
    }
    let operator = match operator::authenticate(visit).await? {
        Ok(operator) => operator,
        // The browser sends the cookie with no request that another site has begun.
        Err(Refused::NotSignedIn) if visit.is_from_elsewhere() => return Ok(visit.reopen()),
        Err(Refused::NotSignedIn) => return Ok(sign_in::redirect_to_sign_in(visit)),
        Err(Refused::ByAccess) => return Ok(visit.message(403, Message::AccessDenied)),
    };
    match handle_operator(&operator, page).await {
        Ok(reply) => Ok(reply),
        Err(error) => {
            drain(visit.context.request).await;
            visit.error(operator.frame(), error)
        }
    }
}

async fn handle_operator(operator: &Operator<'_>, page: InboxPath<'_>) -> Result<Reply, ApiError> {
    let visit = operator.visit;
    let lives_upstream = upstream_of(visit.context, operator.environment)?.is_some();
    if lives_upstream && page != InboxPath::SignOut {
        return Ok(operator.message(200, Message::LivesUpstream));
    }
    if visit.context.head.method() != "POST" {
        return match page {
            InboxPath::List => list::list(operator).await,
            InboxPath::Token { id } => token::show(operator, id).await,
            // Only forms go there.
            InboxPath::Bulk | InboxPath::SignIn | InboxPath::SignOut => Ok(redirect(INBOX)),
        };
    }
    let origin = visit.context.link_origin(operator.environment);
    let Some(form) = Form::read(visit, origin).await? else {
        return Ok(operator.message(403, Message::CrossSite));
    };
    match page {
        InboxPath::SignOut => Ok(sign_in::sign_out(operator, &form)),
        InboxPath::Bulk => bulk::bulk(operator, &form).await,
        InboxPath::Token { id } => token::submit(operator, id, &form).await,
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
        check_field_count(&text)?;
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
        self.html(status, render::message(self.frame(), message))
    }

    /// The page for an error; errors without a page are returned.
    fn error(&self, frame: Frame<'_>, error: ApiError) -> Result<Reply, ApiError> {
        let submitted = self.context.head.method() == "POST";
        let (status, message) = match error {
            ApiError::TokenNotFound => (404, Message::NotFound),
            ApiError::StorageUnavailable
            | ApiError::UpstreamUnavailable
            | ApiError::BodyUnreadable => (503, Message::Unavailable { submitted }),
            ApiError::TooManyRequests(_) | ApiError::TooManyBodies => (429, Message::Busy),
            ApiError::BodyTooLarge { .. } | ApiError::TooManyFields(_) => (413, Message::TooLarge),
            other => return Err(other),
        };
        let reply = self.html(status, render::message(frame, message));
        Ok(match status {
            503 => reply.with("retry-after", "2"),
            429 => reply.with("retry-after", "10"),
            _ => reply,
        })
    }

    /// Whether another site has begun this navigation: a link in a chat or in webmail.
    fn is_from_elsewhere(&self) -> bool {
        self.context.head.method() == "GET" && self.head.is_of_another_site()
    }

    /// A page that opens the requested one again. Unlike a redirect, this begins a navigation of our own,
    /// with which the browser sends the cookie.
    fn reopen(&self) -> Reply {
        let head = self.context.head;
        let link = format!(r#"<!doctype html><a href="{INBOX}">{INBOX}</a>"#);
        let target = format!("0; url={}{}", head.path(), head.query());
        self.html(200, link).with_unique("refresh", &target)
    }

    /// The response that holds a page.
    fn html(&self, status: u16, text: String) -> Reply {
        thread_local! {
            static POLICY: RefCell<Option<(&'static SignInBy, String)>> = const { RefCell::new(None) };
        }
        POLICY.with_borrow_mut(|cached| {
            let policy = match cached {
                Some((sign_in, policy)) if std::ptr::eq(*sign_in, self.sign_in) => policy,
                _ => &mut cached.insert((self.sign_in, self.policy())).1,
            };
            Reply::html(status, text, policy).with("vary", "Accept-Language, Cookie")
        })
    }

    fn policy(&self) -> String {
        // Where a session of Access has ended, a form is redirected there.
        let form_action = match self.sign_in {
            SignInBy::Access(access) => access.issuer.as_str(),
            SignInBy::SecretKey => "",
        };
        csp::of_page(&[page::CSS, render::CSS], &[render::JS], form_action)
    }
}

/// The path of the list.
const INBOX: &str = "/inbox";

/// A redirect to a page, after a POST too.
fn redirect(location: &str) -> Reply {
    Reply::empty(303).with_unique("location", location)
}
