//! The world of a seed: a clock, clients, the key, the index, and whatever may go wrong.
use super::chance::Chance;
use super::clients::{Client, Wish};
use super::index::{Row, Rows};
use super::object::{Ended, Object};
use super::oracle::End;
use super::platform::LEASED;
use super::receivers::{MOODS, RECIPIENTS, what_ended};
use super::{Seen, Standing, What, end_of};
use std::collections::{BTreeMap, BTreeSet};
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::delivery::AttemptResult;
use waitpoint::domain::token::event::{EventName, EventSet, Subscriptions};
use waitpoint::domain::token::index_state::INDEX_CONFIRM_WITHIN;
use waitpoint::domain::token::record::Record;
use waitpoint::domain::token::{State, Token};

pub(super) const SECOND: u64 = 1_000;
pub(super) const HOUR: u64 = 3_600 * SECOND;
const START: u64 = 1_000_000_000_000;
/// Tokens whose id is a request's own; each has an object.
pub(super) const IDS: usize = 4;
const ENDS: [EventName; 3] = [
    EventName::Completed,
    EventName::TimedOut,
    EventName::Cancelled,
];

/// Whether a message arrives, what the sender hears, and the pause that it is asked for.
pub(super) type Mood = (bool, AttemptResult, Option<u64>);
#[derive(Clone, Debug)]
pub(super) enum Event {
    Client(usize),
    Ring(usize, Ringing),
    /// A task of an object's life has ended.
    Ended(usize, u32, Ended),
    /// A row reaches the index.
    Row(usize, Row),
    Crash(usize),
    Evict(usize),
    Index(bool),
    /// Nothing goes wrong any more.
    Calm,
}

/// An alarm comes that was set for this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ringing {
    OnTime(u64),
    Late(u64),
    Early(u64),
    /// After it has come already.
    Again,
}

pub(super) struct World<'a> {
    pub(super) now: u64,
    pub(super) chance: Chance,
    pub(super) is_faulty: bool,
    pub(super) has_index: bool,
    pub(super) retention: u64,
    pub(super) objects: [Object; IDS],
    /// Waiters that hang on an object.
    pub(super) sockets: [Vec<usize>; IDS],
    /// Of the environment's receiver, the tokens' own, and their recipients.
    pub(super) moods: [&'static [Mood]; 6],
    /// Whether the environment has a webhook, and what webhooks are told.
    pub(super) is_subscribed: bool,
    pub(super) events: Vec<EventName>,
    /// Which requests bring the key.
    pub(super) keyed: [bool; IDS],
    /// What the key stands for, and until when.
    pub(super) key: Option<(usize, Option<u64>)>,
    pub(super) rows: Rows,
    pub(super) clients: Vec<Client>,
    /// Who was told that it made this token: by id and the request that did.
    pub(super) makers: BTreeSet<(usize, u64, usize)>,
    queue: BTreeMap<(u64, u64), Event>,
    pushed: u64,
    seen: &'a mut Seen,
}

pub(super) fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

impl<'a> World<'a> {
    pub(super) fn new(seed: u64, seen: &'a mut Seen) -> Self {
        let mut chance = Chance(seed);
        let retention = chance.of(&[60 * SECOND, HOUR, 30 * HOUR, 100 * HOUR]);
        let moods = [
            chance.of(&MOODS),
            chance.of(&MOODS),
            chance.of(&RECIPIENTS),
            chance.of(&RECIPIENTS),
            chance.of(&RECIPIENTS),
            chance.of(&RECIPIENTS),
        ];
        let wanted = chance.of(&[&ENDS[..], &ENDS, &EventName::ALL, &EventName::ALL, &[]]);
        let mut events = wanted.to_vec();
        if chance.percent(50) {
            events.retain(|_| chance.percent(60));
        }
        let mut world = Self {
            now: START,
            is_faulty: true,
            has_index: true,
            retention,
            objects: std::array::from_fn(Object::new),
            sockets: Default::default(),
            moods,
            is_subscribed: chance.percent(60),
            events,
            keyed: [(); IDS].map(|()| chance.percent(70)),
            key: None,
            rows: Rows::new(),
            clients: Vec::new(),
            makers: BTreeSet::new(),
            queue: BTreeMap::new(),
            pushed: 0,
            chance,
            seen,
        };
        for id in 0..IDS {
            let wait = world.chance.of(&[0, 0, 3, 40, 7 * SECOND, retention]);
            world.wish(wait, Wish::Create(id));
            world.plan(id, wait / 2);
        }
        if world.chance.percent(30) {
            let wait = world.chance.below(10 * SECOND);
            world.push(wait, Event::Index(false));
            let wait = wait + world.chance.of(&[10 * SECOND, HOUR, 3 * retention]);
            world.push(wait, Event::Index(true));
        }
        world.push(3 * retention + 100 * HOUR, Event::Calm);
        world
    }

    /// Lets time run until nothing is left to come, and tells how many events that were.
    pub(super) fn run(mut self, is_loud: bool) -> u64 {
        let mut events = 0;
        while let Some(((now, _), event)) = self.next() {
            events += 1;
            assert!(events < 20_000, "it never ends");
            self.now = now;
            if is_loud {
                println!("{:>12} {event:?}", now - START);
            }
            self.happen(event);
            for id in 0..IDS {
                self.check(id);
            }
        }
        for object in &self.objects {
            assert_eq!((&object.record, object.alarm), (&None, None), "left");
        }
        assert_eq!(self.key, None, "the key is left");
        assert!(self.sockets.iter().all(Vec::is_empty), "waiters are left");
        events
    }

    pub(super) fn push(&mut self, wait: u64, event: Event) {
        self.pushed += 1;
        self.queue.insert((self.now + wait, self.pushed), event);
    }

    fn next(&mut self) -> Option<((u64, u64), Event)> {
        if self.queue.is_empty() {
            // What never times out somebody decides at last.
            for id in 0..IDS {
                if self.expected(id) == Some(End::Waiting) {
                    self.wish(0, Wish::Complete(id));
                }
            }
        }
        self.queue.pop_first()
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Client(client) => self.step(client),
            Event::Ring(id, ringing) => {
                let standing = self.standing(id);
                if let Some(what) = self.rings(id, ringing) {
                    self.seen.insert((standing, what));
                    if self.is_reminder_due(id) {
                        self.seen.insert((standing, What::ReminderDue));
                    }
                    self.ring(id);
                }
            }
            Event::Ended(id, life, ended) if self.objects[id].life == life => {
                if let Some(what) = what_ended(&ended.input) {
                    self.see(id, what);
                }
                self.ended(id, ended);
            }
            Event::Row(id, row) => self.put(id, row),
            Event::Crash(id) if self.chance.percent(50) => {
                self.see(id, What::Panic);
                self.panic(id);
            }
            Event::Crash(id) => {
                self.see(id, What::Crash);
                self.crash(id);
            }
            Event::Evict(id) if self.objects[id].is_idle() => {
                self.see(id, What::Evict);
                self.objects[id].lose_memory(id);
            }
            Event::Index(has_index) => {
                self.has_index = has_index;
            }
            Event::Calm => self.is_faulty = false,
            // It was begun in an earlier life.
            _ => {}
        }
    }

    pub(super) fn see(&mut self, id: usize, what: What) {
        self.seen.insert((self.standing(id), what));
    }

    fn standing(&self, id: usize) -> (Standing, bool) {
        let object = &self.objects[id];
        let (Some(token), Some(oracle)) = (object.token(), &object.oracle) else {
            return (Standing::Absent, false);
        };
        let standing = match (&token.state, oracle.end(self.now)) {
            _ if oracle.is_past_retention(self.retention, self.now) => Standing::Forgotten,
            (State::Waiting, End::Waiting) if oracle.has_votes() => Standing::Voting,
            (State::Waiting, End::Waiting) => Standing::Waiting,
            (State::Waiting, _) => Standing::Overdue,
            (State::Completed { .. }, End::Defaulted(..)) => Standing::Defaulted,
            (State::Completed { .. }, _) => Standing::Completed,
            (State::TimedOut, _) => Standing::TimedOut,
            (State::Cancelled { .. }, _) => Standing::Cancelled,
        };
        let pending = token.deliveries.iter().any(|one| one.due_at().is_some());
        (standing, pending || !self.is_listed(id, token))
    }

    /// Whether an alarm now finds that recipients are to be told again.
    fn is_reminder_due(&self, id: usize) -> bool {
        let oracle = self.objects[id].oracle.as_ref();
        let due = oracle.and_then(|oracle| oracle.next_reminder());
        due.is_some_and(|due| due <= self.now) && self.expected(id) == Some(End::Waiting)
    }

    pub(super) fn subscriptions(&self) -> Subscriptions {
        let events = self.events.iter();
        Subscriptions {
            has_environment: self.is_subscribed,
            events: events.fold(EventSet::NONE, |set, &name| set.with(name)),
        }
    }

    /// A waiter hears how a token stands.
    pub(super) fn tell(&self, id: usize, token: &Token) {
        let object = &self.objects[id];
        assert_eq!(object.token(), Some(token), "told before written");
        let oracle = object.oracle.as_ref().unwrap();
        assert_eq!(end_of(token), oracle.end(self.now), "a waiter");
        assert_ne!(end_of(token), End::Waiting);
    }

    // What must hold after every event.

    fn check(&mut self, id: usize) {
        let now = self.now;
        let object = &mut self.objects[id];
        let Some(token) = object.record.as_ref().and_then(Record::token) else {
            return;
        };
        let oracle = object.oracle.as_ref().unwrap();
        let (stands, ends) = (end_of(token), oracle.end(now));
        let is_overdue = stands == End::Waiting && oracle.is_overdue(now);
        assert!(stands == ends || is_overdue, "{stands:?} is not {ends:?}");
        let ledger = object.ledger.as_mut().unwrap();
        ledger.ended(&stands);
        ledger.check(token);
        oracle.check(token);
        let waits = stands != End::Waiting && !self.sockets[id].is_empty();
        let is_news = object.is_extension_news && !self.sockets[id].is_empty();
        let is_told = object.announcing > 0 || object.has_panicked;
        assert!(!waits && !is_news || is_told, "nobody tells the waiters");
        let created = token.created_at.as_millis();
        self.check_row(id, created);
        if !self.objects[id].is_ringing {
            self.check_alarm(id, &stands, waits);
        }
    }

    /// Whatever is owed has an alarm in time: whoever is at it may die any moment.
    fn check_alarm(&self, id: usize, stands: &End, waits: bool) {
        let object = &self.objects[id];
        let token = object.token().unwrap();
        let oracle = object.oracle.as_ref().unwrap();
        let due = token.deliveries.iter().filter_map(|one| one.due_at());
        let due = due.map(|due| due.as_millis().max(self.now) + LEASED).min();
        let confirm = u64::try_from(INDEX_CONFIRM_WITHIN.as_millis()).unwrap();
        let listed = (!self.is_listed(id, token)).then_some(self.now + confirm);
        let reminder = oracle.next_reminder().filter(|_| *stands == End::Waiting);
        let reminder = reminder.map(|at| if at > self.now { at } else { self.now + LEASED });
        let end = match stands.at() {
            None => oracle.timeout(),
            _ if due.is_some() || listed.is_some() => None,
            // The key may not answer when it is to let go.
            Some(at) => Some((at + self.retention).max(self.now + 10 * LEASED)),
        };
        let told = waits.then_some(self.now + LEASED);
        let latest = [due, listed, reminder, told, end];
        if let Some(soonest) = latest.into_iter().flatten().min() {
            let alarm = object.alarm.expect("nothing will wake it");
            let is_in_time = alarm <= soonest.max(object.repeated);
            assert!(is_in_time, "{alarm} is too late for {latest:?}");
        }
    }
}
