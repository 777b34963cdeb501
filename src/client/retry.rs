//! The retry policy, and the loop that follows it.
//!
//! Completing a token is idempotent, because the first decision wins. So a request that may have been
//! lost can be sent again.

use core::future::Future;

/// The longest pause that a server may ask for, in milliseconds. A longer one ends the call with a
/// retryable error.
pub const LONGEST_PAUSE: f64 = 60_000.0;

/// This number of attempts means no limit. In that case a longer pause than [`LONGEST_PAUSE`] is
/// shortened to it.
pub const UNLIMITED: u32 = u32::MAX;

/// The status of a connection that worked and then broke. It resets the count of attempts.
pub const RECONNECT: u16 = 100;

/// The number of attempts and the pauses between them. Before attempt n + 1 the pause is a random
/// part ("full jitter") of `min * factor^(n - 1)`, at most `max`. Times are in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// The number of attempts; less than 1 means 1. See [`UNLIMITED`].
    pub max_attempts: u32,
    /// The maximum of the first pause.
    pub min: f64,
    /// The maximum of every pause.
    pub max: f64,
    /// The factor by which the maximum grows.
    pub factor: f64,
}

/// What a response says about retries.
#[derive(Clone, Copy, Debug)]
pub struct RetryHint {
    /// The HTTP status; 0 if there was no response. See [`RECONNECT`].
    pub status: u16,
    /// The header `x-should-retry`, which takes precedence.
    pub should_retry: Option<bool>,
    /// The pause in milliseconds that the server asks for.
    pub pause: Option<f64>,
}

impl RetryHint {
    /// The hint of a status alone, without headers.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        Self {
            status,
            should_retry: None,
            pause: None,
        }
    }

    /// Whether the response is a 2xx.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self.status, 200..300)
    }

    /// Whether the same request may succeed later: no response, a broken connection, 408, 429, or 500
    /// and above. A successful request is never repeated, whatever a header says.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        let usual = matches!(self.status, 0 | RECONNECT | 408 | 429 | 500..);
        !self.is_success() && self.should_retry.unwrap_or(usual)
    }
}

impl Retry {
    /// The pause in milliseconds after attempt number `attempt` (from 1); `None` if its response is
    /// final. `random` is in [0, 1).
    #[must_use]
    pub fn delay(&self, attempt: u32, hint: RetryHint, random: f64) -> Option<f64> {
        let unlimited = self.max_attempts == UNLIMITED;
        if !hint.is_retryable() || (attempt >= self.max_attempts && !unlimited) {
            return None;
        }
        let mut ceiling = self.min;
        for _ in 1..attempt {
            ceiling = (ceiling * self.factor).min(self.max);
        }
        let jitter = random * ceiling.min(self.max);
        match hint.pause {
            Some(pause) if pause > LONGEST_PAUSE && !unlimited => None,
            // All clients were given the same time, so jitter spreads them.
            Some(pause) if pause > 0.0 => Some(pause.min(LONGEST_PAUSE) + jitter.min(1_000.0)),
            _ => Some(jitter),
        }
    }
}

/// Sends one request.
pub trait Transport {
    /// The result of an attempt.
    type Attempt;
    /// Sends the request once.
    fn send(&self) -> impl Future<Output = Self::Attempt>;
    /// What the response says about retries.
    fn hint(&self, attempt: &Self::Attempt) -> RetryHint;
    /// Waits this many milliseconds, or less if there is a reason to continue.
    fn sleep(&self, millis: f64) -> impl Future;
    /// A number in [0, 1).
    fn random(&self) -> f64;
}

/// Sends the request until a response is final.
pub async fn send<T: Transport>(transport: &T, retry: &Retry) -> T::Attempt {
    let mut attempt = 1;
    loop {
        let result = transport.send().await;
        let hint = transport.hint(&result);
        if hint.status == RECONNECT {
            attempt = 1;
        }
        let Some(millis) = retry.delay(attempt, hint, transport.random()) else {
            return result;
        };
        transport.sleep(millis).await;
        attempt += 1;
    }
}
