//! Who is owed which events, and where results are recorded.
use super::{NOBODY, at, cancel, complete, extend, token};
use std::time::Duration;
use waitpoint::domain::token::Token;
use waitpoint::domain::token::delivery::{
    AttemptResult, Delivery, DeliveryId, MAX_ATTEMPTS, Progress, Target, UpstreamConflict,
};
use waitpoint::domain::token::event::{EventName, EventSet, Subscriptions, TokenEvent};
use waitpoint::domain::token::home::Home;
use waitpoint::domain::token::notify::{Recipient, Reminder};
use waitpoint::domain::token::transition::{Event, MAX_DELIVERIES};

fn everything() -> Subscriptions {
    let events = EventName::ALL.into_iter();
    Subscriptions {
        has_environment: true,
        events: events.fold(EventSet::NONE, EventSet::with),
    }
}

fn only(name: EventName) -> Subscriptions {
    Subscriptions {
        has_environment: true,
        events: EventSet::NONE.with(name),
    }
}

/// With a webhook of its own and two recipients.
fn heard_of() -> Token {
    Token {
        webhook: Some("https://a.example".to_owned()),
        notify: vec![
            Recipient::Teams("ops".to_owned()),
            Recipient::Webhook("https://b.example".to_owned()),
        ],
        reminders: vec![Reminder::After(Duration::from_millis(5))],
        ..token(Some(100))
    }
}

fn id(event: TokenEvent, target: Target) -> DeliveryId {
    DeliveryId { event, target }
}

fn owed(token: &Token) -> Vec<DeliveryId> {
    token.deliveries.iter().map(Delivery::id).collect()
}

fn deliver(token: &mut Token, one: DeliveryId, result: AttemptResult, now: u64) {
    token.record_attempt(one, result, None, "c1", at(now));
}

const WELL: AttemptResult = AttemptResult::Status(204);
const ILL: AttemptResult = AttemptResult::Status(500);

/// What makes a token have an event.
type Happen<'a> = &'a dyn Fn(&mut Token, Subscriptions);

#[test]
fn each_event_is_owed_to_those_who_want_it() {
    let (environment, own) = (Target::Environment, Target::Token);
    let recipients = [Target::Recipient(0), Target::Recipient(1)];
    let created = |one: &mut Token, who| one.announce_creation(at(0), who);
    let reminded = |one: &mut Token, who| assert!(one.remind_if_due(at(7), who));
    let apply = |one: &mut Token, event, now, who| assert!(one.apply(event, at(now), who).1);
    let extended = |one: &mut Token, who| apply(one, extend(9), 7, who);
    let completed = |one: &mut Token, who| apply(one, complete("1"), 7, who);
    let timed_out = |one: &mut Token, who| apply(one, Event::WakeUp, 100, who);
    let cancelled = |one: &mut Token, who| apply(one, cancel(), 7, who);
    let happenings: [(_, _, Happen<'_>, _); 6] = [
        (EventName::Created, TokenEvent::Created, &created, true),
        (
            EventName::Reminder,
            TokenEvent::Reminder(at(5)),
            &reminded,
            true,
        ),
        (
            EventName::Extended,
            TokenEvent::Extended(at(7)),
            &extended,
            false,
        ),
        (EventName::Completed, TokenEvent::Ended, &completed, false),
        (EventName::TimedOut, TokenEvent::Ended, &timed_out, false),
        (EventName::Cancelled, TokenEvent::Ended, &cancelled, false),
    ];
    for (name, event, happen, is_notice) in happenings {
        let told = |who: Subscriptions| {
            let mut token = heard_of();
            happen(&mut token, who);
            let targets: Vec<_> = token.deliveries.iter().map(|one| one.target).collect();
            let has_other = token.deliveries.iter().any(|one| one.event != event);
            assert!(!has_other, "{name:?}");
            targets
        };
        let notices = if is_notice { &recipients[..] } else { &[] };
        let all = [&[environment, own][..], notices].concat();
        assert_eq!(told(everything()), all, "{name:?}");
        assert_eq!(told(only(name)), all, "{name:?} alone");
        let own_alone = Subscriptions {
            has_environment: false,
            ..everything()
        };
        assert_eq!(told(own_alone), [&[own][..], notices].concat(), "{name:?}");
        for other in EventName::ALL.into_iter().filter(|other| *other != name) {
            assert_eq!(told(only(other)), notices, "{name:?}, {other:?} is wanted");
        }
    }
}

#[test]
fn upstream_alone_is_told_of_a_decision_and_of_nothing_else() {
    let mut token = Token {
        home: Home::Upstream,
        ..token(None)
    };
    token.announce_creation(at(0), NOBODY);
    assert_eq!(owed(&token), []);
    token.apply(complete("1"), at(1), NOBODY);
    assert_eq!(owed(&token), [id(TokenEvent::Ended, Target::Upstream)]);
}

#[test]
fn a_new_extension_takes_the_place_of_those_that_nobody_received_yet() {
    let mut token = Token {
        notify: Vec::new(),
        ..heard_of()
    };
    let extended = |at_: u64, target| id(TokenEvent::Extended(at(at_)), target);
    token.apply(extend(200), at(10), everything());
    deliver(&mut token, extended(10, Target::Environment), WELL, 11);
    token.apply(extend(300), at(20), everything());
    assert_eq!(
        owed(&token),
        [
            extended(10, Target::Environment),
            extended(20, Target::Environment),
            extended(20, Target::Token)
        ]
    );
    // A result of the one that is gone is of no use for the other.
    let before = token.clone();
    deliver(&mut token, extended(10, Target::Token), WELL, 21);
    assert_eq!(token, before);
    // What has ended meanwhile is told too.
    token.apply(cancel(), at(30), everything());
    assert_eq!(token.deliveries.len(), 5);
}

#[test]
fn two_extensions_in_a_millisecond_are_two_events() {
    let mut token = heard_of();
    let extended = |at_: u64| id(TokenEvent::Extended(at(at_)), Target::Token);
    let own = Subscriptions {
        has_environment: false,
        ..everything()
    };
    token.apply(extend(200), at(10), own);
    deliver(&mut token, extended(10), WELL, 10);
    token.apply(extend(300), at(10), own);
    assert_eq!(owed(&token), [extended(10), extended(11)]);
    // And one by a clock that went back.
    token.apply(extend(400), at(5), own);
    assert_eq!(owed(&token), [extended(10), extended(12)]);
    assert_eq!(token.timeout_at, Some(at(400)));
    assert_eq!(token.deliveries[1].due_at(), Some(at(5)), "at once");
}

#[test]
fn a_result_is_recorded_at_the_delivery_that_was_attempted() {
    let mut token = heard_of();
    token.announce_creation(at(0), everything());
    token.remind_if_due(at(7), everything());
    let all = owed(&token);
    for (place, &one) in all.iter().enumerate() {
        let before = token.clone();
        deliver(&mut token, one, ILL, 50);
        for (other, delivery) in token.deliveries.iter().enumerate() {
            let is_same = *delivery == before.deliveries[other];
            assert_eq!(is_same, other != place, "{one:?}");
        }
        assert_eq!(token.delivery(one), Some(&token.deliveries[place]));
    }
    let absent = id(TokenEvent::Ended, Target::Token);
    let before = token.clone();
    deliver(&mut token, absent, WELL, 60);
    token.record_conflict(absent, UpstreamConflict::TimedOutUpstream);
    assert_eq!((token.delivery(absent), &token), (None, &before));
}

#[test]
fn a_result_is_recorded_where_it_belongs_though_the_list_became_shorter() {
    let mut token = heard_of();
    token.remind_if_due(at(5), everything());
    token.announce_creation(at(6), everything());
    let created = id(TokenEvent::Created, Target::Recipient(1));
    assert_eq!(token.deliveries.len(), 8);
    token.apply(cancel(), at(7), everything());
    assert_eq!(token.deliveries.len(), 6, "without reminders");
    deliver(&mut token, created, WELL, 8);
    let delivered = token.deliveries.iter();
    let delivered = delivered.filter(|one| one.progress == Progress::Delivered);
    assert_eq!(delivered.map(Delivery::id).collect::<Vec<_>>(), [created]);
}

#[test]
fn what_a_mail_service_answers_decides_what_follows() {
    let created = id(TokenEvent::Created, Target::Recipient(0));
    for (result, is_final) in [
        (AttemptResult::MailAccepted, Some(Progress::Delivered)),
        (AttemptResult::MailRefused, Some(Progress::Failed)),
        (AttemptResult::MailFailed, None),
        (AttemptResult::NotSendable, None),
    ] {
        let mut token = heard_of();
        token.announce_creation(at(0), NOBODY);
        deliver(&mut token, created, result, 1);
        let one = token.delivery(created).unwrap();
        match is_final {
            Some(progress) => assert_eq!(one.progress, progress, "{result:?}"),
            None => assert!(one.due_at().is_some_and(|due| due > at(1)), "{result:?}"),
        }
        assert_eq!(one.attempts, 1);
    }
    let mut token = heard_of();
    token.announce_creation(at(0), NOBODY);
    for attempt in 1..=MAX_ATTEMPTS {
        assert!(
            token.delivery(created).unwrap().due_at().is_some(),
            "{attempt}"
        );
        deliver(&mut token, created, AttemptResult::MailFailed, 1);
    }
    assert_eq!(token.delivery(created).unwrap().progress, Progress::Failed);
}

/// Deliveries of extensions to the environment, of which the first `over` are received.
fn full(over: usize) -> Token {
    let mut token = token(None);
    for place in 0..MAX_DELIVERIES {
        let event = TokenEvent::Extended(at(place as u64));
        let mut one = Delivery::new(event, Target::Environment, at(0));
        if place < over {
            one.progress = Progress::Delivered;
        }
        token.deliveries.push(one);
    }
    token
}

#[test]
fn a_token_keeps_a_hundred_deliveries_and_drops_none_that_is_to_come() {
    let mut some_over = full(3);
    let webhook = Some("https://a.example".to_owned());
    some_over.webhook.clone_from(&webhook);
    let all = owed(&some_over);
    some_over.announce_creation(at(500), everything());
    let created = |target| id(TokenEvent::Created, target);
    let kept = all[2..].iter().copied();
    let expected: Vec<_> = kept
        .chain([created(Target::Environment), created(Target::Token)])
        .collect();
    assert_eq!(owed(&some_over), expected);

    // Where all are to come there is no room, but for the end.
    let mut none_over = Token { webhook, ..full(0) };
    let before = none_over.clone();
    none_over.announce_creation(at(500), everything());
    assert_eq!(none_over, before);
    none_over.apply(complete("1"), at(501), everything());
    let last = owed(&none_over).split_off(MAX_DELIVERIES);
    let ended = |target| id(TokenEvent::Ended, target);
    assert_eq!(last, [ended(Target::Environment), ended(Target::Token)]);
}
