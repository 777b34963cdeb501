//! The bodies that machines post to `token.url`.
use crate::tests::domain::api::{FORM, JSON, as_json, as_text, callback};
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::api::form::{Field, FieldValue, fields_to_json};
use waitpoint::domain::api::limits::MAX_COMPLETE;
use waitpoint::domain::callback::charset::{DecodeError, Decoder};
use waitpoint::domain::callback::content::{Content, NOT_JSON};
use waitpoint::domain::callback::media_type::MediaType;
use waitpoint::domain::token::Output;

/// Three of the charsets that the platform knows.
pub(super) struct SomeCharsets;

impl Decoder for SomeCharsets {
    fn decode(&self, label: &str, bytes: &[u8]) -> Result<String, DecodeError> {
        let units = |of: fn([u8; 2]) -> u16| {
            let units: Vec<_> = bytes
                .chunks(2)
                .map(|pair| of([pair[0], pair[pair.len() - 1]]))
                .collect();
            String::from_utf16(&units).map_err(|_| DecodeError::Malformed)
        };
        match label.to_ascii_lowercase().as_str() {
            "utf-8" => String::from_utf8(bytes.to_vec()).map_err(|_| DecodeError::Malformed),
            "utf-16le" => units(u16::from_le_bytes),
            "utf-16be" => units(u16::from_be_bytes),
            "iso-8859-1" | "windows-1252" => {
                Ok(bytes.iter().map(|&byte| char::from(byte)).collect())
            }
            _ => Err(DecodeError::UnknownCharset),
        }
    }
}

pub(in crate::tests::domain) fn read(
    content_type: &str,
    body: &[u8],
) -> Result<(Output, Option<&'static str>), ApiError> {
    let media = MediaType::parse(content_type);
    Content::read(&media, body, &SomeCharsets)?.into_output(&media)
}

/// The output of a body, as the Worker makes it.
pub(in crate::tests::domain) fn parse_callback(
    content_type: &str,
    body: &[u8],
) -> Result<Output, ApiError> {
    read(content_type, body).map(|(output, _)| output)
}

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
fn a_callback_is_text_in_its_charset() {
    for content_type in ["", JSON, FORM, "text/plain"] {
        for body in [
            &b"\xff"[..],
            b"\"\xc3\"",
            b"a=\xe9",
            b"\xed\xa0\x80",
            b"\xff\xfe\x00\xd8",
        ] {
            let refused = parse_callback(content_type, body);
            assert_eq!(refused, Err(ApiError::InvalidJson), "{body:?}");
        }
    }
    for (content_type, body, text) in [
        (
            "text/xml; charset=ISO-8859-1",
            &b"<a>Jos\xe9</a>"[..],
            "<a>José</a>",
        ),
        ("text/plain;charset=\"iso-8859-1\"", b"Jos\xe9", "José"),
        (
            "text/xml",
            b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>",
            "<?xml version='1.0' encoding='ISO-8859-1'?><a>é</a>",
        ),
        (
            "application/xml",
            b"<?xml version=\"1.0\" encoding=\"klingon\"?><a/>",
            "<?xml version=\"1.0\" encoding=\"klingon\"?><a/>",
        ),
        ("text/plain; charset=us-ascii", b"plain", "plain"),
        // A byte order mark wins.
        (
            "text/plain; charset=iso-8859-1",
            b"\xef\xbb\xbfJos\xc3\xa9",
            "José",
        ),
        ("text/plain", b"\xff\xfeh\0i\0", "hi"),
        ("text/plain", b"\xfe\xff\0h\0i", "hi"),
    ] {
        let output = parse_callback(content_type, body).unwrap();
        assert_eq!((output.kind, output.text), as_text(text), "{content_type}");
    }
    for body in [&b"\xff\xfe{\0}\0"[..], b"\xfe\xff\0{\0}", b"\xef\xbb\xbf{}"] {
        let output = parse_callback(JSON, body).unwrap();
        assert_eq!((output.kind, output.text), as_json("{}"), "{body:?}");
    }
    for content_type in [
        "text/plain; charset=klingon",
        "application/x-www-form-urlencoded; charset=klingon",
    ] {
        let error = parse_callback(content_type, b"a=%E9").unwrap_err();
        assert_eq!(error, ApiError::UnsupportedCharset("klingon".to_owned()));
        assert_eq!((error.status(), error.code()), (415, "unsupported_charset"));
        assert_eq!(
            error.to_string(),
            "\"klingon\" is not a known charset. Use utf-8."
        );
    }
}

#[test]
fn a_form_is_in_the_charset_of_its_type_or_of_its_own_field() {
    let latin = "application/x-www-form-urlencoded; charset=ISO-8859-1";
    for (content_type, form, json) in [
        (
            FORM,
            "first_name=Jos%E9&charset=windows-1252",
            r#"{"first_name":"José","charset":"windows-1252"}"#,
        ),
        (
            FORM,
            "a=%e9&_charset_=iso-8859-1",
            r#"{"a":"é","_charset_":"iso-8859-1"}"#,
        ),
        (latin, "n%e9=%E9+%26", r#"{"né":"é &"}"#),
        // The content type's wins, and a field that names no charset is a field.
        (
            latin,
            "a=%e9&charset=utf-8",
            r#"{"a":"é","charset":"utf-8"}"#,
        ),
        (
            FORM,
            "a=%C3%A9&charset=blue",
            r#"{"a":"é","charset":"blue"}"#,
        ),
        (
            FORM,
            "a=%C3%A9&charset=UTF-8",
            r#"{"a":"é","charset":"UTF-8"}"#,
        ),
    ] {
        assert_eq!(callback(content_type, form), as_json(json), "{form}");
    }
}

#[test]
fn a_hint_tells_of_json_that_is_none() {
    for (content_type, body, hint) in [
        (JSON, "{", Some(NOT_JSON)),
        (
            "application/cloudevents+json; charset=utf-8",
            "yes",
            Some(NOT_JSON),
        ),
        (JSON, "{}", None),
        (JSON, "", None),
        ("text/plain", "{", None),
        (FORM, "a=1", None),
    ] {
        assert_eq!(
            read(content_type, body.as_bytes()).unwrap().1,
            hint,
            "{body}"
        );
    }
}

#[test]
fn a_file_is_told_of_and_not_kept() {
    let text = |name: &str, value: &str| Field::of_text((name.to_owned(), value.to_owned()));
    let file = |name: &str, size| Field {
        name: name.to_owned(),
        value: FieldValue::File {
            filename: "a.png".to_owned(),
            media_type: "image/png".to_owned(),
            size,
        },
    };
    let fields = [text("a", "1"), file("f", 3), text("a", "2"), file("f", 4)];
    assert_eq!(
        fields_to_json(&fields).unwrap(),
        concat!(
            r#"{"a":["1","2"],"f":[{"filename":"a.png","type":"image/png","size":3},"#,
            r#"{"filename":"a.png","type":"image/png","size":4}]}"#
        )
    );
    let content = Content::Form(fields.to_vec());
    assert_eq!(
        (content.field("a"), content.field("f"), content.field("x")),
        (Some("1"), None, None)
    );
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
            size: 2 + 6 * (most + 1)
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
