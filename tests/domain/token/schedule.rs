//! When a token is looked at next, and until when it is kept.
use super::{NOBODY, RETENTION, at, complete, events, times, token, wakeup};
use proptest::prelude::*;
use std::time::Duration;
use waitpoint::domain::token::Token;
use waitpoint::domain::token::delivery::{AttemptResult, DeliveryId, Target};
use waitpoint::domain::token::event::{EventName, EventSet, Subscriptions, TokenEvent};
use waitpoint::domain::token::home::Home;
use waitpoint::domain::token::index_state::{INDEX_CONFIRM_WITHIN, IndexState};
use waitpoint::domain::token::notify::Recipient;
use waitpoint::domain::token::schedule::{Alarm, DueTask};

#[test]
fn a_finished_token_is_forgotten_after_its_retention() {
    let mut done = token(Some(100));
    done.apply(complete("1"), at(10), NOBODY);
    assert_eq!(done.purge_at(RETENTION), Some(at(30_010)));
    assert_eq!(wakeup(&done, 10), Some(at(30_010)));

    let mut late = token(Some(100));
    late.time_out_if_due(at(5_000), NOBODY);
    assert_eq!(late.purge_at(RETENTION), Some(at(30_100)));
}

#[test]
fn a_token_is_let_go_of_when_nobody_has_still_to_be_told() {
    let mut token = token(Some(100));
    let environment = Subscriptions {
        has_environment: true,
        ..NOBODY
    };
    token.time_out_if_due(at(100), environment);
    let owed = DeliveryId {
        event: TokenEvent::Ended,
        target: Target::Environment,
    };
    let task = |token: &Token, listed, now| token.next_task(RETENTION, listed, at(now));
    assert_eq!(
        task(&token, IndexState::Unknown, 30_100),
        Some(DueTask::ConfirmRow)
    );
    assert_eq!(
        task(
            &token,
            IndexState::Waiting {
                extensions: 0,
                failures: 0
            },
            30_100
        ),
        Some(DueTask::Deliver(owed))
    );
    token.record_attempt(owed, AttemptResult::Status(200), None, "a", at(101));
    assert_eq!(
        task(
            &token,
            IndexState::Waiting {
                extensions: 0,
                failures: 0
            },
            30_099
        ),
        None
    );
    assert_eq!(task(&token, IndexState::Unreachable, 30_100), None);
    assert_eq!(
        task(
            &token,
            IndexState::Waiting {
                extensions: 0,
                failures: 0
            },
            30_100
        ),
        Some(DueTask::Purge)
    );
    let later = token.next_wakeup(RETENTION, IndexState::Unreachable, at(30_100));
    assert!(later.is_some_and(|at| at > self::at(30_100)));
}

#[test]
fn the_end_goes_first_upstream_and_then_to_webhooks_before_any_notice() {
    let everybody = Subscriptions {
        has_environment: true,
        events: EventSet::ENDS.with(EventName::Created),
    };
    let owed = |event, target| DeliveryId { event, target };
    let ended = |target| owed(TokenEvent::Ended, target);
    let created = |target| owed(TokenEvent::Created, target);
    let channel = |name: &str| Recipient::Slack(name.to_owned());
    let mut token = Token {
        home: Home::Upstream,
        webhook: Some("https://a.example".to_owned()),
        notify: vec![channel("deploys"), channel("ops")],
        ..token(None)
    };
    token.announce_creation(at(0), everybody);
    token.apply(complete("1"), at(5), everybody);
    let next = |token: &Token| {
        let listed = token.expected_index_state();
        token.next_task(RETENTION, listed, at(5))
    };
    let order = |mut token: Token, fails: Option<DeliveryId>| {
        let mut order = Vec::new();
        while let Some(DueTask::Deliver(one)) = next(&token) {
            let status = if Some(one) == fails { 500 } else { 200 };
            token.record_attempt(one, AttemptResult::Status(status), None, "a", at(5));
            order.push(one);
        }
        order
    };
    let expected = [
        ended(Target::Upstream),
        ended(Target::Environment),
        ended(Target::Token),
        created(Target::Environment),
        created(Target::Token),
        created(Target::Recipient(0)),
        created(Target::Recipient(1)),
    ];
    assert_eq!(order(token.clone(), None), expected);
    // One that has to be repeated later holds nobody up until then.
    for fails in expected {
        assert_eq!(order(token.clone(), Some(fails)), expected);
    }
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
    assert_eq!(
        next(&token, IndexState::Unknown),
        Some(at(7).plus(INDEX_CONFIRM_WITHIN))
    );
    assert_eq!(
        next(&token, IndexState::Unconfirmed),
        Some(at(7).plus(INDEX_CONFIRM_WITHIN))
    );
    assert_eq!(
        next(
            &token,
            IndexState::Waiting {
                extensions: 0,
                failures: 0
            }
        ),
        None
    );
    assert_eq!(
        token.next_task(RETENTION, IndexState::Unconfirmed, at(7)),
        None
    );
    assert_eq!(
        token.next_task(RETENTION, IndexState::Unknown, at(7)),
        Some(DueTask::ConfirmRow)
    );
    assert!(token.needs_index_update(IndexState::Unconfirmed));
    token.timeout_at = Some(at(8));
    token.time_out_if_due(at(8), NOBODY);
    assert!(
        !token.needs_index_update(IndexState::Unconfirmed),
        "the index knows when it times out"
    );
    assert!(
        token.needs_index_update(IndexState::Unknown),
        "if it knows of the token"
    );
    assert_eq!(
        IndexState::Unreachable.after_sending(),
        IndexState::Unreachable
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_next_wakeup_is_never_past(
        timeout in times(),
        events in events(),
        retention in 1..500_u64,
    ) {
        let retention = Duration::from_millis(retention);
        let mut token = token(timeout);
        for (now, event) in events {
            token.apply(event, at(now), NOBODY);
            let forgotten = token.purge_at(retention).is_some_and(|end| end <= at(now));
            if let (Some(wakeup), false) = (token.next_wakeup(retention, token.expected_index_state(), at(now)), forgotten) {
                prop_assert!(wakeup > at(now));
            }
        }
    }
}
