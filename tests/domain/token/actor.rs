//! What a token's actor decides. What the simulation does not come to is here: tokens that live upstream,
//! tombstones, and single effects.
use super::{RETENTION, at, completed, decision, facts, token};
use std::time::Duration;
use waitpoint::domain::token::actor::TokenActor;
use waitpoint::domain::token::command::{Command, Facts, Reply, Verdict};
use waitpoint::domain::token::delivery::{
    AttemptResult, Delivery, DeliveryId, Progress, Target, UpstreamConflict,
};
use waitpoint::domain::token::effects::{
    AfterSave, Effects, FinishedAttempt, Input, LogLine, Purge, SetAlarm, Task, UpstreamRead,
};
use waitpoint::domain::token::event::TokenEvent;
use waitpoint::domain::token::home::Home;
use waitpoint::domain::token::index_state::{INDEX_CONFIRM_WITHIN, IndexState};
use waitpoint::domain::token::record::{Record, Tombstone};
use waitpoint::domain::token::schedule::{Alarm, LEASE};
use waitpoint::domain::token::transition::Outcome;
use waitpoint::domain::token::{CompletedBy, Decision, Key, State, Token};

/// The end, for the token's own webhook.
const OWN_END: DeliveryId = DeliveryId {
    event: TokenEvent::Ended,
    target: Target::Token,
};

/// The end, for upstream.
const UPSTREAM_END: DeliveryId = DeliveryId {
    event: TokenEvent::Ended,
    target: Target::Upstream,
};

/// An object: what it stores, and its actor.
pub(super) struct Object {
    record: Option<Record>,
    actor: TokenActor,
    pub(super) has_waiters: bool,
}

impl Object {
    pub(super) fn new(token: Option<Token>) -> Self {
        Self {
            record: token.map(Record::Live),
            actor: TokenActor::new("c1".to_owned()),
            has_waiters: false,
        }
    }

    /// Handles an input; what is to be saved is.
    pub(super) fn handle(&mut self, input: Input, now: u64) -> Effects {
        self.handle_judged(input, Verdict::Decides, now)
    }

    /// Handles a callback that is not accepted.
    pub(super) fn handle_ignored(&mut self, callback: Decision, now: u64) -> Effects {
        let input = Input::Command(Command::Complete(callback));
        self.handle_judged(input, Verdict::Ignored, now)
    }

    fn handle_judged(&mut self, input: Input, verdict: Verdict, now: u64) -> Effects {
        let mut record = self.record.clone().filter(|_| input.needs_record());
        let has_waiters = self.has_waiters;
        let facts = Facts {
            has_waiters: &|| has_waiters,
            judge: match verdict {
                Verdict::Ignored => |_, _| Verdict::Ignored,
                _ => |_, _| Verdict::Decides,
            },
            ..facts(now)
        };
        let effects = self.actor.handle(input, &mut record, &facts);
        if effects.save.is_some() {
            self.record = record;
        }
        effects
    }

    /// Handles what follows from a write.
    pub(super) fn saved(&mut self, effects: &Effects, now: u64) -> Effects {
        let Some(Task::AwaitSave(after)) = effects.next else {
            panic!("{effects:?}")
        };
        self.handle(Input::Saved(after), now)
    }

    pub(super) fn token(&self) -> &Token {
        self.record.as_ref().and_then(Record::token).unwrap()
    }
}

pub(super) fn upstream() -> Token {
    Token {
        home: Home::Upstream,
        ..token(None)
    }
}

pub(super) fn task(task: Task) -> Effects {
    Effects {
        next: Some(task),
        ..Effects::default()
    }
}

pub(super) fn alarm(at: Option<u64>) -> Effects {
    Effects {
        alarm: Some(SetAlarm::To(at.map(super::at))),
        ..Effects::default()
    }
}

fn after(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap()
}

#[test]
fn a_create_is_written_then_told_then_confirmed_by_the_alarm() {
    let mut object = Object::new(None);
    let create = Input::Command(Command::Create(Box::new(token(None))));
    let effects = object.handle(create, 0);
    let confirm_at = after(INDEX_CONFIRM_WITHIN);
    assert_eq!(effects.reply, Some(Reply::Created));
    assert_eq!(effects.save, Some(Alarm::Set(Some(at(confirm_at)))));
    assert_eq!(
        (effects.log, effects.enqueues_row),
        (None, false),
        "not yet"
    );
    let told = Effects {
        log: Some(LogLine::Created),
        enqueues_row: true,
        ..Effects::default()
    };
    assert_eq!(object.saved(&effects, 1), told);
    // Nothing more for a read.
    let read = object.handle(Input::Command(Command::Read), 2);
    assert_eq!(read.next, None);

    let confirm = task(Task::ConfirmRow(IndexState::Waiting {
        extensions: 0,
        failures: 0,
    }));
    assert_eq!(object.handle(Input::AlarmFired, confirm_at), confirm);
    let confirmed = Input::RowConfirmed(IndexState::Waiting {
        extensions: 0,
        failures: 0,
    });
    assert_eq!(object.handle(confirmed, confirm_at), alarm(None));
}

#[test]
fn a_completion_notifies_waiters_and_delivers_once_it_is_written() {
    let mut object = Object::new(Some(Token {
        webhook: Some("https://a.example".to_owned()),
        ..token(None)
    }));
    object.has_waiters = true;
    let complete = Input::Command(Command::Complete(decision("1")));
    let effects = object.handle(complete, 5);
    assert_eq!(effects.reply, Some(Reply::Decided(Outcome::Completed)));
    assert!(!effects.notifies_waiters);
    let lease = at(5).plus(LEASE);
    assert_eq!(effects.save, Some(Alarm::Set(Some(lease))));
    let told = Effects {
        log: Some(LogLine::Completed(CompletedBy::Api)),
        notifies_waiters: true,
        enqueues_row: true,
        next: Some(Task::AttemptDelivery(OWN_END)),
        ..Effects::default()
    };
    assert_eq!(object.saved(&effects, 6), told);
    // Another chain does not begin it a second time.
    let other = object.handle(Input::AlarmFired, 7);
    assert_eq!((other.next, other.notifies_waiters), (None, true));
    assert!(other.alarm.is_some());

    let attempt = FinishedAttempt {
        result: AttemptResult::Status(200),
        pause: None,
        may_conflict: false,
    };
    object.has_waiters = false;
    let effects = object.handle(Input::DeliveryFinished(OWN_END, attempt), 8);
    assert_eq!(effects.log, Some(LogLine::Attempt(OWN_END)));
    assert_eq!(object.token().deliveries[0].progress, Progress::Delivered);
    // The alarm has fired, so nobody knows any more whether the index has the row.
    let confirm = task(Task::ConfirmRow(IndexState::Ended { failures: 0 }));
    assert_eq!(object.saved(&effects, 9), confirm);
    let confirmed = Input::RowConfirmed(IndexState::Ended { failures: 0 });
    assert_eq!(object.handle(confirmed, 10), alarm(Some(30_005)));
}

#[test]
fn what_failed_is_not_stuck_and_the_alarm_retries() {
    let mut object = Object::new(Some(Token {
        key: Some(Key {
            text: "k".to_owned(),
            expires_at: None,
        }),
        state: completed(at(0), "1"),
        ..token(None)
    }));
    let end = after(RETENTION);
    let confirm = Task::ConfirmRow(IndexState::Ended { failures: 0 });
    assert_eq!(object.handle(Input::AlarmFired, end).next, Some(confirm));
    let confirmed = || Input::RowConfirmed(IndexState::Ended { failures: 0 });
    assert_eq!(object.handle(confirmed(), end), task(Task::ReleaseKey));
    let retry = at(end).plus(Duration::from_secs(300));
    let failed = Effects {
        alarm: Some(SetAlarm::NoLaterThan(retry)),
        ..Effects::default()
    };
    assert_eq!(
        object.handle(Input::Failed(Some(Task::ReleaseKey)), end),
        failed
    );
    assert_eq!(
        object.handle(Input::AlarmFired, retry.as_millis()).next,
        Some(Task::ReleaseKey)
    );
    // What has come meanwhile is seen: the record is read again.
    let purge = Purge::PastRetention;
    assert_eq!(
        object.handle(Input::KeyReleased, retry.as_millis()),
        task(Task::Purge(purge))
    );
    object.record = None;
    assert_eq!(object.handle(Input::Purged(purge), 0), Effects::default());
}

#[test]
fn a_key_that_led_to_what_has_just_gone_makes_nothing_anew() {
    let made = |created_by_request: Option<&str>, was_deleted: bool| {
        let mut object = Object::new(was_deleted.then(|| Token {
            state: completed(at(0), "1"),
            ..token(None)
        }));
        if was_deleted {
            let end = after(RETENTION);
            object.handle(Input::AlarmFired, end);
            let purge = object.handle(Input::RowConfirmed(IndexState::Ended { failures: 0 }), end);
            assert_eq!(purge, task(Task::Purge(Purge::PastRetention)));
            object.record = None;
        }
        let token = Token {
            created_by_request: created_by_request.map(str::to_owned),
            ..token(None)
        };
        let create = Command::Create(Box::new(token));
        object.handle(Input::Command(create), 0).reply
    };
    assert_eq!(made(Some("c1"), true), Some(Reply::NotFound));
    // A claim that nobody followed up, and the request's own id.
    assert_eq!(made(Some("c1"), false), Some(Reply::Created));
    assert_eq!(made(None, true), Some(Reply::Created));
}

#[test]
fn an_alarm_finds_nothing_and_deletes_even_itself() {
    let mut object = Object::new(None);
    let purge = task(Task::Purge(Purge::Unneeded));
    assert_eq!(object.handle(Input::AlarmFired, 0), purge);
}

#[test]
fn upstream_is_asked_while_somebody_waits() {
    let mut object = Object::new(Some(upstream()));
    let joined = object.handle(Input::WaiterJoined, 0);
    assert_eq!(joined.reply, Some(Reply::Found));
    assert_eq!(joined.alarm, Some(SetAlarm::To(Some(at(15_000)))));
    object.has_waiters = true;

    let poll = UpstreamRead::Poll;
    let read = |object: &mut Object, theirs: Option<Token>, now| {
        let asked = object.handle(Input::AlarmFired, now);
        assert_eq!(asked, task(Task::ReadUpstream(poll)));
        object.handle(Input::UpstreamRead(poll, theirs.map(Box::new)), now)
    };
    for theirs in [None, Some(upstream())] {
        assert_eq!(read(&mut object, theirs, 15_000), alarm(Some(30_000)));
    }
    let ended = Token {
        state: State::Completed {
            at: at(20_000),
            decision: Decision {
                callback: None,
                by: CompletedBy::Upstream,
                ..decision("1")
            },
        },
        ..upstream()
    };
    let effects = read(&mut object, Some(ended.clone()), 30_000);
    let log = Some(LogLine::Completed(CompletedBy::Upstream));
    let next = Some(Task::AwaitSave(AfterSave::RunDueTasks { log }));
    assert_eq!(effects.next, next);
    assert_eq!(object.token().state, ended.state);
    let told = object.saved(&effects, 30_001);
    assert!(told.notifies_waiters);
    assert_eq!(
        (told.next, told.enqueues_row),
        (None, false),
        "upstream lists it"
    );
}

#[test]
fn what_is_kept_for_waiters_alone_goes_with_them() {
    let poll = UpstreamRead::Poll;
    for (approval, end) in [
        (None, task(Task::Purge(Purge::Unneeded))),
        // Asked again in a day.
        (Some("{}".to_owned()), alarm(Some(86_400_000))),
    ] {
        let mut object = Object::new(Some(Token {
            approval,
            ..upstream()
        }));
        object.handle(Input::AlarmFired, 0);
        assert_eq!(object.handle(Input::UpstreamRead(poll, None), 0), end);
    }
}

#[test]
fn a_conflict_is_recorded_after_the_attempt_is() {
    let mut object = Object::new(Some(Token {
        state: completed(at(0), "1"),
        deliveries: vec![Delivery::new(TokenEvent::Ended, Target::Upstream, at(0))],
        ..upstream()
    }));
    assert_eq!(
        object.handle(Input::AlarmFired, 0).next,
        Some(Task::AttemptDelivery(UPSTREAM_END))
    );
    let attempt = FinishedAttempt {
        result: AttemptResult::Status(200),
        pause: None,
        may_conflict: true,
    };
    let effects = object.handle(Input::DeliveryFinished(UPSTREAM_END, attempt), 1);
    let conflict = UpstreamRead::Conflict(UPSTREAM_END);
    let asked = object.saved(&effects, 2);
    assert_eq!(asked, task(Task::ReadUpstream(conflict)));
    let theirs = Token {
        state: State::TimedOut,
        ..upstream()
    };
    let effects = object.handle(Input::UpstreamRead(conflict, Some(Box::new(theirs))), 3);
    assert!(effects.save.is_some());
    assert_eq!(
        object.token().deliveries[0].conflict,
        Some(UpstreamConflict::TimedOutUpstream)
    );
    assert_eq!(object.saved(&effects, 4), Effects::default());
}

#[test]
fn of_a_decision_on_a_token_upstream_a_tombstone_stays_for_which_nothing_is_due() {
    let mut object = Object::new(Some(Token {
        state: completed(at(0), "1"),
        ..upstream()
    }));
    let end = after(RETENTION);
    let effects = object.handle(Input::AlarmFired, end);
    let tombstone = Record::Tombstone(Tombstone { created_at: at(0) });
    assert_eq!(object.record, Some(tombstone.clone()));
    assert_eq!(effects.save, Some(Alarm::Set(None)));
    assert_eq!(object.saved(&effects, end), Effects::default());
    assert_eq!(object.handle(Input::AlarmFired, end), alarm(None));

    let read = object.handle(Input::Command(Command::Read), end);
    assert_eq!((read.reply, read.next), (Some(Reply::NotFound), None));
    let token = Box::new(upstream());
    let again = Command::CompleteRelayed(token, decision("2"));
    let again = object.handle(Input::Command(again), end);
    let outcome = Reply::Decided(Outcome::AlreadyCompleted);
    assert_eq!((again.reply, again.save), (Some(outcome), None));
    assert_eq!(object.record, Some(tombstone));
}
