//! Bodies, paths, errors and limits of the API.

mod body;
mod complete;
mod create;
mod create_fields;
mod form;
mod history_body;
mod life;
mod link_repair;
mod notify;
mod openapi;
mod public_url;
mod rate_limit;
mod route;
mod token_body;

use crate::tests::domain::callback::content::parse_callback;
use proptest::collection::btree_map;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use waitpoint::domain::api::complete::CompleteRequest;
use waitpoint::domain::api::create::CreateRequest;
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::{CompletedBy, Decision, Output, OutputKind, State, Token};

pub(super) const FORM: &str = "application/x-www-form-urlencoded";
pub(super) const JSON: &str = "application/json";

/// 2026-09-26T00:00:00.000Z
const NOW: u64 = 1_790_380_800_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn create(body: impl AsRef<[u8]>) -> Result<CreateRequest, ApiError> {
    CreateRequest::parse(body.as_ref(), at(NOW))
}

fn complete(body: impl AsRef<[u8]>) -> Result<CompleteRequest, ApiError> {
    CompleteRequest::parse(body.as_ref())
}

/// The field of which a body is found invalid.
fn field<T>(result: Result<T, ApiError>) -> Option<&'static str> {
    match result {
        Err(ApiError::ValidationError { path, .. }) => Some(path),
        _ => None,
    }
}

/// What complete makes of `{"data":…}`.
fn data(text: &str) -> Option<String> {
    let request = complete(format!(r#"{{"data":{text}}}"#)).unwrap();
    assert_eq!(request.unknown_key, None);
    request.output.map(|output| {
        assert_eq!(output.kind, OutputKind::Json);
        output.text
    })
}

pub(super) fn callback(content_type: &str, body: impl AsRef<[u8]>) -> (OutputKind, String) {
    let output = parse_callback(content_type, body.as_ref()).unwrap();
    (output.kind, output.text)
}

pub(super) fn as_json(text: &str) -> (OutputKind, String) {
    (OutputKind::Json, text.to_owned())
}

pub(super) fn as_text(text: &str) -> (OutputKind, String) {
    (OutputKind::Text, text.to_owned())
}

const NO_OBJECTS: [(&str, &str); 12] = [
    ("[]", "array"),
    (r#"[{"data":1}]"#, "array"),
    ("\"x\"", "string"),
    (" \"{}\" ", "string"),
    ("1", "number"),
    ("-1", "number"),
    ("1e400", "number"),
    ("true", "boolean"),
    (" [1] ", "array"),
    ("[[]]", "array"),
    ("\"\\u0000\"", "string"),
    ("5.5", "number"),
];

const NO_JSON: [&[u8]; 24] = [
    b" ",
    b"null",
    b"false",
    b"0",
    b"\"\"",
    b" null\n",
    b"x",
    b"{",
    b"}",
    b"{}}",
    b"{} x",
    b"{}{}",
    b"{,}",
    b"{'data':1}",
    b"{data:1}",
    b"{\"data\"}",
    b"{\"data\":}",
    b"{\"data\":1,}",
    b"{\"data\":01}",
    b"{\"data\":NaN}",
    b"{\"data\":\"\n\"}",
    b"{\"data\":\"\\x\"}",
    b"{\"data\":\"\xff\"}",
    b"\xff",
];

fn token(state: State) -> Token {
    let tags = vec!["b".to_owned(), "a".to_owned()];
    Token {
        state,
        ..Token::new(at(NOW), Some(at(NOW + 60_000)), tags)
    }
}

fn completed(kind: OutputKind, text: &str) -> State {
    let output = Some(Output {
        kind,
        text: text.to_owned(),
    });
    let (by, subject) = (CompletedBy::Api, None);
    State::Completed {
        at: at(NOW + 1_500),
        decision: Decision {
            callback: None,
            output,
            by,
            subject,
            is_by_owner: false,
        },
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}
