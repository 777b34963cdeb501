//! Rate limits: the bindings asked, and what they say told. What is counted together is `crate::limit`.
//!
//! Who calls is known before the first object is asked, and the platform is asked between the two: a
//! decision that an object has taken is told whatever a limit says.

use super::api::Call;
use super::bindings::is_limited;
use super::http::header;
use crate::caller::Caller;
use crate::error::Refusal;
use crate::limit::{Share, Unasked, network};
use std::cell::RefCell;

thread_local! {
    static UNASKED: RefCell<Unasked> = RefCell::default();
}

/// A share that the platform must be asked about: its binding and key.
pub(super) type Doubt = (&'static str, String);

impl Call<'_> {
    /// Counts this request.
    pub(super) fn count(&self, share: Share<'_>) {
        let key = share.key();
        if !UNASKED.with_borrow_mut(|unasked| unasked.lets_pass(&key, self.now)) {
            self.doubt.set(Some((share.binding(), key)));
        }
    }

    /// Counts the reading of a token.
    pub(super) fn count_reader(&self, caller: &Caller<'_>, authorization: &str) {
        self.count(match caller {
            Caller::Secret(environment) => Share::Environment(&environment.id),
            Caller::Public(_) | Caller::CallbackHash(_) => Share::Reader(authorization),
        });
    }

    /// Refuses who has used up the share that was counted.
    pub(super) async fn admit(&self) -> Result<(), Refusal> {
        match self.doubt.take() {
            Some((binding, key)) if self.is_over(binding, &key).await => {
                Err(Refusal::TooManyRequests(binding))
            }
            _ => Ok(()),
        }
    }

    /// The refusal, or another if too many credentials from this address were none.
    pub(super) async fn slowed(&self, refusal: Refusal) -> Refusal {
        if !refusal.is_failed_credential() {
            return refusal;
        }
        let address = header(self.request, "cf-connecting-ip");
        if !address.is_empty() && self.is_over("ADDRESS_LIMIT", network(&address)).await {
            return Refusal::TooManyFailures;
        }
        refusal
    }

    /// Limits how often an address may send credentials that are unknown here on to upstream. Upstream counts
    /// all of them as sent by this Worker.
    pub(super) async fn limit_strangers(&self) -> Result<(), Refusal> {
        let address = header(self.request, "cf-connecting-ip");
        let key = format!("relay/{}", network(&address));
        if !address.is_empty() && self.is_over("ADDRESS_LIMIT", &key).await {
            return Err(Refusal::TooManyFailures);
        }
        Ok(())
    }

    /// Whether a limit says so; one that is not bound, or fails, never does.
    pub(super) async fn is_over(&self, binding: &str, key: &str) -> bool {
        let Ok(limiter) = self.env.rate_limiter(binding) else {
            return false;
        };
        let limited = is_limited(&limiter, key).await;
        limited.unwrap_or(false)
    }
}
