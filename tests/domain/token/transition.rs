//! The state machine.
use super::{NOBODY, RETENTION, at, complete, completed, event, events, times, token, wakeup};
use proptest::collection::vec;
use proptest::prelude::*;
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::transition::{Change, Event, Outcome, step};
use waitpoint::domain::token::{State, Token};

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
    let done = Token {
        state: completed(at(10), "1"),
        ..token(Some(100))
    };
    let late = Token {
        state: State::TimedOut,
        ..token(Some(100))
    };
    let to_done = Some(Change::End(completed(at(99), "2")));
    let to_late = Some(Change::End(State::TimedOut));
    for (token, event, now, change, outcome) in [
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
            (transition.change, transition.outcome),
            (change, outcome),
            "{said}"
        );
    }
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
            token.apply(event, at(now), NOBODY);
        }
        token.time_out_if_due(at(200), NOBODY);
        let otherwise = if timeout.is_some() { State::TimedOut } else { State::Waiting };
        prop_assert_eq!(token.state, expected.unwrap_or(otherwise));
    }

    #[test]
    fn a_step_never_touches_what_was_given_at_creation(timeout in times(), events in events()) {
        let mut token = token(timeout);
        for (now, event) in events {
            token.apply(event, at(now), NOBODY);
        }
        prop_assert_eq!(token.created_at, at(0));
        prop_assert_eq!(token.timeout_at, timeout.map(at));
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
