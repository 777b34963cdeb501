//! What machines post to `token.url`.
use super::{FORM, JSON, as_json, as_text, callback};
use waitpoint::domain::api::callback::parse_callback;
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::api::limits::MAX_COMPLETE;

#[test]
fn a_callback_of_nothing_is_an_empty_object() {
    for body in ["", " ", "\r\n\t", "\u{feff}", "\u{feff} "] {
        for content_type in ["", JSON, FORM, "text/plain"] {
            assert_eq!(callback(content_type, body), as_json("{}"), "{body:?}");
        }
    }
}

#[test]
fn json_is_kept_whatever_type_it_claims() {
    let body = r#"{"a": [1.0, "é"]}"#;
    for content_type in [
        "",
        JSON,
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "text/plain;charset=UTF-8",
        "text/html",
        "application/octet-stream",
        "application/cloudevents+json",
        FORM,
        "Application/X-WWW-Form-Urlencoded; charset=utf-8",
        ";;;",
    ] {
        assert_eq!(
            callback(content_type, body),
            as_json(body),
            "{content_type}"
        );
        let marked = format!("\u{feff}{body}");
        assert_eq!(
            callback(content_type, marked),
            as_json(body),
            "{content_type}"
        );
    }
    for body in ["[1]", "\"a=b\"", " [ ]"] {
        assert_eq!(callback(FORM, body), as_json(body.trim()), "curl -d {body}");
    }
    for body in ["1", "null", "true", "\"\"", "0"] {
        assert_eq!(callback(JSON, body), as_json(body));
        assert_eq!(callback("text/plain", body), as_json(body));
    }
}

#[test]
fn other_text_stays_text() {
    for body in [
        "hello",
        "{",
        "{a}=1&b=2",
        "<Response/>",
        "a=1",
        "01",
        " x ",
        "NaN",
        "{} {}",
    ] {
        for content_type in ["", JSON, "text/plain", "text/xml"] {
            assert_eq!(
                callback(content_type, body),
                as_text(body),
                "{content_type}"
            );
        }
    }
    assert_eq!(callback("", "\u{feff}hello"), as_text("hello"));
}

#[test]
fn a_multipart_form_is_not_read() {
    for content_type in ["multipart/form-data; boundary=x", "Multipart/Form-Data"] {
        for body in ["", "--x--", "{}"] {
            let error = parse_callback(content_type, body.as_bytes()).unwrap_err();
            let media_type = "multipart/form-data".to_owned();
            assert_eq!(error, ApiError::UnsupportedMediaType(media_type));
            assert_eq!(error.status(), 415);
        }
    }
}

#[test]
fn a_callback_is_utf_8() {
    for content_type in ["", JSON, FORM, "text/plain"] {
        for body in [
            &b"\xff"[..],
            b"\"\xc3\"",
            b"a=\xe9",
            b"\xff\xfe{\0}\0",
            b"\xed\xa0\x80",
        ] {
            let refused = parse_callback(content_type, body);
            assert_eq!(refused, Err(ApiError::InvalidJson), "{body:?}");
        }
    }
}

#[test]
fn a_text_that_answers_would_multiply_is_too_large() {
    // Six bytes of an answer each.
    let controls = |count| "\u{1}".repeat(count);
    let most = (2 * MAX_COMPLETE - 2) / 6;
    assert_eq!(callback("text/plain", controls(most)).1.len(), most);
    assert_eq!(
        parse_callback("text/plain", controls(most + 1).as_bytes()),
        Err(ApiError::BodyTooLarge {
            limit: 2 * MAX_COMPLETE,
            size: 6 * (most + 1) + 2,
        })
    );
    for text in ["\"\\\n\r\t\u{8}\u{c}\u{b}\u{1f}x€\u{7f}", "plain", "\u{0}"] {
        let json = serde_json::to_string(&text.repeat(100)).unwrap();
        let quoted = text.repeat(2 * MAX_COMPLETE / (json.len() - 2) * 100);
        assert!(
            parse_callback("text/plain", quoted.as_bytes()).is_ok(),
            "{text:?}"
        );
        let longer = quoted + &text.repeat(100);
        assert!(
            parse_callback("text/plain", longer.as_bytes()).is_err(),
            "{text:?}"
        );
    }
}
