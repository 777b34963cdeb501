//! Tokens.

mod actor;
mod command;
mod creation;
mod deliveries;
mod history;
mod index_rows;
mod life;
mod log_lines;
mod reminders;
mod reminders_on_request;
mod schedule;
mod transition;
mod votes;

use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::command::Facts;
use waitpoint::domain::token::event::{EventSet, Subscriptions};
use waitpoint::domain::token::transition::Event;
use waitpoint::domain::token::{
    CompletedBy, Decision, DefaultDecision, Output, OutputKind, State, Token,
};

/// The environment has no webhook; a token's own is told of ends.
const NOBODY: Subscriptions = Subscriptions {
    has_environment: false,
    events: EventSet::ENDS,
};

const RETENTION: Duration = Duration::from_secs(30);

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// Nobody waits, and nobody hears of every token's end.
fn facts(now: u64) -> Facts<'static> {
    Facts {
        now: at(now),
        retention: RETENTION,
        subscriptions: NOBODY,
        has_waiters: &|| false,
        judge: |_, _| waitpoint::domain::token::command::Verdict::Decides,
        issues: |_, _| Vec::new(),
    }
}

fn token(timeout: Option<u64>) -> Token {
    Token::new(at(0), timeout.map(at), vec!["a".to_owned()])
}

/// When the index knows it.
fn wakeup(token: &Token, now: u64) -> Option<Timestamp> {
    token.next_wakeup(RETENTION, token.expected_index_state(), at(now))
}

fn decision(text: &str) -> Decision {
    let output = Some(Output {
        kind: OutputKind::Json,
        text: text.to_owned(),
    });
    Decision {
        callback: None,
        output,
        by: CompletedBy::Api,
        subject: Some("user_1".to_owned()),
        is_by_owner: false,
    }
}

fn complete(text: &str) -> Event {
    Event::Complete(decision(text))
}

fn completed(at: Timestamp, text: &str) -> State {
    State::Completed {
        at,
        decision: decision(text),
    }
}

/// A token that takes this output at its timeout.
fn with_default(timeout: u64, text: &str) -> Token {
    Token {
        on_timeout: Some(DefaultDecision {
            output: decision(text).output,
        }),
        ..token(Some(timeout))
    }
}

/// Completed by its default decision.
fn defaulted(at: Timestamp, text: &str) -> State {
    let decision = Decision {
        by: CompletedBy::Timeout,
        subject: None,
        ..decision(text)
    };
    State::Completed { at, decision }
}

fn cancelled(at: Timestamp) -> State {
    let reason = Some("withdrawn".to_owned());
    State::Cancelled { at, reason }
}

fn cancel() -> Event {
    Event::Cancel(Some("withdrawn".to_owned()))
}

fn extend(to: u64) -> Event {
    Event::Extend(at(to))
}

fn times() -> impl Strategy<Value = Option<u64>> {
    proptest::option::of(0..200_u64)
}

fn event() -> impl Strategy<Value = Event> {
    let decision = (
        proptest::option::of(any::<String>()),
        any::<bool>(),
        any::<bool>(),
    );
    let decision = decision.prop_map(|(text, json, api)| Decision {
        callback: None,
        output: text.map(|text| Output {
            kind: if json {
                OutputKind::Json
            } else {
                OutputKind::Text
            },
            text,
        }),
        by: if api {
            CompletedBy::Api
        } else {
            CompletedBy::Callback
        },
        subject: None,
        is_by_owner: false,
    });
    prop_oneof![
        Just(Event::WakeUp),
        decision.prop_map(Event::Complete),
        proptest::option::of("[a-z]{1,3}").prop_map(Event::Cancel),
        (0..400_u64).prop_map(|to| Event::Extend(at(to))),
    ]
}

/// Events in the order of their times.
fn events() -> impl Strategy<Value = Vec<(u64, Event)>> {
    vec((0..200_u64, event()), 0..12).prop_map(|mut events| {
        events.sort_by_key(|(now, _)| *now);
        events
    })
}
