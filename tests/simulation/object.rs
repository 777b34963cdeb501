//! Objects: they drive a `TokenActor` as `src/worker/objects/token/` does, with every `await` an event that
//! others may come before. No rule stands here.
use super::index::Row;
use super::ledger::Ledger;
use super::oracle::Oracle;
use super::world::{Event, World, at};
use std::time::Duration;
use waitpoint::domain::approval::output::issues_of;
use waitpoint::domain::callback::judge::judge;
use waitpoint::domain::token::Token;
use waitpoint::domain::token::actor::TokenActor;
use waitpoint::domain::token::command::{Facts, Reply};
use waitpoint::domain::token::effects::{AfterSave, Effects, Input, SetAlarm, Task};
use waitpoint::domain::token::record::Record;

pub(super) struct Object {
    // Storage.
    pub(super) record: Option<Record>,
    pub(super) alarm: Option<u64>,
    // Memory.
    pub(super) actor: TokenActor,
    /// Tasks under way.
    pub(super) under_way: u32,
    /// Those of them after which waiters are told.
    pub(super) announcing: u32,
    // The platform.
    /// Which life of its memory this is: what an earlier one began goes nowhere.
    pub(super) life: u32,
    pub(super) is_ringing: bool,
    /// When the alarm comes again whose handler did not end, or failed.
    pub(super) repeated: u64,
    /// Whether it panicked, so that waiters may hang on a token that has ended, until the alarm or somebody
    /// comes.
    pub(super) has_panicked: bool,
    /// Whether waiters hang on it that do not know its latest timeout.
    pub(super) is_extension_news: bool,
    /// Whether a delivery has failed since the row was last sent.
    pub(super) is_failure_news: bool,
    // What must come of its token.
    /// Whether callbacks may not decide.
    pub(super) has_callback: bool,
    pub(super) oracle: Option<Oracle>,
    pub(super) ledger: Option<Ledger>,
}

/// Who waits for the end of what an input brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chain {
    /// The platform: it is an alarm's handler.
    Alarm,
    /// Nobody: it comes behind a response.
    Behind,
}

/// The end of a task.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) task: Task,
    pub(super) input: Input,
    chain: Chain,
    /// The row of the token as it was saved.
    row: Option<Row>,
}

/// A write failed.
pub(super) struct StorageFailed;

impl Object {
    pub(super) fn new(id: usize) -> Self {
        Self {
            record: None,
            alarm: None,
            actor: TokenActor::new(id.to_string()),
            under_way: 0,
            announcing: 0,
            life: 0,
            is_ringing: false,
            repeated: 0,
            has_panicked: false,
            is_extension_news: false,
            is_failure_news: false,
            has_callback: false,
            oracle: None,
            ledger: None,
        }
    }

    pub(super) fn token(&self) -> Option<&Token> {
        self.record.as_ref().and_then(Record::token)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.under_way == 0 && !self.is_ringing
    }

    pub(super) fn lose_memory(&mut self, id: usize) {
        self.actor = TokenActor::new(id.to_string());
        self.under_way = 0;
        self.announcing = 0;
        self.is_extension_news = false;
        self.is_failure_news = false;
        self.life += 1;
    }
}

impl World<'_> {
    /// What an input that comes from outside is replied; nothing if storage fails.
    pub(super) fn request(&mut self, id: usize, input: Input) -> Option<Reply> {
        let mut reply = None;
        let handled = self.handle(id, input, Chain::Behind, None, &mut reply);
        if let Err((StorageFailed, task)) = handled {
            self.recover(id, task, Chain::Behind);
            return None;
        }
        reply
    }

    pub(super) fn ring(&mut self, id: usize) {
        let input = Input::AlarmFired;
        match self.handle(id, input, Chain::Alarm, None, &mut None) {
            Ok(()) => drop(self.reminds(id)),
            Err((StorageFailed, task)) => self.recover(id, task, Chain::Alarm),
        }
    }

    /// An alarm was heard, or the timeout moved: recipients are told again, if that was due.
    pub(super) fn reminds(&mut self, id: usize) -> bool {
        let now = self.now;
        self.reminded(id, |oracle| oracle.remind(now))
    }

    /// The timeout moved from `old`, perhaps past a time at which recipients were to be told again.
    pub(super) fn reminds_of_extension(&mut self, id: usize, old: Option<u64>) {
        let now = self.now;
        self.reminded(id, |oracle| oracle.remind_of_extension(old, now));
    }

    fn reminded(&mut self, id: usize, due: impl FnOnce(&mut Oracle) -> Option<u64>) -> bool {
        let object = &mut self.objects[id];
        if let (Some(oracle), Some(ledger)) = (&mut object.oracle, &mut object.ledger)
            && let Some(due) = due(oracle)
        {
            ledger.reminded(due);
            return true;
        }
        false
    }

    /// A task of this life has ended.
    pub(super) fn ended(&mut self, id: usize, ended: Ended) {
        let Ended {
            task,
            input,
            chain,
            row,
        } = ended;
        let object = &mut self.objects[id];
        object.under_way -= 1;
        if tells_waiters(task) {
            object.announcing -= 1;
        }
        if let Input::DeliveryFinished(..) = input {
            assert!(object.token().is_some(), "deleted with a delivery to come");
        }
        let attempt = match &input {
            Input::DeliveryFinished(delivery, attempt) => Some((*delivery, attempt.result)),
            _ => None,
        };
        let is_recorded = matches!(&input, Input::Saved(AfterSave::AttemptRecorded { .. }));
        if let Err((_, failed)) = self.handle(id, input, chain, row, &mut None) {
            self.recover(id, failed.or(Some(task)), chain);
        } else if let Some((delivery, result)) = attempt {
            self.attempted(id, delivery, result);
        } else if is_recorded {
            let is_unsent = self.objects[id].is_failure_news;
            assert!(!is_unsent, "the index is not told of a failure");
        }
    }

    fn handle(
        &mut self,
        id: usize,
        input: Input,
        chain: Chain,
        row: Option<Row>,
        reply: &mut Option<Reply>,
    ) -> Result<(), (StorageFailed, Option<Task>)> {
        let object = &self.objects[id];
        let mut record = object.record.clone().filter(|_| input.needs_record());
        let effects = self.decide(id, input, &mut record);
        let next = effects.next;
        *reply = effects.reply.clone();
        self.carry_out(id, effects, record, chain, row)
            .map_err(|failed| (failed, next))
    }

    fn decide(&mut self, id: usize, input: Input, record: &mut Option<Record>) -> Effects {
        let has_waiters = !self.sockets[id].is_empty();
        let facts = Facts {
            now: at(self.now),
            retention: Duration::from_millis(self.retention),
            subscriptions: self.subscriptions(),
            has_waiters: &|| has_waiters,
            judge,
            issues: issues_of,
        };
        self.objects[id].actor.handle(input, record, &facts)
    }

    /// The effects, in the order of their fields.
    fn carry_out(
        &mut self,
        id: usize,
        effects: Effects,
        record: Option<Record>,
        chain: Chain,
        row: Option<Row>,
    ) -> Result<(), StorageFailed> {
        if effects.notifies_waiters {
            self.notify(id);
        }
        if let (true, Some(row)) = (effects.enqueues_row, row) {
            self.enqueue_row(id, row);
        }
        if let Some(alarm) = effects.save {
            self.save(id, record.clone().unwrap(), alarm)?;
        }
        if let Some(alarm) = effects.alarm {
            self.arm(id, alarm);
        }
        match effects.next {
            Some(task) => self.begin(id, task, record, chain),
            None => self.end(id, chain),
        }
        Ok(())
    }

    fn end(&mut self, id: usize, chain: Chain) {
        if chain == Chain::Alarm {
            self.rung(id);
        }
    }

    /// Something failed that ended with this task.
    fn recover(&mut self, id: usize, task: Option<Task>, chain: Chain) {
        let effects = self.decide(id, Input::Failed(task), &mut None);
        if let Some(SetAlarm::NoLaterThan(at)) = effects.alarm {
            self.objects[id].repeated = at.as_millis();
        }
        let handled = self.carry_out(id, effects, None, chain, None);
        assert!(handled.is_ok(), "nothing is written after a failure");
    }

    fn notify(&mut self, id: usize) {
        let Some(token) = self.objects[id].token().cloned() else {
            return;
        };
        let object = &mut self.objects[id];
        object.has_panicked = false;
        object.is_extension_news = false;
        if token.finished_at().is_none() {
            // They hear of its timeout, or of nothing new if this is for one that has gone, and wait on.
            return;
        }
        for _waiter in std::mem::take(&mut self.sockets[id]) {
            self.tell(id, &token);
        }
    }

    /// Begins a task and plans how it ends.
    fn begin(&mut self, id: usize, task: Task, record: Option<Record>, chain: Chain) {
        let token = record.and_then(Record::into_token);
        let mut row = None;
        let (wait, input) = match task {
            Task::AwaitSave(after) => {
                row = token.filter(|_| after.needs_row()).map(|one| Row::of(&one));
                (self.chance.of(&[0, 0, 1, 20]), Input::Saved(after))
            }
            Task::ConfirmRow(state) => self.confirm_row(id, &token.unwrap(), state),
            Task::AttemptDelivery(delivery) => self.attempt(id, &token.unwrap(), delivery),
            Task::ReadUpstream(_) => unreachable!("no token here lives upstream"),
            Task::ReleaseKey if self.is_faulty && self.chance.percent(10) => {
                // The key does not answer.
                return self.recover(id, Some(task), chain);
            }
            Task::ReleaseKey => {
                self.release(id);
                (self.chance.below(50), Input::KeyReleased)
            }
            Task::Purge(purge) => {
                self.purge(id);
                (self.chance.of(&[0, 0, 1, 20]), Input::Purged(purge))
            }
        };
        let object = &mut self.objects[id];
        let life = object.life;
        object.under_way += 1;
        if tells_waiters(task) {
            object.announcing += 1;
        }
        let ended = Ended {
            task,
            input,
            chain,
            row,
        };
        self.push(wait, Event::Ended(id, life, ended));
        let (percent, soon) = match task {
            Task::AwaitSave(AfterSave::Announce(_)) => (10, 1),
            _ => (8, 2_000),
        };
        if self.is_faulty && self.chance.percent(percent) {
            let wait = self.chance.below(soon);
            self.push(wait, Event::Crash(id));
        }
    }

    fn purge(&mut self, id: usize) {
        let object = &mut self.objects[id];
        object.alarm = None;
        if let Some(record) = object.record.take() {
            let token = record.into_token().unwrap();
            let oracle = object.oracle.take().unwrap();
            assert!(
                oracle.is_past_retention(self.retention, self.now),
                "gone early"
            );
            object.ledger.take().unwrap().check_over();
            assert!(self.sockets[id].is_empty(), "a waiter was not told");
            self.check_listed(id, &token);
        }
        self.plan_after_forgetting(id);
    }
}

/// Whether waiters may be told when this task has ended.
fn tells_waiters(task: Task) -> bool {
    matches!(
        task,
        Task::AwaitSave(AfterSave::Announce(_) | AfterSave::RunDueTasks { .. })
    )
}
