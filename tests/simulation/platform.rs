//! The platform: what is stored, alarms that come late, early and again, and memory that is lost.
use super::What;
use super::clients::Wish;
use super::object::StorageFailed;
use super::world::{Event, Ringing, World, at};
use std::time::Duration;
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::effects::SetAlarm;
use waitpoint::domain::token::record::Record;
use waitpoint::domain::token::schedule::{Alarm, LEASE};
use waitpoint::domain::token::{State, Token};

pub(super) const LEASED: u64 = LEASE.as_secs() * 1_000;

impl World<'_> {
    /// The alarm, then the record: durable at once, or a failure between the two.
    pub(super) fn save(
        &mut self,
        id: usize,
        record: Record,
        alarm: Alarm,
    ) -> Result<(), StorageFailed> {
        let fails = self.is_faulty && self.chance.percent(2);
        if fails && self.chance.percent(50) {
            return Err(StorageFailed);
        }
        let token = record.token().unwrap();
        match alarm {
            Alarm::Set(wakeup) => {
                self.check_wakeup(token, wakeup);
                self.set_alarm(id, wakeup.map(Timestamp::as_millis));
                self.objects[id].repeated = 0;
            }
            Alarm::Keep => {
                let object = &self.objects[id];
                assert!(
                    object.alarm.is_some() || object.is_ringing,
                    "nothing to keep"
                );
            }
        }
        if fails {
            return Err(StorageFailed);
        }
        let before = self.objects[id].token().cloned();
        if let Some(before) = &before {
            self.check_change(before, token);
        }
        self.objects[id].record = Some(record);
        if let Some(before) = before {
            self.is_changed(id, &before);
        }
        Ok(())
    }

    /// What follows from a change of a token.
    fn is_changed(&mut self, id: usize, before: &Token) {
        let token = self.objects[id].token().unwrap();
        let has_ended = before.state == State::Waiting && token.state != State::Waiting;
        if token.extensions != before.extensions {
            self.objects[id].is_extension_news = !self.sockets[id].is_empty();
        }
        if has_ended {
            self.plan_after_end(id);
        }
    }

    /// What may change of a token at all; the oracle and the ledger know how.
    fn check_change(&self, before: &Token, token: &Token) {
        let untouched = Token {
            timeout_at: token.timeout_at,
            extensions: token.extensions,
            on_timeout: token.on_timeout.clone(),
            reminded_at: token.reminded_at,
            history: token.history.clone(),
            votes: token.votes.clone(),
            state: token.state.clone(),
            deliveries: token.deliveries.clone(),
            alarm: token.alarm,
            ..before.clone()
        };
        assert_eq!(*token, untouched, "what it was created with");
        if before.state != State::Waiting {
            let stands = |one: &Token| (one.timeout_at, one.extensions, one.votes.clone());
            let was = (&before.state, stands(before));
            let is = (&token.state, stands(token));
            assert_eq!(is, was, "an end is final");
        }
        for was in &before.deliveries {
            let is = token.delivery(was.id());
            assert!(was.due_at().is_some() || is == Some(was), "final is final");
        }
    }

    fn check_wakeup(&self, token: &Token, wakeup: Option<Timestamp>) {
        let retention = Duration::from_millis(self.retention);
        let overdue = token.state == State::Waiting && token.timeout_at <= Some(at(self.now));
        if !overdue && !token.is_past_retention(retention, at(self.now)) {
            assert!(wakeup.is_none_or(|wakeup| wakeup > at(self.now)), "past");
        }
    }

    pub(super) fn arm(&mut self, id: usize, alarm: SetAlarm) {
        match alarm {
            SetAlarm::To(wakeup) => {
                self.objects[id].repeated = 0;
                if let Some(token) = self.objects[id].token() {
                    self.check_wakeup(token, wakeup);
                }
                self.set_alarm(id, wakeup.map(Timestamp::as_millis));
            }
            SetAlarm::NoLaterThan(latest) => {
                let latest = latest.as_millis();
                if self.objects[id].alarm.is_none_or(|alarm| alarm > latest) {
                    self.set_alarm(id, Some(latest));
                }
            }
        }
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
        let oracle = self.objects[id].oracle.as_ref();
        let is_timeout = oracle.is_some_and(|oracle| oracle.timeout() == Some(alarm));
        if is_timeout && late > 1 {
            // Somebody comes before it.
            for _ in 0..3 {
                let soon = self.chance.below(late);
                self.plan(id, due + soon);
            }
            let soon = self.chance.below(late);
            self.wish(due + soon, Wish::Complete(id));
        }
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
    pub(super) fn rung(&mut self, id: usize) {
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
        object.lose_memory(id);
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
        object.lose_memory(id);
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
