//! Makes all decisions of a token's object. The object loads the record, calls
//! [`TokenActor::handle`], carries out the [`Effects`] and reports the results.
//!
//! Invariants:
//! - A change is written before waiters, the index or a webhook are notified of it.
//! - Whenever the record is written or a due task ends, the alarm is at [`Token::next_wakeup`] or
//!   sooner. So a lost task is always retried.
//! - A read writes nothing, except a timeout that has come.
//! - The actor's memory only saves work. If it is lost, a new actor repeats some of that work.

mod due_tasks;

use super::command::{Command, Facts, Reply, apply_command};
use super::effects::{
    AfterSave, Announcement, Effects, Input, LogLine, Purge, SetAlarm, Task, UpstreamRead,
};
use super::index_state::IndexState;
use super::notify::ReminderOutcome;
use super::record::Record;
use super::schedule::{Alarm, LEASE};
use super::transition::Outcome;
use super::{State, Token};
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// How often upstream is polled while somebody waits. Upstream sends no notification.
const UPSTREAM_POLL_INTERVAL: Duration = Duration::from_secs(15);

/// When the alarm fires after a failure. The runtime itself retries a failed alarm only six times.
const RETRY_DELAY: Duration = Duration::from_secs(5 * 60);

/// The state of a token's object that is not stored.
#[derive(Debug)]
pub struct TokenActor {
    /// The internal id.
    id: String,
    /// What the index has of the token.
    index_state: IndexState,
    /// Whether due tasks are being carried out.
    is_draining: bool,
    /// Whether the alarm must be set after the due tasks.
    needs_alarm: bool,
    /// Whether there was a token that has been deleted.
    was_deleted: bool,
    /// Whether the alarm has fired and was not set since. The alarm in the record then no longer
    /// exists.
    alarm_fired: bool,
}

/// Whether the alarm is set for the next task.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IsArmed {
    Yes,
    No,
}

/// Whether the idempotency key no longer stands for the token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IsKeyReleased {
    Yes,
    No,
}

impl TokenActor {
    /// The state of an object that was just created in memory.
    #[must_use]
    pub fn new(id: String) -> Self {
        Self {
            id,
            index_state: IndexState::default(),
            is_draining: false,
            needs_alarm: false,
            was_deleted: false,
            alarm_fired: false,
        }
    }

    /// Decides what follows from an input. `record` is what is stored, if the input [needs
    /// it](Input::needs_record). Afterwards it is the record that the effects are about.
    pub fn handle(
        &mut self,
        input: Input,
        record: &mut Option<Record>,
        facts: &Facts<'_>,
    ) -> Effects {
        match input {
            Input::Command(command) => self.on_command(command, record, facts),
            Input::WaiterJoined => self.on_waiter(record, facts),
            Input::AlarmFired => self.on_alarm(record, facts),
            Input::Saved(after) => self.on_saved(after, record, facts),
            Input::RowConfirmed(state) => self.on_row(state, record, facts),
            Input::RowFailed => self.on_row(IndexState::Unreachable, record, facts),
            Input::DeliveryFinished(delivery, attempt) => {
                self.on_attempt(delivery, attempt, record, facts)
            }
            Input::UpstreamRead(UpstreamRead::Poll, theirs) => {
                self.on_polled(theirs, record, facts)
            }
            Input::UpstreamRead(UpstreamRead::Conflict(delivery), theirs) => {
                self.on_compared(delivery, theirs, record, facts)
            }
            Input::KeyReleased => self.next_task(IsKeyReleased::Yes, record, facts),
            Input::Purged(purge) => {
                if purge == Purge::PastRetention {
                    self.is_draining = false;
                }
                Effects::default()
            }
            Input::Failed(task) => {
                if task.is_some_and(Task::is_drained) {
                    self.is_draining = false;
                }
                // After a failure it is unknown whether the alarm was set.
                self.alarm_fired = true;
                Effects {
                    alarm: Some(SetAlarm::NoLaterThan(facts.now.plus(RETRY_DELAY))),
                    ..Effects::default()
                }
            }
        }
    }

    fn on_command(
        &mut self,
        command: Command,
        record: &mut Option<Record>,
        facts: &Facts<'_>,
    ) -> Effects {
        if let (None, Command::Create(token), true) = (&record, &command, self.was_deleted)
            && token.created_by_request.is_some()
        {
            // An idempotency key led to this token, but no longer stands for it.
            return Effects::reply(Reply::NotFound);
        }
        let is_cancel = matches!(command, Command::Cancel(_));
        let is_extend = matches!(command, Command::Extend(_));
        // Upstream may have decided a token that is unknown here long ago.
        let is_first_import = record.is_none() && matches!(command, Command::ImportUpstream(_));
        let earlier = extensions(record.as_ref());
        let was_finished = is_finished(record.as_ref());
        let (reply, is_changed) = apply_command(record, command, facts);
        // One that is repeated moves nothing, even if it finds a reminder due.
        let is_extension = is_extend && extensions(record.as_ref()) != earlier;
        let is_decided = is_changed && !was_finished && !is_first_import;
        let token = record.as_ref().and_then(Record::token);
        let decision = token.filter(|_| is_decided).and_then(completion);
        let log = match &reply {
            Reply::Created => {
                self.index_state = IndexState::Unknown;
                Some(LogLine::Created)
            }
            // By the command, or by the timeout that it found to have come.
            _ if decision.is_some() => decision,
            Reply::Decided(Outcome::Voted) if is_changed => Some(LogLine::Voted),
            Reply::Decided(Outcome::Cancelled) if is_cancel && is_changed => {
                Some(LogLine::Cancelled)
            }
            Reply::Found if is_extension => Some(LogLine::Extended),
            Reply::Reminded(ReminderOutcome::Sent) => Some(LogLine::Reminded),
            _ => None,
        };
        // An ignored callback is an entry of the history, of which nobody is notified.
        let is_news = is_changed && reply != Reply::Decided(Outcome::Ignored);
        let mut effects = Effects::reply(reply);
        if is_changed {
            effects.save = self.plan_save(record, facts);
        }
        // If nothing is known of the index, a crash may have prevented a notification of the index
        // and of waiters.
        if let Some(Record::Live(token)) = record
            && (is_news || self.index_state == IndexState::Unknown)
        {
            // A timeout is written before it is reported.
            let is_finished = was_finished || is_changed && token.finished_at().is_some();
            let notifies_waiters = is_finished || log == Some(LogLine::Extended);
            effects.next = Some(self.announce(log, notifies_waiters, token));
        }
        effects
    }

    fn on_waiter(&mut self, record: &mut Option<Record>, facts: &Facts<'_>) -> Effects {
        let (reply, is_changed) = apply_command(record, Command::Read, facts);
        let is_found = reply == Reply::Found;
        let mut effects = Effects::reply(reply);
        let Some(Record::Live(token)) = record else {
            return effects;
        };
        if is_changed {
            effects.next = Some(self.announce(completion(token), true, token));
            effects.save = self.plan_save(record, facts);
        } else if is_found && token.needs_upstream_poll() {
            let facts = Facts {
                has_waiters: &|| true,
                ..*facts
            };
            effects.alarm = Some(self.arm(record, &facts));
        }
        effects
    }

    fn announce(&self, log: Option<LogLine>, notifies_waiters: bool, token: &Token) -> Task {
        Task::AwaitSave(AfterSave::Announce(Announcement {
            log,
            notifies_waiters,
            needs_row: token.needs_index_update(self.index_state),
            has_deliveries: token.has_pending_delivery(),
        }))
    }

    /// Times the token out, reminds, polls upstream, runs due tasks, or deletes a token that nobody needs.
    fn on_alarm(&mut self, record: &mut Option<Record>, facts: &Facts<'_>) -> Effects {
        self.alarm_fired = true;
        if self.index_state == IndexState::Unconfirmed {
            self.index_state = IndexState::Unknown;
        }
        if record.is_none() {
            return Effects::task(Task::Purge(Purge::Unneeded));
        }
        if let Some(Record::Live(token)) = record {
            let is_over = token.time_out_if_due(facts.now, facts.subscriptions);
            if !is_over && token.needs_upstream_poll() {
                return Effects::task(Task::ReadUpstream(UpstreamRead::Poll));
            }
            if is_over || token.remind_if_due(facts.now, facts.subscriptions) {
                let log = completion(token).filter(|_| is_over);
                return self.save_then(AfterSave::RunDueTasks { log }, record, facts);
            }
        }
        // An instance that noticed the end may have been lost before it notified waiters.
        self.notify_and_run_due_tasks(IsArmed::No, record, facts)
    }

    fn on_saved(
        &mut self,
        after: AfterSave,
        record: &mut Option<Record>,
        facts: &Facts<'_>,
    ) -> Effects {
        match after {
            AfterSave::Announce(announcement) => {
                if announcement.needs_row {
                    self.index_state = self.index_state.after_sending();
                }
                let effects = if announcement.has_deliveries {
                    self.run_due_tasks(IsArmed::Yes, record, facts)
                } else {
                    Effects::default()
                };
                Effects {
                    log: announcement.log,
                    notifies_waiters: announcement.notifies_waiters,
                    enqueues_row: announcement.needs_row,
                    ..effects
                }
            }
            AfterSave::RunDueTasks { log } => Effects {
                log,
                ..self.notify_and_run_due_tasks(IsArmed::Yes, record, facts)
            },
            AfterSave::AttemptRecorded {
                delivery,
                may_conflict: true,
                ..
            } => Effects::task(Task::ReadUpstream(UpstreamRead::Conflict(delivery))),
            AfterSave::AttemptRecorded {
                has_failed: true, ..
            } => {
                self.index_state = self.index_state.after_sending();
                Effects {
                    enqueues_row: true,
                    ..self.next_task(IsKeyReleased::No, record, facts)
                }
            }
            AfterSave::AttemptRecorded { .. } | AfterSave::ConflictRecorded => {
                self.next_task(IsKeyReleased::No, record, facts)
            }
            AfterSave::TombstoneLeft => {
                self.is_draining = false;
                Effects::default()
            }
        }
    }

    /// Takes over the end of the token upstream, if there is one.
    fn on_polled(
        &mut self,
        theirs: Option<Box<Token>>,
        record: &mut Option<Record>,
        facts: &Facts<'_>,
    ) -> Effects {
        if let (Some(Record::Live(_)), Some(theirs)) = (&record, theirs) {
            let (_, is_changed) = apply_command(record, Command::ImportUpstream(theirs), facts);
            if is_changed {
                let log = record.as_ref().and_then(Record::token).and_then(completion);
                return self.save_then(AfterSave::RunDueTasks { log }, record, facts);
            }
        }
        if let Some(Record::Live(token)) = record
            && token.remind_if_due(facts.now, facts.subscriptions)
        {
            return self.save_then(AfterSave::RunDueTasks { log: None }, record, facts);
        }
        match record {
            // Nobody waits any more, and the record has no other purpose.
            Some(Record::Live(token))
                if token.is_kept_only_for_waiters() && !(facts.has_waiters)() =>
            {
                Effects::task(Task::Purge(Purge::Unneeded))
            }
            _ => self.notify_and_run_due_tasks(IsArmed::No, record, facts),
        }
    }

    fn notify_and_run_due_tasks(
        &mut self,
        is_armed: IsArmed,
        record: &mut Option<Record>,
        facts: &Facts<'_>,
    ) -> Effects {
        // A waiter that a crash kept from learning of a new timeout learns of the end.
        let notifies_waiters = is_finished(record.as_ref());
        Effects {
            notifies_waiters,
            ..self.run_due_tasks(is_armed, record, facts)
        }
    }

    fn save_then(
        &mut self,
        after: AfterSave,
        record: &mut Option<Record>,
        facts: &Facts<'_>,
    ) -> Effects {
        Effects {
            save: self.plan_save(record, facts),
            next: Some(Task::AwaitSave(after)),
            ..Effects::default()
        }
    }

    /// The alarm that is written together with the record.
    fn plan_save(&mut self, record: &mut Option<Record>, facts: &Facts<'_>) -> Option<Alarm> {
        let is_known = !std::mem::take(&mut self.alarm_fired);
        match record {
            Some(Record::Live(token)) => {
                let wakeup = self.next_wakeup(token, facts);
                Some(token.plan_alarm(wakeup, is_known, facts.now))
            }
            Some(Record::Tombstone(_)) => Some(Alarm::Set(None)),
            None => None,
        }
    }

    /// The alarm in the stored record.
    fn arm(&mut self, record: &Option<Record>, facts: &Facts<'_>) -> SetAlarm {
        self.alarm_fired = false;
        let token = record.as_ref().and_then(Record::token);
        SetAlarm::To(token.and_then(|token| {
            let wakeup = self.next_wakeup(token, facts);
            token.alarm_for(wakeup, facts.now)
        }))
    }

    fn next_wakeup(&self, token: &Token, facts: &Facts<'_>) -> Option<Timestamp> {
        let wakeup = token.next_wakeup(facts.retention, self.index_state, facts.now);
        let waiters = match token.state {
            State::Waiting if token.needs_upstream_poll() => Some(UPSTREAM_POLL_INTERVAL),
            State::Waiting => None,
            // Safety net: the alarm retries if notifying waiters is interrupted.
            State::Completed { .. } | State::TimedOut | State::Cancelled { .. } => Some(LEASE),
        };
        let waiters = waiters.filter(|_| (facts.has_waiters)());
        let waiters = waiters.map(|wait| facts.now.plus(wait));
        wakeup.into_iter().chain(waiters).min()
    }
}

fn is_finished(record: Option<&Record>) -> bool {
    let token = record.and_then(Record::token);
    token.is_some_and(|token| token.finished_at().is_some())
}

/// The line for the decision of a token.
fn completion(token: &Token) -> Option<LogLine> {
    match &token.state {
        State::Completed { decision, .. } => Some(LogLine::Completed(decision.by)),
        State::Waiting | State::TimedOut | State::Cancelled { .. } => None,
    }
}

fn extensions(record: Option<&Record>) -> Option<u32> {
    record.and_then(Record::token).map(|token| token.extensions)
}
