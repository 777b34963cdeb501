//! Objects: they drive a `TokenActor` as `src/worker/objects/token/` does, with every `await` an event that
//! others may come before. No rule stands here.
use super::oracle::{End, Oracle};
use super::world::{Event, World, at};
use super::{What, end_of};
use std::time::Duration;
use waitpoint::domain::callback::judge::judge;
use waitpoint::domain::token::actor::TokenActor;
use waitpoint::domain::token::command::{Facts, Reply};
use waitpoint::domain::token::delivery::{
    AttemptResult, DeliveryId, MAX_ATTEMPTS, Progress, Target,
};
use waitpoint::domain::token::effects::{
    AfterSave, Effects, FinishedAttempt, Input, Purge, SetAlarm, Task,
};
use waitpoint::domain::token::index_state::IndexState;
use waitpoint::domain::token::record::Record;
use waitpoint::domain::token::{State, Token};

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
    pub(super) oracle: Option<Oracle>,
}

/// Who waits for the end of what an input brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chain {
    /// The platform: it is an alarm's handler.
    Alarm,
    /// Nobody: it comes behind a response.
    Behind,
}

/// What the index is told: created, completed.
pub(super) type Row = (u64, Option<u64>);

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
            oracle: None,
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
        if let Err((_, task)) = self.handle(id, input, Chain::Alarm, None, &mut None) {
            self.recover(id, task, Chain::Alarm);
        }
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
        if let Err((_, failed)) = self.handle(id, input, chain, row, &mut None) {
            self.recover(id, failed.or(Some(task)), chain);
        } else if let Some((delivery, result)) = attempt {
            self.check_attempt(id, delivery, result);
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
        *reply = effects.reply;
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
        self.objects[id].has_panicked = false;
        for _waiter in std::mem::take(&mut self.sockets[id]) {
            self.tell(id, &token);
        }
    }

    /// With the rows of others, and nobody learns whether it comes there.
    fn enqueue_row(&mut self, id: usize, (created, completed): Row) {
        let is_lost = !self.has_index || self.is_faulty && self.chance.percent(15);
        if !is_lost {
            let slowest = self.chance.of(&[30, 200, 30_000]);
            let wait = self.chance.below(slowest);
            self.push(wait, Event::Row(id, created, completed));
        }
    }

    /// Begins a task and plans how it ends.
    fn begin(&mut self, id: usize, task: Task, record: Option<Record>, chain: Chain) {
        let token = record.and_then(Record::into_token);
        let mut row = None;
        let (wait, input) = match task {
            Task::AwaitSave(after) => {
                row = token.filter(|_| after.needs_row()).map(|one| row_of(&one));
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
                self.purge(id, purge);
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

    fn confirm_row(&mut self, id: usize, token: &Token, state: IndexState) -> (u64, Input) {
        let (created, completed) = row_of(token);
        let is_lost = self.is_faulty && self.chance.percent(15);
        let slowest = self.chance.of(&[10, 200, 200, 5_000]);
        let mut wait = self.chance.below(slowest);
        if self.has_index {
            if is_lost {
                // The row may come long after nobody waits for it any more.
                wait = self.chance.below(120_000);
            }
            self.push(wait, Event::Row(id, created, completed));
        }
        let wait = if is_lost { 5_000 } else { wait + 5 };
        if self.has_index && !is_lost {
            (wait, Input::RowConfirmed(state))
        } else {
            (wait, Input::RowFailed)
        }
    }

    fn attempt(&mut self, id: usize, token: &Token, delivery: DeliveryId) -> (u64, Input) {
        let one = token.delivery(delivery).unwrap();
        assert!(
            matches!(one.progress, Progress::Pending(due) if due <= at(self.now)),
            "attempted in vain"
        );
        assert!(one.attempts < MAX_ATTEMPTS);
        let moods = match one.target {
            Target::Environment => self.moods[0],
            Target::Token => self.moods[1],
            Target::Upstream | Target::Recipient(_) => unreachable!("no token here has these"),
        };
        let (arrives, result, pause) = self.chance.of(moods);
        if arrives {
            assert_eq!(self.objects[id].token(), Some(token), "sent before written");
            let oracle = self.objects[id].oracle.as_ref().unwrap();
            assert_eq!(end_of(token), oracle.end(self.now), "sent");
            assert_ne!(end_of(token), End::Waiting, "sent before the end");
        }
        let attempt = FinishedAttempt {
            result,
            pause: pause.map(Duration::from_millis),
            may_conflict: false,
        };
        let wait = self.chance.of(&[1, 80, 9_999]);
        (wait, Input::DeliveryFinished(delivery, attempt))
    }

    fn check_attempt(&self, id: usize, delivery: DeliveryId, result: AttemptResult) {
        let token = self.objects[id].token().unwrap();
        let delivery = token.delivery(delivery).unwrap();
        match (result, delivery.progress) {
            (AttemptResult::Status(200), progress) => assert_eq!(progress, Progress::Delivered),
            (AttemptResult::Status(410), progress) => assert_eq!(progress, Progress::Failed),
            (_, Progress::Pending(next)) => assert!(next > at(self.now), "tried at once"),
            (_, progress) => {
                assert_eq!(
                    (progress, delivery.attempts),
                    (Progress::Failed, MAX_ATTEMPTS)
                );
            }
        }
    }

    fn purge(&mut self, id: usize, _purge: Purge) {
        let object = &mut self.objects[id];
        object.alarm = None;
        if let Some(record) = object.record.take() {
            let token = record.into_token().unwrap();
            let oracle = object.oracle.take().unwrap();
            assert!(
                oracle.is_past_retention(self.retention, self.now),
                "gone early"
            );
            let pending = |progress| matches!(progress, Progress::Pending(_));
            let mut deliveries = token.deliveries.iter();
            assert!(!deliveries.any(|one| pending(one.progress)), "never told");
            assert!(self.sockets[id].is_empty(), "a waiter was not told");
            self.check_row(id, &token);
        }
        self.plan_after_forgetting(id);
    }
}

/// What a task of the actor is seen as when it ends.
pub(super) fn what_ended(input: &Input) -> Option<What> {
    match input {
        Input::RowConfirmed(_) => Some(What::IndexTold),
        Input::RowFailed => Some(What::IndexUnreachable),
        Input::DeliveryFinished(_, attempt) => Some(match attempt.result {
            AttemptResult::Status(200) => What::Received,
            AttemptResult::Status(410) => What::Gone,
            AttemptResult::Status(_) => What::Refused,
            _ => What::Unanswered,
        }),
        _ => None,
    }
}

/// Whether waiters may be told when this task has ended.
fn tells_waiters(task: Task) -> bool {
    matches!(
        task,
        Task::AwaitSave(AfterSave::Announce(_) | AfterSave::RunDueTasks)
    )
}

fn row_of(token: &Token) -> Row {
    let completed = match token.state {
        State::Completed { at, .. } => Some(at.as_millis()),
        State::Waiting | State::TimedOut | State::Cancelled { .. } => None,
    };
    (token.created_at.as_millis(), completed)
}
