//! Bodies of responses.
use super::{JSON, NOW, at, completed, token};
use proptest::prelude::*;
use serde_json::Value;
use waitpoint::domain::api::claims::claims_json;
use waitpoint::domain::api::create::created_json;
use waitpoint::domain::api::token_body::{Visibility, token_json};
use waitpoint::domain::token::{CompletedBy, Decision, Output, OutputKind, State, Token};

#[test]
fn a_waiting_token_is_written_so() {
    assert_eq!(
        token_json(
            "waitpoint_c1",
            "https://w.test/u",
            &token(State::Waiting),
            Visibility::Webhook
        ),
        concat!(
            r#"{"id":"waitpoint_c1","type":"MANUAL","url":"https://w.test/u","status":"WAITING","#,
            r#""userProvidedIdempotencyKey":false,"outputType":"application/json","outputIsError":false,"#,
            r#""timeoutAt":"2026-09-26T00:01:00.000Z","completedAfter":"2026-09-26T00:01:00.000Z","#,
            r#""createdAt":"2026-09-26T00:00:00.000Z","tags":["b","a"]}"#
        )
    );
    assert_eq!(
        token_json(
            "waitpoint_c1",
            "u",
            &Token::new(at(NOW), None, Vec::new()),
            Visibility::Webhook
        ),
        concat!(
            r#"{"id":"waitpoint_c1","type":"MANUAL","url":"u","status":"WAITING","#,
            r#""userProvidedIdempotencyKey":false,"outputType":"application/json","outputIsError":false,"#,
            r#""createdAt":"2026-09-26T00:00:00.000Z","tags":[]}"#
        )
    );
}

#[test]
fn a_completed_token_is_written_so() {
    let state = State::Completed {
        at: at(NOW + 1_500),
        decision: Decision {
            callback: None,
            output: Some(Output {
                kind: OutputKind::Json,
                text: r#"{"a": "é"}"#.to_owned(),
            }),
            by: CompletedBy::Callback,
            subject: Some("user_1".to_owned()),
            is_by_owner: false,
        },
    };
    assert_eq!(
        token_json("waitpoint_c1", "u", &token(state), Visibility::Webhook),
        concat!(
            r#"{"id":"waitpoint_c1","type":"MANUAL","url":"u","status":"COMPLETED","#,
            r#""userProvidedIdempotencyKey":false,"output":"{\"a\": \"é\"}","#,
            r#""outputType":"application/json","outputIsError":false,"#,
            r#""timeoutAt":"2026-09-26T00:01:00.000Z","completedAfter":"2026-09-26T00:01:00.000Z","#,
            r#""completedAt":"2026-09-26T00:00:01.500Z","createdAt":"2026-09-26T00:00:00.000Z","#,
            r#""tags":["b","a"],"completedBy":"callback","completedBySubject":"user_1"}"#
        )
    );
}

#[test]
fn a_token_completed_with_nothing_has_no_output() {
    let state = State::Completed {
        at: at(NOW),
        decision: Decision {
            callback: None,
            output: None,
            by: CompletedBy::Api,
            subject: None,
            is_by_owner: false,
        },
    };
    let token: Value =
        serde_json::from_str(&token_json("i", "u", &token(state), Visibility::Owner)).unwrap();
    assert_eq!(token.get("output"), None);
    assert_eq!(token.get("completedBySubject"), None);
    assert_eq!(token["outputType"], JSON);
    assert_eq!(token["completedBy"], "api");
}

#[test]
fn a_token_that_timed_out_is_written_so() {
    assert_eq!(
        token_json(
            "waitpoint_c1",
            "u",
            &token(State::TimedOut),
            Visibility::Webhook
        ),
        concat!(
            r#"{"id":"waitpoint_c1","type":"MANUAL","url":"u","status":"TIMED_OUT","#,
            r#""userProvidedIdempotencyKey":false,"output":"{\"code\":\"TRIGGER_WAITPOINT_TIMEOUT\","#,
            r#"\"message\":\"Waitpoint timed out at 2026-09-26T00:01:00.000Z\"}","#,
            r#""outputType":"application/json","outputIsError":true,"#,
            r#""timeoutAt":"2026-09-26T00:01:00.000Z","completedAfter":"2026-09-26T00:01:00.000Z","#,
            r#""completedAt":"2026-09-26T00:01:00.000Z","createdAt":"2026-09-26T00:00:00.000Z","#,
            r#""tags":["b","a"]}"#
        )
    );
}

#[test]
fn the_other_answers_are_written_so() {
    assert_eq!(
        created_json(
            "waitpoint_c1",
            false,
            "https://w.test/u",
            "https://w.test/s",
            &[],
        ),
        r#"{"id":"waitpoint_c1","isCached":false,"url":"https://w.test/u","shortUrl":"https://w.test/s"}"#
    );
    assert_eq!(claims_json("env_1"), r#"{"sub":"env_1","pub":true}"#);
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_text_comes_back_through_retrieve(text in ".*") {
        let token = token_json("i", "u", &token(completed(OutputKind::Text, &text)), Visibility::Owner);
        let token: Value = serde_json::from_str(&token).unwrap();
        prop_assert_eq!(token["output"].as_str(), Some(text.as_str()));
        prop_assert_eq!(token["outputType"].as_str(), Some("text/plain"));
    }

    #[test]
    fn nothing_in_an_answer_is_null(
        timeout in proptest::option::of(NOW..NOW * 2),
        subject in proptest::option::of(".*"),
        output in proptest::option::of(Just("null".to_owned())),
        state in 0..3,
    ) {
        let output = output.map(|text| Output { kind: OutputKind::Json, text });
        let decision = Decision { output, by: CompletedBy::Api, subject, callback: None, is_by_owner: false };
        let state = match state {
            0 => State::Waiting,
            1 => State::Completed { at: at(NOW), decision },
            _ => State::TimedOut,
        };
        let token = Token { state, ..Token::new(at(NOW), timeout.map(at), Vec::new()) };
        let token: Value = serde_json::from_str(&token_json("i", "u", &token, Visibility::Owner)).unwrap();
        prop_assert!(!has_null(&token), "{}", token);
    }
}
