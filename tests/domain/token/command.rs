//! What a token's object replies.
use super::{decision, facts, token};
use waitpoint::domain::token::command::{Command, Reply, apply_command};
use waitpoint::domain::token::record::Record;
use waitpoint::domain::token::transition::Outcome;

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
