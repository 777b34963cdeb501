//! Invariants:
//! - After a step at `now`, [`Token::next_wakeup`] is later than `now`, or there is none.
//! - While something is due, somebody does it or there is a wake-up within [`LEASE`] or the age of
//!   what is due, for a row within [`INDEX_CONFIRM_WITHIN`]; the record of a token stays while it owes a
//!   delivery or its row.
//! - While [`Token::alarm`] is to come there is an alarm at that moment or sooner. An alarm that
//!   comes too early finds nothing to do and sets the next; so one that is in time for what is next
//!   is left alone.
//!
//! When a token must be looked at next, what is due then, and until when it is kept.

use super::delivery::Delivery;
use super::index_state::{INDEX_CONFIRM_WITHIN, IndexState};
use super::{State, Token};
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// Longest between two attempts to reach the index.
const SLOWEST: Duration = Duration::from_secs(60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long whoever does what is due has for it, before somebody else looks. Longer than an attempt.
pub const LEASE: Duration = Duration::from_secs(30);

/// Something to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueTask {
    /// Make sure that the index has the token's row as it stands.
    ConfirmRow,
    /// Attempt the delivery of this index.
    Deliver(usize),
    /// Delete the token: its retention is over and nothing is owed.
    Purge,
}

/// What becomes of a token's alarm when it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// It stays.
    Keep,
    /// It is set to this moment, or there is none.
    Set(Option<Timestamp>),
}

impl Token {
    /// Something that is to be done now, if there is.
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
        let due = self
            .deliveries
            .iter()
            .position(is_due)
            .map(DueTask::Deliver);
        due.or_else(|| {
            let is_over = self.is_past_retention(retention, now) && !self.has_pending_delivery();
            (is_over && self.is_in_sync_with_index(index_state)).then_some(DueTask::Purge)
        })
    }

    /// When the token must be looked at next: its timeout while it waits, the end of its retention
    /// once it is finished; and what it owes. What is due already is being done, and has a
    /// [`LEASE`].
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
            // When upstream will have timed it out, and every day.
            State::Waiting if self.home.must_be_polled() => {
                let timed_out = self.timeout_at.map(|at| at.plus(LEASE));
                let timed_out = timed_out.filter(|&at| at > now);
                timed_out.into_iter().chain([now.plus(DAY)]).min()
            }
            State::Waiting => self.timeout_at,
            State::Completed { .. } | State::TimedOut if self.has_pending_delivery() => None,
            State::Completed { .. } | State::TimedOut => self.purge_at(retention).map(leave),
        };
        let deliveries = self.deliveries.iter().filter_map(Delivery::due_at);
        let deliveries = deliveries.map(leave);
        let list = (!self.is_in_sync_with_index(index_state)).then(|| {
            if index_state != IndexState::Unreachable {
                return now.plus(INDEX_CONFIRM_WITHIN);
            }
            // The pause is as long as the row has been missing, so attempts grow rare.
            let owed_since = self.finished_at().unwrap_or(self.created_at).as_millis();
            let age = Duration::from_millis(now.as_millis().saturating_sub(owed_since));
            now.plus(age.clamp(LEASE, SLOWEST))
        });
        end.into_iter().chain(deliveries).chain(list).min()
    }

    /// Whether a delivery is still to be made.
    #[must_use]
    pub fn has_pending_delivery(&self) -> bool {
        self.deliveries.iter().any(|one| one.due_at().is_some())
    }

    /// When a finished token is to be forgotten.
    #[must_use]
    pub fn purge_at(&self, retention: Duration) -> Option<Timestamp> {
        self.finished_at().map(|at| at.plus(retention))
    }

    /// Whether there is no such token any more. Its object may still have to let go of it.
    #[must_use]
    pub fn is_past_retention(&self, retention: Duration, now: Timestamp) -> bool {
        self.purge_at(retention).is_some_and(|at| at <= now)
    }

    /// Plans the alarm of a token that is about to be written and whose next wake-up is `wakeup`.
    /// `is_known`: the alarm of the last time is not one that has come meanwhile.
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

    /// What the alarm is to be set to when nothing is written.
    #[must_use]
    pub fn alarm_for(&self, wakeup: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        wakeup.into_iter().chain(self.alarm_to_come(now)).min()
    }

    fn alarm_to_come(&self, now: Timestamp) -> Option<Timestamp> {
        self.alarm.filter(|&at| at > now)
    }
}
