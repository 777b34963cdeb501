//! Rate limits: asks the bindings that count. `domain::api::rate_limit` says what is counted together.
//!
//! Invariant: an object is asked for a client only with a [`Permit`], and a permit is given only by a
//! limit that was asked. The caller is known before that, and a decision that an object has taken is
//! reported whatever a limit says.

use crate::domain::api::error::ApiError;
use crate::domain::api::rate_limit::{LocalAllowance, RateLimitKey, network};
use crate::domain::auth::caller::Caller;
use crate::worker::bindings::{is_limited, variable};
use crate::worker::http::context::RequestContext;
use crate::worker::http::request::header;
use crate::worker::log_error;
use crate::worker::outgoing::upstream::UpstreamResponse;
use std::cell::RefCell;

/// Proof that the limit of a request was asked and lets it through.
#[must_use]
pub(crate) struct Permit(());

impl Permit {
    /// For a create that upstream has answered: upstream's own limits have let it through, and what it
    /// has created must be stored here.
    pub(crate) fn of_upstream(created: &UpstreamResponse) -> Option<Self> {
        (created.status == 200).then_some(Self(()))
    }
}

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

/// What the reading of a token counts against. `authorization` holds the caller's credential.
pub(crate) fn reader_limit<'a>(caller: &'a Caller<'_>, authorization: &'a str) -> RateLimitKey<'a> {
    match caller {
        Caller::Secret(environment) => RateLimitKey::Environment(&environment.id),
        Caller::Public(_) | Caller::CallbackHash(_) => RateLimitKey::Reader(authorization),
    }
}

/// The error, or `TooManyFailures` if too many credentials from this address have failed.
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

/// Limits how often an address may send credentials that are unknown here on to upstream, which counts
/// all of them as sent by this Worker.
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

/// Whether this key has used up the limit of a binding. Where the binding is left out there is no
/// limit. A limit that fails is logged and lets requests through: it must not take the API down.
pub(crate) async fn is_exceeded(context: &RequestContext<'_>, binding: &str, key: &str) -> bool {
    let limiter = variable(context.env, binding);
    if limiter.is_undefined() {
        return false;
    }
    is_limited(&limiter, key).await.unwrap_or_else(|why| {
        log_error("a rate limit failed", &why);
        false
    })
}
