//! The world of a seed: a clock, clients, the key, the index, and whatever may go wrong.
use super::chance::Chance;
use super::clients::{Client, Wish};
use super::object::{Ended, Object, what_ended};
use super::oracle::End;
use super::platform::LEASED;
use super::{Seen, Standing, What, end_of};
use std::collections::{BTreeMap, BTreeSet};
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::delivery::AttemptResult;
use waitpoint::domain::token::event::{EventSet, Subscriptions};
use waitpoint::domain::token::index_state::INDEX_CONFIRM_WITHIN;
use waitpoint::domain::token::{State, Token};

pub(super) const SECOND: u64 = 1_000;
pub(super) const HOUR: u64 = 3_600 * SECOND;
const START: u64 = 1_000_000_000_000;
/// Tokens whose id is a request's own; each has an object.
pub(super) const IDS: usize = 4;
const MOST_CLIENTS: usize = 60;

/// Whether a message arrives, what the sender hears, and the pause that it is asked for.
type Mood = (bool, AttemptResult, Option<u64>);
const WELL: &[Mood] = &[(true, AttemptResult::Status(200), None)];
const ILL: &[Mood] = &[
    (true, AttemptResult::Status(500), None),
    (false, AttemptResult::NoResponse, None),
];
const MIXED: &[Mood] = &[
    (true, AttemptResult::Status(200), None),
    (true, AttemptResult::Status(500), None),
    (true, AttemptResult::Status(429), Some(30 * SECOND)),
    (true, AttemptResult::Status(503), Some(u64::MAX)),
    (true, AttemptResult::Status(410), None),
    (false, AttemptResult::NoResponse, None),
    (true, AttemptResult::NoResponse, None),
    (false, AttemptResult::NotSendable, None),
];

#[derive(Clone, Debug)]
pub(super) enum Event {
    Client(usize),
    Ring(usize, Ringing),
    /// A task of an object's life has ended.
    Ended(usize, u32, Ended),
    /// A row reaches the index: created, completed.
    Row(usize, u64, Option<u64>),
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
    /// Of the environment's receiver and the tokens' own.
    pub(super) moods: [&'static [Mood]; 2],
    is_subscribed: bool,
    /// Which requests bring the key.
    pub(super) keyed: [bool; IDS],
    /// What the key stands for, and until when.
    pub(super) key: Option<(usize, Option<u64>)>,
    /// The index: `completed` by id and creation.
    rows: BTreeMap<(usize, u64), Option<u64>>,
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
        let moods = [WELL, ILL, MIXED, MIXED];
        let moods = [chance.of(&moods), chance.of(&moods)];
        let mut world = Self {
            now: START,
            is_faulty: true,
            has_index: true,
            retention,
            objects: std::array::from_fn(Object::new),
            sockets: Default::default(),
            moods,
            is_subscribed: chance.percent(60),
            keyed: [(); IDS].map(|()| chance.percent(70)),
            key: None,
            rows: BTreeMap::new(),
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
                    self.ring(id);
                }
            }
            Event::Ended(id, life, ended) if self.objects[id].life == life => {
                if let Some(what) = what_ended(&ended.input) {
                    self.see(id, what);
                }
                self.ended(id, ended);
            }
            Event::Row(id, created, completed) => self.put(id, created, completed),
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
            (State::Waiting, End::Waiting) => Standing::Waiting,
            (State::Waiting, _) => Standing::Overdue,
            (State::Completed { .. }, _) => Standing::Completed,
            (State::TimedOut | State::Cancelled { .. }, _) => Standing::TimedOut,
        };
        let pending = token.deliveries.iter().any(|one| one.due_at().is_some());
        (standing, pending || !self.is_listed(id, token))
    }

    pub(super) fn subscriptions(&self) -> Subscriptions {
        Subscriptions {
            has_environment: self.is_subscribed,
            events: EventSet::ENDS,
        }
    }

    // What is planned.

    fn wish(&mut self, wait: u64, wish: Wish) {
        self.clients.push(Client::new(wish));
        self.push(wait, Event::Client(self.clients.len() - 1));
    }

    /// Something happens to this token about `wait` from now.
    fn plan(&mut self, id: usize, wait: u64) {
        let wait = match self.chance.below(7) {
            0 => wait.saturating_sub(1),
            1 | 2 => wait,
            3 => wait + 1,
            5 => wait.saturating_sub(self.chance.below(5 * SECOND)),
            4 => wait + self.chance.below(5 * SECOND),
            _ => self.chance.below(wait + 1),
        };
        let other = usize::try_from(self.chance.below(IDS as u64)).unwrap();
        match self.chance.below(10) {
            0 => self.push(wait, Event::Crash(id)),
            1 => self.push(wait, Event::Evict(id)),
            _ if self.clients.len() > MOST_CLIENTS => {}
            2 => self.wish(wait, Wish::Create(id)),
            3 | 4 => self.wish(wait, Wish::Create(other)),
            5 | 6 => self.wish(wait, Wish::Complete(id)),
            7 => self.wish(wait, Wish::Read(id)),
            _ => self.wish(wait, Wish::Wait(id)),
        }
    }

    pub(super) fn plan_after_creation(&mut self, id: usize, timeout: Option<u64>) {
        for _ in 0..4 {
            let timeout = timeout.map_or(HOUR, |at| at.saturating_sub(self.now));
            let wait = self.chance.of(&[
                300,
                timeout,
                timeout,
                timeout + self.retention,
                timeout + self.retention,
            ]);
            self.plan(id, wait);
        }
    }

    pub(super) fn plan_after_end(&mut self, id: usize) {
        for _ in 0..4 {
            let wait = self
                .chance
                .of(&[10, 8 * SECOND, self.retention, self.retention]);
            self.plan(id, wait);
        }
    }

    pub(super) fn plan_after_forgetting(&mut self, id: usize) {
        if self.is_faulty && self.clients.len() < MOST_CLIENTS && self.chance.percent(40) {
            let wait = self.chance.of(&[0, 1, 30]);
            self.wish(wait, Wish::Create(id));
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

    // The index.

    fn put(&mut self, id: usize, created: u64, completed: Option<u64>) {
        let row = self.rows.entry((id, created)).or_default();
        *row = row.or(completed);
    }

    /// Whether the index has all that a list needs of this token.
    fn is_listed(&self, id: usize, token: &Token) -> bool {
        let row = self.rows.get(&(id, token.created_at.as_millis()));
        match &token.state {
            State::Completed { at, .. } => row == Some(&Some(at.as_millis())),
            State::Waiting | State::TimedOut | State::Cancelled { .. } => row == Some(&None),
        }
    }

    /// The index knows of a token before that goes.
    pub(super) fn check_row(&self, id: usize, token: &Token) {
        assert!(self.is_listed(id, token), "the index was not told");
    }

    // What must hold after every event.

    fn check(&mut self, id: usize) {
        let object = &self.objects[id];
        let Some(token) = object.token() else { return };
        let oracle = object.oracle.as_ref().unwrap();
        let (stands, ends) = (end_of(token), oracle.end(self.now));
        let is_overdue = stands == End::Waiting && matches!(ends, End::TimedOut(_));
        assert!(stands == ends || is_overdue, "{stands:?} is not {ends:?}");
        let waits = stands != End::Waiting && !self.sockets[id].is_empty();
        let is_told = object.announcing > 0 || object.has_panicked;
        assert!(!waits || is_told, "nobody tells the waiters");
        if let Some(row) = self.rows.get(&(id, token.created_at.as_millis())) {
            let completed = match ends {
                End::Completed(at, _) => Some(at),
                End::Waiting | End::TimedOut(_) => None,
            };
            assert!(row.is_none() || *row == completed, "the index is wrong");
        }
        if object.is_ringing {
            return;
        }
        // Whatever is owed has an alarm in time: whoever is at it may die any moment.
        let due = token.deliveries.iter().filter_map(|one| one.due_at());
        let due = due.map(|due| due.as_millis().max(self.now) + LEASED).min();
        let confirm = u64::try_from(INDEX_CONFIRM_WITHIN.as_millis()).unwrap();
        let listed = (!self.is_listed(id, token)).then_some(self.now + confirm);
        let timeout = token.timeout_at.map(Timestamp::as_millis);
        let end = match stands {
            End::Waiting => timeout,
            _ if due.is_some() || listed.is_some() => None,
            // The key may not answer when it is to let go.
            End::Completed(at, _) | End::TimedOut(at) => {
                Some((at + self.retention).max(self.now + 10 * LEASED))
            }
        };
        let told = waits.then_some(self.now + LEASED);
        if let Some(latest) = [due, listed, told, end].into_iter().flatten().min() {
            let alarm = object.alarm.expect("nothing will wake it");
            let is_in_time = alarm <= latest.max(object.repeated);
            assert!(is_in_time, "{alarm} is too late for {latest}");
        }
    }
}
