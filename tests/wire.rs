//! Request and response bodies.
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};
use waitpoint::error::Refusal;
use waitpoint::time::Timestamp;
use waitpoint::token::{CompletedBy, Decision, Output, OutputKind, State, Token};
use waitpoint::wire::{
    CompleteRequest, CreateRequest, MAX_COMPLETE, MAX_FORM_FIELDS, MAX_TAG, MAX_TAGS, Reader,
    claims_json, created_json, parse_callback, token_json, unknown_key_of_create,
};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// 2026-09-26T00:00:00.000Z
const NOW: u64 = 1_790_380_800_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn create(body: impl AsRef<[u8]>) -> Result<CreateRequest, Refusal> {
    CreateRequest::parse(body.as_ref(), at(NOW))
}

fn complete(body: impl AsRef<[u8]>) -> Result<CompleteRequest, Refusal> {
    CompleteRequest::parse(body.as_ref())
}

/// The field of which a body is found invalid.
fn field<T>(result: Result<T, Refusal>) -> Option<&'static str> {
    match result {
        Err(Refusal::Invalid { path, .. }) => Some(path),
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

fn callback(content_type: &str, body: impl AsRef<[u8]>) -> (OutputKind, String) {
    let output = parse_callback(content_type, body.as_ref()).unwrap();
    (output.kind, output.text)
}

fn as_json(text: &str) -> (OutputKind, String) {
    (OutputKind::Json, text.to_owned())
}

fn as_text(text: &str) -> (OutputKind, String) {
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

#[test]
fn a_body_that_is_no_object_is_refused() {
    for (body, kind) in NO_OBJECTS {
        let message = format!("Expected object, received {kind}");
        let expected = Refusal::Invalid { path: "", message };
        assert_eq!(create(body), Err(expected.clone()), "{body}");
        assert_eq!(complete(body), Err(expected.clone()), "{body}");
        let sentence = format!("Validation error: Expected object, received {kind}");
        assert_eq!(expected.to_string(), sentence);
    }
}

#[test]
fn a_body_that_is_no_json_is_refused() {
    for body in NO_JSON {
        let shown = String::from_utf8_lossy(body);
        assert_eq!(create(body), Err(Refusal::InvalidJson), "{shown}");
        assert_eq!(complete(body), Err(Refusal::InvalidJson), "{shown}");
    }
    assert_eq!(create(""), Err(Refusal::BodyEmpty));
    assert_eq!(complete(""), Err(Refusal::BodyEmpty));
}

#[test]
fn a_byte_order_mark_is_no_json() {
    let body = "\u{feff}{\"data\":1}";
    assert_eq!(complete(body), Err(Refusal::InvalidJson));
    assert_eq!(create(body), Err(Refusal::InvalidJson));
}

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
        (r#""10 minutes""#, r#""10 minutes" is no timeout"#),
        (r#""""#, r#""" is no timeout"#),
        (r#""1H""#, r#""1H" is no timeout"#),
        (r#""1790380800001""#, r#""1790380800001" is no timeout"#),
        (r#""2020-01-01""#, r#""2020-01-01" lies in the past"#),
        (
            r#""99999999999999999999w""#,
            r#""99999999999999999999w" lies beyond the year 9999"#,
        ),
        ("0", r#""0" lies in the past"#),
        ("1790380800000", r#""1790380800000" lies in the past"#),
        ("1790380800", r#""1790380800" lies in the past"#),
        ("-1", "\"-1\" is no timeout"),
        ("true", "\"true\" is no timeout"),
        ("[]", "\"[]\" is no timeout"),
        (r#"["1h"]"#, r#""[\"1h\"]" is no timeout"#),
        ("{}", "\"{}\" is no timeout"),
        (r#""\ud800""#, r#""\"\\ud800\"" is no timeout"#),
    ] {
        let refusal = create(format!(r#"{{"timeout":{timeout}}}"#)).unwrap_err();
        let said = refusal.to_string();
        assert_eq!(refusal.status(), 400, "{timeout}");
        assert!(
            said.starts_with(&format!("Validation error: {named}")),
            "{said}"
        );
        assert!(
            said.contains("\"1h30m\"") && said.contains("ISO 8601"),
            "{said}"
        );
        assert!(said.ends_with(" at \"timeout\""), "{said}");
        assert_eq!(field::<()>(Err(refusal)), Some("timeout"));
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
    for length in [65, 9_000] {
        let timeout = "é".repeat(length);
        let refusal = create(format!(r#"{{"timeout":"{timeout}"}}"#)).unwrap_err();
        let quoted = format!("\"{}…\" is no timeout", "é".repeat(64));
        assert!(refusal.to_string().contains(&quoted), "{refusal}");
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
    let refusal = tags(MAX_TAGS + 1).unwrap_err();
    assert_eq!(refusal, Refusal::TooManyTags(11));
    assert_eq!(refusal.status(), 422);
    assert_eq!(
        refusal.to_string(),
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
        Err(Refusal::InvalidJson)
    );
    assert_eq!(complete(&open), Err(Refusal::InvalidJson));
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
fn a_form_is_an_object_of_its_fields() {
    for (form, object) in [
        ("a=1", r#"{"a":"1"}"#),
        ("b=1&a=2", r#"{"b":"1","a":"2"}"#),
        ("a=1&b=2&a=3", r#"{"a":["1","3"],"b":"2"}"#),
        ("a=&a=", r#"{"a":["",""]}"#),
        ("a", r#"{"a":""}"#),
        ("a=", r#"{"a":""}"#),
        ("=a", r#"{"":"a"}"#),
        ("=", r#"{"":""}"#),
        ("&", "{}"),
        ("&&a=1&&", r#"{"a":"1"}"#),
        ("a=b=c", r#"{"a":"b=c"}"#),
        ("a+b=c+d", r#"{"a b":"c d"}"#),
        ("a=%2B%20%26%3d", r#"{"a":"+ &="}"#),
        ("a%3Db=1&a%3db=2", r#"{"a=b":["1","2"]}"#),
        ("a=%C3%A9%f0%9f%98%80", r#"{"a":"é😀"}"#),
        ("é=ü", r#"{"é":"ü"}"#),
        ("a=100%", r#"{"a":"100%"}"#),
        ("a=%4", r#"{"a":"%4"}"#),
        ("a=%zz%+1%-1", r#"{"a":"%zz% 1%-1"}"#),
        ("a=%%41", r#"{"a":"%A"}"#),
        ("a=%é1", r#"{"a":"%é1"}"#),
        ("a=%ff%C3", "{\"a\":\"\u{fffd}\u{fffd}\"}"),
        ("a=%22%5C%0A%00", r#"{"a":"\"\\\n\u0000"}"#),
        ("a[]=1&a[]=2&b[c]=3", r#"{"a[]":["1","2"],"b[c]":"3"}"#),
        (
            "__proto__=1&constructor=2",
            r#"{"__proto__":"1","constructor":"2"}"#,
        ),
        ("true", r#"{"true":""}"#),
        ("payload=%7B%22a%22%3A1%7D", r#"{"payload":"{\"a\":1}"}"#),
        ("a=1\r\n", r#"{"a":"1\r\n"}"#),
    ] {
        assert_eq!(callback(FORM, form), as_json(object), "{form}");
        let typed = format!("{FORM}; charset=UTF-8");
        assert_eq!(callback(&typed, form), as_json(object), "{form}");
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
            let refusal = parse_callback(content_type, body.as_bytes()).unwrap_err();
            let media_type = "multipart/form-data".to_owned();
            assert_eq!(refusal, Refusal::UnsupportedMediaType(media_type));
            assert_eq!(refusal.status(), 415);
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
            assert_eq!(refused, Err(Refusal::InvalidJson), "{body:?}");
        }
    }
}

#[test]
fn a_form_that_outgrows_the_limit_as_json_is_too_large() {
    let nuls = |count| format!("a={}", "%00".repeat(count));
    let written = |count: usize| r#"{"a":""}"#.len() + 6 * count;
    let most = (MAX_COMPLETE - written(0)) / 6;
    assert_eq!(callback(FORM, nuls(most)).1.len(), written(most));
    assert_eq!(
        parse_callback(FORM, nuls(most + 1).as_bytes()),
        Err(Refusal::BodyTooLarge(MAX_COMPLETE))
    );
}

#[test]
fn a_form_of_more_fields_than_are_read_is_refused() {
    let names = |count: usize| {
        let names: Vec<_> = (0..count).map(|n| format!("{n:x}")).collect();
        names.join("&")
    };
    let same = |count| "a&".repeat(count);
    for form in [names(MAX_FORM_FIELDS), same(MAX_FORM_FIELDS)] {
        let text = callback(FORM, form).1;
        assert!(text.starts_with('{') && text.ends_with('}'));
    }
    for form in [
        names(MAX_FORM_FIELDS + 1),
        same(MAX_FORM_FIELDS + 1),
        names(500_000),
        same(1_500_000),
    ] {
        assert_eq!(
            parse_callback(FORM, form.as_bytes()),
            Err(Refusal::TooManyFields(MAX_FORM_FIELDS))
        );
    }
    let refusal = Refusal::TooManyFields(MAX_FORM_FIELDS);
    assert_eq!((refusal.status(), refusal.code()), (413, "too_many_fields"));
    assert_eq!(
        refusal.to_string(),
        "A form may have 1000 fields; send more as JSON"
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
        Err(Refusal::BodyTooLarge(MAX_COMPLETE))
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
            output,
            by,
            subject,
        },
    }
}

#[test]
fn a_waiting_token_is_written_so() {
    assert_eq!(
        token_json(
            "waitpoint_c1",
            "https://w.test/u",
            &token(State::Waiting),
            Reader::Owner
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
            Reader::Owner
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
            output: Some(Output {
                kind: OutputKind::Json,
                text: r#"{"a": "é"}"#.to_owned(),
            }),
            by: CompletedBy::Callback,
            subject: Some("user_1".to_owned()),
        },
    };
    assert_eq!(
        token_json("waitpoint_c1", "u", &token(state), Reader::Owner),
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
            output: None,
            by: CompletedBy::Api,
            subject: None,
        },
    };
    let token: Value =
        serde_json::from_str(&token_json("i", "u", &token(state), Reader::Owner)).unwrap();
    assert_eq!(token.get("output"), None);
    assert_eq!(token.get("completedBySubject"), None);
    assert_eq!(token["outputType"], JSON);
    assert_eq!(token["completedBy"], "api");
}

#[test]
fn a_token_that_timed_out_is_written_so() {
    assert_eq!(
        token_json("waitpoint_c1", "u", &token(State::TimedOut), Reader::Owner),
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
        created_json("waitpoint_c1", false, "https://w.test/u"),
        r#"{"id":"waitpoint_c1","isCached":false,"url":"https://w.test/u"}"#
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

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_bytes_panic(
        body in prop_oneof![
            vec(any::<u8>(), 0..200),
            ".*".prop_map(String::into_bytes),
            r#"\{("(data|timeout|tags|x)":[\[\]{}"0-9,:a-z.\\-]{0,9},?){0,4}\}"#
                .prop_map(String::into_bytes),
        ],
        content_type in prop_oneof![Just(FORM.to_owned()), Just(JSON.to_owned()), ".*"],
    ) {
        let _ = create(&body).map_err(|refusal| refusal.to_json());
        let _ = complete(&body).map_err(|refusal| refusal.to_json());
        let _ = parse_callback(&content_type, &body).map_err(|refusal| refusal.to_json());
    }

    #[test]
    fn every_value_comes_back_through_complete_and_retrieve(value in value()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            prop_assert_eq!(data(&text), Some(text.clone()));
            prop_assert_eq!(callback(JSON, &text), as_json(&text));
            let token = token_json("i", "u", &token(completed(OutputKind::Json, &text)), Reader::Owner);
            let token: Value = serde_json::from_str(&token).unwrap();
            prop_assert_eq!(token["output"].as_str(), Some(text.as_str()));
        }
    }

    #[test]
    fn every_text_comes_back_through_retrieve(text in ".*") {
        let token = token_json("i", "u", &token(completed(OutputKind::Text, &text)), Reader::Owner);
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
        let decision = Decision { output, by: CompletedBy::Api, subject };
        let state = match state {
            0 => State::Waiting,
            1 => State::Completed { at: at(NOW), decision },
            _ => State::TimedOut,
        };
        let token = Token { state, ..Token::new(at(NOW), timeout.map(at), Vec::new()) };
        let token: Value = serde_json::from_str(&token_json("i", "u", &token, Reader::Owner)).unwrap();
        prop_assert!(!has_null(&token), "{}", token);
    }

    #[test]
    fn every_form_field_comes_back(name in ".*", value in ".*") {
        let form = format!("{}={}", encoded(&name), encoded(&value));
        let (_, text) = callback(FORM, form);
        let object: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(object, json!({ name: value }));
    }

    #[test]
    fn every_form_becomes_an_object_of_texts(form in "([a-z%0-9+=&é]|.){0,60}") {
        let (kind, text) = callback(FORM, &form);
        prop_assert!(kind == OutputKind::Text || serde_json::from_str::<Value>(&text).is_ok());
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
