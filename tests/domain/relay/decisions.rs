//! Decisions on tokens that live upstream.
use super::{DAY, at, completed, output};
use waitpoint::domain::relay::import::read_token;
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::command::{Command, Facts, Reply, apply_command};
use waitpoint::domain::token::delivery::{
    AttemptResult, Delivery, MAX_UPSTREAM_ATTEMPTS, Progress, Target,
};
use waitpoint::domain::token::event::{EventSet, Subscriptions, TokenEvent};
use waitpoint::domain::token::home::Home;
use waitpoint::domain::token::index_state::IndexState;
use waitpoint::domain::token::record::Record;
use waitpoint::domain::token::transition::Outcome;
use waitpoint::domain::token::{OutputKind, State, Token};

const NOBODY: Subscriptions = Subscriptions {
    has_environment: false,
    events: EventSet::ENDS,
};

/// Applies a command where these webhooks are told of ends.
fn apply(
    record: &mut Option<Record>,
    command: Command,
    now: Timestamp,
    subscriptions: Subscriptions,
) -> (Reply, bool) {
    let facts = Facts {
        now,
        retention: DAY,
        subscriptions,
        has_waiters: &|| false,
        judge: |_, _| waitpoint::domain::token::command::Verdict::Decides,
        issues: |_, _| Vec::new(),
    };
    apply_command(record, command, &facts)
}

#[test]
fn a_decision_is_kept_and_owed_upstream_also_when_nothing_was_known() {
    let decide = |record: &mut Option<Record>, text: &str| {
        let unseen = Token {
            home: Home::Upstream,
            ..Token::new(at(9), None, Vec::new())
        };
        let State::Completed { decision, .. } = completed(output(OutputKind::Json, text)).state
        else {
            panic!("it is completed")
        };
        let command = Command::CompleteRelayed(Box::new(unseen), decision);
        apply(record, command, at(9), NOBODY)
    };
    let mut record = None;
    assert_eq!(
        decide(&mut record, "1"),
        (Reply::Decided(Outcome::Completed), true)
    );
    let first = record.clone();
    assert_eq!(
        decide(&mut record, "2"),
        (Reply::Decided(Outcome::AlreadyCompleted), false)
    );
    assert_eq!(record, first);
    let owed: Vec<_> = first
        .iter()
        .filter_map(Record::token)
        .flat_map(|token| &token.deliveries)
        .map(|one| one.target)
        .collect();
    assert_eq!(owed, [Target::Upstream]);
}

#[test]
fn what_was_decided_here_is_decided_for_good() {
    let mut record = Some(Record::Live(completed(output(OutputKind::Json, "1"))));
    let decide = |record: &mut Option<Record>, now: Timestamp| {
        let State::Completed { decision, .. } = completed(None).state else {
            panic!("it is completed")
        };
        let token = Box::new(Token::new(now, None, Vec::new()));
        let command = Command::CompleteRelayed(token, decision);
        apply(record, command, now, NOBODY)
    };
    let later = at(5).plus(2 * DAY);
    // Forgotten and not yet gone, then gone but for this.
    assert_eq!(decide(&mut record, later), (Reply::NotFound, false));
    let tombstone = record.unwrap().into_token().unwrap().tombstone().unwrap();
    let mut record = Some(Record::Tombstone(tombstone));
    let again = (Reply::Decided(Outcome::AlreadyCompleted), false);
    assert_eq!(decide(&mut record, later), again);
    let read = apply(&mut record, Command::Read, later, NOBODY);
    assert_eq!(read, (Reply::NotFound, false));
    // Nothing is due for it, ever: `tests/domain/token/actor.rs`.
    // Of what was only waited for, or lives here, nothing is left.
    assert_eq!(Token::new(at(0), None, Vec::new()).tombstone(), None);
}

#[test]
fn timeouts_are_upstreams() {
    let mut token = Token {
        home: Home::Upstream,
        ..Token::new(at(0), Some(at(100)), Vec::new())
    };
    assert!(!token.time_out_if_due(at(200), NOBODY));
    assert_eq!(token.state, State::Waiting);
    // It is asked a little later, then daily.
    let next = |now| token.next_wakeup(DAY, IndexState::Unknown, at(now));
    assert_eq!(next(0), Some(at(30_100)));
    assert_eq!(next(30_100), Some(at(30_100).plus(DAY)));
    assert!(token.is_kept_only_for_waiters());
}

#[test]
fn what_upstream_decided_is_taken_once_and_not_told_to_it() {
    let known = Token {
        home: Home::Upstream,
        webhook: Some("https://a.example".into()),
        ..Token::new(at(0), None, Vec::new())
    };
    let theirs = read_token(
        r#"{"status":"COMPLETED","createdAt":"2026-01-01","output":"1","outputType":"application/json"}"#,
        "",
    )
    .unwrap();
    let mut record = Some(Record::Live(known));
    let import = |record: &mut Option<Record>, token: &Token, now| {
        let command = Command::ImportUpstream(Box::new(token.clone()));
        let environment = Subscriptions {
            has_environment: true,
            ..NOBODY
        };
        apply(record, command, now, environment)
    };
    // Its end is long past by this clock: it is kept for a moment all the same.
    let now = theirs.finished_at().unwrap();
    let (reply, changed) = import(&mut record, &theirs, now);
    assert_eq!((reply, changed), (Reply::Found, true));
    let token = record.clone().and_then(Record::into_token).unwrap();
    assert_eq!(token.state, theirs.state);
    let owed: Vec<_> = token.deliveries.iter().map(|one| one.target).collect();
    assert_eq!(owed, [Target::Environment, Target::Token]);
    let again = import(&mut record, &completed(None), at(9));
    assert_eq!(again, (Reply::Found, false));
    assert_eq!(record, Some(Record::Live(token)));
}

#[test]
fn upstream_is_asked_for_a_month_and_hears_no_second_time_what_it_refuses() {
    let mut delivery = Delivery::new(TokenEvent::Ended, Target::Upstream, at(0));
    let mut now = 0;
    let mut longest = 0;
    while let Some(due) = delivery.due_at() {
        longest = longest.max(due.as_millis() - now);
        now = due.as_millis();
        delivery.record_attempt(AttemptResult::Status(503), None, "c1", at(now));
    }
    assert_eq!(
        (delivery.progress, delivery.attempts),
        (Progress::Failed, MAX_UPSTREAM_ATTEMPTS)
    );
    assert!(
        longest <= 330_000 && now > 29 * 86_400_000,
        "{longest} {now}"
    );

    for (answer, is_over) in [
        (AttemptResult::Status(401), true),
        (AttemptResult::Status(403), true),
        (AttemptResult::Status(404), true),
        (AttemptResult::Status(413), true),
        (AttemptResult::Status(408), false),
        (AttemptResult::Status(409), false),
        (AttemptResult::Status(429), false),
        (AttemptResult::Status(301), false),
        (AttemptResult::Status(500), false),
        (AttemptResult::NoResponse, false),
        (AttemptResult::NotSendable, false),
    ] {
        let mut delivery = Delivery::new(TokenEvent::Ended, Target::Upstream, at(0));
        delivery.record_attempt(answer, None, "c1", at(0));
        assert_eq!(delivery.progress == Progress::Failed, is_over, "{answer:?}");
    }
}
