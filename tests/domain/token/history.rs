//! What is remembered of a token.
use super::{NOBODY, RETENTION, at, complete, decision, extend, facts, token};
use std::time::Duration;
use waitpoint::domain::token::command::{Command, Facts, Reply, Verdict, apply_command};
use waitpoint::domain::token::delivery::{AttemptResult, DeliveryId, Target};
use waitpoint::domain::token::event::TokenEvent;
use waitpoint::domain::token::history::{HistoryKind, MAX_HISTORY};
use waitpoint::domain::token::notify::{Recipient, Reminder};
use waitpoint::domain::token::record::Record;
use waitpoint::domain::token::transition::Outcome;
use waitpoint::domain::token::{CompletedBy, Decision, Token};

fn kinds(token: &Token) -> Vec<(u64, HistoryKind)> {
    let entries = token.history.iter();
    entries.map(|one| (one.at.as_millis(), one.kind)).collect()
}

/// A callback that does not decide.
fn ignored(record: &mut Option<Record>, now: u64) -> (Reply, bool) {
    let facts = Facts {
        judge: |_, _| Verdict::Ignored,
        issues: |_, _| Vec::new(),
        ..facts(now)
    };
    let decision = Decision {
        by: CompletedBy::Callback,
        ..decision("1")
    };
    apply_command(record, Command::Complete(decision), &facts)
}

fn with_callback(token: Token) -> Option<Record> {
    Some(Record::Live(Token {
        callback: Some("{}".to_owned()),
        ..token
    }))
}

#[test]
fn a_recipient_who_was_told_is_remembered_once() {
    let mut token = Token {
        notify: vec![
            Recipient::Slack("a".to_owned()),
            Recipient::Slack("b".to_owned()),
        ],
        reminders: vec![Reminder::After(Duration::from_millis(5))],
        webhook: Some("https://a.example".to_owned()),
        ..token(None)
    };
    token.announce_creation(at(0), NOBODY);
    token.remind_if_due(at(6), NOBODY);
    let reminder = TokenEvent::Reminder(at(5));
    let mut attempt = |event, target, status, now| {
        let id = DeliveryId { event, target };
        token.record_attempt(id, AttemptResult::Status(status), None, "c1", at(now));
        kinds(&token).last().copied()
    };
    let created = TokenEvent::Created;
    assert_eq!(attempt(created, Target::Recipient(1), 500, 10), None);
    let notified = Some((11, HistoryKind::Notified(1)));
    assert_eq!(attempt(created, Target::Recipient(1), 200, 11), notified);
    // A result that comes twice.
    assert_eq!(attempt(created, Target::Recipient(1), 200, 12), notified);
    assert_eq!(attempt(created, Target::Recipient(0), 410, 13), notified);
    let reminded = Some((14, HistoryKind::Reminded(0)));
    assert_eq!(attempt(reminder, Target::Recipient(0), 200, 14), reminded);
    // Webhooks are in the deliveries.
    assert_eq!(attempt(created, Target::Token, 200, 15), reminded);
    token.apply(complete("1"), at(20), NOBODY);
    let ended = DeliveryId {
        event: TokenEvent::Ended,
        target: Target::Token,
    };
    token.record_attempt(ended, AttemptResult::Status(200), None, "c1", at(21));
    assert_eq!(
        kinds(&token),
        [
            (11, HistoryKind::Notified(1)),
            (14, HistoryKind::Reminded(0))
        ]
    );
}

#[test]
fn an_ignored_callback_is_remembered_and_changes_nothing_else() {
    let mut record = with_callback(token(Some(100)));
    let reply = Reply::Decided(Outcome::Ignored);
    let before = record.clone().and_then(Record::into_token).unwrap();
    assert_eq!(ignored(&mut record, 50), (reply, true));
    let after = record.clone().and_then(Record::into_token).unwrap();
    assert_eq!(kinds(&after), [(50, HistoryKind::CallbackIgnored)]);
    let history = Vec::new();
    assert_eq!(Token { history, ..after }, before);
    // One that comes too late finds the end, and one of a token that is gone nothing.
    assert_eq!(
        ignored(&mut record, 100),
        (Reply::Decided(Outcome::TimedOut), true)
    );
    assert_eq!(
        ignored(&mut record, 101),
        (Reply::Decided(Outcome::TimedOut), false)
    );
    let gone = at(100).plus(RETENTION).as_millis();
    assert_eq!(ignored(&mut record, gone), (Reply::NotFound, false));
    assert_eq!(record.unwrap().token().unwrap().history.len(), 1);
}

#[test]
fn of_a_long_history_the_last_entries_are_kept() {
    let mut record = with_callback(token(None));
    let most = MAX_HISTORY as u64 - 1;
    for now in 1..=most {
        ignored(&mut record, now);
    }
    let stored = |record: &Option<Record>| kinds(record.as_ref().unwrap().token().unwrap());
    assert_eq!(stored(&record).len(), 99);
    assert_eq!(stored(&record)[0].0, 1);
    ignored(&mut record, 200);
    let Some(Record::Live(token)) = &mut record else {
        panic!("it is gone")
    };
    token.apply(extend(999), at(201), NOBODY);
    let last = stored(&record);
    assert_eq!((last.len(), last[0].0), (99, 3));
    assert_eq!(
        last[97..],
        [
            (200, HistoryKind::CallbackIgnored),
            (201, HistoryKind::Extended(at(999)))
        ]
    );
}
