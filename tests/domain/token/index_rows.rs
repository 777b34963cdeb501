//! When a token's row is sent to the index.
use super::actor::{Object, alarm, task};
use super::{RETENTION, at, decision, token};
use waitpoint::domain::token::command::{Command, Reply};
use waitpoint::domain::token::delivery::{AttemptResult, Delivery, DeliveryId, Progress, Target};
use waitpoint::domain::token::effects::{
    AfterSave, Effects, FinishedAttempt, Input, Purge, SetAlarm, Task,
};
use waitpoint::domain::token::event::TokenEvent;
use waitpoint::domain::token::home::Home;
use waitpoint::domain::token::index_state::{INDEX_CONFIRM_WITHIN, IndexState};
use waitpoint::domain::token::notify::Recipient;
use waitpoint::domain::token::schedule::Alarm;
use waitpoint::domain::token::{DefaultDecision, State, Token};

#[test]
fn an_extension_sends_the_row_at_once_also_while_an_older_row_is_being_confirmed() {
    let mut object = Object::new(Some(token(Some(1_000))));
    let confirm = |extensions| {
        task(Task::ConfirmRow(IndexState::Waiting {
            extensions,
            failures: 0,
        }))
    };
    let confirmed = |extensions| {
        Input::RowConfirmed(IndexState::Waiting {
            extensions,
            failures: 0,
        })
    };
    assert_eq!(object.handle(Input::AlarmFired, 5), confirm(0));
    let extend = Input::Command(Command::Extend(at(2_000)));
    let effects = object.handle(extend, 6);
    assert_eq!(effects.reply, Some(Reply::Found));
    assert!(object.saved(&effects, 7).enqueues_row);
    // The index has the older row now, which is not enough.
    assert_eq!(object.handle(confirmed(0), 8), confirm(1));
    assert_eq!(object.handle(confirmed(1), 9), alarm(Some(2_000)));
    // It times out: the index computes that.
    let effects = object.handle(Input::AlarmFired, 2_000);
    let told = object.saved(&effects, 2_001);
    assert_eq!((told.next, told.enqueues_row), (None, false));
}

#[test]
fn a_default_decision_sends_the_row_whoever_notices_the_timeout() {
    let with_default = || {
        Object::new(Some(Token {
            on_timeout: Some(DefaultDecision { output: None }),
            ..token(Some(1_000))
        }))
    };
    let mut object = with_default();
    let effects = object.handle(Input::AlarmFired, 1_000);
    let told = object.saved(&effects, 1_001);
    assert_eq!(
        told.next,
        Some(Task::ConfirmRow(IndexState::Ended { failures: 0 }))
    );

    let mut object = with_default();
    object.handle(
        Input::RowConfirmed(IndexState::Waiting {
            extensions: 0,
            failures: 0,
        }),
        1,
    );
    let effects = object.handle(Input::Command(Command::Read), 1_000);
    assert!(object.saved(&effects, 1_001).enqueues_row);
}

const FIRST_NOTICE: DeliveryId = DeliveryId {
    event: TokenEvent::Created,
    target: Target::Recipient(0),
};
const SECOND_NOTICE: DeliveryId = DeliveryId {
    target: Target::Recipient(1),
    ..FIRST_NOTICE
};

/// Two recipients are to be notified of it, and the index has it.
fn notifying() -> Object {
    let notice = |id: DeliveryId| Delivery::new(id.event, id.target, at(0));
    let mut object = Object::new(Some(Token {
        notify: vec![Recipient::Slack("deploys".to_owned()); 2],
        deliveries: vec![notice(FIRST_NOTICE), notice(SECOND_NOTICE)],
        ..token(None)
    }));
    object.handle(Input::AlarmFired, 1);
    let listed = Input::RowConfirmed(waiting(0));
    let next = object.handle(listed, 1).next;
    assert_eq!(next, Some(Task::AttemptDelivery(FIRST_NOTICE)));
    object
}

fn waiting(failures: u32) -> IndexState {
    IndexState::Waiting {
        extensions: 0,
        failures,
    }
}

fn finished(delivery: DeliveryId, status: u16) -> Input {
    let attempt = FinishedAttempt {
        result: AttemptResult::Status(status),
        pause: None,
        may_conflict: false,
    };
    Input::DeliveryFinished(delivery, attempt)
}

/// Handles what follows from the write of an attempt. Returns whether that needs the row, and what it is.
fn recorded(object: &mut Object, effects: &Effects, now: u64) -> (bool, Effects) {
    let Some(Task::AwaitSave(after @ AfterSave::AttemptRecorded { .. })) = effects.next else {
        panic!("{effects:?}");
    };
    let told = object.saved(effects, now);
    assert_eq!(told.enqueues_row, after.needs_row());
    (after.needs_row(), told)
}

#[test]
fn a_delivery_that_fails_sends_the_row_at_once() {
    for (status, has_failed) in [(410, true), (200, false), (500, false)] {
        let mut object = notifying();
        let effects = object.handle(finished(FIRST_NOTICE, status), 10);
        let Some(Alarm::Set(Some(wakeup))) = effects.save else {
            panic!("{effects:?}");
        };
        let (sends_row, told) = recorded(&mut object, &effects, 11);
        assert_eq!(sends_row, has_failed, "{status}");
        let failures = object.token().failed_deliveries();
        assert_eq!(failures, u32::from(has_failed));
        // It is confirmed later, should it be lost. The other delivery does not wait for that.
        assert!(wakeup <= at(10).plus(INDEX_CONFIRM_WITHIN));
        assert_eq!(told.next, Some(Task::AttemptDelivery(SECOND_NOTICE)));
    }
}

#[test]
fn a_row_of_a_failure_that_was_lost_is_sent_again_and_confirmed() {
    let mut object = notifying();
    for (notice, failures, now) in [(FIRST_NOTICE, 1, 10), (SECOND_NOTICE, 2, 20)] {
        let effects = object.handle(finished(notice, 410), now);
        let (sends_row, _) = recorded(&mut object, &effects, now);
        assert!(sends_row);
        assert_eq!(object.token().failed_deliveries(), failures);
    }
    // Nobody knows whether these came there.
    let confirm = object.handle(Input::AlarmFired, 30);
    assert_eq!(confirm, task(Task::ConfirmRow(waiting(2))));
    // An older row is not enough, and none is no better.
    let confirm = object.handle(Input::RowConfirmed(waiting(1)), 31);
    assert_eq!(confirm, task(Task::ConfirmRow(waiting(2))));
    let SetAlarm::To(Some(again)) = object.handle(Input::RowFailed, 32).alarm.unwrap() else {
        panic!("it gives up");
    };
    let confirm = object.handle(Input::AlarmFired, again.as_millis());
    assert_eq!(confirm, task(Task::ConfirmRow(waiting(2))));
    let done = object.handle(Input::RowConfirmed(waiting(2)), again.as_millis());
    assert_eq!(done, alarm(None));
}

#[test]
fn a_delivery_that_fails_after_the_end_is_listed_before_the_purge() {
    let end = DeliveryId {
        event: TokenEvent::Ended,
        target: Target::Token,
    };
    let completed = State::Completed {
        at: at(5),
        decision: decision("1"),
    };
    let ended = |failures| IndexState::Ended { failures };
    for (state, listed) in [
        (completed, [ended(0), ended(1)]),
        (State::TimedOut, [waiting(0), waiting(1)]),
    ] {
        let mut object = Object::new(Some(Token {
            webhook: Some("https://example.com".to_owned()),
            state,
            deliveries: vec![Delivery::new(end.event, end.target, at(5))],
            ..token(Some(5))
        }));
        object.handle(Input::AlarmFired, 6);
        let attempt = object.handle(Input::RowConfirmed(listed[0]), 7);
        assert_eq!(attempt, task(Task::AttemptDelivery(end)));
        // The attempt takes longer than the retention.
        let late = 5 + u64::try_from(RETENTION.as_millis()).unwrap() + 1;
        let effects = object.handle(finished(end, 410), late);
        let (sends_row, told) = recorded(&mut object, &effects, late);
        assert!(sends_row);
        assert_eq!(
            told.next, None,
            "it is not gone before its row is confirmed"
        );
        let Some(Alarm::Set(Some(wakeup))) = effects.save else {
            panic!("{effects:?}");
        };
        let confirm = object.handle(Input::AlarmFired, wakeup.as_millis());
        assert_eq!(confirm.next, Some(Task::ConfirmRow(listed[1])));
        let purge = object.handle(Input::RowConfirmed(listed[1]), wakeup.as_millis());
        assert_eq!(purge, task(Task::Purge(Purge::PastRetention)));
    }
}

#[test]
fn an_index_that_does_not_respond_is_not_taken_to_know_of_a_failure() {
    let mut object = notifying();
    object.handle(Input::RowFailed, 5);
    let effects = object.handle(finished(FIRST_NOTICE, 410), 10);
    let Some(Alarm::Set(Some(wakeup))) = effects.save else {
        panic!("{effects:?}");
    };
    let (sends_row, _) = recorded(&mut object, &effects, 10);
    assert!(sends_row);
    // It is asked again soon.
    assert!(wakeup < at(10).plus(INDEX_CONFIRM_WITHIN));
}

#[test]
fn upstream_lists_its_own_failures() {
    let mut object = notifying();
    let token = Token {
        home: Home::Upstream,
        ..object.token().clone()
    };
    assert!(!token.needs_index_update(IndexState::Unknown));
    object = Object::new(Some(token));
    let effects = object.handle(finished(FIRST_NOTICE, 410), 10);
    let (sends_row, _) = recorded(&mut object, &effects, 10);
    assert!(!sends_row);
    let failed = object.token().delivery(FIRST_NOTICE).unwrap();
    assert_eq!(failed.progress, Progress::Failed);
}
