//! Who is signed in to the inbox.

use super::{Form, Visit, html};
use crate::domain::api::error::ApiError;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::auth::access_assertion::Unverified;
use crate::domain::auth::form_nonce::NoncePurpose;
use crate::domain::auth::inbox_session::cookie_of;
use crate::domain::auth::inbox_settings::{AccessSettings, InboxSettings};
use crate::domain::auth::keyring::Environment;
use crate::domain::inbox::render::{self, Frame, Message};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::{CompletedBy, Decision, Output, OutputKind, Token};
use crate::worker::http::rate_limit::{Permit, enforce};
use crate::worker::http::response::Reply;
use crate::worker::http::routes::retrieve::read_token;
use crate::worker::http::token_object::unavailable;
use crate::worker::http::upstream_token::ReadFor;
use crate::worker::outgoing::access;
use crate::worker::settings;

/// An operator who is signed in.
pub(super) struct Operator<'a> {
    pub(super) visit: &'a Visit<'a>,
    pub(super) environment: &'static Environment,
    /// The e-mail address, if Cloudflare Access has signed them in.
    pub(super) person: Option<String>,
    /// What tells the session from others. Its nonces are bound to it.
    session: String,
    /// What the forms of this page send back.
    nonce: String,
}

/// Why nobody is signed in.
pub(super) enum Refused {
    /// There is no session, or none that is valid.
    NotSignedIn,
    /// The assertion of Cloudflare Access is missing, or not valid here.
    ByAccess,
}

/// Who sends this request.
pub(super) async fn authenticate<'a>(
    visit: &'a Visit<'a>,
) -> Result<Result<Operator<'a>, Refused>, ApiError> {
    let keyring = settings::keyring(visit.context.env)?;
    let now = visit.context.now;
    match visit.settings {
        InboxSettings::ByAccess(access) => {
            let Some((environment, email)) = identity(visit, access).await? else {
                return Ok(Err(Refused::ByAccess));
            };
            let session = format!("access {email}");
            Ok(Ok(Operator::new(visit, environment, session, Some(email))))
        }
        InboxSettings::BySecretKey | InboxSettings::Off => {
            let cookie = cookie_of(visit.head.get("cookie")).unwrap_or("");
            let session = keyring.open_session(cookie, now);
            Ok(session.ok_or(Refused::NotSignedIn).map(|session| {
                let id = format!("session {}", session.id);
                Operator::new(visit, session.environment, id, None)
            }))
        }
    }
}

/// Whom Cloudflare Access has signed in.
async fn identity(
    visit: &Visit<'_>,
    access: &AccessSettings,
) -> Result<Option<(&'static Environment, String)>, ApiError> {
    let Some(assertion) = Unverified::read(visit.head.get("cf-access-jwt-assertion")) else {
        return Ok(None);
    };
    let now = visit.context.now;
    let is_signed = access::is_signed(access, &assertion, now).await;
    if !is_signed.map_err(|why| unavailable("the keys of Cloudflare Access were not read", &why))? {
        return Ok(None);
    }
    let identity = assertion.verified(access, now);
    let keyring = settings::keyring(visit.context.env)?;
    Ok(identity.and_then(|one| Some((keyring.by_id(&one.environment)?, one.email))))
}

impl<'a> Operator<'a> {
    fn new(
        visit: &'a Visit<'a>,
        environment: &'static Environment,
        session: String,
        person: Option<String>,
    ) -> Self {
        let purpose = NoncePurpose::Inbox(&session);
        Self {
            nonce: environment.form_nonce(purpose, visit.context.now),
            visit,
            environment,
            person,
            session,
        }
    }

    /// When the page was opened whose form this is; `None` if the form has no valid nonce.
    pub(super) fn opened_at(&self, form: &Form) -> Option<Timestamp> {
        let nonce = form.get(crate::domain::page::NONCE_FIELD);
        let purpose = NoncePurpose::Inbox(&self.session);
        let now = self.visit.context.now;
        self.environment.open_form_nonce(purpose, nonce, now)
    }

    pub(super) fn frame(&self) -> Frame<'_> {
        Frame {
            operator: Some(render::Operator {
                environment: &self.environment.id,
                person: self.person.as_deref(),
                nonce: &self.nonce,
            }),
            ..self.visit.frame()
        }
    }

    pub(super) fn message(&self, status: u16, message: Message) -> Reply {
        html(status, render::message(self.frame(), message))
    }

    /// Counts a request of an operator against the limit of the environment.
    pub(super) async fn permit(&self) -> Result<Permit, ApiError> {
        let limit = RateLimitKey::Environment(&self.environment.id);
        enforce(self.visit.context, limit).await
    }

    /// A token of the environment, without a long output.
    pub(super) async fn read(&self, permit: &Permit, id: &str) -> Result<Token, ApiError> {
        let context = self.visit.context;
        read_token(context, permit, self.environment, id, ReadFor::Deciding).await
    }

    /// A decision of this operator.
    pub(super) fn decision(&self, output: String) -> Decision {
        Decision {
            output: Some(Output {
                kind: OutputKind::Json,
                text: output,
            }),
            by: CompletedBy::Inbox,
            subject: self.person.clone(),
            callback: None,
            is_by_owner: true,
        }
    }
}
