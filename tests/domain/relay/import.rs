//! What upstream says of a token, and what is said to it.
use super::output;
use proptest::prelude::*;
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::api::limits::MAX_CREATE;
use waitpoint::domain::relay::complete_body::{complete_json, complete_json_len};
use waitpoint::domain::relay::edge_fields::EdgeFields;
use waitpoint::domain::relay::import::{created_id, read_token};
use waitpoint::domain::relay::rewrite::rewrite_urls;
use waitpoint::domain::relay::settings::Upstreams;
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::home::Home;
use waitpoint::domain::token::{CompletedBy, OutputKind, State};

#[test]
fn what_the_edge_alone_knows_is_found_in_a_create() {
    let marked =
        "\u{feff} {\"timeout\":\"1h\",\"approval\":{\"title\":\"?\"},\"webhook\":{\"url\":\"u\"}}";
    let extras = EdgeFields::of(marked.as_bytes()).unwrap();
    assert_eq!(extras.approval.as_deref(), Some(r#"{"title":"?"}"#));
    assert_eq!(extras.webhook.as_deref(), Some(r#"{"url":"u"}"#));
    for body in [
        "",
        "{}",
        "[]",
        "null",
        "{",
        r#"["a","b"]"#,
        r#"{"approval":null}"#,
    ] {
        assert_eq!(
            EdgeFields::of(body.as_bytes()),
            Ok(EdgeFields::default()),
            "{body}"
        );
    }
    // Upstream would take the second, and nobody would be asked either.
    for body in [
        r#"{"approval":{},"approval":{}}"#,
        r#"{"webhook":1,"x":2,"webhook":1}"#,
    ] {
        assert!(EdgeFields::of(body.as_bytes()).is_err(), "{body}");
    }
    assert_eq!(
        created_id(r#"{"id":"waitpoint_c1","x":1}"#),
        Some("c1".into())
    );
    for body in ["", "{}", r#"{"id":"waitpoint_a_b"}"#, r#"{"id":5}"#] {
        assert_eq!(created_id(body), None, "{body}");
    }
}

#[test]
fn what_upstream_says_of_a_token_is_bounded_as_a_create_is() {
    let token = |field: &str| {
        let json = format!(
            r#"{{"id":"waitpoint_c1","status":"WAITING","createdAt":"2026-01-01T00:00:00.000Z",{field}}}"#
        );
        read_token(&json, "").unwrap()
    };
    assert_eq!(token(r#""tags":["a","b"]"#).tags, ["a", "b"]);
    assert!(token(r#""approval":{"title":"?"}"#).approval.is_some());
    for field in [
        format!(r#""tags":[{}""]"#, "\"\",".repeat(1_000_000)),
        format!(r#""tags":[{}""]"#, "\"\",".repeat(11)),
        r#""tags":"a","approval":{"titel":1}"#.replace("\"a\"", "5"),
        format!(r#""approval":{{"title":"{}"}}"#, "‹".repeat(2_000_000)),
        format!(
            r#""approval":{{"choices":[{}{{"label":"x"}}]}}"#,
            r#"{"label":"y"},"#.repeat(300_000)
        ),
    ] {
        let read = token(&field);
        assert_eq!((read.tags.len(), read.approval), (0, None));
    }
}

#[test]
fn a_token_is_read_as_trigger_dev_tells_it() {
    let told = r#"{"id":"waitpoint_c1","type":"MANUAL","url":"u","status":"COMPLETED",
        "idempotencyKey":"random","userProvidedIdempotencyKey":false,
        "output":"{\"json\":{\"a\":1},\"meta\":{}}","outputType":"application/super+json","outputIsError":false,
        "timeoutAt":"2030-01-01T00:00:00.000Z","completedAt":"2026-01-02T00:00:00.000Z",
        "createdAt":"2026-01-01T00:00:00.000Z","tags":["b","a"]}"#;
    let token = read_token(told, "https://edge.example").unwrap();
    assert_eq!(
        token.created_at,
        Timestamp::parse_iso("2026-01-01").unwrap()
    );
    assert_eq!(token.timeout_at, Timestamp::parse_iso("2030-01-01"));
    assert_eq!(token.tags, ["b", "a"]);
    assert_eq!(token.key, None, "a random one is nobody's");
    assert_eq!(token.home, Home::Upstream);
    let State::Completed { at, decision } = &token.state else {
        panic!("{:?}", token.state)
    };
    assert_eq!(Some(*at), Timestamp::parse_iso("2026-01-02"));
    assert_eq!(decision.output, output(OutputKind::Json, r#"{"a":1}"#));
    assert_eq!(decision.by, CompletedBy::Upstream);

    let late = told
        .replace("COMPLETED", "TIMED_OUT")
        .replace("2030-01-01", "2026-01-02");
    let late = read_token(&late, "").unwrap();
    assert_eq!(late.state, State::TimedOut);
    assert_eq!(late.finished_at(), Timestamp::parse_iso("2026-01-02"));
    for bad in [
        "",
        "{}",
        "[]",
        &told.replace("COMPLETED", "LOST"),
        &told.replace("2026-01-01T", "T"),
    ] {
        assert_eq!(read_token(bad, ""), None, "{bad}");
    }
}

#[test]
fn an_output_is_handed_on_as_it_is() {
    for (given, body) in [
        (None, "{}"),
        (
            output(OutputKind::Json, r#"{"a": 1e400}"#),
            r#"{"data":{"a": 1e400}}"#,
        ),
        (output(OutputKind::Json, "null"), r#"{"data":null}"#),
        (output(OutputKind::Text, "a\"b"), r#"{"data":"a\"b"}"#),
    ] {
        assert_eq!(complete_json(given.as_ref()), body);
        assert_eq!(complete_json_len(given.as_ref()), body.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn nothing_that_upstream_says_panics(text in ".*", json in r#"(\{|\}|"url":|"|/api/v1/waitpoints/tokens/|\\|é| ){0,40}"#) {
        for text in [&text, &json] {
            let _ = (read_token(text, ""), created_id(text), EdgeFields::of(text.as_bytes()).is_ok(), Upstreams::parse(text).is_ok());
            let rewritten = rewrite_urls(text, "https://e.example");
            prop_assert_eq!(rewrite_urls(&rewritten, "https://e.example"), rewritten);
        }
    }
}

#[test]
fn a_create_goes_upstream_without_what_only_the_edge_knows() {
    let fit = |body: &str| {
        let fields = EdgeFields::of(body.as_bytes()).unwrap();
        let fitted = fields.fit(body.as_bytes());
        fitted.map(|body| String::from_utf8(body.into_owned()).unwrap())
    };
    let text = "x".repeat(MAX_CREATE);
    let plain = r#" {"tags": [ "b" ], "x":1} "#;
    assert_eq!(fit(plain).as_deref(), Ok(plain));
    let short = r#"{"approval":{},"x":1,"notify":[],"reminders":[],"onTimeout":{},"callback":{}}"#;
    assert_eq!(fit(short).as_deref(), Ok(r#"{"x":1}"#));
    let long = format!(
        "\u{feff}{{\"a\\u0000\":[1e400, 2],\"approval\":{{\"title\":\"{text}\"}},\"webhook\":{{}},\"tags\":\"b\"}}"
    );
    let rest = r#"{"a\u0000":[1e400, 2],"tags":"b"}"#;
    assert_eq!(fit(&long).as_deref(), Ok(rest));
    for (body, size) in [
        (format!(r#"{{"x":"{text}"}}"#), MAX_CREATE + 8),
        (
            format!(r#"{{"x":"{text}","approval":null}}"#),
            MAX_CREATE + 24,
        ),
        (format!(r#"{{"webhook":"{text}"}}"#), MAX_CREATE + 14),
        (
            format!(r#"{{"x":"{text}","approval":{{}}}}"#),
            MAX_CREATE + 8,
        ),
        (text.clone() + "x", MAX_CREATE + 1),
    ] {
        let limit = MAX_CREATE;
        assert_eq!(fit(&body), Err(ApiError::BodyTooLarge { limit, size }));
    }
}
