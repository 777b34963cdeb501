//! The state machine.
use super::{
    NOBODY, RETENTION, at, cancel, cancelled, complete, completed, defaulted, event, events,
    extend, times, token, wakeup, with_default,
};
use proptest::collection::vec;
use proptest::prelude::*;
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::transition::{Change, Event, Outcome, step};
use waitpoint::domain::token::{CompletedBy, DefaultDecision, State, Token};

#[test]
fn a_new_token_waits() {
    let token = token(Some(100));
    assert_eq!(token.state, State::Waiting);
    assert_eq!(token.finished_at(), None);
    assert_eq!(token.purge_at(RETENTION), None);
    assert_eq!(wakeup(&token, 0), Some(at(100)));
}

#[test]
fn a_token_without_timeout_waits_for_ever() {
    let mut token = token(None);
    assert!(!token.time_out_if_due(Timestamp::MAX, NOBODY));
    assert_eq!(wakeup(&token, 0), None);
    assert_eq!(
        token.apply(complete("1"), Timestamp::MAX, NOBODY),
        (Outcome::Completed, true)
    );
}

#[test]
fn each_state_answers_each_event() {
    let waiting = token(Some(100));
    let with_default = with_default(100, "0");
    let in_state = |state| Token {
        state,
        ..token(Some(100))
    };
    let done = in_state(completed(at(10), "1"));
    let late = in_state(State::TimedOut);
    let gone = in_state(cancelled(at(10)));
    let default = in_state(defaulted(at(100), "0"));
    let end = |state| Some(Change::End(state));
    let moved = |to| Some(Change::Timeout(at(to)));
    for (token, event, now, change, outcome) in [
        (&waiting, Event::WakeUp, 99, None, Outcome::Waiting),
        (
            &waiting,
            complete("2"),
            99,
            end(completed(at(99), "2")),
            Outcome::Completed,
        ),
        (
            &waiting,
            cancel(),
            99,
            end(cancelled(at(99))),
            Outcome::Cancelled,
        ),
        (&waiting, extend(500), 99, moved(500), Outcome::Extended),
        // To an earlier timeout, to the same, and to one that is past: at least a millisecond is left.
        (&waiting, extend(60), 20, moved(60), Outcome::Extended),
        // To where it is already, perhaps by a clock that is behind: as by a request that is repeated.
        (&waiting, extend(100), 99, None, Outcome::Extended),
        (&waiting, extend(99), 99, None, Outcome::Extended),
        (&waiting, extend(0), 50, moved(51), Outcome::Extended),
        (
            &waiting,
            Event::WakeUp,
            100,
            end(State::TimedOut),
            Outcome::TimedOut,
        ),
        (
            &waiting,
            complete("2"),
            100,
            end(State::TimedOut),
            Outcome::TimedOut,
        ),
        (
            &waiting,
            cancel(),
            100,
            end(State::TimedOut),
            Outcome::TimedOut,
        ),
        (
            &waiting,
            extend(500),
            100,
            end(State::TimedOut),
            Outcome::TimedOut,
        ),
        (&with_default, Event::WakeUp, 99, None, Outcome::Waiting),
        (
            &with_default,
            complete("2"),
            99,
            end(completed(at(99), "2")),
            Outcome::Completed,
        ),
        (
            &with_default,
            cancel(),
            99,
            end(cancelled(at(99))),
            Outcome::Cancelled,
        ),
        (
            &with_default,
            extend(500),
            99,
            moved(500),
            Outcome::Extended,
        ),
        // Whenever that is noticed, it was taken at the timeout.
        (
            &with_default,
            Event::WakeUp,
            100,
            end(defaulted(at(100), "0")),
            Outcome::AlreadyCompleted,
        ),
        (
            &with_default,
            complete("2"),
            700,
            end(defaulted(at(100), "0")),
            Outcome::AlreadyCompleted,
        ),
        (
            &with_default,
            cancel(),
            100,
            end(defaulted(at(100), "0")),
            Outcome::AlreadyCompleted,
        ),
        (
            &with_default,
            extend(900),
            700,
            end(defaulted(at(100), "0")),
            Outcome::AlreadyCompleted,
        ),
    ] {
        let said = format!("{:?} on {event:?} at {now}", token.state);
        let transition = step(token, event, at(now));
        let is = (transition.change, transition.outcome);
        assert_eq!(is, (change, outcome), "{said}");
    }
    for (token, outcome) in [
        (&done, Outcome::AlreadyCompleted),
        (&default, Outcome::AlreadyCompleted),
        (&late, Outcome::TimedOut),
        (&gone, Outcome::Cancelled),
    ] {
        for event in [Event::WakeUp, complete("2"), cancel(), extend(500)] {
            for now in [20, 99, 100, 200] {
                let said = format!("{:?} on {event:?} at {now}", token.state);
                let transition = step(token, event.clone(), at(now));
                let is = (transition.change, transition.outcome);
                assert_eq!(is, (None, outcome), "{said}");
            }
        }
    }
}

#[test]
fn an_extension_moves_the_timeout_and_the_default_decision_with_it() {
    let mut token = with_default(100, "0");
    assert_eq!(
        token.apply(extend(200), at(50), NOBODY),
        (Outcome::Extended, true)
    );
    assert_eq!((token.timeout_at, token.extensions), (Some(at(200)), 1));
    assert!(!token.time_out_if_due(at(199), NOBODY));
    assert_eq!(
        token.apply(extend(150), at(60), NOBODY),
        (Outcome::Extended, true)
    );
    assert_eq!(token.extensions, 2);
    assert!(token.time_out_if_due(at(999), NOBODY));
    assert_eq!(token.state, defaulted(at(150), "0"));
    assert_eq!(token.on_timeout, None, "it has been taken");
    assert_eq!(token.finished_at(), Some(at(150)));
}

#[test]
fn an_extension_gives_a_timeout_to_a_token_without_one() {
    let mut token = token(None);
    token.apply(extend(200), at(50), NOBODY);
    assert_eq!(wakeup(&token, 50), Some(at(200)));
    assert!(token.time_out_if_due(at(200), NOBODY));
    assert_eq!(token.state, State::TimedOut);
}

#[test]
fn a_default_decision_without_output_completes_with_nothing() {
    let mut token = with_default(100, "0");
    token.on_timeout = Some(DefaultDecision { output: None });
    token.time_out_if_due(at(100), NOBODY);
    let State::Completed { decision, .. } = &token.state else {
        panic!("{:?}", token.state)
    };
    assert_eq!(
        (decision.output.as_ref(), decision.by),
        (None, CompletedBy::Timeout)
    );
}

#[test]
fn a_second_completion_changes_nothing() {
    let mut token = token(None);
    token.apply(complete("1"), at(10), NOBODY);
    let before = token.clone();
    assert_eq!(
        token.apply(complete("2"), at(11), NOBODY),
        (Outcome::AlreadyCompleted, false)
    );
    assert_eq!(token, before);
}

#[test]
fn a_completion_in_the_millisecond_of_the_timeout_is_too_late() {
    let mut early = token(Some(100));
    assert_eq!(
        early.apply(complete("1"), at(99), NOBODY),
        (Outcome::Completed, true)
    );

    let mut late = token(Some(100));
    assert_eq!(
        late.apply(complete("1"), at(100), NOBODY),
        (Outcome::TimedOut, true)
    );
    assert_eq!(late.state, State::TimedOut);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn terminal_is_final(timeout in times(), events in vec((any::<u64>(), event()), 0..12)) {
        let mut token = token(timeout);
        for (now, event) in events {
            let before = token.clone();
            let (outcome, changed) = token.apply(event, at(now), NOBODY);
            prop_assert_eq!(changed, token != before);
            if before.state != State::Waiting {
                prop_assert!(!changed);
                prop_assert_eq!(outcome, match before.state {
                    State::Completed { .. } => Outcome::AlreadyCompleted,
                    State::Cancelled { .. } => Outcome::Cancelled,
                    _ => Outcome::TimedOut,
                });
            }
        }
    }

    #[test]
    fn the_first_decision_wins_byte_for_byte(timeout in times(), events in events(), default in any::<bool>()) {
        let mut token = match timeout {
            Some(timeout) if default => with_default(timeout, "0"),
            _ => token(timeout),
        };
        let default = token.on_timeout.is_some();
        // The first end in the order of times, with a timeout that extensions move until then.
        let (mut timeout, mut expected) = (timeout, State::Waiting);
        let late = |timeout: Option<u64>, now| timeout.filter(|&end| end <= now).map(|end| {
            if default { defaulted(at(end), "0") } else { State::TimedOut }
        });
        for (now, event) in events.iter().cloned().chain([(1_000, Event::WakeUp)]) {
            if expected != State::Waiting {
                break;
            }
            expected = match (late(timeout, now), event) {
                (Some(end), _) => end,
                (None, Event::Complete(decision)) => State::Completed { at: at(now), decision },
                (None, Event::Cancel(reason)) => State::Cancelled { at: at(now), reason },
                (None, Event::Extend(to)) => {
                    timeout = Some(to.as_millis().max(now + 1));
                    State::Waiting
                }
                (None, Event::WakeUp | Event::Vote(_)) => State::Waiting,
            };
        }
        for (now, event) in events {
            token.apply(event, at(now), NOBODY);
        }
        token.time_out_if_due(at(1_000), NOBODY);
        prop_assert_eq!(token.state, expected);
        prop_assert_eq!(token.timeout_at, timeout.map(at));
    }

    #[test]
    fn a_step_never_touches_what_was_given_at_creation(timeout in times(), events in events()) {
        let mut token = token(timeout);
        for (now, event) in events {
            token.apply(event, at(now), NOBODY);
        }
        prop_assert_eq!(token.created_at, at(0));
        if token.extensions == 0 {
            prop_assert_eq!(token.timeout_at, timeout.map(at));
        }
        prop_assert_eq!(token.tags, ["a"]);
    }

    #[test]
    fn settling_twice_is_settling_once(timeout in times(), events in events(), now in 0..300_u64) {
        let mut token = token(timeout);
        for (now, event) in events {
            token.apply(event, at(now), NOBODY);
        }
        token.time_out_if_due(at(now), NOBODY);
        let settled = token.clone();
        prop_assert!(!token.time_out_if_due(at(now), NOBODY));
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
        on_time.time_out_if_due(at(timeout), NOBODY);
        delayed.time_out_if_due(at(timeout + late), NOBODY);
        prop_assert_eq!(&on_time, &delayed);
        prop_assert_eq!(delayed.finished_at(), Some(at(timeout)));
        prop_assert_eq!(delayed.purge_at(RETENTION), Some(at(timeout).plus(RETENTION)));

        // Alarms between the other events change no end.
        let mut with_alarms = token(Some(timeout));
        let mut without = token(Some(timeout));
        for (now, event) in events {
            with_alarms.time_out_if_due(at(now), NOBODY);
            let noticed = with_alarms.apply(event.clone(), at(now), NOBODY).0;
            prop_assert_eq!(noticed, without.apply(event, at(now), NOBODY).0);
            prop_assert_eq!(&with_alarms, &without);
        }
    }

    #[test]
    fn a_token_finishes_in_time_or_at_its_timeout(timeout in times(), events in events()) {
        let mut token = token(timeout);
        for (now, event) in events {
            token.apply(event, at(now), NOBODY);
            match &token.state {
                State::Waiting => prop_assert_eq!(token.finished_at(), None),
                State::Completed { at, .. } | State::Cancelled { at, .. } => {
                    prop_assert_eq!(token.finished_at(), Some(*at));
                    prop_assert!(token.timeout_at.is_none_or(|timeout| *at < timeout));
                }
                State::TimedOut => prop_assert_eq!(token.finished_at(), token.timeout_at),
            }
        }
    }
}
