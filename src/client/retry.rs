//! When to try again, and the loop that does.
//!
//! Completing a token is idempotent, as the first decision stands; so whatever may have got lost may
//! be sent again.

use core::future::Future;

/// The longest pause a server may ask for, in milliseconds. A longer one ends the call, with an error
/// that is retryable.
pub const LONGEST_PAUSE: f64 = 60_000.0;

/// As many attempts mean to try for ever: no pause is too long then, but none is longer than
/// [`LONGEST_PAUSE`].
pub const UNLIMITED: u32 = u32::MAX;

/// The status of a connection that held and broke: to be tried again as if for the first time.
pub const RECONNECT: u16 = 100;

/// How often to try, and how long to wait in between: before attempt n + 1 a random part ("full
/// jitter") of `min * factor^(n - 1)`, at most `max`. Times are in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Attempts in all; below 1 is 1. See [`UNLIMITED`].
    pub max_attempts: u32,
    /// The first delay's ceiling.
    pub min: f64,
    /// The largest ceiling.
    pub max: f64,
    /// By how much the ceiling grows.
    pub factor: f64,
}

/// What an answer says of trying again.
#[derive(Clone, Copy, Debug)]
pub struct RetryHint {
    /// The HTTP status; 0 if no answer came. See [`RECONNECT`].
    pub status: u16,
    /// The header `x-should-retry`; it goes before everything else.
    pub should_retry: Option<bool>,
    /// The pause in milliseconds that the server asks for.
    pub pause: Option<f64>,
}

impl RetryHint {
    /// What a status says, without any header.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        Self {
            status,
            should_retry: None,
            pause: None,
        }
    }

    /// Whether the answer is a 2xx.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self.status, 200..300)
    }

    /// Whether the same request may succeed later: none came, it broke, 408, 429, 500 and above. What has
    /// succeeded is not sent again, whatever a header says.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        let usual = matches!(self.status, 0 | RECONNECT | 408 | 429 | 500..);
        !self.is_success() && self.should_retry.unwrap_or(usual)
    }
}

impl Retry {
    /// How many milliseconds to wait after attempt number `attempt` (from 1); `None` if its answer is
    /// final. `random` lies in [0, 1).
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
            // Everybody was told the same moment; so not all at once.
            Some(pause) if pause > 0.0 => Some(pause.min(LONGEST_PAUSE) + jitter.min(1_000.0)),
            _ => Some(jitter),
        }
    }
}

/// What carries one request.
pub trait Transport {
    /// What comes back, be it a failure.
    type Answer;
    /// Sends it once.
    fn send(&self) -> impl Future<Output = Self::Answer>;
    /// What the answer says of trying again; `None` if the caller has given up.
    fn hint(&self, answer: &Self::Answer) -> Option<RetryHint>;
    /// Waits for that many milliseconds, or less if waiting has become useless.
    fn sleep(&self, millis: f64) -> impl Future<Output = ()>;
    /// A number in [0, 1).
    fn random(&self) -> f64;
}

/// Sends until an answer is final.
pub async fn send<T: Transport>(transport: &T, retry: &Retry) -> T::Answer {
    let mut attempt = 1;
    loop {
        let answer = transport.send().await;
        let delay = transport.hint(&answer).and_then(|hint| {
            if hint.status == RECONNECT {
                attempt = 1;
            }
            retry.delay(attempt, hint, transport.random())
        });
        match delay {
            Some(millis) => transport.sleep(millis).await,
            None => return answer,
        }
        attempt += 1;
    }
}
