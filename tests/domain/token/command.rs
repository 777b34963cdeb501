//! What a token's object replies.
use super::{RETENTION, at, decision, token};
use waitpoint::domain::token::Token;
use waitpoint::domain::token::command::{Ask, Reply, answer};
use waitpoint::domain::token::transition::Outcome;

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
