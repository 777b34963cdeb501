//! When recipients are told again.
use super::{NOBODY, at, cancel, complete, extend, wakeup};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;
use waitpoint::domain::token::delivery::Target;
use waitpoint::domain::token::event::TokenEvent;
use waitpoint::domain::token::notify::{Recipient, Reminder};
use waitpoint::domain::token::schedule::LEASE;
use waitpoint::domain::token::{State, Token};

pub(super) fn after(seconds: u64) -> Reminder {
    Reminder::After(Duration::from_secs(seconds))
}

pub(super) fn before(seconds: u64) -> Reminder {
    Reminder::Before(Duration::from_secs(seconds))
}

/// Seconds.
pub(super) fn s(seconds: u64) -> u64 {
    seconds * 1_000
}

/// A token of second 10 with one recipient.
pub(super) fn token(timeout: Option<u64>, reminders: &[Reminder]) -> Token {
    Token {
        notify: vec![Recipient::Slack("deploys".to_owned())],
        reminders: reminders.to_vec(),
        ..Token::new(at(s(10)), timeout.map(|one| at(s(one))), Vec::new())
    }
}

fn next(token: &Token) -> Option<u64> {
    token.next_reminder().map(|at| at.as_millis() / 1_000)
}

/// Of which times the token's reminders are.
pub(super) fn reminders(token: &Token) -> Vec<u64> {
    let events = token.deliveries.iter().map(|one| one.event);
    let due = events.filter_map(|event| match event {
        TokenEvent::Reminder(due) => Some(due.as_millis() / 1_000),
        _ => None,
    });
    due.collect()
}

#[test]
fn a_reminder_is_due_after_the_creation_or_before_the_timeout() {
    for (reminder, timeout, due) in [
        (after(5), None, Some(15)),
        (after(5), Some(12), Some(15)),
        (after(0), None, Some(10)),
        (before(5), None, None),
        (before(5), Some(100), Some(95)),
        (before(0), Some(100), Some(100)),
        // Before 1970 there is nothing.
        (before(100), Some(100), Some(0)),
        (before(101), Some(100), None),
        (before(u64::MAX), Some(100), None),
    ] {
        let is = reminder.due_at(at(s(10)), timeout.map(|one| at(s(one))));
        assert_eq!(is, due.map(|one| at(s(one))), "{reminder:?} {timeout:?}");
    }
    let end = after(u64::MAX).due_at(at(1), None);
    assert_eq!(
        end,
        Some(waitpoint::domain::time::timestamp::Timestamp::MAX)
    );
}

#[test]
fn the_next_reminder_is_the_first_that_is_still_to_come() {
    let known = |reminded: u64, token: Token| Token {
        reminded_at: Some(at(s(reminded))),
        ..token
    };
    for (what, token, due) in [
        ("none", token(Some(100), &[]), None),
        (
            "the earliest",
            token(Some(100), &[after(50), before(20), after(5)]),
            Some(15),
        ),
        ("not with the creation", token(Some(100), &[after(0)]), None),
        (
            "not before the creation",
            token(Some(100), &[before(95)]),
            None,
        ),
        ("not at the timeout", token(Some(100), &[after(90)]), None),
        ("not after it", token(Some(100), &[after(95)]), None),
        ("just before it", token(Some(100), &[after(89)]), Some(99)),
        (
            "without a timeout",
            token(None, &[after(95), before(1)]),
            Some(105),
        ),
        // After a reminder: those that were due by then are told with it.
        ("what is past", known(15, token(None, &[after(5)])), None),
        (
            "what is past with it",
            known(80, token(None, &[after(5), after(60)])),
            None,
        ),
        (
            "what comes later",
            known(15, token(None, &[after(5), after(600)])),
            Some(610),
        ),
        (
            "a minute later",
            known(15, token(None, &[after(5), after(10)])),
            Some(75),
        ),
        (
            "unless it has ended then",
            known(15, token(Some(75), &[after(5), after(10)])),
            None,
        ),
        (
            "or ends later",
            known(15, token(Some(76), &[after(5), after(10)])),
            Some(75),
        ),
    ] {
        assert_eq!(next(&token), due, "{what}");
        for state in [
            State::TimedOut,
            State::Cancelled {
                at: at(1),
                reason: None,
            },
            super::completed(at(1), "1"),
        ] {
            let ended = Token {
                state,
                ..token.clone()
            };
            assert_eq!(ended.next_reminder(), None, "{what}, ended");
        }
    }
}

#[test]
fn a_reminder_is_told_once_and_has_the_time_at_which_it_was_due() {
    let mut token = token(Some(1_000), &[after(5), before(100)]);
    assert_eq!(wakeup(&token, s(10)), Some(at(s(15))));
    assert!(!token.remind_if_due(at(14_999), NOBODY));
    assert_eq!(reminders(&token), [0; 0]);
    assert!(token.remind_if_due(at(s(20)), NOBODY));
    assert!(!token.remind_if_due(at(s(20)), NOBODY));
    assert_eq!(reminders(&token), [15]);
    assert_eq!(token.reminded_at, Some(at(s(20))));
    assert_eq!(token.deliveries[0].target, Target::Recipient(0));
    assert_eq!(token.deliveries[0].due_at(), Some(at(s(20))));
    assert_eq!(next(&token), Some(900));
    assert!(token.remind_if_due(at(s(900)), NOBODY));
    // Whoever did not receive the first one gets the second instead.
    assert_eq!(reminders(&token), [900]);
    assert_eq!(next(&token), None);
}

#[test]
fn a_reminder_that_came_due_late_is_looked_for_within_a_lease() {
    let token = token(None, &[after(5)]);
    assert_eq!(wakeup(&token, s(15)), Some(at(s(15)).plus(LEASE)));
    assert_eq!(wakeup(&token, s(500)), Some(at(s(500)).plus(LEASE)));
}

#[test]
fn a_reminder_whose_time_an_extension_passes_comes_at_once() {
    let old = Some(at(s(3_600)));
    let mut token = token(Some(3_600), &[before(1_800), after(10_000)]);
    // Still to come before, and passed now, though that is before the creation of the token.
    token.apply(extend(s(1_200)), at(s(3)), NOBODY);
    assert!(token.remind_if_passed(old, at(s(3)), NOBODY));
    assert_eq!(token.reminded_at, Some(at(s(3))));
    assert_eq!(reminders(&token), [3]);
    assert_eq!(next(&token), None);
    // Within a minute of that nobody is reminded again, and later they are.
    token.apply(extend(s(7_200)), at(s(4)), NOBODY);
    let old = token.timeout_at;
    token.apply(extend(s(1_300)), at(s(62)), NOBODY);
    assert!(!token.remind_if_passed(old, at(s(62)), NOBODY));
    assert!(token.remind_if_passed(old, at(s(63)), NOBODY));
    // What had passed already is not passed again.
    let old = token.timeout_at;
    token.apply(extend(s(1_250)), at(s(200)), NOBODY);
    assert!(!token.remind_if_passed(old, at(s(200)), NOBODY));
}

#[test]
fn an_extension_moves_a_reminder_before_the_timeout() {
    let mut token = token(Some(200), &[before(50)]);
    assert_eq!(next(&token), Some(150));
    token.apply(extend(s(1_000)), at(s(20)), NOBODY);
    assert_eq!(next(&token), Some(950));
    // Before the creation of the token it is not due at all; now it is at once.
    token.apply(extend(s(55)), at(s(21)), NOBODY);
    assert_eq!(next(&token), None);
    token.apply(extend(s(70)), at(s(22)), NOBODY);
    assert_eq!(next(&token), Some(20));
    assert!(token.remind_if_due(at(s(22)), NOBODY));
    // And again, for the timeout after that one.
    token.apply(extend(s(500)), at(s(30)), NOBODY);
    assert_eq!(next(&token), Some(450));
    token.apply(extend(s(100)), at(s(31)), NOBODY);
    assert_eq!(next(&token), Some(82), "a minute after the last");
}

#[test]
fn what_has_ended_drops_its_reminders_and_nothing_else() {
    for event in [complete("1"), cancel(), super::Event::WakeUp] {
        let mut token = token(Some(100), &[after(5)]);
        token.announce_creation(at(s(10)), NOBODY);
        token.remind_if_due(at(s(15)), NOBODY);
        assert_eq!(token.deliveries.len(), 2);
        let now = if event == super::Event::WakeUp {
            100
        } else {
            16
        };
        token.apply(event, at(s(now)), NOBODY);
        assert_ne!(token.state, State::Waiting);
        assert_eq!(reminders(&token), [0; 0]);
        assert_eq!(token.deliveries.len(), 1, "the first notice is still owed");
        assert!(!token.remind_if_due(at(s(99)), NOBODY));
    }
}

fn reminder() -> impl Strategy<Value = Reminder> {
    (0..400_u64, any::<bool>()).prop_map(|(seconds, is_after)| {
        if is_after {
            after(seconds)
        } else {
            before(seconds)
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn reminders_come_a_minute_apart_in_time_and_come_to_an_end(
        timeout in proptest::option::of(11..500_u64),
        wanted in vec(reminder(), 0..5),
        mut moves in vec((10..500_u64, 0..900_u64), 0..4),
        lateness in 0..100_u64,
    ) {
        moves.sort_unstable();
        let mut token = token(timeout, &wanted);
        let mut told: Vec<(u64, u64)> = Vec::new();
        for now in 10..2_000 {
            for (_, to) in moves.iter().filter(|(when, _)| *when == now) {
                token.apply(extend(s(*to)), at(s(now)), NOBODY);
            }
            let next = token.next_reminder();
            // The alarm may be late.
            if next.is_some_and(|due| due.as_millis() + s(lateness) <= s(now)) {
                token.time_out_if_due(at(s(now)), NOBODY);
                if token.remind_if_due(at(s(now)), NOBODY) {
                    told.push((next.unwrap().as_millis().div_ceil(1_000), now));
                }
            }
        }
        for (due, now) in &told {
            prop_assert!(due <= now && *due > 10, "{:?}", told);
        }
        for pair in told.windows(2) {
            prop_assert!(pair[1].0 >= pair[0].1 + 60, "{:?}", told);
        }
        // One for each that was wanted, and again for each timeout.
        prop_assert!(told.len() <= wanted.len() * (moves.len() + 1));
        prop_assert_eq!(token.next_reminder(), None);
    }
}
