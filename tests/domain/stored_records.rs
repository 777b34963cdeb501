//! Records as they are stored, under names that never change.
use proptest::prelude::*;
use std::time::Duration;
use waitpoint::domain::stored::message::TokenReply;
use waitpoint::domain::stored::record::{pack_record, unpack_record};
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::command::Reply;
use waitpoint::domain::token::delivery::{AttemptResult, Target, UpstreamConflict};
use waitpoint::domain::token::event::TokenEvent;
use waitpoint::domain::token::history::{HistoryEntry, HistoryKind};
use waitpoint::domain::token::home::Home;
use waitpoint::domain::token::notify::{Recipient, Reminder};
use waitpoint::domain::token::record::{Record, Tombstone};
use waitpoint::domain::token::transition::Outcome;
use waitpoint::domain::token::{CompletedBy, DefaultDecision, Output, OutputKind, State, Token};

#[test]
fn a_tombstone_is_stored_as_it_always_was() {
    let created_at = Timestamp::from_millis(7);
    let stored = concat!(
        r#"{"v":1,"createdAt":7,"upstream":true,"spent":true,"state":"timedOut"}"#,
        "\n"
    );
    let tombstone = Record::Tombstone(Tombstone { created_at });
    assert_eq!(String::from_utf8(pack_record(&tombstone)).unwrap(), stored);
    assert_eq!(unpack_record(stored.as_bytes()).unwrap(), tombstone);
    let later = stored.replace("\"v\":1", "\"v\":3");
    assert!(unpack_record(later.as_bytes()).is_err());
}

#[test]
fn a_record_is_stored_under_the_names_that_it_always_had() {
    let stored = concat!(
        r#"{"v":1,"createdAt":1,"timeoutAt":2,"tags":["a"],"approval":"{}","origin":"o","#,
        r#""key":{"text":"k","expiresAt":3},"creator":"c","webhook":"w","upstream":true,"#,
        r#""state":{"completed":{"at":4,"decision":{"output":"stored","by":"callback","subject":"s"}}},"#,
        r#""deliveries":[{"to":"environment","progress":"pending","at":5,"attempts":1,"#,
        r#""last":[6,{"status":500}]},{"to":"token","progress":"failed","attempts":2,"#,
        r#""last":[7,"nothing"]},{"to":"upstream","progress":"delivered","attempts":3,"#,
        r#""last":[8,"impossible"],"note":"otherwise"}],"alarm":9}"#,
        "\ntext"
    );
    let record = unpack_record(stored.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(pack_record(&record)).unwrap(), stored);
    let token = record.into_token().unwrap();
    assert_eq!(token.created_by_request.as_deref(), Some("c"));
    assert_eq!(token.home, Home::Upstream);
    assert_eq!(
        token.deliveries[2].conflict,
        Some(UpstreamConflict::DecidedOtherwiseUpstream)
    );
}

/// What was stored comes back as it was.
fn read(stored: &str) -> Token {
    let record = unpack_record(stored.as_bytes()).unwrap();
    assert_eq!(String::from_utf8(pack_record(&record)).unwrap(), stored);
    record.into_token().unwrap()
}

#[test]
fn a_token_with_everything_is_stored_so() {
    let token = read(concat!(
        r#"{"v":1,"createdAt":1,"timeoutAt":2,"extensions":3,"onTimeout":{"output":["text","no"]},"#,
        r#""callback":"{}","#,
        r#""notify":[{"email":{"address":"a@example.com","locale":"de"}},"#,
        r#"{"email":{"address":"b@example.com"}},{"slack":"deploys"},{"teams":"ops"},"#,
        r#"{"webhook":"https://a.example"}],"#,
        r#""reminders":[{"after":60000},{"before":90000}],"remindedAt":4,"#,
        r#""history":[[5,{"notified":0}],[6,{"reminded":4}],[7,{"extended":8}],[9,"ignored"]],"#,
        r#""state":"waiting","#,
        r#""deliveries":[{"event":"created","to":{"recipient":0},"progress":"delivered","#,
        r#""attempts":1,"last":[10,"mailAccepted"]},"#,
        r#"{"event":{"reminder":11},"to":{"recipient":1},"progress":"pending","at":12,"#,
        r#""attempts":1,"last":[13,"mailFailed"]},"#,
        r#"{"event":{"extended":14},"to":"environment","progress":"failed","attempts":1,"#,
        r#""last":[15,"mailRefused"]},"#,
        r#"{"to":"token","progress":"pending","at":16,"attempts":0}]}"#,
        "\n"
    ));
    let ms = Timestamp::from_millis;
    assert_eq!((token.extensions, token.reminded_at), (3, Some(ms(4))));
    let output = Some(Output {
        kind: OutputKind::Text,
        text: "no".to_owned(),
    });
    assert_eq!(token.on_timeout, Some(DefaultDecision { output }));
    let email = |address: &str, locale: Option<&str>| Recipient::Email {
        address: address.to_owned(),
        locale: locale.map(str::to_owned),
        approver: None,
    };
    assert_eq!(
        token.notify,
        [
            email("a@example.com", Some("de")),
            email("b@example.com", None),
            Recipient::Slack("deploys".to_owned()),
            Recipient::Teams("ops".to_owned()),
            Recipient::Webhook("https://a.example".to_owned()),
        ]
    );
    let (minute, longer) = (Duration::from_secs(60), Duration::from_secs(90));
    assert_eq!(
        token.reminders,
        [Reminder::After(minute), Reminder::Before(longer)]
    );
    let entry = |at, kind| HistoryEntry { at: ms(at), kind };
    assert_eq!(
        token.history,
        [
            entry(5, HistoryKind::Notified(0)),
            entry(6, HistoryKind::Reminded(4)),
            entry(7, HistoryKind::Extended(ms(8))),
            entry(9, HistoryKind::CallbackIgnored),
        ]
    );
    let deliveries = token.deliveries.iter();
    let deliveries =
        deliveries.map(|one| (one.event, one.target, one.last.map(|last| last.result)));
    assert_eq!(
        deliveries.collect::<Vec<_>>(),
        [
            (
                TokenEvent::Created,
                Target::Recipient(0),
                Some(AttemptResult::MailAccepted)
            ),
            (
                TokenEvent::Reminder(ms(11)),
                Target::Recipient(1),
                Some(AttemptResult::MailFailed)
            ),
            (
                TokenEvent::Extended(ms(14)),
                Target::Environment,
                Some(AttemptResult::MailRefused)
            ),
            // As every delivery was before there were other events.
            (TokenEvent::Ended, Target::Token, None),
        ]
    );
}

#[test]
fn the_new_ends_and_a_default_without_output_are_stored_so() {
    let cancelled = |reason: Option<&str>| State::Cancelled {
        at: Timestamp::from_millis(2),
        reason: reason.map(str::to_owned),
    };
    for (state, expected) in [
        (r#"{"cancelled":{"at":2}}"#, cancelled(None)),
        (
            r#"{"cancelled":{"at":2,"reason":"sold out"}}"#,
            cancelled(Some("sold out")),
        ),
    ] {
        let stored = format!("{{\"v\":1,\"createdAt\":1,\"state\":{state}}}\n");
        assert_eq!(read(&stored).state, expected);
    }
    let by = r#"{"v":1,"createdAt":1,"state":{"completed":{"at":2,"decision":{"by":"timeout"}}}}"#;
    let State::Completed { decision, .. } = read(&format!("{by}\n")).state else {
        panic!("{by}")
    };
    assert_eq!(decision.by, CompletedBy::Timeout);
    let nothing = r#"{"v":1,"createdAt":1,"timeoutAt":2,"onTimeout":{},"state":"waiting"}"#;
    let default = read(&format!("{nothing}\n")).on_timeout;
    assert_eq!(default, Some(DefaultDecision { output: None }));
}

#[test]
fn each_outcome_comes_to_the_worker() {
    for outcome in [
        Outcome::Waiting,
        Outcome::Completed,
        Outcome::AlreadyCompleted,
        Outcome::TimedOut,
        Outcome::Cancelled,
        Outcome::Extended,
        Outcome::Ignored,
        Outcome::Unsigned,
    ] {
        let bytes = TokenReply::new(Reply::Decided(outcome), None).to_bytes();
        let read = TokenReply::from_bytes(&bytes).unwrap();
        assert!(
            matches!(read, TokenReply::Decided(is) if is == outcome),
            "{outcome:?}"
        );
    }
    let bytes = TokenReply::LivesUpstream.to_bytes();
    assert_eq!(bytes, b"\"lives_upstream\"\n");
    let read = TokenReply::from_bytes(&bytes).unwrap();
    assert!(matches!(read, TokenReply::LivesUpstream));
}

fn recipient() -> impl Strategy<Value = Recipient> {
    prop_oneof![
        (".{0,9}", proptest::option::of(".{0,3}")).prop_map(|(address, locale)| Recipient::Email {
            address,
            locale,
            approver: None
        }),
        ".{0,9}".prop_map(Recipient::Slack),
        ".{0,9}".prop_map(Recipient::Teams),
        ".{0,9}".prop_map(Recipient::Webhook),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_record_comes_back_as_it_was(
        notify in prop::collection::vec(recipient(), 0..4),
        waits in prop::collection::vec((0..u64::MAX, any::<bool>()), 0..3),
        reason in proptest::option::of(".{0,9}"),
        default in proptest::option::of(proptest::option::of(".{0,9}")),
        extensions in any::<u32>(),
        is_cancelled in any::<bool>(),
    ) {
        let at = Timestamp::from_millis(7);
        let reminders = waits.into_iter().map(|(wait, is_after)| {
            let wait = Duration::from_millis(wait);
            if is_after { Reminder::After(wait) } else { Reminder::Before(wait) }
        });
        let on_timeout = default.map(|text| DefaultDecision {
            output: text.map(|text| Output { kind: OutputKind::Json, text }),
        });
        let record = Record::Live(Token {
            notify,
            reminders: reminders.collect(),
            extensions,
            on_timeout,
            state: if is_cancelled { State::Cancelled { at, reason } } else { State::Waiting },
            ..Token::new(at, None, Vec::new())
        });
        prop_assert_eq!(unpack_record(&pack_record(&record)).unwrap(), record);
    }
}
