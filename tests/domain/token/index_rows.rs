//! When a token's row is sent to the index.
use super::actor::{Object, alarm, task};
use super::{at, token};
use waitpoint::domain::token::command::{Command, Reply};
use waitpoint::domain::token::effects::{Input, Task};
use waitpoint::domain::token::index_state::IndexState;
use waitpoint::domain::token::{DefaultDecision, Token};

#[test]
fn an_extension_sends_the_row_at_once_also_while_an_older_row_is_being_confirmed() {
    let mut object = Object::new(Some(token(Some(1_000))));
    let confirm = |extensions| {
        task(Task::ConfirmRow(IndexState::Waiting {
            extensions,
            failures: 0,
        }))
    };
    let confirmed = |extensions| {
        Input::RowConfirmed(IndexState::Waiting {
            extensions,
            failures: 0,
        })
    };
    assert_eq!(object.handle(Input::AlarmFired, 5), confirm(0));
    let extend = Input::Command(Command::Extend(at(2_000)));
    let effects = object.handle(extend, 6);
    assert_eq!(effects.reply, Some(Reply::Found));
    assert!(object.saved(&effects, 7).enqueues_row);
    // The index has the older row now, which is not enough.
    assert_eq!(object.handle(confirmed(0), 8), confirm(1));
    assert_eq!(object.handle(confirmed(1), 9), alarm(Some(2_000)));
    // It times out: the index computes that.
    let effects = object.handle(Input::AlarmFired, 2_000);
    let told = object.saved(&effects, 2_001);
    assert_eq!((told.next, told.enqueues_row), (None, false));
}

#[test]
fn a_default_decision_sends_the_row_whoever_notices_the_timeout() {
    let with_default = || {
        Object::new(Some(Token {
            on_timeout: Some(DefaultDecision { output: None }),
            ..token(Some(1_000))
        }))
    };
    let mut object = with_default();
    let effects = object.handle(Input::AlarmFired, 1_000);
    let told = object.saved(&effects, 1_001);
    assert_eq!(
        told.next,
        Some(Task::ConfirmRow(IndexState::Ended { failures: 0 }))
    );

    let mut object = with_default();
    object.handle(
        Input::RowConfirmed(IndexState::Waiting {
            extensions: 0,
            failures: 0,
        }),
        1,
    );
    let effects = object.handle(Input::Command(Command::Read), 1_000);
    assert!(object.saved(&effects, 1_001).enqueues_row);
}
