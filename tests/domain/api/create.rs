//! The body of create.
use super::{NOW, at, create, field};
use serde_json::json;
use waitpoint::domain::api::create::{CreateRequest, unknown_key_of_create};
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::api::limits::{MAX_CREATE, MAX_CREATE_WITH_APPROVAL, MAX_TAG, MAX_TAGS};

#[test]
fn create_needs_no_field() {
    for body in [
        "{}",
        " {\t}\r\n",
        r#"{"timeout":null}"#,
        r#"{"tags":[]}"#,
        r#"{"idempotencyKey":""}"#,
        r#"{"idempotencyKeyTTL":"1h","unknown":{"timeout":"x"},"__proto__":[1]}"#,
    ] {
        let request = create(body).unwrap();
        assert_eq!(request.timeout_at, None, "{body}");
        assert_eq!(request.tags, [""; 0], "{body}");
        assert!(request.key.is_none(), "{body}");
    }
}

#[test]
fn a_timeout_is_a_duration_a_date_or_a_number_of_milliseconds() {
    for (timeout, expected) in [
        (r#""10m""#, NOW + 600_000),
        (r#""1h30m""#, NOW + 5_400_000),
        (r#""1\u0068""#, NOW + 3_600_000),
        (r#""0s""#, NOW),
        (r#""2026-09-26T00:00:01.000Z""#, NOW + 1_000),
        (r#""2026-09-27""#, NOW + 86_400_000),
        ("1790380800001", NOW + 1),
        // As Python and others write a number that was not an integer before.
        ("1790380801000.0", NOW + 1_000),
        ("1790380801000.000", NOW + 1_000),
        ("253402300799999", 253_402_300_799_999),
    ] {
        let request = create(format!(r#"{{"timeout":{timeout}}}"#)).unwrap();
        assert_eq!(request.timeout_at, Some(at(expected)), "{timeout}");
    }
}

#[test]
fn a_timeout_that_cannot_be_used_is_named_with_the_accepted_forms() {
    for (timeout, named) in [
        (r#""10 minutes""#, r#""10 minutes" is not a valid timeout"#),
        (r#""""#, r#""" is not a valid timeout"#),
        (r#""1H""#, r#""1H" is not a valid timeout"#),
        (
            r#""1790380800001""#,
            r#""1790380800001" is not a valid timeout"#,
        ),
        (r#""2020-01-01""#, r#""2020-01-01" is in the past"#),
        (
            r#""99999999999999999999w""#,
            r#""99999999999999999999w" is after the year 9999"#,
        ),
        ("0", r#""0" is in the past"#),
        ("1790380800000", r#""1790380800000" is in the past"#),
        ("1790380800", r#""1790380800" is in the past"#),
        ("-1", "\"-1\" is not a valid timeout"),
        ("true", "\"true\" is not a valid timeout"),
        ("[]", "\"[]\" is not a valid timeout"),
        (r#"["1h"]"#, r#""[\"1h\"]" is not a valid timeout"#),
        ("{}", "\"{}\" is not a valid timeout"),
        (r#""\ud800""#, r#""\"\\ud800\"" is not a valid timeout"#),
    ] {
        let error = create(format!(r#"{{"timeout":{timeout}}}"#)).unwrap_err();
        let said = error.to_string();
        assert_eq!(error.status(), 400, "{timeout}");
        assert!(
            said.starts_with(&format!("Validation error at \"timeout\": {named}. Use ")),
            "{said}"
        );
        assert!(
            said.contains("\"1h30m\"") && said.contains("ISO 8601"),
            "{said}"
        );
        assert!(said.ends_with(" date."), "{said}");
        assert_eq!(field::<()>(Err(error)), Some("timeout"));
    }
}

#[test]
fn a_number_beyond_the_year_9999_is_no_timeout() {
    for timeout in ["253402300800000", "18446744073709551615"] {
        let refused = create(format!(r#"{{"timeout":{timeout}}}"#));
        assert_eq!(field(refused), Some("timeout"), "{timeout}");
    }
}

#[test]
fn a_long_value_is_shortened_before_it_is_quoted() {
    for length in [65, 5_000] {
        let timeout = "é".repeat(length);
        let error = create(format!(r#"{{"timeout":"{timeout}"}}"#)).unwrap_err();
        let quoted = format!("\"{}…\" is not a valid timeout", "é".repeat(64));
        assert!(error.to_string().contains(&quoted), "{error}");
    }
}

#[test]
fn tags_are_kept_as_they_are() {
    for (tags, expected) in [
        (r#""one""#, vec!["one"]),
        (r#""""#, vec![""]),
        (r#"["b","a","b",""," "]"#, vec!["b", "a", "b", "", " "]),
        (r#"["a,b","\u00e9","😀"]"#, vec!["a,b", "é", "😀"]),
    ] {
        let request = create(format!(r#"{{"tags":{tags}}}"#)).unwrap();
        assert_eq!(request.tags, expected, "{tags}");
    }
}

#[test]
fn what_is_no_tag_is_refused() {
    for tags in [
        "1",
        "true",
        "{}",
        "[1]",
        r#"["a",null]"#,
        r#"[["a"]]"#,
        r#"["\ud800"]"#,
        r#"{"0":"a"}"#,
    ] {
        let refused = create(format!(r#"{{"tags":{tags}}}"#));
        assert_eq!(field(refused), Some("tags"), "{tags}");
    }
}

#[test]
fn a_tag_has_at_most_128_utf_16_units() {
    for (tag, fits) in [
        ("a".repeat(MAX_TAG), true),
        ("é".repeat(MAX_TAG), true),
        ("😀".repeat(MAX_TAG / 2), true),
        ("a".repeat(MAX_TAG + 1), false),
        ("😀".repeat(MAX_TAG / 2) + "a", false),
        ("😀".repeat(MAX_TAG), false),
    ] {
        for tags in [json!(tag), json!([tag]), json!(["a", tag])] {
            let request = create(json!({ "tags": tags }).to_string());
            assert_eq!(request.is_ok(), fits, "{tag}");
            assert_eq!(field(request), (!fits).then_some("tags"), "{tag}");
        }
    }
}

#[test]
fn a_token_has_at_most_10_tags() {
    let tags = |count| create(json!({ "tags": vec!["a"; count] }).to_string());
    assert_eq!(tags(MAX_TAGS).unwrap().tags.len(), 10);
    let error = tags(MAX_TAGS + 1).unwrap_err();
    assert_eq!(error, ApiError::TooManyTags(11));
    assert_eq!(error.status(), 422);
    assert_eq!(
        error.to_string(),
        "Waitpoints can only have 10 tags, you're trying to set 11."
    );
}

#[test]
fn an_idempotency_key_is_a_text_of_at_most_2048_units() {
    for (key, given) in [
        (json!("k"), Some(true)),
        (json!(""), Some(false)),
        (json!(" "), Some(true)),
        (json!("k".repeat(2_048)), Some(true)),
        (json!("😀".repeat(1_024)), Some(true)),
        (json!("k".repeat(2_049)), None),
        (json!("😀".repeat(1_025)), None),
        (json!(1), None),
        (json!(false), None),
        (json!(["k"]), None),
        (json!({}), None),
    ] {
        let request = create(json!({ "idempotencyKey": key }).to_string());
        let found = request.as_ref().ok().map(|request| request.key.is_some());
        assert_eq!(found, given, "{key}");
        assert_eq!(field(request), given.is_none().then_some("idempotencyKey"));
    }
}

#[test]
fn a_field_of_create_stands_once() {
    for body in [
        r#"{"timeout":"1h","timeout":"2h"}"#,
        r#"{"tags":"a","t\u0061gs":"b"}"#,
    ] {
        assert_eq!(field(create(body)), Some(""), "{body}");
    }
}

#[test]
fn a_key_of_create_that_means_nothing_is_named() {
    let all = r#"{"timeout":"1h","tags":["a"],"idempotencyKey":"k","idempotencyKeyTTL":"1h","webhook":{"url":"https://x.example/"}}"#;
    for (body, unknown) in [
        ("{}", None),
        (all, None),
        (r#"{"approval":{"title":"t"}}"#, None),
        (r#"{"timout":"1h","tags":["a"]}"#, Some("timout")),
        (r#"{"tags":["timout"],"a":{"b":1},"b":2}"#, Some("a")),
    ] {
        assert_eq!(
            unknown_key_of_create(body.as_bytes()).as_deref(),
            unknown,
            "{body}"
        );
    }
}

#[test]
fn only_a_create_with_an_approval_may_be_longer() {
    let create = |body: String| CreateRequest::parse_bounded(body.as_bytes(), at(NOW));
    let padded = |fields: &str, size: usize| {
        let start = format!(r#"{{{fields}"x":""#);
        format!(r#"{start}{}"}}"#, "y".repeat(size - start.len() - 2))
    };
    for fields in ["", r#""approval":null,"#, r#""tags":["approval"],"#] {
        assert!(create(padded(fields, MAX_CREATE)).is_ok(), "{fields}");
        let error = create(padded(fields, MAX_CREATE + 1)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Request body too large: it has 10241 bytes, and at most 10240 are allowed."
        );
    }
    let no_object = create("x".repeat(MAX_CREATE + 1)).unwrap_err();
    assert_eq!(no_object.status(), 413);
    let broken = create(padded("", MAX_CREATE + 1) + "}").unwrap_err();
    assert_eq!(broken, ApiError::InvalidJson);
    let fields = r#""approval":{"title":"?"},"#;
    assert!(create(padded(fields, MAX_CREATE_WITH_APPROVAL)).is_ok());
}

#[test]
fn the_longest_approval_fits_however_it_is_written() {
    for unit in ["漢", r"\u0416", r"\ud83c\udf89"] {
        let text = |count: usize| unit.repeat(count);
        let label = |n: usize| format!(r#"{{"label":"{n}{}"}}"#, text(39));
        let labels: Vec<_> = (0..6).map(label).collect();
        let body = format!(
            r#"{{"approval":{{"title":"{}","description":"{}","requestedBy":"{}","choices":[{}]}}}}"#,
            text(120),
            text(4_000),
            text(120),
            labels.join(",")
        );
        assert!(body.len() > MAX_CREATE && body.len() <= MAX_CREATE_WITH_APPROVAL);
        assert!(create(body).is_ok(), "{unit}");
    }
}

#[test]
fn keys_and_tags_are_counted_as_trigger_dev_counts_them() {
    for (unit, most) in [("漢", 128), ("🎉", 64)] {
        let tag = |count: usize| format!(r#"{{"tags":"{}"}}"#, unit.repeat(count));
        assert!(create(tag(most)).is_ok());
        assert!(create(tag(most + 1)).is_err());
        let key = |count: usize| format!(r#"{{"idempotencyKey":"{}"}}"#, unit.repeat(count));
        assert!(create(key(most * 16)).is_ok());
        assert!(create(key(most * 16 + 1)).is_err());
    }
}

#[test]
fn an_empty_webhook_is_no_webhook_of_ours() {
    for webhook in ["{}", "[]", r#""""#, r#"{"url":null}"#] {
        let error = create(format!(r#"{{"webhook":{webhook}}}"#)).unwrap_err();
        assert!(error.to_string().contains("webhook"), "{webhook}: {error}");
    }
    assert_eq!(create(r#"{"webhook":null}"#).unwrap().webhook, None);
}
