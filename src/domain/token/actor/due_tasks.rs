//! The due tasks of a token: its index row, its deliveries and its deletion.
//!
//! Invariants:
//! - Only one due task runs at a time, and each ends, even if it fails.
//! - When no task is due any more the alarm is set, unless it is already early enough.

use super::{IsArmed, IsKeyReleased, TokenActor};
use crate::domain::relay::conflict::detect_conflict;
use crate::domain::token::Token;
use crate::domain::token::command::Facts;
use crate::domain::token::delivery::DeliveryId;
use crate::domain::token::effects::{AfterSave, Effects, FinishedAttempt, LogLine, Purge, Task};
use crate::domain::token::index_state::IndexState;
use crate::domain::token::record::Record;
use crate::domain::token::schedule::DueTask;

impl TokenActor {
    /// Starts the due tasks, one after the other, unless they are already running.
    pub(super) fn run_due_tasks(
        &mut self,
        is_armed: IsArmed,
        record: &mut Option<Record>,
        facts: &Facts<'_>,
    ) -> Effects {
        if self.is_draining {
            let needs_alarm = is_armed == IsArmed::No || self.alarm_fired;
            return Effects {
                alarm: needs_alarm.then(|| self.arm(record, facts)),
                ..Effects::default()
            };
        }
        self.is_draining = true;
        self.needs_alarm = is_armed == IsArmed::No;
        if self.index_state == IndexState::Unreachable {
            self.index_state = IndexState::Unknown;
        }
        self.next_task(IsKeyReleased::No, record, facts)
    }

    /// Starts the next due task. It is chosen again after each task, because the token may have
    /// changed.
    pub(super) fn next_task(
        &mut self,
        is_key_released: IsKeyReleased,
        record: &mut Option<Record>,
        facts: &Facts<'_>,
    ) -> Effects {
        let due = match &record {
            Some(Record::Live(token)) => {
                token.next_task(facts.retention, self.index_state, facts.now)
            }
            Some(Record::Tombstone(_)) => None,
            None => {
                self.is_draining = false;
                return Effects::default();
            }
        };
        match (due, &record) {
            (Some(DueTask::ConfirmRow), Some(Record::Live(token))) => {
                Effects::task(Task::ConfirmRow(token.expected_index_state()))
            }
            (Some(DueTask::Deliver(delivery)), _) => Effects::task(Task::AttemptDelivery(delivery)),
            (Some(DueTask::Purge), Some(Record::Live(token)))
                if token.key.is_some() && is_key_released == IsKeyReleased::No =>
            {
                // The key is released before the token is deleted, so that it never stands for a
                // deleted token.
                Effects::task(Task::ReleaseKey)
            }
            (Some(DueTask::Purge), Some(Record::Live(token))) => {
                if let Some(tombstone) = token.tombstone() {
                    *record = Some(Record::Tombstone(tombstone));
                    return self.save_then(AfterSave::TombstoneLeft, record, facts);
                }
                self.was_deleted = true;
                Effects::task(Task::Purge(Purge::PastRetention))
            }
            _ => {
                self.is_draining = false;
                let needs_alarm = self.needs_alarm || self.alarm_fired;
                Effects {
                    alarm: needs_alarm.then(|| self.arm(record, facts)),
                    ..Effects::default()
                }
            }
        }
    }

    pub(super) fn on_row(
        &mut self,
        state: IndexState,
        record: &mut Option<Record>,
        facts: &Facts<'_>,
    ) -> Effects {
        self.index_state = state;
        self.needs_alarm = true;
        self.next_task(IsKeyReleased::No, record, facts)
    }

    pub(super) fn on_attempt(
        &mut self,
        delivery: DeliveryId,
        attempt: FinishedAttempt,
        record: &mut Option<Record>,
        facts: &Facts<'_>,
    ) -> Effects {
        let Some(Record::Live(token)) = record else {
            self.is_draining = false;
            return Effects::default();
        };
        let FinishedAttempt {
            result,
            pause,
            may_conflict,
        } = attempt;
        let failed_before = token.failed_deliveries();
        token.record_attempt(delivery, result, pause, &self.id, facts.now);
        self.needs_alarm = false;
        let has_failed = token.failed_deliveries() > failed_before;
        let after = AfterSave::AttemptRecorded {
            delivery,
            may_conflict,
            has_failed: has_failed && token.home.is_indexed(),
        };
        Effects {
            log: Some(LogLine::Attempt(delivery)),
            ..self.save_then(after, record, facts)
        }
    }

    /// Records that upstream has another decision than the one that was just delivered there.
    pub(super) fn on_compared(
        &mut self,
        delivery: DeliveryId,
        theirs: Option<Box<Token>>,
        record: &mut Option<Record>,
        facts: &Facts<'_>,
    ) -> Effects {
        if let (Some(Record::Live(token)), Some(theirs)) = (record.as_mut(), theirs)
            && let Some(conflict) = detect_conflict(token, &theirs)
        {
            token.record_conflict(delivery, conflict);
            return self.save_then(AfterSave::ConflictRecorded, record, facts);
        }
        self.next_task(IsKeyReleased::No, record, facts)
    }
}
