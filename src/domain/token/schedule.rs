//! Invariants:
//! - After a step at `now`, [`Token::next_wakeup`] is later than `now`, or `None`.
//! - While a task is due, it is running, or there is a wake-up: for a row within
//!   [`INDEX_CONFIRM_WITHIN`] or as long again as it has been missing, for others within [`LEASE`].
//!   The record stays as long as a delivery is pending or its row is not confirmed.
//! - While the record has an alarm in [`Token::alarm`], an alarm is set to that time or earlier. An
//!   alarm that is early finds nothing to do and sets the next one, so an alarm that is early enough
//!   is not changed.
//!
//! The schedule of a token: its next wake-up, its due tasks, and its retention.

use super::delivery::{Delivery, DeliveryId};
use super::index_state::{INDEX_CONFIRM_WITHIN, IndexState};
use super::notify::REMINDER_GAP;
use super::{State, Token};
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// The longest pause between two attempts to reach the index.
const MAX_INDEX_PAUSE: Duration = Duration::from_secs(60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a due task may take before the alarm starts it again. It is longer than an attempt.
pub const LEASE: Duration = Duration::from_secs(30);

/// A task that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueTask {
    /// Make sure that the index has the token's current row.
    ConfirmRow,
    /// Make an attempt at this delivery.
    Deliver(DeliveryId),
    /// Delete the token: its retention is over and no task is pending.
    Purge,
}

/// What happens to a token's alarm when the token is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// It is not changed.
    Keep,
    /// It is set to this time, or deleted.
    Set(Option<Timestamp>),
}

impl Token {
    /// A task that is due, if there is one.
    #[must_use]
    pub fn next_task(
        &self,
        retention: Duration,
        index_state: IndexState,
        now: Timestamp,
    ) -> Option<DueTask> {
        let may_confirm = !matches!(
            index_state,
            IndexState::Unconfirmed | IndexState::Unreachable
        );
        if may_confirm && !self.is_in_sync_with_index(index_state) {
            return Some(DueTask::ConfirmRow);
        }
        let is_due = |delivery: &Delivery| delivery.due_at().is_some_and(|at| at <= now);
        let due = self.deliveries.iter().filter(|one| is_due(one));
        let due = due.min_by_key(|one| one.id().rank());
        let due = due.map(|one| DueTask::Deliver(one.id()));
        due.or_else(|| {
            let is_over = self.is_past_retention(retention, now) && !self.has_pending_delivery();
            (is_over && self.is_in_sync_with_index(index_state)).then_some(DueTask::Purge)
        })
    }

    /// When the object must next wake up: at the token's timeout, for a reminder, at the end of its
    /// retention, or for a pending task. A due task is already running, so its wake-up is after a [`LEASE`].
    #[must_use]
    pub fn next_wakeup(
        &self,
        retention: Duration,
        index_state: IndexState,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let leased = now.plus(LEASE);
        let leave = |at| if at <= now { leased } else { at };
        let end = match self.state {
            // When upstream will have timed it out, and every day after that.
            State::Waiting if self.home.must_be_polled() => {
                let timed_out = self.timeout_at.map(|at| at.plus(LEASE));
                let timed_out = timed_out.filter(|&at| at > now);
                timed_out.into_iter().chain([now.plus(DAY)]).min()
            }
            State::Waiting => self.timeout_at,
            _ if self.has_pending_delivery() => None,
            State::Completed { .. } | State::TimedOut | State::Cancelled { .. } => {
                self.purge_at(retention).map(leave)
            }
        };
        let reminder = self.next_reminder().map(leave);
        let deliveries = self.deliveries.iter().filter_map(Delivery::due_at);
        let deliveries = deliveries.map(leave);
        let list = (!self.is_in_sync_with_index(index_state)).then(|| {
            if index_state != IndexState::Unreachable {
                return now.plus(INDEX_CONFIRM_WITHIN);
            }
            // The pause is as long as the row has been missing, so attempts become rarer.
            let owed_since = self.finished_at().unwrap_or(self.created_at).as_millis();
            let age = Duration::from_millis(now.as_millis().saturating_sub(owed_since));
            now.plus(age.clamp(LEASE, MAX_INDEX_PAUSE))
        });
        let end = end.into_iter().chain(reminder);
        end.chain(deliveries).chain(list).min()
    }

    /// When recipients are reminded, if nothing happens until then. This may have passed.
    #[must_use]
    pub fn next_reminder(&self) -> Option<Timestamp> {
        if self.state != State::Waiting || self.reminders.is_empty() {
            return None;
        }
        let since = self.reminded_at.unwrap_or(self.created_at);
        let due = self.reminders.iter();
        let due = due.filter_map(|one| one.due_at(self.created_at, self.timeout_at));
        let next = due.filter(|&at| at > since).min()?;
        let next = match self.reminded_at {
            Some(last) => next.max(last.plus(REMINDER_GAP)),
            None => next,
        };
        // At the timeout the token ends.
        self.timeout_at
            .is_none_or(|timeout| next < timeout)
            .then_some(next)
    }

    /// Whether a delivery is pending.
    #[must_use]
    pub fn has_pending_delivery(&self) -> bool {
        self.deliveries.iter().any(|one| one.due_at().is_some())
    }

    /// When a finished token is purged.
    #[must_use]
    pub fn purge_at(&self, retention: Duration) -> Option<Timestamp> {
        self.finished_at().map(|at| at.plus(retention))
    }

    /// Whether the token counts as deleted. Its object may still have to delete the record.
    #[must_use]
    pub fn is_past_retention(&self, retention: Duration, now: Timestamp) -> bool {
        self.purge_at(retention).is_some_and(|at| at <= now)
    }

    /// Plans the alarm for a token that is about to be written, whose next wake-up is `wakeup`.
    /// `is_known`: whether the alarm in the record is still set, so it has not fired.
    pub fn plan_alarm(
        &mut self,
        wakeup: Option<Timestamp>,
        is_known: bool,
        now: Timestamp,
    ) -> Alarm {
        let is_in_time = |at: &Timestamp| wakeup.is_none_or(|wakeup| *at <= wakeup);
        if is_known && self.alarm_to_come(now).as_ref().is_some_and(is_in_time) {
            return Alarm::Keep;
        }
        self.alarm = wakeup;
        Alarm::Set(wakeup)
    }

    /// The alarm to set if nothing is written.
    #[must_use]
    pub fn alarm_for(&self, wakeup: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        wakeup.into_iter().chain(self.alarm_to_come(now)).min()
    }

    fn alarm_to_come(&self, now: Timestamp) -> Option<Timestamp> {
        self.alarm.filter(|&at| at > now)
    }
}
