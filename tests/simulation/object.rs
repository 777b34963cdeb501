//! Objects, as `src/worker/objects/token/mod.rs` drives the core: the same order of doing, with every `await` an event
//! that others may come before.
use super::oracle::{End, Oracle};
use super::world::{Event, Ringing, World, at};
use super::{What, end_of};
use std::time::Duration;
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::command::{Ask, Reply, answer};
use waitpoint::domain::token::delivery::{AttemptResult, MAX_ATTEMPTS, Progress, Target};
use waitpoint::domain::token::index_state::IndexState;
use waitpoint::domain::token::schedule::{Alarm, DueTask, LEASE};
use waitpoint::domain::token::{State, Token};

pub(super) const LEASED: u64 = LEASE.as_secs() * 1_000;

#[derive(Default)]
pub(super) struct Object {
    // Storage.
    pub(super) record: Option<Token>,
    pub(super) alarm: Option<u64>,
    // Memory.
    listed: IndexState,
    /// Whether there was a token that is forgotten.
    is_gone: bool,
    /// Whether its alarm has come, and none was set since.
    is_rung: bool,
    paying: Option<Paying>,
    /// Changes that nobody has followed up yet.
    pub(super) following: u32,
    /// Whether it panicked, so that waiters may hang on a token that has ended, until the alarm or somebody
    /// comes.
    pub(super) has_panicked: bool,
    // The platform.
    /// Which life of its memory this is: what an earlier one began goes nowhere.
    pub(super) life: u32,
    pub(super) is_ringing: bool,
    /// When the alarm comes again whose handler did not end.
    pub(super) repeated: u64,
    /// Whether the last request changed the record.
    pub(super) is_changed: bool,
    pub(super) oracle: Option<Oracle>,
}

/// A payment under way.
#[derive(Clone, Copy)]
struct Paying {
    is_armed: bool,
    /// Whether an alarm waits for its end.
    rings: bool,
}

/// What a follow-up tells of the token as it was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct News {
    row: Option<Row>,
    owes: bool,
}

/// What the index is told: created, completed.
type Row = (u64, Option<u64>);

impl Object {
    pub(super) fn is_idle(&self) -> bool {
        self.paying.is_none() && self.following == 0 && !self.is_ringing
    }

    pub(super) fn lose_memory(&mut self) {
        self.listed = IndexState::default();
        self.is_gone = false;
        self.is_rung = false;
        self.paying = None;
        self.following = 0;
        self.life += 1;
    }
}

impl World<'_> {
    /// `Object::apply`; the token is the one that was found.
    pub(super) fn apply(&mut self, id: usize, ask: Ask) -> (Reply, Option<Token>) {
        let before = self.objects[id].record.clone();
        let mut record = before.clone();
        let is_read = matches!(ask, Ask::Read | Ask::Create(_)) && before.is_some();
        let (reply, changed) = answer(
            &mut record,
            ask,
            Duration::from_millis(self.retention),
            at(self.now),
            &self.subscribers(),
            self.objects[id].is_gone,
        );
        if reply == Reply::Created {
            self.objects[id].listed = IndexState::Unknown;
        }
        self.objects[id].is_changed = changed;
        if let (Some(token), true) = (&record, changed) {
            let timed_out = token.state == State::TimedOut && before != record;
            assert!(!is_read || timed_out, "written for a read");
            self.save(id, token.clone());
            record.clone_from(&self.objects[id].record);
        }
        (reply, record)
    }

    /// `Object::decide`, once the record is written: who changed it follows that up, as does who comes by while
    /// nobody knows what the index has.
    pub(super) fn decided(&mut self, id: usize) {
        let object = &mut self.objects[id];
        let is_unknown = object.record.is_some() && object.listed == IndexState::Unknown;
        // So who comes by makes good for waiters what a panic has left.
        object.has_panicked = false;
        if object.is_changed || is_unknown {
            self.follow_up(id);
        }
    }

    /// `Object::admit`, likewise.
    pub(super) fn admitted(&mut self, id: usize) {
        if self.objects[id].is_changed {
            self.follow_up(id);
        }
    }

    /// After the answer's leaving has been decided: what the change brings, unless the object dies first.
    fn follow_up(&mut self, id: usize) {
        let object = &self.objects[id];
        let token = object.record.as_ref().unwrap();
        let news = News {
            row: token
                .needs_index_update(object.listed)
                .then(|| row_of(token)),
            owes: token.has_pending_delivery(),
        };
        self.objects[id].following += 1;
        if self.is_faulty && self.chance.percent(10) {
            self.push(0, Event::Crash(id));
        }
        let wait = self.chance.of(&[0, 0, 1, 20]);
        self.push(wait, Event::FollowUp(id, self.objects[id].life, news));
    }

    pub(super) fn followed_up(&mut self, id: usize, news: News) {
        self.objects[id].following -= 1;
        self.wake(id);
        if let Some((created, completed)) = news.row {
            // With the rows of others, and nobody learns whether it comes there.
            let is_lost = !self.has_index || self.is_faulty && self.chance.percent(15);
            if !is_lost {
                let slowest = self.chance.of(&[30, 200, 30_000]);
                let wait = self.chance.below(slowest);
                self.push(wait, Event::Row(id, created, completed));
            }
            let object = &mut self.objects[id];
            object.listed = object.listed.after_sending();
        }
        if news.owes {
            self.pay(id, true, false);
        }
    }

    fn wake(&mut self, id: usize) {
        let Some(token) = self.objects[id].record.clone() else {
            return;
        };
        if token.finished_at().is_some() {
            self.objects[id].has_panicked = false;
            for _waiter in std::mem::take(&mut self.sockets[id]) {
                self.tell(id, &token);
            }
        }
    }

    /// What an alarm is for.
    pub(super) fn look(&mut self, id: usize) {
        let object = &mut self.objects[id];
        object.is_rung = true;
        if object.listed == IndexState::Unconfirmed {
            object.listed = IndexState::Unknown;
        }
        let Some(mut token) = self.objects[id].record.clone() else {
            return self.forget(id);
        };
        let settled = token.time_out_if_due(at(self.now), &self.subscribers());
        if settled {
            self.save(id, token.clone());
        }
        self.wake(id);
        self.pay(id, settled, true);
    }

    /// The token is over: its key is let go of, then the token.
    fn let_go(&mut self, id: usize) {
        let releases = self.objects[id].record.as_ref().unwrap().key.is_some();
        let wait = if releases { self.chance.below(50) } else { 0 };
        if self.is_faulty && releases && self.chance.percent(10) {
            // The key does not answer. Only an alarm says when to try again.
            let paying = self.objects[id].paying.take().unwrap();
            if paying.rings {
                self.set_alarm(id, Some(self.now + 10 * LEASED));
                self.rung(id);
            }
            return;
        }
        if releases {
            self.release(id);
        }
        self.push(wait, Event::Released(id, self.objects[id].life));
    }

    pub(super) fn forget(&mut self, id: usize) {
        let object = &mut self.objects[id];
        if let Some(token) = object.record.take() {
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
        let object = &mut self.objects[id];
        object.alarm = None;
        object.is_gone = true;
        if object.paying.take().is_none_or(|paying| paying.rings) {
            self.rung(id);
        }
        self.plan_after_forgetting(id);
    }

    fn pay(&mut self, id: usize, is_armed: bool, rings: bool) {
        let object = &mut self.objects[id];
        if object.paying.is_some() {
            if !is_armed || self.objects[id].is_rung {
                self.arm(id);
            }
            if rings {
                self.rung(id);
            }
            return;
        }
        object.paying = Some(Paying { is_armed, rings });
        if object.listed == IndexState::Unreachable {
            object.listed = IndexState::Unknown;
        }
        self.pay_on(id);
    }

    fn pay_on(&mut self, id: usize) {
        let retention = Duration::from_millis(self.retention);
        let object = &mut self.objects[id];
        let debt = object
            .record
            .as_ref()
            .and_then(|token| token.next_task(retention, object.listed, at(self.now)));
        match debt {
            Some(DueTask::List) => self.list(id),
            Some(DueTask::Deliver(index)) => self.deliver(id, index),
            Some(DueTask::Purge) => self.let_go(id),
            None => {
                let paying = object.paying.take().unwrap();
                if !paying.is_armed || self.objects[id].is_rung {
                    self.arm(id);
                }
                if paying.rings {
                    self.rung(id);
                }
            }
        }
        if debt.is_some() && self.is_faulty && self.chance.percent(8) {
            let wait = self.chance.below(2_000);
            self.push(wait, Event::Crash(id));
        }
    }

    fn list(&mut self, id: usize) {
        let token = self.objects[id].record.clone().unwrap();
        let (created, completed) = row_of(&token);
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
        let told = (self.has_index && !is_lost).then(|| token.expected_index_state());
        let wait = if is_lost { 5_000 } else { wait + 5 };
        self.push(wait, Event::Told(id, self.objects[id].life, told));
    }

    pub(super) fn told(&mut self, id: usize, told: Option<IndexState>) {
        let object = &mut self.objects[id];
        object.listed = told.unwrap_or(IndexState::Unreachable);
        object.paying.as_mut().unwrap().is_armed = false;
        self.pay_on(id);
    }

    fn deliver(&mut self, id: usize, index: usize) {
        let token = self.objects[id].record.clone().unwrap();
        let delivery = &token.deliveries[index];
        assert!(
            matches!(delivery.progress, Progress::Pending(due) if due <= at(self.now)),
            "attempted in vain"
        );
        assert!(delivery.attempts < MAX_ATTEMPTS);
        let moods = match delivery.target {
            Target::Environment => self.moods[0],
            Target::Token => self.moods[1],
            Target::Upstream => unreachable!("no token here lives upstream"),
        };
        let (arrives, answer, pause) = self.chance.of(moods);
        if arrives {
            let oracle = self.objects[id].oracle.as_ref().unwrap();
            assert_eq!(end_of(&token), oracle.end(self.now), "sent");
            assert_ne!(end_of(&token), End::Waiting, "sent before the end");
        }
        let wait = self.chance.of(&[1, 80, 9_999]);
        let life = self.objects[id].life;
        self.push(wait, Event::Attempted(id, life, index, answer, pause));
    }

    pub(super) fn attempted(
        &mut self,
        id: usize,
        index: usize,
        answer: AttemptResult,
        pause: Option<u64>,
    ) {
        let Some(mut token) = self.objects[id].record.clone() else {
            unreachable!("a token that owes a delivery is not forgotten");
        };
        let pause = pause.map(Duration::from_millis);
        token.record_attempt(index, answer, pause, &id.to_string(), at(self.now));
        let delivery = &token.deliveries[index];
        match (answer, delivery.progress) {
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
        self.save(id, token);
        self.objects[id].paying.as_mut().unwrap().is_armed = true;
        self.pay_on(id);
    }

    /// Record and alarm, at once and durable.
    fn save(&mut self, id: usize, mut token: Token) {
        let wakeup = self.wakeup(id, &token);
        let is_known = !std::mem::take(&mut self.objects[id].is_rung);
        let alarm = token.plan_alarm(wakeup, is_known, at(self.now));
        let before = self.objects[id].record.replace(token);
        if let Alarm::Set(wakeup) = alarm {
            self.set_alarm(id, wakeup.map(|wakeup| wakeup.as_millis()));
        }
        let object = &self.objects[id];
        let token = object.record.as_ref().unwrap();
        if let Some(before) = before {
            let untouched = Token {
                state: token.state.clone(),
                deliveries: token.deliveries.clone(),
                alarm: token.alarm,
                ..before.clone()
            };
            assert_eq!(*token, untouched, "what it was created with");
            for (was, is) in before.deliveries.iter().zip(&token.deliveries) {
                assert!(was.due_at().is_some() || was == is, "final is final");
                assert!(is.attempts <= MAX_ATTEMPTS);
            }
            if before.state == State::Waiting {
                let own = token.webhook.as_ref().map(|_| Target::Token);
                let owed: Vec<_> = self.subscribers().into_iter().chain(own).collect();
                let targets = token.deliveries.iter().map(|one| one.target);
                assert_eq!(targets.collect::<Vec<_>>(), owed, "owed");
                self.plan_after_end(id);
            }
        }
    }

    fn arm(&mut self, id: usize) {
        let Some(token) = self.objects[id].record.clone() else {
            return;
        };
        self.objects[id].is_rung = false;
        let alarm = token.alarm_for(self.wakeup(id, &token), at(self.now));
        self.set_alarm(id, alarm.map(|alarm| alarm.as_millis()));
    }

    fn wakeup(&self, id: usize, token: &Token) -> Option<Timestamp> {
        let retention = Duration::from_millis(self.retention);
        let wakeup = token.next_wakeup(retention, self.objects[id].listed, at(self.now));
        // Should whoever tells them be interrupted.
        let is_heard = token.finished_at().is_some() && !self.sockets[id].is_empty();
        let tell = is_heard.then(|| at(self.now).plus(LEASE));
        let wakeup = wakeup.into_iter().chain(tell).min();
        let overdue = token.state == State::Waiting && token.timeout_at <= Some(at(self.now));
        if !overdue && !token.is_past_retention(retention, at(self.now)) {
            assert!(wakeup.is_none_or(|wakeup| wakeup > at(self.now)), "past");
        }
        wakeup
    }

    fn set_alarm(&mut self, id: usize, alarm: Option<u64>) {
        self.objects[id].alarm = alarm;
        let Some(alarm) = alarm else { return };
        let mut late = 0;
        if self.is_faulty && self.chance.percent(40) {
            late = self
                .chance
                .of(&[1, 3_000, 100_000, self.retention, self.retention]);
        }
        let due = alarm.saturating_sub(self.now);
        let ringing = if late == 0 {
            Ringing::OnTime(alarm)
        } else {
            Ringing::Late(alarm)
        };
        self.push(due + late, Event::Ring(id, ringing));
        if self.is_faulty && due > 1 && self.chance.percent(15) {
            let early = 1 + self.chance.of(&[0, due / 2, due - 2]);
            self.push(due - early, Event::Ring(id, Ringing::Early(alarm)));
        }
    }

    /// An alarm that comes: whether the object hears it.
    pub(super) fn rings(&mut self, id: usize, ringing: Ringing) -> Option<What> {
        let object = &mut self.objects[id];
        let (alarm, what) = match ringing {
            Ringing::OnTime(alarm) => (Some(alarm), What::AlarmOnTime),
            Ringing::Late(alarm) => (Some(alarm), What::AlarmLate),
            Ringing::Early(alarm) => (Some(alarm), What::AlarmEarly),
            Ringing::Again => (object.alarm, What::AlarmAgain),
        };
        if object.is_ringing || object.alarm != alarm {
            return None;
        }
        if ringing != Ringing::Again {
            object.alarm = None;
        }
        object.is_ringing = true;
        Some(what)
    }

    /// The handler of an alarm has ended.
    fn rung(&mut self, id: usize) {
        self.objects[id].is_ringing = false;
        if let Some(alarm) = self.objects[id].alarm.filter(|&alarm| alarm <= self.now) {
            self.push(0, Event::Ring(id, Ringing::OnTime(alarm)));
        }
        if self.is_faulty && self.chance.percent(20) {
            let wait = self.chance.of(&[0, 5, 10_000, 70_000, 90_000]);
            self.push(wait, Event::Ring(id, Ringing::Again));
        }
    }

    /// All that lives in memory is gone, and the sockets stay. An alarm whose handler panicked comes later.
    pub(super) fn panic(&mut self, id: usize) {
        let object = &mut self.objects[id];
        object.lose_memory();
        object.has_panicked = true;
        if object.is_ringing {
            let later = self.now + 10 * LEASED;
            if object.alarm.is_none_or(|alarm| alarm > later) {
                object.repeated = later;
                self.set_alarm(id, Some(later));
            }
            self.rung(id);
        }
    }

    /// All that lives in memory is gone. The runtime repeats an alarm whose handler did not end.
    pub(super) fn crash(&mut self, id: usize) {
        let object = &mut self.objects[id];
        object.lose_memory();
        if std::mem::take(&mut object.is_ringing) {
            if object.alarm.is_none() {
                object.repeated = self.now + 2_000;
            }
            let alarm = object.alarm.unwrap_or(object.repeated);
            self.set_alarm(id, Some(alarm));
        }
        for waiter in std::mem::take(&mut self.sockets[id]) {
            self.push(1_000, Event::Client(waiter));
        }
    }
}

fn row_of(token: &Token) -> Row {
    let completed = match token.state {
        State::Completed { at, .. } => Some(at.as_millis()),
        State::Waiting | State::TimedOut => None,
    };
    (token.created_at.as_millis(), completed)
}
