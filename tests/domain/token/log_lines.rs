//! Which lines are logged, and that each is logged once.

use super::actor::{Object, upstream};
use super::{at, decision, token};
use waitpoint::domain::token::command::Command;
use waitpoint::domain::token::effects::{Input, LogLine, Task};
use waitpoint::domain::token::{CompletedBy, Decision, DefaultDecision, State, Token};

#[test]
fn a_default_decision_is_logged_once_whoever_finds_it() {
    let log = Some(LogLine::Completed(CompletedBy::Timeout));
    let complete = Command::Complete(decision("1"));
    for input in [
        Input::AlarmFired,
        Input::WaiterJoined,
        Input::Command(Command::Read),
        Input::Command(complete),
    ] {
        let mut object = Object::new(Some(Token {
            on_timeout: Some(DefaultDecision { output: None }),
            ..token(Some(10))
        }));
        let effects = object.handle(input.clone(), 10);
        assert_eq!(
            (effects.log, object.saved(&effects, 11).log),
            (None, log),
            "{input:?}"
        );
        let again = object.handle(Input::Command(Command::Read), 12);
        let is_announced = matches!(again.next, Some(Task::AwaitSave(_)));
        let said = is_announced.then(|| object.saved(&again, 13).log).flatten();
        assert_eq!((again.log, said), (None, None), "{input:?}");
    }
    let mut without = Object::new(Some(token(Some(10))));
    let effects = without.handle(Input::AlarmFired, 10);
    assert_eq!(without.saved(&effects, 11).log, None);
}

#[test]
fn what_upstream_decided_is_logged_if_it_waited_here() {
    let theirs = Token {
        state: State::Completed {
            at: at(5),
            decision: Decision {
                by: CompletedBy::Upstream,
                ..decision("1")
            },
        },
        ..upstream()
    };
    for (known, log) in [
        (
            Some(upstream()),
            Some(LogLine::Completed(CompletedBy::Upstream)),
        ),
        (None, None),
    ] {
        let mut object = Object::new(known);
        let import = Command::ImportUpstream(Box::new(theirs.clone()));
        let effects = object.handle(Input::Command(import), 6);
        assert_eq!(object.saved(&effects, 7).log, log);
    }
}
