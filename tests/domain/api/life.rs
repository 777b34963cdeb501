//! The bodies of cancel and extend.
use super::{NOW, at, field};
use proptest::prelude::*;
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::api::life::{parse_cancel, parse_extend};

fn cancel(body: &str) -> Result<Option<String>, ApiError> {
    parse_cancel(body.as_bytes())
}

fn extend(body: &str) -> Result<u64, ApiError> {
    parse_extend(body.as_bytes(), at(NOW)).map(|timeout| timeout.as_millis() - NOW)
}

#[test]
fn a_cancel_may_have_a_reason() {
    for (body, reason) in [
        ("", None),
        ("{}", None),
        (r#"{"reason":null}"#, None),
        (r#"{"reason":""}"#, None),
        (r#"{"reason":" \n"}"#, None),
        (r#"{"reason":"sold out"}"#, Some("sold out")),
        (r#"{"other":1,"reason":"\u00e9"}"#, Some("é")),
    ] {
        assert_eq!(cancel(body).unwrap().as_deref(), reason, "{body}");
    }
    let long = "é".repeat(500);
    let reason = cancel(&format!(r#"{{"reason":"{long}"}}"#)).unwrap();
    assert_eq!(reason, Some(long));
}

#[test]
fn a_reason_that_is_none_is_named() {
    for body in [r#"{"reason":1}"#, r#"{"reason":["a"]}"#, r#"{"reason":{}}"#] {
        assert_eq!(field(cancel(body)), Some("reason"), "{body}");
    }
    let long = cancel(&format!(r#"{{"reason":"{}"}}"#, "a".repeat(501)));
    let said = long.unwrap_err().to_string();
    assert!(said.contains("501") && said.contains("500"), "{said}");
    assert_eq!(field(cancel("[]")), Some(""));
    assert_eq!(field(cancel(r#"{"reason":"a","reason":"b"}"#)), Some(""));
    for body in ["{", "null", "reason", " "] {
        assert!(matches!(cancel(body), Err(ApiError::InvalidJson)), "{body}");
    }
}

#[test]
fn an_extension_counts_from_now_or_is_a_date() {
    for (body, wait) in [
        (r#"{"timeout":"30s"}"#, 30_000),
        (r#"{"timeout":"1h30m"}"#, 5_400_000),
        (r#"{"timeout":"2026-09-26T00:00:01Z"}"#, 1_000),
        (r#"{"timeout":1790380800001}"#, 1),
        (r#"{"timeout":"1h","other":1}"#, 3_600_000),
    ] {
        assert_eq!(extend(body).unwrap(), wait, "{body}");
    }
}

#[test]
fn an_extension_needs_a_timeout_that_is_to_come() {
    for body in [
        "{}",
        r#"{"timeout":null}"#,
        r#"{"timeout":""}"#,
        r#"{"timeout":"2 houers"}"#,
        r#"{"timeout":"2026-09-25T00:00:00Z"}"#,
        r#"{"timeout":1790380800000}"#,
        r#"{"timeout":{}}"#,
        r#"{"timeout":true}"#,
        r#"{"timeout":"9999999999d"}"#,
    ] {
        assert_eq!(field(extend(body)), Some("timeout"), "{body}");
    }
    let said = extend("{}").unwrap_err().to_string();
    assert!(said.contains("timeout is missing. Use "), "{said}");
    assert!(matches!(extend(""), Err(ApiError::BodyEmpty)));
    assert!(matches!(extend("{"), Err(ApiError::InvalidJson)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_body_panics(body in any::<Vec<u8>>(), text in ".*") {
        let _ = (parse_cancel(&body), parse_extend(&body, at(NOW)));
        let reason = format!(r#"{{"reason":{text},"timeout":{text}}}"#);
        let _ = (cancel(&reason), extend(&reason));
    }
}
