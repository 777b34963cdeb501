//! The body of complete: an output is kept as it came.
use super::{JSON, as_json, callback, complete, completed, create, data, field, token, value};
use proptest::prelude::*;
use serde_json::Value;
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::api::limits::MAX_COMPLETE;
use waitpoint::domain::api::token_body::{Visibility, token_json};
use waitpoint::domain::token::OutputKind;

#[test]
fn every_output_comes_back_byte_for_byte() {
    for text in [
        "\"\"",
        "null",
        "0",
        "-0",
        "-0.0",
        "false",
        "true",
        "1e400",
        "-1E+400",
        "1.0",
        "1.10",
        "0.1e-7",
        "123456789012345678901234567890",
        "3.14159265358979323846264338327950288",
        "\"é\"",
        "\"\\u00e9\"",
        "\"\\/\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\ud83d\\ude00\"",
        "\"\\u0000\"",
        "\"\u{2028}\u{feff}\u{7f}\"",
        "[]",
        "{}",
        "{ }",
        "[ 1 ,\t2\r\n, { \"a\" : null } ]",
        r#"{"b":1,"a":2,"b":3}"#,
        r#"{"data":{"data":{}}}"#,
        r#"{"__proto__":1,"constructor":{"prototype":2},"":3}"#,
        r#"{"$serde_json::private::RawValue":"[}"}"#,
        r#"{"$serde_json::private::Number":"1"}"#,
        "\"2031-01-05T10:00:00.000Z\"",
    ] {
        assert_eq!(data(text).as_deref(), Some(text));
        assert_eq!(callback(JSON, text), as_json(text));
    }
}

#[test]
fn white_space_around_an_output_is_no_part_of_it() {
    let request = complete(" { \"data\" :\t [ 1 ] \r\n } ").unwrap();
    assert_eq!(request.output.unwrap().text, "[ 1 ]");
    assert_eq!(
        callback(JSON, "\n\t { \"a\" : 1 } \r\n"),
        as_json("{ \"a\" : 1 }")
    );
}

#[test]
fn depth_and_size_do_not_matter() {
    let depth = 100_000;
    let arrays = "[".repeat(depth) + &"]".repeat(depth);
    let objects = "{\"a\":".repeat(depth) + "0" + &"}".repeat(depth);
    let large = format!("\"{}\"", "é".repeat(MAX_COMPLETE / 2));
    for text in [arrays, objects, large] {
        assert!(data(&text).as_deref() == Some(&text));
        assert!(callback("text/plain", &text) == as_json(&text));
        // Where nothing reads it, too.
        assert!(create(format!(r#"{{"x":{text}}}"#)).is_ok());
        assert!(
            complete(format!(r#"{{"x":{text}}}"#))
                .unwrap()
                .output
                .is_none()
        );
        assert_eq!(
            field(create(format!(r#"{{"tags":[{text},1]}}"#))),
            Some("tags")
        );
    }
    let open = "[".repeat(depth);
    assert_eq!(
        complete(format!(r#"{{"data":{open}}}"#)),
        Err(ApiError::InvalidJson)
    );
    assert_eq!(complete(&open), Err(ApiError::InvalidJson));
}

#[test]
fn no_data_is_no_output() {
    for (body, unknown) in [
        ("{}", None),
        (r#"{"output":1}"#, Some("output")),
        (r#"{"Data":1}"#, Some("Data")),
        (r#"{"":1,"z":2}"#, Some("")),
        (r#"{"z":{"data":1},"a":2}"#, Some("z")),
        (r#"{"a":1,"a":2}"#, Some("a")),
    ] {
        let request = complete(body).unwrap();
        assert_eq!(request.output, None, "{body}");
        assert_eq!(request.unknown_key.as_deref(), unknown, "{body}");
    }
}

#[test]
fn an_unknown_key_does_no_harm() {
    let request = complete(r#"{"status":"approved","data":[1],"x":{}}"#).unwrap();
    assert_eq!(request.output.unwrap().text, "[1]");
    assert_eq!(request.unknown_key.as_deref(), Some("status"));
}

#[test]
fn data_stands_once() {
    for body in [
        r#"{"data":1,"data":1}"#,
        r#"{"data":null,"data":1}"#,
        r#"{"data":1,"x":2,"d\u0061ta":3}"#,
    ] {
        assert_eq!(field(complete(body)), Some(""), "{body}");
    }
    let nested = r#"{"a":1,"a":2}"#;
    assert_eq!(data(nested).as_deref(), Some(nested));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_value_comes_back_through_complete_and_retrieve(value in value()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            prop_assert_eq!(data(&text), Some(text.clone()));
            prop_assert_eq!(callback(JSON, &text), as_json(&text));
            let token = token_json("i", "u", &token(completed(OutputKind::Json, &text)), Visibility::Owner);
            let token: Value = serde_json::from_str(&token).unwrap();
            prop_assert_eq!(token["output"].as_str(), Some(text.as_str()));
        }
    }
}
