//! Who is signed in to the inbox.

use super::{Form, Visit};
use crate::domain::api::error::ApiError;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::auth::access_assertion::{AccessError, Unverified};
use crate::domain::auth::form_nonce::NoncePurpose;
use crate::domain::auth::inbox_session::cookie_of;
use crate::domain::auth::inbox_settings::{AccessSettings, SignInBy};
use crate::domain::auth::keyring::Environment;
use crate::domain::inbox::render::{self, Frame, Message};
use crate::domain::inbox::sent::SentForm;
use crate::domain::page::NONCE_FIELD;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::{CompletedBy, Decision, Output, OutputKind, Token};
use crate::worker::http::rate_limit::{Permit, enforce};
use crate::worker::http::response::Reply;
use crate::worker::http::routes::retrieve::read_token;
use crate::worker::http::token_object::unavailable;
use crate::worker::http::upstream_token::ReadFor;
use crate::worker::log_error;
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
    match visit.sign_in {
        SignInBy::Access(access) => {
            let Some((environment, email)) = identity(visit, access).await? else {
                return Ok(Err(Refused::ByAccess));
            };
            let session = format!("access {email}");
            Ok(Ok(Operator::new(visit, environment, session, Some(email))))
        }
        SignInBy::SecretKey => {
            let cookie = cookie_of(visit.head.get("cookie")).unwrap_or("");
            let session = keyring.open_session(cookie, now);
            Ok(session.ok_or(Refused::NotSignedIn).map(|session| {
                let id = format!("session {}", session.id);
                Operator::new(visit, session.environment, id, None)
            }))
        }
    }
}

/// The person whom Cloudflare Access has signed in, and their environment. Why an assertion is refused is
/// logged, because the settings may be wrong.
async fn identity(
    visit: &Visit<'_>,
    access: &AccessSettings,
) -> Result<Option<(&'static Environment, String)>, ApiError> {
    let text = visit.head.get("cf-access-jwt-assertion");
    if text.is_empty() {
        return Ok(None);
    }
    let identity = match Unverified::read(text, access, visit.context.now) {
        Ok(assertion) => {
            let is_signed = access::is_signed(access, &assertion, visit.context.now).await;
            let is_signed = is_signed
                .map_err(|why| unavailable("the keys of Cloudflare Access were not read", &why))?;
            is_signed
                .then(|| assertion.into_identity())
                .ok_or(AccessError::Signature)
        }
        Err(error) => Err(error),
    };
    match identity {
        Ok(identity) => {
            let keyring = settings::keyring(visit.context.env)?;
            let environment = keyring.by_id(&identity.environment);
            Ok(environment.map(|environment| (environment, identity.email)))
        }
        Err(why) => {
            let why = why.to_string();
            log_error("an assertion of Cloudflare Access was refused", &why.into());
            Ok(None)
        }
    }
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
        let nonce = form.get(NONCE_FIELD);
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
        self.html(status, render::message(self.frame(), message))
    }

    pub(super) fn html(&self, status: u16, text: String) -> Reply {
        self.visit.html(status, text)
    }

    /// A form that this operator has sent, from a page that was opened then.
    pub(super) fn sent(&self, shown_at: Timestamp) -> SentForm<'_> {
        SentForm {
            subject: self.person.as_deref(),
            shown_at,
        }
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
