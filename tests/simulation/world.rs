//! The world of a seed: a clock, clients, the key, the index, and whatever may go wrong.
use super::chance::Chance;
use super::object::{LEASED, Object};
use super::oracle::{End, Oracle};
use super::{Seen, Standing, What, end_of};
use std::collections::{BTreeMap, BTreeSet};
use waitpoint::delivery::{Answer, Listed, Target};
use waitpoint::time::Timestamp;
use waitpoint::token::{
    Ask, CompletedBy, Decision, Key, Outcome, Output, OutputKind, Reply, State, Token,
};

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
const START: u64 = 1_000_000_000_000;
/// Tokens whose id is a request's own; each has an object.
const IDS: usize = 4;
const MOST_CLIENTS: usize = 60;

/// Whether a message arrives, what the sender hears, and the pause that it is asked for.
type Mood = (bool, Answer, Option<u64>);
const WELL: &[Mood] = &[(true, Answer::Status(200), None)];
const ILL: &[Mood] = &[
    (true, Answer::Status(500), None),
    (false, Answer::None, None),
];
const MIXED: &[Mood] = &[
    (true, Answer::Status(200), None),
    (true, Answer::Status(500), None),
    (true, Answer::Status(429), Some(30 * SECOND)),
    (true, Answer::Status(503), Some(u64::MAX)),
    (true, Answer::Status(410), None),
    (false, Answer::None, None),
    (true, Answer::None, None),
    (false, Answer::Impossible, None),
];

#[derive(Clone, Debug)]
pub(super) enum Event {
    Client(usize),
    Ring(usize, Ringing),
    FollowUp(usize, u32),
    /// A row reaches the index: created, completed.
    Row(usize, u64, Option<u64>),
    Told(usize, u32, u64, Option<Listed>),
    Attempted(usize, u32, usize, Answer, Option<u64>),
    Released(usize, u32),
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// By the request that this id comes from.
    Create(usize),
    Complete(usize),
    Read(usize),
    Wait(usize),
}

/// How far a create has come.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Claim,
    Store(usize),
    /// The token that the key stood for is forgotten.
    Heal(usize),
    StoreAgain(usize),
}

struct Client {
    wish: Wish,
    stage: Stage,
    tries: u32,
    begun: u64,
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
    keyed: [bool; IDS],
    /// What the key stands for, and until when.
    key: Option<(usize, Option<u64>)>,
    /// The index: `completed` by id and creation.
    rows: BTreeMap<(usize, u64), Option<u64>>,
    /// Since when the index has been there.
    indexed_since: u64,
    clients: Vec<Client>,
    /// Who was told that it made this token: by id and the request that did.
    makers: BTreeSet<(usize, u64, usize)>,
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
            objects: Default::default(),
            sockets: Default::default(),
            moods,
            is_subscribed: chance.percent(60),
            keyed: [(); IDS].map(|()| chance.percent(70)),
            key: None,
            rows: BTreeMap::new(),
            indexed_since: START,
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
                    self.look(id);
                }
            }
            Event::FollowUp(id, life) if self.lives(id, life) => self.followed_up(id),
            Event::Row(id, created, completed) => self.put(id, created, completed),
            Event::Told(id, life, created, told) if self.lives(id, life) => {
                let what = told.map_or(What::IndexUnreachable, |_| What::IndexTold);
                self.see(id, what);
                self.told(id, created, told);
            }
            Event::Attempted(id, life, index, answer, pause) if self.lives(id, life) => {
                self.see(
                    id,
                    match answer {
                        Answer::Status(200) => What::Received,
                        Answer::Status(410) => What::Gone,
                        Answer::Status(_) => What::Refused,
                        Answer::None | Answer::Impossible => What::Unanswered,
                    },
                );
                self.attempted(id, index, answer, pause);
            }
            Event::Released(id, life) if self.lives(id, life) => self.forget(id),
            Event::Crash(id) => {
                self.see(id, What::Crash);
                self.crash(id);
            }
            Event::Evict(id) if self.objects[id].is_idle() => {
                self.see(id, What::Evict);
                self.objects[id].lose_memory();
            }
            Event::Index(has_index) => {
                self.has_index = has_index;
                self.indexed_since = self.now;
            }
            Event::Calm => self.is_faulty = false,
            // It was begun in an earlier life.
            _ => {}
        }
    }

    fn lives(&self, id: usize, life: u32) -> bool {
        self.objects[id].life == life
    }

    fn see(&mut self, id: usize, what: What) {
        self.seen.insert((self.standing(id), what));
    }

    fn standing(&self, id: usize) -> (Standing, bool) {
        let object = &self.objects[id];
        let (Some(token), Some(oracle)) = (&object.record, &object.oracle) else {
            return (Standing::Absent, false);
        };
        let standing = match (&token.state, oracle.end(self.now)) {
            _ if oracle.is_forgotten(self.retention, self.now) => Standing::Forgotten,
            (State::Waiting, End::Waiting) => Standing::Waiting,
            (State::Waiting, _) => Standing::Overdue,
            (State::Completed { .. }, _) => Standing::Completed,
            (State::TimedOut, _) => Standing::TimedOut,
        };
        let pending = token.deliveries.iter().any(|one| one.due_at().is_some());
        (standing, pending || !self.is_listed(id, token))
    }

    pub(super) fn subscribers(&self) -> Vec<Target> {
        self.is_subscribed
            .then_some(Target::Environment)
            .into_iter()
            .collect()
    }

    // What is planned.

    fn wish(&mut self, wait: u64, wish: Wish) {
        self.clients.push(Client {
            wish,
            stage: Stage::Claim,
            tries: 0,
            begun: self.now,
        });
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
            0 => return self.push(wait, Event::Crash(id)),
            1 => return self.push(wait, Event::Evict(id)),
            _ if self.clients.len() > MOST_CLIENTS => {}
            2 => self.wish(wait, Wish::Create(id)),
            3 | 4 => self.wish(wait, Wish::Create(other)),
            5 | 6 => self.wish(wait, Wish::Complete(id)),
            7 => self.wish(wait, Wish::Read(id)),
            _ => self.wish(wait, Wish::Wait(id)),
        }
    }

    fn plan_after_creation(&mut self, id: usize, timeout: Option<u64>) {
        for _ in 0..4 {
            let timeout = timeout.map_or(HOUR, |at| at.saturating_sub(self.now));
            let wait = self
                .chance
                .of(&[300, timeout, timeout, timeout + self.retention]);
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
        if self.is_faulty && self.clients.len() < MOST_CLIENTS && self.chance.percent(30) {
            let wait = self.chance.of(&[0, 1, 30]);
            self.wish(wait, Wish::Create(id));
        }
    }

    // Clients.

    fn step(&mut self, client: usize) {
        if self.is_faulty && self.chance.percent(5) {
            return self.again(client);
        }
        match self.clients[client].wish {
            Wish::Create(own) => self.create(client, own),
            Wish::Complete(id) => self.complete(client, id),
            Wish::Read(id) => {
                self.see(id, What::Read);
                let expected = self.expected(id);
                let (reply, found) = self.apply(id, Ask::Read);
                self.check_found(reply, found, expected, id);
            }
            Wish::Wait(id) => {
                self.see(id, What::Wait);
                let expected = self.expected(id);
                let (reply, found) = self.apply(id, Ask::Read);
                if let Some(token) = self.check_found(reply, found, expected, id) {
                    if token.finished_at().is_none() {
                        self.sockets[id].push(client);
                    } else {
                        self.tell(id, &token);
                    }
                }
            }
        }
    }

    /// The client heard nothing, or trouble: it sends the request again.
    fn again(&mut self, client: usize) {
        let client_ = &mut self.clients[client];
        client_.tries += 1;
        client_.stage = Stage::Claim;
        let wait = (SECOND << client_.tries.min(14)).min(6 * HOUR);
        self.push(wait, Event::Client(client));
    }

    fn answer_is_lost(&mut self) -> bool {
        self.is_faulty && self.chance.percent(10)
    }

    /// What there is to be found; nothing if it is forgotten.
    fn expected(&self, id: usize) -> Option<End> {
        let oracle = self.objects[id].oracle.as_ref()?;
        let is_forgotten = oracle.is_forgotten(self.retention, self.now);
        (!is_forgotten).then(|| oracle.end(self.now))
    }

    fn check_found(
        &mut self,
        reply: Reply,
        found: Option<Token>,
        expected: Option<End>,
        id: usize,
    ) -> Option<Token> {
        if reply == Reply::Unknown {
            assert_eq!(expected, None, "not found");
            return None;
        }
        assert_eq!(reply, Reply::Found);
        let token = found.unwrap();
        assert_eq!(Some(end_of(&token)), expected, "found");
        self.changed(id);
        Some(token)
    }

    /// Whoever changed the record follows that up. A change leaves an alarm, so it shows.
    fn changed(&mut self, id: usize) {
        if std::mem::take(&mut self.objects[id].is_changed) {
            self.follow_up(id);
        }
    }

    fn complete(&mut self, client: usize, id: usize) {
        self.see(id, What::Complete);
        let output = client.to_string();
        let before = self.expected(id);
        if let (Some(oracle), Some(_)) = (&mut self.objects[id].oracle, &before) {
            oracle.complete(self.now, &output);
        }
        let decision = Decision {
            output: Some(Output {
                kind: OutputKind::Json,
                text: output.clone(),
            }),
            by: CompletedBy::Api,
            subject: None,
        };
        let (reply, _) = self.apply(id, Ask::Complete(decision));
        self.changed(id);
        let expected = match before {
            None => Reply::Unknown,
            Some(End::Waiting) => Reply::Decided(Outcome::Completed),
            Some(End::Completed(..)) => Reply::Decided(Outcome::AlreadyCompleted),
            Some(End::TimedOut(_)) => Reply::Decided(Outcome::TimedOut),
        };
        assert_eq!(reply, expected, "acknowledged");
        if self.answer_is_lost() {
            self.again(client);
        }
    }

    /// `create` of `src/worker/api.rs`, a stage at a time.
    fn create(&mut self, client: usize, own: usize) {
        let keyed = self.keyed[own];
        let next = self.chance.of(&[0, 1, 30, 900]);
        let stage = match self.clients[client].stage {
            Stage::Claim => {
                self.clients[client].begun = self.now;
                Stage::Store(if keyed { self.claim(own) } else { own })
            }
            Stage::Store(id) => match self.store(client, id, own) {
                Reply::Unknown if keyed => Stage::Heal(id),
                reply => return self.created(client, id, own, reply),
            },
            Stage::Heal(id) => {
                self.release(id);
                Stage::StoreAgain(self.claim(own))
            }
            Stage::StoreAgain(id) => {
                let reply = self.store(client, id, own);
                return self.created(client, id, own, reply);
            }
        };
        self.clients[client].stage = stage;
        self.push(next, Event::Client(client));
    }

    fn claim(&mut self, own: usize) -> usize {
        let stands =
            |(_, until): &(usize, Option<u64>)| until.is_none_or(|until| self.now <= until);
        if let Some((id, _)) = self.key.filter(stands) {
            return id;
        }
        let lasts = self.chance.of(&[None, None, Some(500), Some(600 * SECOND)]);
        self.key = Some((own, lasts.map(|lasts| self.now + lasts)));
        own
    }

    pub(super) fn release(&mut self, id: usize) {
        self.key = self.key.filter(|(stands_for, _)| *stands_for != id);
    }

    fn store(&mut self, client: usize, id: usize, own: usize) -> Reply {
        let repeated = self.objects[id]
            .oracle
            .as_ref()
            .is_some_and(|oracle| oracle.made_by == own);
        self.see(
            id,
            match (id == own, repeated) {
                (_, true) => What::CreateAgain,
                (true, false) => What::Create,
                (false, false) => What::CreateByKey,
            },
        );
        let begun = self.clients[client].begun;
        let timeout = self
            .chance
            .of(&[None, Some(SECOND), Some(90 * SECOND), Some(50 * HOUR)]);
        let timeout = timeout.map(|timeout| begun + timeout);
        let webhook = self.chance.percent(50);
        let token = Token {
            key: self.keyed[own].then(|| Key {
                text: "key".to_owned(),
                expires_at: None,
            }),
            creator: (id != own).then(|| own.to_string()),
            webhook: webhook.then(|| "https://example.com".to_owned()),
            ..Token::new(at(begun), timeout.map(at), Vec::new())
        };
        let expected = self.expected(id);
        let (reply, found) = self.apply(id, Ask::Create(token));
        if reply == Reply::Created {
            assert!(self.objects[id].oracle.is_none(), "replaced");
            self.objects[id].oracle = Some(Oracle::new(own, timeout));
            self.changed(id);
            self.plan_after_creation(id, timeout);
        } else {
            self.check_found(reply, found, expected, id);
        }
        reply
    }

    fn created(&mut self, client: usize, id: usize, own: usize, reply: Reply) {
        if self.answer_is_lost() || reply == Reply::Unknown {
            return self.again(client);
        }
        let object = &self.objects[id];
        let token = object.record.as_ref().unwrap();
        let creator = token.creator.clone().unwrap_or(id.to_string());
        let is_cached = reply != Reply::Created && creator != own.to_string();
        let made_it = object.oracle.as_ref().unwrap().made_by == own;
        assert_eq!(is_cached, !made_it, "isCached");
        let created = token.created_at.as_millis();
        if !is_cached {
            self.makers.insert((id, created, own));
        }
        let makers = self.makers.range((id, created, 0)..=(id, created, IDS));
        assert!(makers.count() <= 1, "two were told that they made it");
    }

    /// A waiter hears how a token stands.
    pub(super) fn tell(&self, id: usize, token: &Token) {
        let object = &self.objects[id];
        assert_eq!(object.record.as_ref(), Some(token), "told before written");
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
            State::Waiting | State::TimedOut => row == Some(&None),
        }
    }

    /// An index that was there for some time knows of a token that goes, unless no alarm came in all that time.
    pub(super) fn check_row(&self, id: usize, token: &Token) {
        let knew = self.now.saturating_sub(self.indexed_since) > 2 * HOUR;
        let is_neglected = self.objects[id].is_neglected || self.retention <= 4 * HOUR;
        if self.has_index && knew && !is_neglected {
            assert!(self.is_listed(id, token), "the index was not told");
        }
    }

    // What must hold after every event.

    fn check(&mut self, id: usize) {
        let object = &self.objects[id];
        let Some(token) = &object.record else { return };
        let oracle = object.oracle.as_ref().unwrap();
        let (stands, ends) = (end_of(token), oracle.end(self.now));
        let is_overdue = stands == End::Waiting && matches!(ends, End::TimedOut(_));
        assert!(stands == ends || is_overdue, "{stands:?} is not {ends:?}");
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
        let listed = (!self.is_listed(id, token)).then_some(self.now + HOUR);
        let timeout = token.timeout_at.map(Timestamp::as_millis);
        let end = match stands {
            End::Waiting => timeout,
            _ if due.is_some() => None,
            // The key may not answer when it is to let go.
            End::Completed(at, _) | End::TimedOut(at) => {
                Some((at + self.retention).max(self.now + 10 * LEASED))
            }
        };
        if let Some(latest) = [due, listed, end].into_iter().flatten().min() {
            let alarm = object.alarm.expect("nothing will wake it");
            let is_in_time = alarm <= latest || alarm == object.repeated;
            assert!(is_in_time, "{alarm} is too late for {latest}");
        }
    }
}
