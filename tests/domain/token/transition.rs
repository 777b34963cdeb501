//! The state machine.
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::command::{Ask, Reply, answer};
use waitpoint::domain::token::delivery::{Answer, Target};
use waitpoint::domain::token::index_state::{CONFIRM, Listed};
use waitpoint::domain::token::schedule::Alarm;
use waitpoint::domain::token::schedule::Debt;
use waitpoint::domain::token::transition::{Event, Outcome, step};
use waitpoint::domain::token::{CompletedBy, Decision, Output, OutputKind, State, Token};

const RETENTION: Duration = Duration::from_secs(30);

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn token(timeout: Option<u64>) -> Token {
    Token::new(at(0), timeout.map(at), vec!["a".to_owned()])
}

/// When the index knows it.
fn wakeup(token: &Token, now: u64) -> Option<Timestamp> {
    token.next_wakeup(RETENTION, token.listing(), at(now))
}

fn decision(text: &str) -> Decision {
    let output = Some(Output {
        kind: OutputKind::Json,
        text: text.to_owned(),
    });
    Decision {
        output,
        by: CompletedBy::Api,
        subject: Some("user_1".to_owned()),
    }
}

fn complete(text: &str) -> Event {
    Event::Complete(decision(text))
}

fn completed(at: Timestamp, text: &str) -> State {
    State::Completed {
        at,
        decision: decision(text),
    }
}

#[test]
fn a_new_token_waits() {
    let token = token(Some(100));
    assert_eq!(token.state, State::Waiting);
    assert_eq!(token.finished_at(), None);
    assert_eq!(token.forget_at(RETENTION), None);
    assert_eq!(wakeup(&token, 0), Some(at(100)));
}

#[test]
fn a_token_without_timeout_waits_for_ever() {
    let mut token = token(None);
    assert!(!token.settle_if_due(Timestamp::MAX, &[]));
    assert_eq!(wakeup(&token, 0), None);
    assert_eq!(
        token.apply(complete("1"), Timestamp::MAX, &[]),
        (Outcome::Completed, true)
    );
}

#[test]
fn each_state_answers_each_event() {
    let waiting = token(Some(100));
    let done = Token {
        state: completed(at(10), "1"),
        ..token(Some(100))
    };
    let late = Token {
        state: State::TimedOut,
        ..token(Some(100))
    };
    let to_done = Some(completed(at(99), "2"));
    let to_late = Some(State::TimedOut);
    for (token, event, now, state, outcome) in [
        (&waiting, Event::WakeUp, 99, None, Outcome::Waiting),
        (&waiting, complete("2"), 99, to_done, Outcome::Completed),
        (
            &waiting,
            Event::WakeUp,
            100,
            to_late.clone(),
            Outcome::TimedOut,
        ),
        (&waiting, complete("2"), 100, to_late, Outcome::TimedOut),
        (&done, Event::WakeUp, 200, None, Outcome::AlreadyCompleted),
        (&done, complete("2"), 20, None, Outcome::AlreadyCompleted),
        (&done, complete("2"), 200, None, Outcome::AlreadyCompleted),
        (&late, Event::WakeUp, 200, None, Outcome::TimedOut),
        (&late, complete("2"), 200, None, Outcome::TimedOut),
        (&late, complete("2"), 20, None, Outcome::TimedOut),
    ] {
        let said = format!("{:?} on {event:?} at {now}", token.state);
        let transition = step(token, event, at(now));
        assert_eq!(
            (transition.state, transition.outcome),
            (state, outcome),
            "{said}"
        );
    }
}

#[test]
fn a_second_completion_changes_nothing() {
    let mut token = token(None);
    token.apply(complete("1"), at(10), &[]);
    let before = token.clone();
    assert_eq!(
        token.apply(complete("2"), at(11), &[]),
        (Outcome::AlreadyCompleted, false)
    );
    assert_eq!(token, before);
}

#[test]
fn a_completion_in_the_millisecond_of_the_timeout_is_too_late() {
    let mut early = token(Some(100));
    assert_eq!(
        early.apply(complete("1"), at(99), &[]),
        (Outcome::Completed, true)
    );

    let mut late = token(Some(100));
    assert_eq!(
        late.apply(complete("1"), at(100), &[]),
        (Outcome::TimedOut, true)
    );
    assert_eq!(late.state, State::TimedOut);
}

#[test]
fn a_finished_token_is_forgotten_after_its_retention() {
    let mut done = token(Some(100));
    done.apply(complete("1"), at(10), &[]);
    assert_eq!(done.forget_at(RETENTION), Some(at(30_010)));
    assert_eq!(wakeup(&done, 10), Some(at(30_010)));

    let mut late = token(Some(100));
    late.settle_if_due(at(5_000), &[]);
    assert_eq!(late.forget_at(RETENTION), Some(at(30_100)));
}

#[test]
fn each_record_answers_each_request() {
    let decided = |outcome| Reply::Decided(outcome);
    let overdue = Some(token(Some(100)));
    for (record, ask, now, reply, changed) in [
        (
            None,
            Ask::Create(Box::new(token(None))),
            0,
            Reply::Created,
            true,
        ),
        (None, Ask::Read, 0, Reply::Unknown, false),
        (None, Ask::Complete(decision("1")), 0, Reply::Unknown, false),
        (
            overdue.clone(),
            Ask::Create(Box::new(token(None))),
            99,
            Reply::Found,
            false,
        ),
        (overdue.clone(), Ask::Read, 99, Reply::Found, false),
        (
            overdue.clone(),
            Ask::Complete(decision("1")),
            99,
            decided(Outcome::Completed),
            true,
        ),
        (
            overdue.clone(),
            Ask::Create(Box::new(token(None))),
            100,
            Reply::Found,
            true,
        ),
        (overdue.clone(), Ask::Read, 100, Reply::Found, true),
        (
            overdue.clone(),
            Ask::Complete(decision("1")),
            100,
            decided(Outcome::TimedOut),
            true,
        ),
        (
            overdue.clone(),
            Ask::Create(Box::new(token(None))),
            30_100,
            Reply::Unknown,
            false,
        ),
        (overdue.clone(), Ask::Read, 30_100, Reply::Unknown, false),
        (
            overdue,
            Ask::Complete(decision("1")),
            30_100,
            Reply::Unknown,
            false,
        ),
    ] {
        let said = format!("{ask:?} at {now}");
        let mut record = record;
        let answer = answer(&mut record, ask, RETENTION, at(now), &[], false);
        assert_eq!(answer, (reply, changed), "{said}");
    }
}

#[test]
fn a_key_that_led_to_what_has_just_gone_makes_nothing_anew() {
    let made = |creator: Option<&str>, is_gone| {
        let token = Token {
            creator: creator.map(str::to_owned),
            ..token(None)
        };
        let ask = Ask::Create(Box::new(token));
        answer(&mut None, ask, RETENTION, at(0), &[], is_gone).0
    };
    assert_eq!(made(Some("c1"), true), Reply::Unknown);
    // A claim that nobody followed up, and the request's own id.
    assert_eq!(made(Some("c1"), false), Reply::Created);
    assert_eq!(made(None, true), Reply::Created);
}

#[test]
fn a_token_is_let_go_of_when_nobody_has_still_to_be_told() {
    let mut token = token(Some(100));
    token.settle_if_due(at(100), &[Target::Environment]);
    let debt = |token: &Token, listed, now| token.debt(RETENTION, listed, at(now));
    assert_eq!(debt(&token, Listed::Unknown, 30_100), Some(Debt::List));
    assert_eq!(
        debt(&token, Listed::Created, 30_100),
        Some(Debt::Deliver(0))
    );
    token.attempted(0, Answer::Status(200), None, "a", at(101));
    assert_eq!(debt(&token, Listed::Created, 30_099), None);
    assert_eq!(debt(&token, Listed::Unreachable, 30_100), None);
    assert_eq!(debt(&token, Listed::Created, 30_100), Some(Debt::Forget));
    let later = token.next_wakeup(RETENTION, Listed::Unreachable, at(30_100));
    assert!(later.is_some_and(|at| at > self::at(30_100)));
}

#[test]
fn an_alarm_in_time_is_left_alone() {
    let mut token = token(Some(100));
    assert_eq!(
        token.plan_alarm(Some(at(100)), true, at(0)),
        Alarm::Set(Some(at(100)))
    );
    // What comes later, or not at all, is seen when the alarm comes.
    assert_eq!(token.plan_alarm(Some(at(500)), true, at(10)), Alarm::Keep);
    assert_eq!(token.plan_alarm(None, true, at(10)), Alarm::Keep);
    assert_eq!(token.alarm_for(Some(at(500)), at(10)), Some(at(100)));
    assert_eq!(token.alarm_for(Some(at(50)), at(10)), Some(at(50)));
    // It has come, perhaps too early: then there is none.
    let mut rung = token.clone();
    assert_eq!(
        rung.plan_alarm(Some(at(500)), false, at(99)),
        Alarm::Set(Some(at(500)))
    );
    assert_eq!(token.alarm_for(Some(at(500)), at(100)), Some(at(500)));
    assert_eq!(
        token.plan_alarm(Some(at(500)), true, at(100)),
        Alarm::Set(Some(at(500)))
    );
    assert_eq!(
        token.plan_alarm(Some(at(400)), true, at(100)),
        Alarm::Set(Some(at(400)))
    );
    assert_eq!(token.plan_alarm(None, true, at(400)), Alarm::Set(None));
}

#[test]
fn the_index_is_told_at_once_and_for_certain_by_the_next_alarm() {
    let mut token = token(None);
    let next = |token: &Token, listed| token.next_wakeup(RETENTION, listed, at(7));
    assert_eq!(next(&token, Listed::Unknown), Some(at(7).plus(CONFIRM)));
    assert_eq!(next(&token, Listed::Told), Some(at(7).plus(CONFIRM)));
    assert_eq!(next(&token, Listed::Created), None);
    assert_eq!(token.debt(RETENTION, Listed::Told, at(7)), None);
    assert_eq!(
        token.debt(RETENTION, Listed::Unknown, at(7)),
        Some(Debt::List)
    );
    assert!(token.is_news(Listed::Told));
    token.timeout_at = Some(at(8));
    token.settle_if_due(at(8), &[]);
    assert!(
        !token.is_news(Listed::Told),
        "the index knows when it times out"
    );
    assert!(token.is_news(Listed::Unknown), "if it knows of the token");
    assert_eq!(Listed::Unreachable.told(), Listed::Unreachable);
}

fn times() -> impl Strategy<Value = Option<u64>> {
    proptest::option::of(0..200_u64)
}

fn event() -> impl Strategy<Value = Event> {
    let decision = (
        proptest::option::of(any::<String>()),
        any::<bool>(),
        any::<bool>(),
    );
    let decision = decision.prop_map(|(text, json, api)| Decision {
        output: text.map(|text| Output {
            kind: if json {
                OutputKind::Json
            } else {
                OutputKind::Text
            },
            text,
        }),
        by: if api {
            CompletedBy::Api
        } else {
            CompletedBy::Callback
        },
        subject: None,
    });
    prop_oneof![Just(Event::WakeUp), decision.prop_map(Event::Complete)]
}

/// Events in the order of their times.
fn events() -> impl Strategy<Value = Vec<(u64, Event)>> {
    vec((0..200_u64, event()), 0..12).prop_map(|mut events| {
        events.sort_by_key(|(now, _)| *now);
        events
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn terminal_is_final(timeout in times(), events in vec((any::<u64>(), event()), 0..12)) {
        let mut token = token(timeout);
        for (now, event) in events {
            let before = token.clone();
            let (outcome, changed) = token.apply(event, at(now), &[]);
            prop_assert_eq!(changed, token != before);
            if before.state != State::Waiting {
                prop_assert!(!changed);
                prop_assert!(matches!(outcome, Outcome::AlreadyCompleted | Outcome::TimedOut));
            }
        }
    }

    #[test]
    fn the_first_decision_wins_byte_for_byte(timeout in times(), events in events()) {
        let mut token = token(timeout);
        let in_time = |now: u64| timeout.is_none_or(|timeout| now < timeout);
        let expected = events.iter().find_map(|(now, event)| match event {
            Event::Complete(decision) if in_time(*now) => {
                Some(State::Completed { at: at(*now), decision: decision.clone() })
            }
            _ => None,
        });
        for (now, event) in events {
            token.apply(event, at(now), &[]);
        }
        token.settle_if_due(at(200), &[]);
        let otherwise = if timeout.is_some() { State::TimedOut } else { State::Waiting };
        prop_assert_eq!(token.state, expected.unwrap_or(otherwise));
    }

    #[test]
    fn a_step_never_touches_what_was_given_at_creation(timeout in times(), events in events()) {
        let mut token = token(timeout);
        for (now, event) in events {
            token.apply(event, at(now), &[]);
        }
        prop_assert_eq!(token.created_at, at(0));
        prop_assert_eq!(token.timeout_at, timeout.map(at));
        prop_assert_eq!(token.tags, ["a"]);
    }

    #[test]
    fn the_next_wakeup_is_never_past(
        timeout in times(),
        events in events(),
        retention in 1..500_u64,
    ) {
        let retention = Duration::from_millis(retention);
        let mut token = token(timeout);
        for (now, event) in events {
            token.apply(event, at(now), &[]);
            let forgotten = token.forget_at(retention).is_some_and(|end| end <= at(now));
            if let (Some(wakeup), false) = (token.next_wakeup(retention, token.listing(), at(now)), forgotten) {
                prop_assert!(wakeup > at(now));
            }
        }
    }

    #[test]
    fn settling_twice_is_settling_once(timeout in times(), events in events(), now in 0..300_u64) {
        let mut token = token(timeout);
        for (now, event) in events {
            token.apply(event, at(now), &[]);
        }
        token.settle_if_due(at(now), &[]);
        let settled = token.clone();
        prop_assert!(!token.settle_if_due(at(now), &[]));
        prop_assert_eq!(token, settled);
    }

    #[test]
    fn a_late_alarm_is_never_observable(
        timeout in 1..200_u64,
        late in 0..1_000_u64,
        events in events(),
    ) {
        let mut on_time = token(Some(timeout));
        let mut delayed = on_time.clone();
        on_time.settle_if_due(at(timeout), &[]);
        delayed.settle_if_due(at(timeout + late), &[]);
        prop_assert_eq!(&on_time, &delayed);
        prop_assert_eq!(delayed.finished_at(), Some(at(timeout)));
        prop_assert_eq!(delayed.forget_at(RETENTION), Some(at(timeout).plus(RETENTION)));

        // Alarms between the other events change no end.
        let mut with_alarms = token(Some(timeout));
        let mut without = token(Some(timeout));
        for (now, event) in events {
            with_alarms.settle_if_due(at(now), &[]);
            let noticed = with_alarms.apply(event.clone(), at(now), &[]).0;
            prop_assert_eq!(noticed, without.apply(event, at(now), &[]).0);
            prop_assert_eq!(&with_alarms, &without);
        }
    }

    #[test]
    fn a_token_finishes_in_time_or_at_its_timeout(timeout in times(), events in events()) {
        let mut token = token(timeout);
        for (now, event) in events {
            token.apply(event, at(now), &[]);
            match &token.state {
                State::Waiting => prop_assert_eq!(token.finished_at(), None),
                State::Completed { at, .. } => {
                    prop_assert_eq!(token.finished_at(), Some(*at));
                    prop_assert!(token.timeout_at.is_none_or(|timeout| *at < timeout));
                }
                State::TimedOut => prop_assert_eq!(token.finished_at(), token.timeout_at),
            }
        }
    }
}
