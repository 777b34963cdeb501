//! What a token's object replies.
use super::{at, completed, decision, facts, token, with_default};
use waitpoint::domain::approval::output::issues_of;
use waitpoint::domain::token::command::{Command, Facts, Reply, apply_command};
use waitpoint::domain::token::home::Home;
use waitpoint::domain::token::record::{Record, Tombstone};
use waitpoint::domain::token::transition::Outcome;
use waitpoint::domain::token::{CompletedBy, Decision, State, Token};

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
        (live(token(None)), 99, gone.clone(), Reply::Found, true),
        (live(token(Some(100))), 99, gone.clone(), Reply::Found, true),
        (
            live(token(Some(100))),
            100,
            late.clone(),
            late.clone(),
            true,
        ),
        (
            live(with_default(100, "0")),
            99,
            gone.clone(),
            Reply::Found,
            true,
        ),
        (
            live(with_default(100, "0")),
            100,
            done.clone(),
            done.clone(),
            true,
        ),
        (
            in_state(completed(at(5), "1")),
            99,
            done.clone(),
            done.clone(),
            false,
        ),
        (
            in_state(super::cancelled(at(5))),
            99,
            gone.clone(),
            gone.clone(),
            false,
        ),
        (
            in_state(State::TimedOut),
            200,
            late.clone(),
            late.clone(),
            false,
        ),
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

#[test]
fn an_output_that_does_not_match_the_form_changes_nothing() {
    let approval = r#"{"validate":"all","form":{"type":"object","properties":{"amount":{"type":"integer"}},"required":["amount"]}}"#;
    let facts = Facts {
        issues: issues_of,
        ..facts(1)
    };
    let complete = |by, text: &str, token: Token| {
        let decision = Decision {
            by,
            is_by_owner: true,
            ..decision(text)
        };
        let mut record = Some(Record::Live(token));
        apply_command(&mut record, Command::Complete(decision), &facts)
    };
    let asking = || Token {
        approval: Some(approval.to_owned()),
        ..token(None)
    };
    for by in [CompletedBy::Api, CompletedBy::Callback] {
        let (reply, changed) = complete(by, r#"{"fields":{"amount":"7"}}"#, asking());
        let Reply::Invalid(issues) = reply else {
            panic!("{reply:?}");
        };
        assert_eq!(
            (issues[0].pointer.as_str(), changed),
            ("/fields/amount", false)
        );
        let (reply, _) = complete(by, r#"{"fields":{"amount":7}}"#, asking());
        assert_eq!(reply, Reply::Decided(Outcome::Completed));
    }
    // The page has checked its own output; what has ended is told as ever.
    let (reply, _) = complete(CompletedBy::Page, "1", asking());
    assert_eq!(reply, Reply::Decided(Outcome::Completed));
    let ended = Token {
        state: completed(at(0), "1"),
        ..asking()
    };
    let (reply, _) = complete(CompletedBy::Api, "1", ended);
    assert_eq!(reply, Reply::Decided(Outcome::AlreadyCompleted));
}
