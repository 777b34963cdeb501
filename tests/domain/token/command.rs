//! What a token's object replies.
use super::{at, completed, decision, facts, token, with_default};
use waitpoint::domain::token::command::{Command, Reply, apply_command};
use waitpoint::domain::token::home::Home;
use waitpoint::domain::token::record::{Record, Tombstone};
use waitpoint::domain::token::transition::Outcome;
use waitpoint::domain::token::{State, Token};

#[test]
fn each_record_answers_each_request() {
    let decided = |outcome| Reply::Decided(outcome);
    let overdue = Some(Record::Live(token(Some(100))));
    for (record, command, now, reply, changed) in [
        (
            None,
            Command::Create(Box::new(token(None))),
            0,
            Reply::Created,
            true,
        ),
        (None, Command::Read, 0, Reply::NotFound, false),
        (
            None,
            Command::Complete(decision("1")),
            0,
            Reply::NotFound,
            false,
        ),
        (
            overdue.clone(),
            Command::Create(Box::new(token(None))),
            99,
            Reply::Found,
            false,
        ),
        (overdue.clone(), Command::Read, 99, Reply::Found, false),
        (
            overdue.clone(),
            Command::Complete(decision("1")),
            99,
            decided(Outcome::Completed),
            true,
        ),
        (
            overdue.clone(),
            Command::Create(Box::new(token(None))),
            100,
            Reply::Found,
            true,
        ),
        (overdue.clone(), Command::Read, 100, Reply::Found, true),
        (
            overdue.clone(),
            Command::Complete(decision("1")),
            100,
            decided(Outcome::TimedOut),
            true,
        ),
        (
            overdue.clone(),
            Command::Create(Box::new(token(None))),
            30_100,
            Reply::NotFound,
            false,
        ),
        (
            overdue.clone(),
            Command::Read,
            30_100,
            Reply::NotFound,
            false,
        ),
        (
            overdue,
            Command::Complete(decision("1")),
            30_100,
            Reply::NotFound,
            false,
        ),
    ] {
        let said = format!("{command:?} at {now}");
        let mut record = record;
        let applied = apply_command(&mut record, command, &facts(now));
        assert_eq!(applied, (reply, changed), "{said}");
    }
}

#[test]
fn each_record_answers_cancel_and_extend() {
    let live = |token| Some(Record::Live(token));
    let in_state = |state| {
        live(Token {
            state,
            ..token(Some(100))
        })
    };
    let upstream = || Token {
        home: Home::Upstream,
        ..token(None)
    };
    let ended = Token {
        state: completed(at(1), "1"),
        ..upstream()
    };
    let tombstone = Some(Record::Tombstone(Tombstone { created_at: at(0) }));
    let decided = |outcome| Reply::Decided(outcome);
    let late = decided(Outcome::TimedOut);
    let done = decided(Outcome::AlreadyCompleted);
    let gone = decided(Outcome::Cancelled);
    // What is replied at this time to a cancel, to an extension, and whether these change something.
    for (record, now, cancelled, extended, changed) in [
        (None, 0, Reply::NotFound, Reply::NotFound, false),
        (tombstone, 0, Reply::NotFound, Reply::NotFound, false),
        (live(token(None)), 99, gone, Reply::Found, true),
        (live(token(Some(100))), 99, gone, Reply::Found, true),
        (live(token(Some(100))), 100, late, late, true),
        (live(with_default(100, "0")), 99, gone, Reply::Found, true),
        (live(with_default(100, "0")), 100, done, done, true),
        (in_state(completed(at(5), "1")), 99, done, done, false),
        (in_state(super::cancelled(at(5))), 99, gone, gone, false),
        (in_state(State::TimedOut), 200, late, late, false),
        (
            in_state(State::TimedOut),
            30_100,
            Reply::NotFound,
            Reply::NotFound,
            false,
        ),
        (
            live(upstream()),
            0,
            Reply::LivesUpstream,
            Reply::LivesUpstream,
            false,
        ),
        (
            live(ended),
            2,
            Reply::LivesUpstream,
            Reply::LivesUpstream,
            false,
        ),
    ] {
        for (command, reply) in [
            (Command::Cancel(None), cancelled),
            (Command::Extend(at(500)), extended),
        ] {
            let said = format!("{command:?} at {now} of {record:?}");
            let mut record = record.clone();
            let applied = apply_command(&mut record, command, &facts(now));
            assert_eq!(applied, (reply, changed), "{said}");
        }
    }
}
