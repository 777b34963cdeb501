//! The relay.

mod combine;
mod decisions;
mod fingerprint;
mod foreign;
mod forward;
mod import;
mod merge;
mod rewrite;
mod settings;

use waitpoint::domain::relay::settings::Upstreams;
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::home::Home;
use waitpoint::domain::token::{CompletedBy, Decision, Output, OutputKind, State, Token};

const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn upstreams(text: &str) -> Upstreams {
    Upstreams::parse(text).unwrap_or_else(|why| panic!("{why}"))
}

fn output(kind: OutputKind, text: &str) -> Option<Output> {
    Some(Output {
        kind,
        text: text.to_owned(),
    })
}

fn completed(output: Option<Output>) -> Token {
    Token {
        state: State::Completed {
            at: at(5),
            decision: Decision {
                callback: None,
                output,
                by: CompletedBy::Api,
                subject: None,
                is_by_owner: false,
            },
        },
        home: Home::Upstream,
        ..Token::new(at(0), None, Vec::new())
    }
}
