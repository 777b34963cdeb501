//! Signing in to the inbox, and out.

use super::operator::{self, Operator};
use super::{Form, INBOX, Visit, redirect};
use crate::domain::api::error::ApiError;
use crate::domain::api::form::form_fields;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::api::route::inbox_page;
use crate::domain::auth::form_nonce::NoncePurpose;
use crate::domain::auth::inbox_session::set_cookie;
use crate::domain::auth::inbox_settings::SignInBy;
use crate::domain::encoding::percent_encode;
use crate::domain::inbox::render::{self, Message, SignIn, SignInProblem};
use crate::domain::page::NONCE_FIELD;
use crate::worker::bindings::random_uuid;
use crate::worker::http::rate_limit::{enforce, throttle_sign_in};
use crate::worker::http::response::Reply;
use crate::worker::http::token_object::unavailable;
use crate::worker::objects::index;
use crate::worker::settings;

/// Sends somebody who is not signed in to the form. What they wanted to do is lost, but where they wanted
/// to go is not.
pub(super) fn redirect_to_sign_in(visit: &Visit<'_>) -> Reply {
    let head = visit.context.head;
    let mut location = String::from("/inbox/sign-in");
    let target = format!("{}{}", head.path(), head.query());
    if let Some(next) = inbox_page(&target).filter(|&next| next != INBOX) {
        location += "?next=";
        percent_encode(next, &mut location);
    }
    redirect(&location)
}

/// The form, what it sends, and links that sign in once.
pub(super) async fn sign_in(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    if matches!(visit.sign_in, SignInBy::Access(_)) {
        return Ok(redirect(INBOX));
    }
    let context = visit.context;
    let keyring = settings::keyring(context.env)?;
    if context.head.method() == "POST" {
        // The key, and so its environment, is not read yet, and each environment can have its own origin.
        let origin = match context.head.cors_origin() {
            public if keyring.is_link_origin(public) => public,
            _ => context.head.origin(),
        };
        return match Form::read(visit, origin).await? {
            Some(form) => submit(visit, &form).await,
            None => Ok(visit.message(403, Message::CrossSite)),
        };
    }
    let query = context.head.query().trim_start_matches('?');
    let value = |name| {
        let mut fields = form_fields(query);
        fields.find(|(one, _)| one == name).map(|(_, value)| value)
    };
    let next = value("next").unwrap_or_default();
    let next = inbox_page(&next).unwrap_or(INBOX);
    if visit.is_from_elsewhere() {
        return Ok(visit.reopen());
    }
    // Somebody who is signed in already needs neither a key nor the link.
    if operator::authenticate(visit).await?.is_ok() {
        return Ok(redirect(next));
    }
    match value("link") {
        Some(credential) => follow_link(visit, &credential).await,
        None => Ok(form_page(visit, 200, next, None)),
    }
}

async fn submit(visit: &Visit<'_>, form: &Form) -> Result<Reply, ApiError> {
    let (context, next) = (visit.context, form.get("next"));
    let keyring = settings::keyring(context.env)?;
    let opened = keyring.sign_in_environment().and_then(|environment| {
        environment.open_form_nonce(NoncePurpose::SignIn, form.get(NONCE_FIELD), context.now)
    });
    if opened.is_none() {
        return Ok(form_page(visit, 403, next, Some(SignInProblem::Stale)));
    }
    // A copied key may have a line break at its end.
    let key = form.get("key").trim();
    let Some(session) = keyring.begin_session(key, &random_uuid(), context.now) else {
        let problem = match throttle_sign_in(context).await {
            Ok(()) => (401, SignInProblem::WrongKey),
            Err(_) => (429, SignInProblem::TooManyAttempts),
        };
        return Ok(form_page(visit, problem.0, next, Some(problem.1)));
    };
    let next = inbox_page(next).unwrap_or(INBOX);
    Ok(redirect(next).with_unique("set-cookie", &set_cookie(Some(&session))))
}

async fn follow_link(visit: &Visit<'_>, credential: &str) -> Result<Reply, ApiError> {
    let context = visit.context;
    let keyring = settings::keyring(context.env)?;
    let used = || form_page(visit, 401, "", Some(SignInProblem::LinkUsed));
    // A browser that guesses where its user will go must not use up the link.
    let is_prefetch = ["sec-purpose", "purpose"]
        .iter()
        .any(|name| !visit.head.get(name).is_empty());
    let (Some(link), false) = (
        keyring.open_sign_in_link(credential, context.now),
        is_prefetch || context.head.method() == "HEAD",
    ) else {
        return Ok(used());
    };
    let environment = link.environment();
    let permit = enforce(context, RateLimitKey::Environment(&environment.id)).await?;
    let is_first = index::use_link(
        &permit,
        context.env,
        &environment.id,
        &link.id,
        link.expires_at,
        context.now,
    )
    .await
    .map_err(|why| unavailable("the use of a link was not recorded", &why))?;
    if !is_first {
        return Ok(used());
    }
    let session = link.begin_session(&random_uuid(), context.now);
    Ok(redirect(INBOX).with_unique("set-cookie", &set_cookie(Some(&session))))
}

/// Ends the session in this browser. A copy of the cookie works until it expires or its key is removed.
pub(super) fn sign_out(operator: &Operator<'_>, form: &Form) -> Reply {
    if operator.opened_at(form).is_none() {
        return operator.message(403, Message::Stale);
    }
    match operator.visit.sign_in {
        SignInBy::Access(_) => redirect("/cdn-cgi/access/logout"),
        SignInBy::SecretKey => {
            redirect("/inbox/sign-in").with_unique("set-cookie", &set_cookie(None))
        }
    }
}

fn form_page(visit: &Visit<'_>, status: u16, next: &str, problem: Option<SignInProblem>) -> Reply {
    let keyring = settings::keyring(visit.context.env).ok();
    let environment = keyring.and_then(|keyring| keyring.sign_in_environment());
    let nonce = environment.map(|one| one.form_nonce(NoncePurpose::SignIn, visit.context.now));
    let form = SignIn {
        next: inbox_page(next).unwrap_or(INBOX),
        nonce: nonce.as_deref().unwrap_or_default(),
        problem,
    };
    let reply = visit.html(status, render::sign_in(visit.frame(), form));
    match problem {
        Some(SignInProblem::TooManyAttempts) => reply.with("retry-after", "60"),
        _ => reply,
    }
}
