//! The state machine of one token. It knows neither JSON nor SQL, neither clock nor platform.
//!
//! Invariants:
//! - `Waiting` becomes `Completed` or `TimedOut`, once; both are final.
//! - The first decision wins; its output never changes again.
//! - A token is timed out from the very millisecond of `timeout_at` on, whenever that is noticed,
//!   and its `finished_at` is that millisecond.
//! - After a step at `now`, [`Token::next_wakeup`] is later than `now`, or there is none.
//! - While something is due, somebody does it or there is a wake-up within [`LEASE`] or the age of
//!   what is due, for a row within [`CONFIRM`]; the record of a token stays while it owes a delivery or its
//!   row.
//! - While [`Token::alarm`] is to come there is an alarm at that moment or sooner. An alarm that comes too
//!   early finds nothing to do and sets the next; so one that is in time for what is next is left alone.

use crate::delivery::{Answer, CONFIRM, Debt, Delivery, LEASE, Listed, Note, Target};
use crate::time::Timestamp;
use std::time::Duration;

/// Longest between two attempts to reach the index.
const SLOWEST: Duration = Duration::from_secs(60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A waitpoint token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// When it was created.
    pub created_at: Timestamp,
    /// From when on it is timed out, if ever.
    pub timeout_at: Option<Timestamp>,
    /// At most 10, each at most 128 UTF-16 units, in the order given.
    pub tags: Vec<String>,
    /// What its page asks (`approval.rs`), as the text that came in; of no meaning here.
    pub approval: Option<String>,
    /// Scheme, host and port at which it was created; of no meaning here.
    pub origin: String,
    /// The idempotency key that stands for it.
    pub key: Option<Key>,
    /// Which request made it, if not the one that its id comes from.
    pub creator: Option<String>,
    /// Who else is told how it ends: the URL of its own webhook.
    pub webhook: Option<String>,
    /// Whether it lives at another API, and only what is decided here is kept here (`upstream.rs`).
    pub is_upstream: bool,
    /// Whether this is what is left of such a token after its retention: that it was decided here. A link
    /// may outlive the retention, and must not decide once more.
    pub is_spent: bool,
    /// Where it stands.
    pub state: State,
    /// What is owed since it is finished.
    pub deliveries: Vec<Delivery>,
    /// What its alarm was set to when it was last written.
    pub alarm: Option<Timestamp>,
}

/// An idempotency key that its creator gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// At most 2,048 UTF-16 units.
    pub text: String,
    /// Until when it stands for the token; for ever if none.
    pub expires_at: Option<Timestamp>,
}

/// Where a token stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has decided yet.
    Waiting,
    /// Somebody decided.
    Completed {
        /// When.
        at: Timestamp,
        /// What, by whom.
        decision: Decision,
    },
    /// Nobody decided in time. The moment is the token's `timeout_at`.
    TimedOut,
}

/// What somebody decided, and by which way it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The data handed over; `None` if the request had none.
    pub output: Option<Output>,
    /// The way it came.
    pub by: CompletedBy,
    /// The `act.sub` claim of the credential, if it had one.
    pub subject: Option<String>,
}

/// An output, kept as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// What the text is.
    pub kind: OutputKind,
    /// The exact text.
    pub text: String,
}

/// What an output's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputKind {
    /// `application/json`
    Json,
    /// `text/plain`
    Text,
    /// `application/store`: where upstream keeps it.
    Stored,
}

/// The way a decision came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletedBy {
    /// `POST …/complete`
    Api,
    /// A machine's POST to `token.url`.
    Callback,
    /// A person, on the page at `token.url`.
    Page,
    /// The API at which the token lives: it was completed there.
    Upstream,
}

/// What can happen to a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody decides.
    Complete(Decision),
    /// Time has passed: an alarm, or somebody is about to read.
    WakeUp,
}

/// What is asked of a token's object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// To keep this token, unless it keeps one.
    Create(Box<Token>),
    /// How the token stands.
    Read,
    /// To take this decision.
    Complete(Decision),
    /// To take this decision on a token that lives upstream, and to keep that from now on.
    Relay(Box<Token>, Decision),
    /// To keep this token, which lives upstream and is read there, or what is new about it.
    Learn(Box<Token>),
}

/// What the object says to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// There is no such token; after [`Ask::Create`], there still is the record of one that is forgotten.
    Unknown,
    /// The token is kept.
    Created,
    /// There is a token; after [`Ask::Create`], it was there before.
    Found,
    /// What a decision came to.
    Decided(Outcome),
}

/// What the token says to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It waits.
    Waiting,
    /// This event completed it.
    Completed,
    /// It had been completed before.
    AlreadyCompleted,
    /// It is timed out.
    TimedOut,
}

/// What becomes of a token's alarm when it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// It stays.
    Keep,
    /// It is set to this moment, or there is none.
    Set(Option<Timestamp>),
}

/// What follows from an event. The adapter carries it out in this order: write the record if the
/// state is new, set the alarm to [`Token::next_wakeup`], answer, wake the waiters, and do what is
/// due ([`Token::debt`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state to store, if it changed.
    pub state: Option<State>,
    /// The answer.
    pub outcome: Outcome,
}

/// What becomes of `token` by `event` at `now`. Total and pure.
#[must_use]
pub fn step(token: &Token, event: Event, now: Timestamp) -> Transition {
    let stay = |outcome| Transition {
        state: None,
        outcome,
    };
    let become_ = |state, outcome| Transition {
        state: Some(state),
        outcome,
    };
    match (&token.state, event) {
        (State::Completed { .. }, _) => stay(Outcome::AlreadyCompleted),
        (State::TimedOut, _) => stay(Outcome::TimedOut),
        (State::Waiting, _) if token.is_due(now) => become_(State::TimedOut, Outcome::TimedOut),
        (State::Waiting, Event::WakeUp) => stay(Outcome::Waiting),
        (State::Waiting, Event::Complete(decision)) => {
            become_(State::Completed { at: now, decision }, Outcome::Completed)
        }
    }
}

/// What the object that keeps `record` says at `now`, and whether the record is to be written before it is
/// said. A record that is there is never replaced by another's: waiters, webhooks and the index may still
/// have to hear of it. `is_gone`: there was one just now, which is forgotten.
pub fn answer(
    record: &mut Option<Token>,
    ask: Ask,
    retention: Duration,
    now: Timestamp,
    subscribers: &[Target],
    is_gone: bool,
) -> (Reply, bool) {
    let is_new = record.is_none();
    let ask = match ask {
        Ask::Relay(token, decision) => {
            record.get_or_insert(*token);
            Ask::Complete(decision)
        }
        other => other,
    };
    if record.as_ref().is_some_and(|token| token.is_spent) {
        return match ask {
            Ask::Complete(_) => (Reply::Decided(Outcome::AlreadyCompleted), false),
            _ => (Reply::Unknown, false),
        };
    }
    let Some(token) = record else {
        return match ask {
            // An idempotency key led here, and whoever held it has let go of it meanwhile.
            Ask::Create(token) if is_gone && token.creator.is_some() => (Reply::Unknown, false),
            Ask::Create(token) => {
                *record = Some(*token);
                (Reply::Created, true)
            }
            Ask::Learn(token) => {
                *record = Some(*token);
                (Reply::Found, true)
            }
            Ask::Read | Ask::Complete(_) | Ask::Relay(..) => (Reply::Unknown, false),
        };
    };
    let settled = token.settle_if_due(now, subscribers);
    if token.is_forgotten(retention, now) {
        return (Reply::Unknown, false);
    }
    match ask {
        Ask::Create(_) | Ask::Read | Ask::Relay(..) => (Reply::Found, settled),
        Ask::Learn(seen) => (
            Reply::Found,
            token.learn(*seen, now, subscribers) || settled,
        ),
        Ask::Complete(decision) => {
            let (outcome, changed) = token.apply(Event::Complete(decision), now, subscribers);
            (Reply::Decided(outcome), changed || settled || is_new)
        }
    }
}

impl Token {
    /// A waiting token.
    #[must_use]
    pub fn new(created_at: Timestamp, timeout_at: Option<Timestamp>, tags: Vec<String>) -> Self {
        Self {
            created_at,
            timeout_at,
            tags,
            approval: None,
            origin: String::new(),
            key: None,
            creator: None,
            webhook: None,
            is_upstream: false,
            is_spent: false,
            state: State::Waiting,
            deliveries: Vec::new(),
            alarm: None,
        }
    }

    /// Carries out [`step`] and tells its outcome, and whether the record changed. If it did, the token
    /// is finished, and its ending is owed to its own webhook and to these `subscribers`.
    pub fn apply(
        &mut self,
        event: Event,
        now: Timestamp,
        subscribers: &[Target],
    ) -> (Outcome, bool) {
        let Transition { state, outcome } = step(self, event, now);
        let changed = state.is_some();
        if let Some(state) = state {
            self.state = state;
            self.owe(now, subscribers);
        }
        (outcome, changed)
    }

    /// What is owed of an end that is new.
    fn owe(&mut self, now: Timestamp, subscribers: &[Target]) {
        let is_news = |decision: &Decision| decision.by != CompletedBy::Upstream;
        let is_news_upstream = self.is_upstream
            && matches!(&self.state, State::Completed { decision, .. } if is_news(decision));
        let upstream = is_news_upstream.then_some(&Target::Upstream);
        let own = self.webhook.as_ref().map(|_| &Target::Token);
        // Upstream a run waits.
        let targets = upstream.into_iter().chain(subscribers).chain(own);
        self.deliveries = targets.map(|&to| Delivery::new(to, now)).collect();
    }

    /// Takes the end that a token came to upstream, unless it has come to one here; whether it did.
    fn learn(&mut self, seen: Token, now: Timestamp, subscribers: &[Target]) -> bool {
        let is_new = self.state == State::Waiting && seen.state != State::Waiting;
        if is_new {
            self.timeout_at = seen.timeout_at;
            self.state = seen.state;
            self.owe(now, subscribers);
        }
        is_new
    }

    /// Times the token out if its moment has come, and tells whether that changed it. Every read
    /// passes through here, so that a late alarm is never observable.
    pub fn settle_if_due(&mut self, now: Timestamp, subscribers: &[Target]) -> bool {
        self.apply(Event::WakeUp, now, subscribers).1
    }

    /// Takes down how an attempt at a delivery ended, see [`Delivery::attempted`].
    pub fn attempted(
        &mut self,
        delivery: usize,
        answer: Answer,
        pause: Option<Duration>,
        id: &str,
        now: Timestamp,
    ) {
        if let Some(delivery) = self.deliveries.get_mut(delivery) {
            delivery.attempted(answer, pause, id, now);
        }
    }

    /// Takes down what was found where a delivery was made.
    pub fn note(&mut self, delivery: usize, note: Option<Note>) {
        if let Some(delivery) = self.deliveries.get_mut(delivery) {
            delivery.note = note;
        }
    }

    /// Empties an output of more bytes than this.
    pub fn leave_out_long_output(&mut self, most: usize) {
        if let State::Completed { decision, .. } = &mut self.state
            && let Some(output) = &mut decision.output
            && output.text.len() > most
        {
            output.text = String::new();
        }
    }

    /// When the token was decided or timed out; `None` while it waits.
    #[must_use]
    pub fn finished_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::Waiting => None,
            State::Completed { at, .. } => Some(*at),
            State::TimedOut => self.timeout_at,
        }
    }

    /// When a finished token is to be forgotten.
    #[must_use]
    pub fn forget_at(&self, retention: Duration) -> Option<Timestamp> {
        self.finished_at().map(|at| at.plus(retention))
    }

    /// Whether there is no such token any more. Its object may still have to let go of it.
    #[must_use]
    pub fn is_forgotten(&self, retention: Duration, now: Timestamp) -> bool {
        self.forget_at(retention).is_some_and(|at| at <= now)
    }

    /// Something that is to be done now, if there is.
    #[must_use]
    pub fn debt(&self, retention: Duration, listed: Listed, now: Timestamp) -> Option<Debt> {
        if self.is_spent {
            return None;
        }
        let may_list = !matches!(listed, Listed::Told | Listed::Unreachable);
        if may_list && !self.is_listed(listed) {
            return Some(Debt::List);
        }
        let is_due = |delivery: &Delivery| delivery.due_at().is_some_and(|at| at <= now);
        let due = self.deliveries.iter().position(is_due).map(Debt::Deliver);
        due.or_else(|| {
            let is_over = self.is_forgotten(retention, now) && !self.owes();
            (is_over && self.is_listed(listed)).then_some(Debt::Forget)
        })
    }

    /// Whether a delivery is still to be made.
    #[must_use]
    pub fn owes(&self) -> bool {
        self.deliveries.iter().any(|one| one.due_at().is_some())
    }

    /// When the token must be looked at next: its timeout while it waits, the end of its retention
    /// once it is finished; and what it owes. What is due already is being done, and has a
    /// [`LEASE`].
    #[must_use]
    pub fn next_wakeup(
        &self,
        retention: Duration,
        listed: Listed,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let leased = now.plus(LEASE);
        if self.is_spent {
            return None;
        }
        let leave = |at| if at <= now { leased } else { at };
        let end = match self.state {
            // When upstream will have timed it out, and every day.
            State::Waiting if self.is_upstream => {
                let timed_out = self.timeout_at.map(|at| at.plus(LEASE));
                let timed_out = timed_out.filter(|&at| at > now);
                timed_out.into_iter().chain([now.plus(DAY)]).min()
            }
            State::Waiting => self.timeout_at,
            State::Completed { .. } | State::TimedOut if self.owes() => None,
            State::Completed { .. } | State::TimedOut => self.forget_at(retention).map(leave),
        };
        let deliveries = self.deliveries.iter().filter_map(Delivery::due_at);
        let deliveries = deliveries.map(leave);
        let list = (!self.is_listed(listed)).then(|| {
            if listed != Listed::Unreachable {
                return now.plus(CONFIRM);
            }
            // Ever more seldom: after as long as it has been owed.
            let owed_since = self.finished_at().unwrap_or(self.created_at).as_millis();
            let age = Duration::from_millis(now.as_millis().saturating_sub(owed_since));
            now.plus(age.clamp(LEASE, SLOWEST))
        });
        end.into_iter().chain(deliveries).chain(list).min()
    }

    /// Plans the alarm of a token that is about to be written and whose next wake-up is `wakeup`.
    /// `is_known`: the alarm of the last time is not one that has come meanwhile.
    pub fn plan_alarm(
        &mut self,
        wakeup: Option<Timestamp>,
        is_known: bool,
        now: Timestamp,
    ) -> Alarm {
        let is_in_time = |at: &Timestamp| wakeup.is_none_or(|wakeup| *at <= wakeup);
        if is_known && self.alarm_to_come(now).as_ref().is_some_and(is_in_time) {
            return Alarm::Keep;
        }
        self.alarm = wakeup;
        Alarm::Set(wakeup)
    }

    /// What the alarm is to be set to when nothing is written.
    #[must_use]
    pub fn alarm_for(&self, wakeup: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        wakeup.into_iter().chain(self.alarm_to_come(now)).min()
    }

    fn alarm_to_come(&self, now: Timestamp) -> Option<Timestamp> {
        self.alarm.filter(|&at| at > now)
    }

    /// What the index should have.
    #[must_use]
    pub fn listing(&self) -> Listed {
        match self.state {
            State::Completed { .. } => Listed::Completed,
            State::Waiting | State::TimedOut => Listed::Created,
        }
    }

    /// Whether the index is told of it at once as it stands: that a token of which it was told has timed out
    /// it sees by itself.
    #[must_use]
    pub fn is_news(&self, listed: Listed) -> bool {
        !self.is_upstream && (self.state != State::TimedOut || listed == Listed::Unknown)
    }

    /// Whether the index has it; upstream lists its own.
    fn is_listed(&self, listed: Listed) -> bool {
        self.is_upstream || listed == self.listing()
    }

    /// What is left of it when it is forgotten; nothing, unless it lives upstream and was decided here.
    #[must_use]
    pub fn remains(&self) -> Option<Self> {
        let is_left = self.is_upstream && matches!(self.state, State::Completed { .. });
        is_left.then(|| Self {
            is_upstream: true,
            is_spent: true,
            state: State::TimedOut,
            ..Self::new(self.created_at, None, Vec::new())
        })
    }

    /// Whether it may end without anybody telling: it lives upstream, which tells nobody by itself.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        self.is_upstream && self.state == State::Waiting
    }

    /// Whether it is kept only since somebody waited for it.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.is_asked_for() && self.approval.is_none() && self.webhook.is_none()
    }

    /// Whether its moment to time out has come. Upstream has a clock of its own, and somebody may have been
    /// in time there.
    fn is_due(&self, now: Timestamp) -> bool {
        !self.is_upstream && self.timeout_at.is_some_and(|at| at <= now)
    }
}
