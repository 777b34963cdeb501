//! Enforces rate limits by the platform's bindings. `domain::api::rate_limit` says what shares a
//! limit.
//!
//! Invariant: a client's request reaches an object only with a [`Permit`], and only an enforced limit
//! gives a permit. The caller is authenticated before that. A decision that an object has taken is
//! always reported.

use crate::domain::api::error::ApiError;
use crate::domain::api::rate_limit::{LocalAllowance, RateLimitKey, network};
use crate::domain::auth::caller::Caller;
use crate::domain::auth::keyring::Environment;
use crate::domain::token::notify::{Recipient, Reminder};
use crate::worker::bindings::{is_limited, variable};
use crate::worker::http::context::RequestContext;
use crate::worker::http::request::header;
use crate::worker::log_error;
use crate::worker::outgoing::upstream::UpstreamResponse;
use std::cell::RefCell;

/// Proof that the limit of a request was enforced and allows the request.
#[must_use]
pub(crate) struct Permit(());

impl Permit {
    /// For a create that upstream has answered: upstream's own limits allowed it, and the token that
    /// it created must be stored here.
    pub(crate) fn of_upstream(created: &UpstreamResponse) -> Option<Self> {
        (created.status == 200).then_some(Self(()))
    }
}

/// The bindings of rate limits. Any of them may be missing, as all are without Cloudflare.
pub(crate) const BINDINGS: [&str; 5] = [
    "TOKEN_LIMIT",
    "ENVIRONMENT_LIMIT",
    "ADDRESS_LIMIT",
    "PAGE_LIMIT",
    "SIGN_IN_LIMIT",
];

thread_local! {
    static LOCAL_ALLOWANCE: RefCell<LocalAllowance> = RefCell::default();
}

/// Counts a request. The platform is asked, and the future suspends, only beyond the local allowance.
///
/// # Errors
/// `TooManyRequests`.
pub(crate) async fn enforce(
    context: &RequestContext<'_>,
    limit: RateLimitKey<'_>,
) -> Result<Permit, ApiError> {
    let key = limit.key();
    let is_allowed =
        LOCAL_ALLOWANCE.with_borrow_mut(|allowance| allowance.allows(&key, context.now));
    if !is_allowed && is_exceeded(context, limit.binding(), &key).await {
        return Err(ApiError::TooManyRequests(limit.binding()));
    }
    Ok(Permit(()))
}

/// Counts each notice that a create may send, so that notices are no way around the limit.
///
/// # Errors
/// `TooManyRequests`.
pub(crate) async fn enforce_recipients(
    context: &RequestContext<'_>,
    environment: &Environment,
    notify: &[Recipient],
    reminders: &[Reminder],
) -> Result<(), ApiError> {
    for _ in 0..notify.len() * (1 + reminders.len()) {
        let _permit = enforce(context, RateLimitKey::Environment(&environment.id)).await?;
    }
    Ok(())
}

/// The limit that a read of a token counts against. `authorization` is the caller's credential.
pub(crate) fn reader_limit<'a>(caller: &'a Caller<'_>, authorization: &'a str) -> RateLimitKey<'a> {
    match caller {
        Caller::Secret(environment) => RateLimitKey::Environment(&environment.id),
        Caller::Public(_) | Caller::CallbackHash(_) => RateLimitKey::Reader(authorization),
    }
}

/// `error`, or `TooManyFailures` if too many credentials from this address have failed.
pub(crate) async fn throttle_failed_auth(
    context: &RequestContext<'_>,
    error: ApiError,
) -> ApiError {
    if !error.is_failed_credential() {
        return error;
    }
    let address = header(context.request, "cf-connecting-ip");
    if !address.is_empty() && is_exceeded(context, "ADDRESS_LIMIT", network(&address)).await {
        return ApiError::TooManyFailures;
    }
    error
}

/// Counts a wrong key of somebody who wants to sign in to the inbox.
///
/// # Errors
/// `TooManyFailures`.
pub(crate) async fn throttle_sign_in(context: &RequestContext<'_>) -> Result<(), ApiError> {
    let address = header(context.request, "cf-connecting-ip");
    if !address.is_empty() && is_exceeded(context, "SIGN_IN_LIMIT", network(&address)).await {
        return Err(ApiError::TooManyFailures);
    }
    Ok(())
}

/// Limits how often an address may have unknown credentials forwarded to upstream. To upstream, all
/// of them come from this Worker.
///
/// # Errors
/// `TooManyFailures`.
pub(crate) async fn limit_unknown_credentials(
    context: &RequestContext<'_>,
) -> Result<(), ApiError> {
    let address = header(context.request, "cf-connecting-ip");
    let key = format!("relay/{}", network(&address));
    if !address.is_empty() && is_exceeded(context, "ADDRESS_LIMIT", &key).await {
        return Err(ApiError::TooManyFailures);
    }
    Ok(())
}

/// Whether this key has used up the limit of a binding. A binding that is not configured limits
/// nothing. A binding that fails is logged and allows the request, so that it cannot take the API
/// down.
pub(crate) async fn is_exceeded(context: &RequestContext<'_>, binding: &str, key: &str) -> bool {
    let limiter = variable(context.env, binding);
    if limiter.is_undefined() {
        return false;
    }
    is_limited(&limiter, key).await.unwrap_or_else(|why| {
        log_error(
            "a rate limit could not be checked, so it allows the request",
            &why,
        );
        false
    })
}
