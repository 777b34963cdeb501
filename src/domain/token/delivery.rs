//! Invariants:
//! - What is owed is in the record as soon as the decision is: nothing is told before it is
//!   written.
//! - A delivery is pending, then delivered or failed; both are final.
//! - There are at most [`MAX_ATTEMPTS`], or [`MAX_UPSTREAM_ATTEMPTS`], and after each the next is
//!   planned for later than now, never sooner than the schedule has it.
//! - Jitter comes from the token's id, so that a plan made twice is the same plan.
//!
//! The outbox of a token: what is owed to whom, when it is tried, when it is given up. Source of
//! the schedule: Standard Webhooks 1.0.0.

use crate::domain::hash::fnv1a;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::time::{HOUR, MINUTE, SECOND};
use std::time::Duration;

/// Attempts of one delivery: by the schedule three days and a half.
pub const MAX_ATTEMPTS: u32 = 10;
/// Attempts upstream: a month.
pub const MAX_UPSTREAM_ATTEMPTS: u32 = 8_640;
/// How long a receiver may take to answer.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Between one attempt and the next, in milliseconds.
const DELAYS: [u64; MAX_ATTEMPTS as usize - 1] = [
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
];
/// The longest pause that a receiver may ask for, in milliseconds.
const LONGEST_PAUSE: u64 = 24 * HOUR;

/// Something owed to somebody once the token is finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// To whom.
    pub target: Target,
    /// How far it has come.
    pub progress: Progress,
    /// How often it was tried.
    pub attempts: u32,
    /// What the last attempt came to.
    pub last: Option<Attempt>,
    /// What upstream holds instead of what was delivered there, if that was seen.
    pub conflict: Option<UpstreamConflict>,
}

/// That a decision stands upstream other than the one that stands here, since it was taken there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamConflict {
    /// The token had timed out there.
    TimedOutUpstream,
    /// It had been completed there with another output.
    DecidedOtherwiseUpstream,
}

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The webhook of the environment.
    Environment,
    /// The token's own webhook.
    Token,
    /// The API at which the token lives (`relay/`).
    Upstream,
}

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// To be tried, at this moment or later.
    Pending(Timestamp),
    /// Received.
    Delivered,
    /// Given up.
    Failed,
}

/// An attempt that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it ended.
    pub at: Timestamp,
    /// How.
    pub result: AttemptResult,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptResult {
    /// With this HTTP status.
    Status(u16),
    /// Without an answer: not reached, or not in time.
    NoResponse,
    /// It was not made: there is nowhere to send it to, or nothing to sign it with.
    NotSendable,
}

impl Delivery {
    /// To be tried from `now` on.
    #[must_use]
    pub fn new(target: Target, now: Timestamp) -> Self {
        Self {
            target,
            progress: Progress::Pending(now),
            attempts: 0,
            last: None,
            conflict: None,
        }
    }

    /// When it is to be tried next, if ever.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.progress {
            Progress::Pending(at) => Some(at),
            Progress::Delivered | Progress::Failed => None,
        }
    }

    /// Records how an attempt ended at `now`, and plans the next: by the schedule, or after the pause
    /// that the receiver asked for if that is longer. A delivery that is over stays as it is. `id` is
    /// the token's.
    pub fn record_attempt(
        &mut self,
        result: AttemptResult,
        pause: Option<Duration>,
        id: &str,
        now: Timestamp,
    ) {
        if self.due_at().is_none() {
            return;
        }
        self.attempts += 1;
        self.last = Some(Attempt { at: now, result });
        let is_upstream = self.target == Target::Upstream;
        let delay = if is_upstream {
            upstream_delay(self.attempts)
        } else {
            DELAYS.get(self.attempts as usize - 1).copied()
        };
        self.progress = match (result, delay) {
            (AttemptResult::Status(200..300), _) => Progress::Delivered,
            // "Gone": the receiver wants no more of it.
            (AttemptResult::Status(410), _) | (_, None) => Progress::Failed,
            // An API that says so says it again.
            (AttemptResult::Status(status @ 400..500), _)
                if is_upstream && !matches!(status, 408 | 409 | 425 | 429) =>
            {
                Progress::Failed
            }
            (_, Some(delay)) => {
                let pause = pause.map_or(0, |pause| pause.as_millis());
                let pause = u64::try_from(pause).unwrap_or(u64::MAX).min(LONGEST_PAUSE);
                let delay = delay.max(pause);
                let delay = delay + delay / 10 * jitter(id, self.attempts) / 100;
                Progress::Pending(now.plus(Duration::from_millis(delay)))
            }
        };
    }
}

/// Between an attempt upstream and the next: a run waits there, so it doubles from a second to five
/// minutes, and goes on for a month.
fn upstream_delay(attempts: u32) -> Option<u64> {
    let delay = (SECOND << attempts.saturating_sub(1).min(20)).min(5 * MINUTE);
    (attempts < MAX_UPSTREAM_ATTEMPTS).then_some(delay)
}

/// A number below 100 that looks random and is the same each time.
fn jitter(id: &str, attempts: u32) -> u64 {
    (fnv1a(id.bytes().chain(attempts.to_le_bytes())) >> 32) % 100
}
