//! Deliveries of a token's events: their targets, attempts and retries. Source of the schedule: Standard
//! Webhooks 1.0.0.
//!
//! Invariants:
//! - Deliveries are written together with their event, so none is attempted before
//!   the event is durable.
//! - A delivery is pending, then delivered or failed. Both are final.
//! - There are at most [`MAX_ATTEMPTS`], or [`MAX_UPSTREAM_ATTEMPTS`]. After each attempt the next
//!   one is in the future, and never earlier than the schedule says.
//! - Jitter is derived from the token's id, so the same plan is made twice.

use super::event::TokenEvent;
use crate::domain::hash::fnv1a;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::time::{HOUR, MINUTE, SECOND};
use std::time::Duration;

/// The attempts of one delivery. The schedule takes three and a half days.
pub const MAX_ATTEMPTS: u32 = 10;
/// The attempts of a delivery upstream, in about a month.
pub const MAX_UPSTREAM_ATTEMPTS: u32 = 8_640;
/// After so many attempts in vain a delivery counts as failed, though more follow.
pub const FAILING: u32 = 3;
/// How long a receiver may take to answer.
pub const ATTEMPT_WITHIN: Duration = Duration::from_secs(10);

/// The pauses between attempts, in milliseconds.
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

/// The delivery of an event to one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The event.
    pub event: TokenEvent,
    /// The target.
    pub target: Target,
    /// The progress.
    pub progress: Progress,
    /// The number of attempts.
    pub attempts: u32,
    /// The last attempt.
    pub last: Option<Attempt>,
    /// The decision that upstream has instead of the delivered one, if it was detected.
    pub conflict: Option<UpstreamConflict>,
}

/// What a delivery is of and to whom. A token has at most one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryId {
    /// The event.
    pub event: TokenEvent,
    /// The target.
    pub target: Target,
}

impl DeliveryId {
    /// Which of several due deliveries is attempted first: the lowest. A receiver that hangs takes as
    /// long as an attempt may, and a run may be paused until the end is known upstream.
    pub(super) fn rank(self) -> u8 {
        match (self.target, self.event) {
            (Target::Upstream, _) => 0,
            (_, TokenEvent::Ended) => 1,
            _ => 2,
        }
    }
}

/// Upstream has another decision than this Worker, because it was made there first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamConflict {
    /// The token had timed out upstream.
    TimedOutUpstream,
    /// The token had been completed upstream with another output.
    DecidedOtherwiseUpstream,
}

/// The target of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The webhook of the environment.
    Environment,
    /// The token's own webhook.
    Token,
    /// The API at which the token lives (`relay/`).
    Upstream,
    /// The recipient with this index in the token's `notify`.
    Recipient(u8),
}

/// The progress of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It will be attempted at this time or later.
    Pending(Timestamp),
    /// Received.
    Delivered,
    /// No further attempt will be made.
    Failed,
}

/// An attempt at a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it ended.
    pub at: Timestamp,
    /// The result.
    pub result: AttemptResult,
}

/// The result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptResult {
    /// The target responded with this HTTP status.
    Status(u16),
    /// The target did not respond in time, or was not reached.
    NoResponse,
    /// The attempt was not made, because a setting for it is missing or invalid.
    NotSendable,
    /// The mail service took the mail.
    MailAccepted,
    /// The mail service did not take the mail, but may later.
    MailFailed,
    /// The mail service will never take the mail.
    MailRefused,
}

impl Delivery {
    /// A delivery that is due at `now`.
    #[must_use]
    pub fn new(event: TokenEvent, target: Target, now: Timestamp) -> Self {
        Self {
            event,
            target,
            progress: Progress::Pending(now),
            attempts: 0,
            last: None,
            conflict: None,
        }
    }

    /// What identifies it.
    #[must_use]
    pub fn id(&self) -> DeliveryId {
        DeliveryId {
            event: self.event,
            target: self.target,
        }
    }

    /// The time of the next attempt, if there is one.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.progress {
            Progress::Pending(at) => Some(at),
            Progress::Delivered | Progress::Failed => None,
        }
    }

    /// Whether it was not received for good, or for so long that operators should know: after
    /// [`FAILING`] attempts, which is some minutes. That stays true.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        match self.progress {
            Progress::Failed => true,
            Progress::Pending(_) => self.attempts >= FAILING,
            Progress::Delivered => self.attempts > FAILING,
        }
    }

    /// Records the result of an attempt at `now` and plans the next one. That follows the schedule,
    /// or the pause that the receiver asked for if it is longer. A finished delivery does not change.
    /// `id` is the token's id. Returns whether the target has the event now.
    pub fn record_attempt(
        &mut self,
        result: AttemptResult,
        pause: Option<Duration>,
        id: &str,
        now: Timestamp,
    ) -> bool {
        if self.due_at().is_none() {
            return false;
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
            (AttemptResult::Status(200..300) | AttemptResult::MailAccepted, _) => {
                Progress::Delivered
            }
            // "Gone": the receiver does not want this webhook any more.
            (AttemptResult::Status(410) | AttemptResult::MailRefused, _) | (_, None) => {
                Progress::Failed
            }
            // Upstream would reject every retry.
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
        self.progress == Progress::Delivered
    }
}

/// The pause before the next attempt upstream. It doubles from a second to five minutes, because a
/// paused run is waiting there.
fn upstream_delay(attempts: u32) -> Option<u64> {
    let delay = (SECOND << attempts.saturating_sub(1).min(20)).min(5 * MINUTE);
    (attempts < MAX_UPSTREAM_ATTEMPTS).then_some(delay)
}

/// A number below 100 that looks random, and is always the same for the same arguments.
fn jitter(id: &str, attempts: u32) -> u64 {
    (fnv1a(id.bytes().chain(attempts.to_le_bytes())) >> 32) % 100
}
