//! What upstream answers: a token, and bodies with the URLs of tokens.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use waitpoint::domain::api::token_body::{Visibility, token_json};
use waitpoint::domain::relay::conflict::detect_conflict;
use waitpoint::domain::relay::import::{created_id, read_token};
use waitpoint::domain::relay::merge::merge;
use waitpoint::domain::relay::rewrite::rewrite_urls;
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::delivery::UpstreamConflict;
use waitpoint::domain::token::{CompletedBy, Decision, State, Token};

const ORIGIN: &str = "https://edge.example";

fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

fuzz_target!(|text: &str| {
    let rewritten = rewrite_urls(text, ORIGIN);
    assert_eq!(rewrite_urls(&rewritten, ORIGIN), rewritten);
    if is_json(text) {
        assert!(is_json(&rewritten), "{rewritten}");
    }
    if let Some(id) = created_id(text) {
        assert!(text.len() > id.len() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
    let Some(theirs) = read_token(text, ORIGIN) else {
        return;
    };
    let now = Timestamp::from_millis(1_790_380_800_000);
    for reader in [Visibility::Owner, Visibility::Webhook, Visibility::Token] {
        assert!(is_json(&token_json(
            "cabc",
            "https://edge.example/x",
            &theirs,
            reader
        )));
    }
    let note = match &theirs.state {
        State::TimedOut => Some(UpstreamConflict::TimedOutUpstream),
        State::Waiting | State::Completed { .. } => None,
        State::Cancelled { .. } => unreachable!("upstream has no such end"),
    };
    assert_eq!(detect_conflict(&theirs, &theirs), note);
    // A decision that stands here goes before whatever upstream says.
    let ours = Token {
        state: State::Completed {
            at: now,
            decision: Decision {
                is_by_owner: false,
                callback: None,
                output: None,
                by: CompletedBy::Api,
                subject: None,
            },
        },
        ..Token::new(now, None, Vec::new())
    };
    assert_eq!(merge(ours.clone(), theirs.clone()).state, ours.state);
    let waiting = Token::new(now, None, Vec::new());
    assert_eq!(merge(waiting, theirs.clone()).state, theirs.state);
});
