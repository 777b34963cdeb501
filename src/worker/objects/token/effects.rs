//! Carries out what the token's actor decides. Nothing is decided here.

use super::Object;
use super::outbox::Outbox;
use super::waiters::{self, Update};
use crate::domain::api::delivery_body::failed_attempt_json;
use crate::domain::approval::output::issues_of;
use crate::domain::callback::judge::judge;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::Token;
use crate::domain::token::command::Facts;
use crate::domain::token::effects::{AfterSave, Effects, Input, LogLine, SetAlarm, Task};
use crate::domain::token::event::{EventSet, Subscriptions};
use crate::domain::token::record::Record;
use crate::worker::guard;
use crate::worker::objects::idempotency_key;
use crate::worker::objects::index::{self, Row};
use crate::worker::objects::storage::Saving;
use crate::worker::settings;
use crate::worker::{log_error, now};
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::JsValue;
use worker::console_log;

/// For inputs that notify nobody.
const NO_SUBSCRIPTIONS: Subscriptions = Subscriptions {
    has_environment: false,
    events: EventSet::NONE,
};

/// The result of handling an input: the effects that are still to be carried out.
pub(super) struct Turn {
    pub(super) effects: Effects,
    /// The record that the effects are about.
    pub(super) record: Option<Record>,
    /// The write that is not yet durable.
    saving: Option<Saving>,
    row: Option<SavedRow>,
    #[cfg(feature = "faults")]
    fault: String,
}

/// An error while effects were decided or carried out.
pub(super) struct Failure {
    pub(super) why: JsValue,
    /// The task that the effects ended with; `None` if they were not decided.
    pub(super) task: Option<Task>,
}

impl From<JsValue> for Failure {
    fn from(why: JsValue) -> Self {
        Self { why, task: None }
    }
}

/// A token's index row, from the record that was saved.
pub(super) struct SavedRow {
    created_at: Timestamp,
    row: Row,
}

impl Object {
    /// Loads the record, lets the actor decide, and carries out the effects that are synchronous.
    /// There is no `await`. `row` is the row that the actor may now send to the index.
    pub(super) fn handle(
        &self,
        input: Input,
        row: Option<SavedRow>,
        now: Timestamp,
    ) -> Result<Turn, Failure> {
        let (effects, record) = self.load_and_decide(input, now)?;
        let task = effects.next;
        self.begin(effects, record, row)
            .map_err(|why| Failure { why, task })
    }

    fn load_and_decide(
        &self,
        input: Input,
        now: Timestamp,
    ) -> Result<(Effects, Option<Record>), JsValue> {
        // Reading the settings calls into JavaScript, so it is done only if needed.
        let (mut record, retention, subscriptions) = if input.needs_record() {
            let retention = settings::retention(&self.env);
            (self.load()?, retention, self.subscriptions())
        } else {
            (None, Duration::ZERO, NO_SUBSCRIPTIONS)
        };
        let facts = Facts {
            now,
            retention,
            subscriptions,
            has_waiters: &|| waiters::has_any(&self.state),
            judge,
            issues: issues_of,
        };
        Ok((self.decide(input, &mut record, &facts)?, record))
    }

    fn decide(
        &self,
        input: Input,
        record: &mut Option<Record>,
        facts: &Facts<'_>,
    ) -> Result<Effects, JsValue> {
        // The actor stays borrowed after a panic.
        let mut actor = self.actor.try_borrow_mut();
        let actor = actor.as_mut().map_err(|_| "the actor panicked")?;
        Ok(actor.handle(input, record, facts))
    }

    fn decide_failure(&self, task: Option<Task>) -> Result<Effects, JsValue> {
        let facts = Facts {
            now: now(),
            retention: Duration::ZERO,
            subscriptions: NO_SUBSCRIPTIONS,
            has_waiters: &|| false,
            judge,
            issues: issues_of,
        };
        self.decide(Input::Failed(task), &mut None, &facts)
    }

    /// Carries out the effects that are synchronous.
    fn begin(
        &self,
        effects: Effects,
        record: Option<Record>,
        row: Option<SavedRow>,
    ) -> Result<Turn, JsValue> {
        if let Some(line) = effects.log
            && settings::log(&self.env).map_or(true, |log| log.includes(line))
        {
            self.log(line, record.as_ref());
        }
        if effects.notifies_waiters {
            self.notify_waiters(record.as_ref())?;
        }
        if let (true, Some(SavedRow { created_at, row })) = (effects.enqueues_row, row) {
            index::enqueue_row(&self.env, &self.environment, created_at, row);
        }
        let saving = match (effects.save, &record) {
            (Some(alarm), Some(record)) => Some(self.save(record, alarm)?),
            _ => None,
        };
        let row = match (effects.next, &record) {
            (Some(Task::AwaitSave(after)), Some(Record::Live(token))) if after.needs_row() => {
                Some(SavedRow {
                    created_at: token.created_at,
                    row: Row::of(&self.id, token),
                })
            }
            _ => None,
        };
        Ok(Turn {
            #[cfg(feature = "faults")]
            fault: format!("{record:?}"),
            effects,
            record,
            saving,
            row,
        })
    }

    /// Carries out the remaining effects in the background, after the response.
    pub(super) fn spawn(self: &Rc<Self>, turn: Turn) {
        if turn.effects.next.is_none() && turn.effects.alarm.is_none() {
            return;
        }
        let object = Rc::clone(self);
        guard::spawn(async move {
            if let Err(Failure { why, task }) = object.carry_out(turn).await {
                log_error("the work after a change of a token failed", &why);
                object.recover_or_log(task).await;
            }
        });
    }

    /// Recovers from a command or a waiter that failed.
    pub(super) fn spawn_recovery(self: &Rc<Self>, failure: Failure) {
        log_error("the token's storage failed", &failure.why);
        // Without a task nothing was started, so there is nothing to recover.
        if failure.task.is_some() {
            let object = Rc::clone(self);
            guard::spawn(async move { object.recover_or_log(failure.task).await });
        }
    }

    /// Carries out effects, and those that follow from their results.
    pub(super) async fn carry_out(&self, mut turn: Turn) -> Result<(), Failure> {
        loop {
            let task = turn.effects.next;
            match self.carry_out_one(turn).await {
                Ok(Some(following)) => turn = following,
                Ok(None) => return Ok(()),
                Err(failure) => {
                    let task = failure.task.or(task);
                    return Err(Failure { task, ..failure });
                }
            }
        }
    }

    async fn carry_out_one(&self, mut turn: Turn) -> Result<Option<Turn>, Failure> {
        if let Some(alarm) = turn.effects.alarm {
            self.set_alarm(alarm).await?;
        }
        let Some(task) = turn.effects.next else {
            return Ok(None);
        };
        let row = turn.row.take();
        let input = match task {
            Task::AwaitSave(after) => self.await_save(after, turn).await?,
            _ => {
                self.ensure_current()?;
                self.perform(task, turn.record).await?
            }
        };
        self.handle(input, row, now()).map(Some)
    }

    async fn await_save(&self, after: AfterSave, turn: Turn) -> Result<Input, JsValue> {
        #[cfg(feature = "faults")]
        if matches!(after, AfterSave::AttemptRecorded { .. }) {
            crate::worker::fault("fault:pay", &turn.fault);
        }
        // The output can be megabytes and is not needed while this waits.
        drop(turn.record);
        turn.saving.unwrap_or_else(|| self.stored.synced()).await?;
        #[cfg(feature = "faults")]
        if matches!(after, AfterSave::Announce(_)) {
            crate::worker::fault("fault:after", &turn.fault);
        }
        Ok(Input::Saved(after))
    }

    /// Performs a task that calls another object or server, and returns its result.
    async fn perform(&self, task: Task, record: Option<Record>) -> Result<Input, JsValue> {
        let outbox = Outbox {
            env: &self.env,
            environment: &self.environment,
            id: &self.id,
        };
        let token = record.and_then(Record::into_token);
        Ok(match (task, token) {
            (Task::ConfirmRow(state), Some(token)) => match outbox.confirm_row(token).await {
                Ok(()) => Input::RowConfirmed(state),
                Err(why) => {
                    log_error(
                        "the index could not be reached, so the row will be sent again",
                        &why,
                    );
                    Input::RowFailed
                }
            },
            (Task::AttemptDelivery(delivery), Some(token)) => {
                let attempt = outbox.attempt(token, delivery).await;
                Input::DeliveryFinished(delivery, attempt)
            }
            (Task::ReadUpstream(why), token) => {
                drop(token);
                let theirs = outbox.fetch_upstream().await;
                Input::UpstreamRead(why, theirs.map(Box::new))
            }
            (Task::ReleaseKey, Some(Token { key: Some(key), .. })) => {
                let (env, environment) = (&self.env, &self.environment);
                idempotency_key::release(env, environment, &key.text, &self.id).await?;
                Input::KeyReleased
            }
            (Task::Purge(purge), _) => {
                self.cached.take();
                self.stored.delete_all().await?;
                Input::Purged(purge)
            }
            _ => return Err("a task without its token".into()),
        })
    }

    /// Sets the alarm after a failure, so that it retries.
    pub(super) async fn recover(&self, task: Option<Task>) -> Result<(), JsValue> {
        // The cached record may not have been written.
        self.cached.take();
        if self.ensure_current().is_err() {
            // Only the newest instance may decide. The alarm wakes it now.
            return self.stored.set_alarm_by(now()).await;
        }
        match self.decide_failure(task)?.alarm {
            Some(alarm) => self.set_alarm(alarm).await,
            None => Ok(()),
        }
    }

    pub(super) async fn recover_or_log(&self, task: Option<Task>) {
        if let Err(why) = self.recover(task).await {
            log_error("the alarm could not be set", &why);
        }
    }

    pub(super) async fn set_alarm(&self, alarm: SetAlarm) -> Result<(), JsValue> {
        self.ensure_current()?;
        match alarm {
            SetAlarm::To(at) => self.stored.set_alarm(at).await,
            SetAlarm::NoLaterThan(at) => self.stored.set_alarm_by(at).await,
        }
    }

    /// `record` is the stored one, if it was loaded. A second copy may be megabytes.
    fn notify_waiters(&self, record: Option<&Record>) -> Result<(), JsValue> {
        let waiters = waiters::open_sockets(&self.state)?;
        if waiters.is_empty() {
            return Ok(());
        }
        let loaded;
        let record = match record {
            Some(record) => Some(record),
            None => {
                loaded = self.load()?;
                loaded.as_ref()
            }
        };
        let Some(token) = record.and_then(Record::token) else {
            return Ok(());
        };
        let update = Update {
            id: &self.public_id(),
            token,
        };
        waiters::notify(waiters, &update)
    }

    /// Which webhooks get which events. If the settings are invalid they may name a webhook of
    /// the environment, so ends are enqueued for it and sent once the settings are fixed.
    fn subscriptions(&self) -> Subscriptions {
        match settings::webhooks(&self.env) {
            Ok(webhooks) => Subscriptions {
                has_environment: webhooks.url(&self.environment).is_some(),
                events: webhooks.events(),
            },
            Err(_) => Subscriptions {
                has_environment: true,
                events: EventSet::ENDS,
            },
        }
    }

    /// Logs a line. It contains no credential, and nothing that a caller wrote except the id.
    fn log(&self, line: LogLine, record: Option<&Record>) {
        let (environment, id) = (&self.environment, self.public_id());
        // Environment names and ids need no escaping in JSON.
        match line {
            LogLine::Created => {
                console_log!(
                    r#"{{"event":"created","environment":"{environment}","token":"{id}"}}"#
                );
            }
            LogLine::Completed(by) => {
                let by = by.as_str();
                console_log!(
                    r#"{{"event":"completed","environment":"{environment}","token":"{id}","by":"{by}"}}"#
                );
            }
            LogLine::Cancelled | LogLine::Extended | LogLine::Voted | LogLine::Reminded => {
                let event = match line {
                    LogLine::Cancelled => "cancelled",
                    LogLine::Extended => "extended",
                    LogLine::Voted => "voted",
                    _ => "reminded",
                };
                console_log!(
                    r#"{{"event":"{event}","environment":"{environment}","token":"{id}"}}"#
                );
            }
            LogLine::Attempt(delivery) => {
                let token = record.and_then(Record::token);
                if let Some(line) = token.and_then(|one| failed_attempt_json(&id, one, delivery)) {
                    console_log!("{line}");
                }
            }
        }
    }
}
