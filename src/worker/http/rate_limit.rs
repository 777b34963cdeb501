//! Rate limits: the bindings asked, and what they say told. What is counted together is `crate::limit`.
//!
//! Who calls is known before the first object is asked, and the platform is asked between the two: a
//! decision that an object has taken is told whatever a limit says.

use crate::domain::api::error::ApiError;
use crate::domain::api::rate_limit::{LocalAllowance, RateLimitKey, network};
use crate::domain::auth::caller::Caller;
use crate::worker::bindings::is_limited;
use crate::worker::http::api::RequestContext;
use crate::worker::http::response::header;
use std::cell::RefCell;

thread_local! {
    static LOCAL_ALLOWANCE: RefCell<LocalAllowance> = RefCell::default();
}

/// A share that the platform must be asked about: its binding and key.
pub(crate) type PendingCheck = (&'static str, String);

impl RequestContext<'_> {
    /// Counts this request.
    pub(crate) fn count(&self, share: RateLimitKey<'_>) {
        let key = share.key();
        if !LOCAL_ALLOWANCE.with_borrow_mut(|unasked| unasked.allows(&key, self.now)) {
            self.pending_check.set(Some((share.binding(), key)));
        }
    }

    /// Counts the reading of a token.
    pub(crate) fn count_reader(&self, caller: &Caller<'_>, authorization: &str) {
        self.count(match caller {
            Caller::Secret(environment) => RateLimitKey::Environment(&environment.id),
            Caller::Public(_) | Caller::CallbackHash(_) => RateLimitKey::Reader(authorization),
        });
    }

    /// Refuses who has used up the share that was counted.
    pub(crate) async fn admit(&self) -> Result<(), ApiError> {
        match self.pending_check.take() {
            Some((binding, key)) if self.is_exceeded(binding, &key).await => {
                Err(ApiError::TooManyRequests(binding))
            }
            _ => Ok(()),
        }
    }

    /// The error, or another if too many credentials from this address were none.
    pub(crate) async fn throttle_failed_auth(&self, error: ApiError) -> ApiError {
        if !error.is_failed_credential() {
            return error;
        }
        let address = header(self.request, "cf-connecting-ip");
        if !address.is_empty() && self.is_exceeded("ADDRESS_LIMIT", network(&address)).await {
            return ApiError::TooManyFailures;
        }
        error
    }

    /// Limits how often an address may send credentials that are unknown here on to upstream. Upstream counts
    /// all of them as sent by this Worker.
    pub(crate) async fn limit_strangers(&self) -> Result<(), ApiError> {
        let address = header(self.request, "cf-connecting-ip");
        let key = format!("relay/{}", network(&address));
        if !address.is_empty() && self.is_exceeded("ADDRESS_LIMIT", &key).await {
            return Err(ApiError::TooManyFailures);
        }
        Ok(())
    }

    /// Whether a limit says so; one that is not bound, or fails, never does.
    pub(crate) async fn is_exceeded(&self, binding: &str, key: &str) -> bool {
        let Ok(limiter) = self.env.rate_limiter(binding) else {
            return false;
        };
        let limited = is_limited(&limiter, key).await;
        limited.unwrap_or(false)
    }
}
