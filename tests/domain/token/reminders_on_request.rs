//! When an operator reminds recipients.
use super::actor::{Object, upstream};
use super::reminders::{after, before, reminders, s, token};
use super::{at, cancel, complete, facts, with_default};
use waitpoint::domain::stored::record::{pack_record, unpack_record};
use waitpoint::domain::token::command::{Command, Reply, apply_command};
use waitpoint::domain::token::delivery::{
    AttemptResult, Delivery, DeliveryId, MAX_ATTEMPTS, Progress, Target,
};
use waitpoint::domain::token::effects::{FinishedAttempt, Input, LogLine, Task};
use waitpoint::domain::token::event::TokenEvent;
use waitpoint::domain::token::home::Home;
use waitpoint::domain::token::notify::{Recipient, ReminderOutcome};
use waitpoint::domain::token::record::Record;
use waitpoint::domain::token::transition::{Event, MAX_DELIVERIES, Outcome};
use waitpoint::domain::token::votes::{Ballot, Quorum};
use waitpoint::domain::token::{State, Token};

const SENT: (Reply, bool) = (Reply::Reminded(ReminderOutcome::Sent), true);
const TOO_SOON: (Reply, bool) = (Reply::Reminded(ReminderOutcome::TooSoon), false);
const NOBODY_IS_LEFT: (Reply, bool) = (Reply::Reminded(ReminderOutcome::Nobody), false);

/// The reply at this second, and whether the token changed.
fn remind(token: &mut Token, now: u64) -> (Reply, bool) {
    let mut record = Some(Record::Live(token.clone()));
    let (reply, is_changed) = apply_command(&mut record, Command::Remind, &facts(s(now)));
    let after = record.and_then(Record::into_token).unwrap();
    assert_eq!(after != *token, is_changed, "{reply:?}");
    *token = after;
    (reply, is_changed)
}

fn mail(approver: Option<u8>) -> Recipient {
    Recipient::Email {
        address: "ann@example.com".to_owned(),
        locale: None,
        approver,
    }
}

/// Who is to be reminded still.
fn reminded(token: &Token) -> Vec<Target> {
    let is_reminder = |one: &&Delivery| matches!(one.event, TokenEvent::Reminder(_));
    let pending = token.deliveries.iter().filter(is_reminder);
    let pending = pending.filter(|one| one.due_at().is_some());
    pending.map(|one| one.target).collect()
}

#[test]
fn recipients_are_reminded_at_once_and_not_again_within_a_minute() {
    let mut token = token(Some(1_000), &[]);
    assert_eq!(remind(&mut token, 20), SENT);
    assert_eq!(token.reminded_at, Some(at(s(20))));
    assert_eq!(reminders(&token), [20]);
    assert_eq!(reminded(&token), [Target::Recipient(0)]);
    assert_eq!(token.deliveries[0].due_at(), Some(at(s(20))));
    for now in [20, 21, 79] {
        assert_eq!(remind(&mut token, now), TOO_SOON, "{now}");
    }
    assert_eq!(reminders(&token), [20]);
    // Whoever did not receive the first one gets the second instead.
    assert_eq!(remind(&mut token, 80), SENT);
    assert_eq!(reminders(&token), [80]);
    // Both are known to have been received, if they were.
    let first = token.deliveries[0].id();
    token.record_attempt(first, AttemptResult::Status(200), None, "c1", at(s(81)));
    assert_eq!(remind(&mut token, 140), SENT);
    assert_eq!(reminders(&token), [80, 140]);
    assert_eq!(token.history.len(), 1);
    let stored = Record::Live(token);
    assert_eq!(unpack_record(&pack_record(&stored)).unwrap(), stored);
}

#[test]
fn without_recipients_there_is_nobody_to_remind() {
    let mut token = Token {
        notify: Vec::new(),
        webhook: Some("https://example.com".to_owned()),
        ..token(None, &[])
    };
    assert_eq!(remind(&mut token, 20), NOBODY_IS_LEFT);
    assert_eq!((token.reminded_at, token.deliveries.len()), (None, 0));
}

#[test]
fn who_has_voted_is_left_out() {
    let mut token = Token {
        notify: vec![mail(Some(0)), mail(Some(1)), mail(None)],
        quorum: Some(Quorum {
            approvers: vec!["a".to_owned(), "b".to_owned()],
            required: 2,
        }),
        ..token(None, &[])
    };
    let vote = |token: &mut Token, approver: u8| {
        let ballot = Ballot {
            approver,
            choice: approver,
            is_veto: false,
            output: "1".to_owned(),
            comment: None,
            fields: None,
        };
        token.apply(Event::Vote(ballot), at(s(15)), super::NOBODY);
    };
    vote(&mut token, 1);
    assert_eq!(remind(&mut token, 20), SENT);
    let to = Target::Recipient;
    assert_eq!(reminded(&token), [to(0), to(2)]);
    // Who votes before it is received does not get it any more.
    vote(&mut token, 0);
    assert_eq!(reminded(&token), [to(2)]);
    token.notify.pop();
    token.deliveries.clear();
    // All have voted, and do not agree. That is said also within the minute.
    for now in [21, 90] {
        assert_eq!(remind(&mut token, now), NOBODY_IS_LEFT);
    }
}

#[test]
fn what_has_ended_is_told() {
    let ended = |outcome| (Reply::Decided(outcome), false);
    for (event, outcome) in [
        (complete("1"), Outcome::AlreadyCompleted),
        (cancel(), Outcome::Cancelled),
    ] {
        let mut token = token(Some(100), &[after(5)]);
        token.apply(event, at(s(11)), super::NOBODY);
        assert_eq!(remind(&mut token, 12), ended(outcome));
        assert_eq!(reminders(&token), [0; 0]);
    }
    // It ends now.
    let mut ends = token(Some(30), &[]);
    assert_eq!(
        remind(&mut ends, 30),
        (Reply::Decided(Outcome::TimedOut), true)
    );
    assert_eq!(remind(&mut ends, 31), ended(Outcome::TimedOut));
    let mut defaulted = Token {
        notify: vec![mail(None)],
        ..with_default(s(30), "2")
    };
    let decided = Reply::Decided(Outcome::AlreadyCompleted);
    assert_eq!(remind(&mut defaulted, 30), (decided, true));
    assert_eq!(reminders(&defaulted), [0; 0]);
    // Or is gone.
    assert_eq!(remind(&mut ends, 60), (Reply::NotFound, false));
    let mut none = None;
    let reply = apply_command(&mut none, Command::Remind, &facts(1));
    assert_eq!((reply, none), ((Reply::NotFound, false), None));
}

#[test]
fn upstream_reminds_nobody() {
    for state in [
        State::Waiting,
        State::Cancelled {
            at: at(s(10)),
            reason: None,
        },
    ] {
        let mut token = Token {
            home: Home::Upstream,
            state,
            ..token(None, &[])
        };
        assert_eq!(remind(&mut token, 20), (Reply::LivesUpstream, false));
    }
    let mut object = Object::new(Some(upstream()));
    let effects = object.handle(Input::Command(Command::Remind), 20);
    assert_eq!(effects.reply, Some(Reply::LivesUpstream));
    assert_eq!(effects.save, None);
}

#[test]
fn a_reminder_that_was_planned_keeps_a_minute_from_one_on_request() {
    let next = |token: &Token| token.next_reminder().map(|at| at.as_millis() / 1_000);
    // Due within the minute: later. Due by then: with it. Due afterwards: as planned.
    let mut token = token(Some(1_000), &[after(20), before(100)]);
    assert_eq!(next(&token), Some(30));
    assert_eq!(remind(&mut token, 25), SENT);
    assert_eq!(next(&token), Some(85));
    assert!(!token.remind_if_due(at(s(84)), super::NOBODY));
    assert!(token.remind_if_due(at(s(85)), super::NOBODY));
    assert_eq!(remind(&mut token, 144), TOO_SOON);
    assert_eq!(remind(&mut token, 145), SENT);
    assert_eq!(next(&token), Some(900));
    assert_eq!(remind(&mut token, 899), SENT);
    assert_eq!(next(&token), Some(959));
    let mut late = super::reminders::token(None, &[after(5)]);
    assert_eq!(remind(&mut late, 20), SENT);
    assert_eq!(next(&late), None);
    // Nor does an extension remind within the minute.
    let mut moved = super::reminders::token(Some(3_600), &[before(1_800)]);
    assert_eq!(remind(&mut moved, 20), SENT);
    let mut record = Some(Record::Live(moved));
    let extend = Command::Extend(at(s(1_200)));
    assert_eq!(
        apply_command(&mut record, extend, &facts(s(30))),
        (Reply::Found, true)
    );
    assert_eq!(reminders(record.unwrap().token().unwrap()), [20]);
}

#[test]
fn a_reminder_takes_the_place_of_the_oldest_delivery_that_is_over() {
    let full = |progress| {
        let delivery = |index: usize| Delivery {
            progress: if index == 7 {
                progress
            } else {
                Progress::Pending(at(s(500)))
            },
            ..Delivery::new(
                TokenEvent::Extended(at(index as u64)),
                Target::Environment,
                at(0),
            )
        };
        Token {
            deliveries: (0..MAX_DELIVERIES).map(delivery).collect(),
            ..token(None, &[])
        }
    };
    for progress in [Progress::Delivered, Progress::Failed] {
        let mut token = full(progress);
        assert_eq!(remind(&mut token, 20), SENT);
        assert_eq!(token.deliveries.len(), MAX_DELIVERIES);
        assert_eq!(reminders(&token), [20]);
        let gone = DeliveryId {
            event: TokenEvent::Extended(at(7)),
            target: Target::Environment,
        };
        assert_eq!(token.delivery(gone), None);
        assert_eq!(token.failed_deliveries(), 0);
    }
}

#[test]
fn a_reminder_is_written_then_logged_and_sent() {
    let mut object = Object::new(Some(token(None, &[])));
    let effects = object.handle(Input::Command(Command::Remind), s(20));
    assert_eq!(effects.reply, Some(Reply::Reminded(ReminderOutcome::Sent)));
    assert!(effects.save.is_some());
    assert_eq!(effects.log, None);
    let told = object.saved(&effects, s(20));
    assert_eq!(told.log, Some(LogLine::Reminded));
    assert!(!told.notifies_waiters);
    let Some(Task::AttemptDelivery(delivery)) = told.next else {
        panic!("{told:?}");
    };
    assert_eq!(delivery.event, TokenEvent::Reminder(at(s(20))));
    let attempt = FinishedAttempt {
        result: AttemptResult::NoResponse,
        pause: None,
        may_conflict: false,
    };
    object.handle(Input::DeliveryFinished(delivery, attempt), s(21));
    // Too soon: nothing is written, and what is pending goes on.
    let effects = object.handle(Input::Command(Command::Remind), s(22));
    assert_eq!(
        effects.reply,
        Some(Reply::Reminded(ReminderOutcome::TooSoon))
    );
    assert_eq!(effects.save, None);
    let pending = object.token().delivery(delivery).unwrap();
    assert_eq!(pending.attempts, 1);
    assert!(pending.attempts < MAX_ATTEMPTS && pending.due_at().is_some());
}
