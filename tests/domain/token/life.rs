//! What a token's actor decides about cancels, extensions, notices and reminders.
use super::actor::{Object, alarm, task, upstream};
use super::{at, decision, token};
use std::time::Duration;
use waitpoint::domain::token::command::{Command, Reply};
use waitpoint::domain::token::delivery::{AttemptResult, Delivery, DeliveryId, Target};
use waitpoint::domain::token::effects::{
    AfterSave, Effects, FinishedAttempt, Input, LogLine, Task, UpstreamRead,
};
use waitpoint::domain::token::event::TokenEvent;
use waitpoint::domain::token::history::HistoryKind;
use waitpoint::domain::token::index_state::IndexState;
use waitpoint::domain::token::notify::{Recipient, Reminder};
use waitpoint::domain::token::schedule::{Alarm, LEASE};
use waitpoint::domain::token::transition::Outcome;
use waitpoint::domain::token::{CallbackRequest, CompletedBy, Decision, State, Token};

const NOTICE: DeliveryId = DeliveryId {
    event: TokenEvent::Created,
    target: Target::Recipient(0),
};

fn notified(token: Token) -> Token {
    Token {
        notify: vec![Recipient::Slack("deploys".to_owned())],
        reminders: vec![Reminder::After(Duration::from_secs(5))],
        ..token
    }
}

fn finished(delivery: DeliveryId) -> Input {
    let attempt = FinishedAttempt {
        result: AttemptResult::Status(200),
        pause: None,
        may_conflict: false,
    };
    Input::DeliveryFinished(delivery, attempt)
}

/// An object whose index has the row of this token.
fn listed(token: Token) -> Object {
    let mut object = Object::new(Some(token));
    let state = object.token().expected_index_state();
    let confirm = object.handle(Input::AlarmFired, 0);
    assert_eq!(confirm.next, Some(Task::ConfirmRow(state)));
    object.handle(Input::RowConfirmed(state), 0);
    object
}

#[test]
fn a_cancel_is_written_and_then_told_to_waiters_and_the_index() {
    let mut object = listed(token(Some(100)));
    object.has_waiters = true;
    let reason = Some("sold out".to_owned());
    let cancel = || Input::Command(Command::Cancel(reason.clone()));
    let effects = object.handle(cancel(), 5);
    assert_eq!(effects.reply, Some(Reply::Decided(Outcome::Cancelled)));
    assert!(effects.save.is_some() && !effects.notifies_waiters);
    let told = Effects {
        log: Some(LogLine::Cancelled),
        notifies_waiters: true,
        enqueues_row: true,
        ..Effects::default()
    };
    assert_eq!(object.saved(&effects, 6), told);
    // The same again is told so, and nobody hears of it.
    let again = object.handle(cancel(), 7);
    assert_eq!(
        again,
        Effects {
            reply: Some(Reply::Decided(Outcome::Cancelled)),
            ..Effects::default()
        }
    );
    assert_eq!(object.token().finished_at(), Some(at(5)));
    assert_eq!(
        object.token().expected_index_state(),
        IndexState::Ended { failures: 0 }
    );
}

#[test]
fn an_extension_is_told_to_those_who_wait_on_and_to_the_index() {
    let mut object = listed(token(Some(1_000)));
    object.has_waiters = true;
    let mut extend = |to, now, alarm: Alarm| {
        let effects = object.handle(Input::Command(Command::Extend(at(to))), now);
        assert_eq!(effects.reply, Some(Reply::Found));
        assert_eq!(effects.save, Some(alarm));
        let told = Effects {
            log: Some(LogLine::Extended),
            notifies_waiters: true,
            enqueues_row: true,
            ..Effects::default()
        };
        assert_eq!(object.saved(&effects, now), told);
    };
    extend(2_000, 5, Alarm::Set(Some(at(2_000))));
    // To later: the alarm finds nothing to do, and is set anew then. To earlier: it would be too late.
    extend(9_000, 6, Alarm::Keep);
    extend(500, 7, Alarm::Set(Some(at(500))));
    assert_eq!(
        object.token().expected_index_state(),
        IndexState::Waiting {
            extensions: 3,
            failures: 0
        }
    );
    let confirm = Task::ConfirmRow(IndexState::Waiting {
        extensions: 3,
        failures: 0,
    });
    assert_eq!(object.handle(Input::AlarmFired, 400).next, Some(confirm));
    // A row that was sent before another extension is not the current one.
    let stale = Input::RowConfirmed(IndexState::Waiting {
        extensions: 2,
        failures: 0,
    });
    assert_eq!(object.handle(stale, 401), task(confirm));
}

#[test]
fn a_reminder_that_an_extension_makes_due_is_owed_in_the_same_write() {
    let mut object = listed(Token {
        reminders: vec![Reminder::Before(Duration::from_secs(600))],
        ..notified(token(Some(3_600_000)))
    });
    let extend = || Input::Command(Command::Extend(at(650_000)));
    let effects = object.handle(extend(), 100_000);
    assert_eq!(effects.reply, Some(Reply::Found));
    let lease = at(100_000).plus(LEASE);
    assert_eq!(effects.save, Some(Alarm::Set(Some(lease))));
    let reminder = DeliveryId {
        event: TokenEvent::Reminder(at(50_000)),
        target: Target::Recipient(0),
    };
    let owed = object.token().deliveries.iter().map(Delivery::id);
    assert_eq!(owed.collect::<Vec<_>>(), [reminder]);
    assert_eq!(object.token().reminded_at, Some(at(100_000)));
    let told = object.saved(&effects, 100_001);
    assert_eq!(told.next, Some(Task::AttemptDelivery(reminder)));
    let effects = object.handle(finished(reminder), 100_002);
    object.saved(&effects, 100_003);

    // The same again changes nothing: nothing is written, and nobody is told.
    let before = object.token().clone();
    let again = object.handle(extend(), 100_004);
    assert_eq!(again, found());
    assert_eq!(*object.token(), before);
}

#[test]
fn a_repeated_extension_that_finds_a_reminder_due_is_no_extension() {
    let mut object = listed(notified(token(Some(90_000))));
    object.has_waiters = true;
    // The alarm of the reminder is late.
    let extend = Input::Command(Command::Extend(at(90_000)));
    let effects = object.handle(extend, 6_000);
    assert!(effects.save.is_some());
    assert_eq!(object.token().extensions, 0);
    assert_eq!(object.token().deliveries.len(), 1);
    let told = object.saved(&effects, 6_001);
    assert_eq!((told.log, told.notifies_waiters), (None, false));
}

/// A reply, and nothing that is done for it.
fn found() -> Effects {
    Effects {
        reply: Some(Reply::Found),
        ..Effects::default()
    }
}

#[test]
fn an_extension_that_came_too_late_is_told_the_end_and_waiters_too() {
    let mut object = listed(token(Some(1_000)));
    object.has_waiters = true;
    let effects = object.handle(Input::Command(Command::Extend(at(9_000))), 1_000);
    assert_eq!(effects.reply, Some(Reply::Decided(Outcome::TimedOut)));
    let told = object.saved(&effects, 1_001);
    assert_eq!((told.log, told.notifies_waiters), (None, true));
}

#[test]
fn an_ignored_callback_is_written_and_nothing_more() {
    let mut object = listed(Token {
        callback: Some("{}".to_owned()),
        ..token(Some(1_000))
    });
    let callback = Decision {
        by: CompletedBy::Callback,
        callback: Some(CallbackRequest::default()),
        ..decision("1")
    };
    let effects = object.handle_ignored(callback, 5);
    let written = Effects {
        reply: Some(Reply::Decided(Outcome::Ignored)),
        save: Some(Alarm::Set(Some(at(1_000)))),
        ..Effects::default()
    };
    assert_eq!(effects, written);
    assert_eq!(object.token().history[0].kind, HistoryKind::CallbackIgnored);
}

#[test]
fn a_notice_is_owed_with_the_creation_and_attempted_when_that_is_written() {
    let mut object = Object::new(None);
    let create = Command::Create(Box::new(notified(token(None))));
    let effects = object.handle(Input::Command(create), 0);
    assert_eq!(
        effects.save,
        Some(Alarm::Set(Some(at(5_000)))),
        "the reminder"
    );
    assert_eq!(object.token().deliveries[0].id(), NOTICE);
    let told = object.saved(&effects, 1);
    assert_eq!(told.next, Some(Task::AttemptDelivery(NOTICE)));
    let effects = object.handle(finished(NOTICE), 2);
    assert_eq!(effects.log, Some(LogLine::Attempt(NOTICE)));
    assert_eq!(object.token().history[0].kind, HistoryKind::Notified(0));
    // If the object dies before that, an alarm is there within a lease.
    let mut lost = Object::new(None);
    let create = Command::Create(Box::new(Token {
        reminders: Vec::new(),
        ..notified(token(None))
    }));
    let effects = lost.handle(Input::Command(create), 0);
    assert_eq!(effects.save, Some(Alarm::Set(Some(at(0).plus(LEASE)))));
}

#[test]
fn an_alarm_reminds_and_what_was_under_way_at_the_end_is_forgotten() {
    let mut object = listed(notified(token(Some(90_000))));
    let effects = object.handle(Input::AlarmFired, 5_000);
    assert_eq!(
        effects.next,
        Some(Task::AwaitSave(AfterSave::RunDueTasks { log: None }))
    );
    let reminder = DeliveryId {
        event: TokenEvent::Reminder(at(5_000)),
        target: Target::Recipient(0),
    };
    let attempt = Task::AttemptDelivery(reminder);
    assert_eq!(object.saved(&effects, 5_001), task(attempt));
    let cancelled = object.handle(Input::Command(Command::Cancel(None)), 5_002);
    assert_eq!(object.token().deliveries, []);
    object.saved(&cancelled, 5_003);
    let effects = object.handle(finished(reminder), 5_004);
    assert_eq!(
        (&object.token().history[..], &object.token().deliveries[..]),
        (&[][..], &[][..])
    );
    // What is due goes on.
    assert_eq!(object.saved(&effects, 5_005).next, None);
    let end = object.handle(Input::AlarmFired, 6_000);
    assert_eq!(
        end.next,
        Some(Task::ConfirmRow(IndexState::Ended { failures: 0 }))
    );
}

#[test]
fn a_token_upstream_is_polled_before_anybody_is_reminded_of_it() {
    let poll = UpstreamRead::Poll;
    let ended = Token {
        state: State::TimedOut,
        ..upstream()
    };
    for (theirs, is_reminded) in [(None, true), (Some(upstream()), true), (Some(ended), false)] {
        let mut object = Object::new(Some(notified(upstream())));
        let asked = object.handle(Input::AlarmFired, 5_000);
        assert_eq!(asked, task(Task::ReadUpstream(poll)));
        let read = Input::UpstreamRead(poll, theirs.map(Box::new));
        let effects = object.handle(read, 5_001);
        assert_eq!(
            effects.next,
            Some(Task::AwaitSave(AfterSave::RunDueTasks { log: None }))
        );
        assert_eq!(!object.token().deliveries.is_empty(), is_reminded);
        assert_eq!(object.token().reminded_at.is_some(), is_reminded);
    }
    // Nobody to remind yet: asked again when that is due, at the latest.
    let mut object = Object::new(Some(notified(upstream())));
    object.handle(Input::AlarmFired, 0);
    let read = Input::UpstreamRead(poll, None);
    assert_eq!(object.handle(read, 0), alarm(Some(5_000)));
}
