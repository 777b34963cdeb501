//! What the sender of a command announces, so that the object need not wait for its write.

use super::actor::{Object, after};
use super::{at, decision, token};
use waitpoint::domain::token::command::Command;
use waitpoint::domain::token::effects::{AfterSave, Effects, Input, LogLine, Task};
use waitpoint::domain::token::index_state::INDEX_CONFIRM_WITHIN;
use waitpoint::domain::token::schedule::Alarm;
use waitpoint::domain::token::{CompletedBy, Token};

/// What the sender of a command announces, and the task of the object.
fn announced(effects: &Effects) -> (Option<(Option<LogLine>, bool)>, Option<Task>) {
    let announced = effects.for_sender.map(|one| (one.log, one.needs_row));
    (announced, effects.next)
}

#[test]
fn a_sender_that_announces_leaves_nothing_to_the_object_but_the_alarm() {
    let mut object = Object::new(None);
    object.sender_announces = true;
    let create = Input::Command(Command::Create(Box::new(token(None))));
    let effects = object.handle(create, 0);
    assert_eq!(
        effects.save,
        Some(Alarm::Set(Some(at(after(INDEX_CONFIRM_WITHIN)))))
    );
    assert_eq!(
        announced(&effects),
        (Some((Some(LogLine::Created), true)), None)
    );
    let complete = || Input::Command(Command::Complete(decision("1")));
    let effects = object.handle(complete(), 5);
    let log = Some(LogLine::Completed(CompletedBy::Api));
    assert_eq!(announced(&effects), (Some((log, true)), None));
    assert_eq!(
        announced(&object.handle(complete(), 6)),
        (None, None),
        "once"
    );
    let confirms = object
        .handle(Input::AlarmFired, after(INDEX_CONFIRM_WITHIN))
        .next;
    assert!(
        matches!(confirms, Some(Task::ConfirmRow(_))),
        "it may have been lost"
    );
}

#[test]
fn what_a_sender_cannot_announce_the_object_does() {
    let of_object = |object: &mut Object, command: Command| {
        object.sender_announces = true;
        let effects = object.handle(Input::Command(command), 5);
        let (announced, next) = announced(&effects);
        announced.is_none() && matches!(next, Some(Task::AwaitSave(AfterSave::Announce(_))))
    };
    let complete = || Command::Complete(decision("1"));
    let mut waited_for = Object::new(Some(token(None)));
    waited_for.has_waiters = true;
    assert!(of_object(&mut waited_for, complete()));
    let mut with_webhook = Object::new(Some(Token {
        webhook: Some("https://example.com/".to_owned()),
        ..token(None)
    }));
    assert!(of_object(&mut with_webhook, complete()));
    let read = &mut Object::new(Some(token(None)));
    assert!(of_object(read, Command::Read), "whose reply has the token");
}
