//! Which fields a form may have.
use super::{form_of, refusal, schema};

/// The refusals of a field: where in `/form/properties/f`, and why.
#[test]
fn a_field_outside_of_the_subset_is_refused_with_the_place() {
    let types = r#""string", "number", "integer", "boolean" or "array""#;
    let text = "Use only minLength, maxLength, format, type, title, description, default.";
    let long = |count: usize| "é".repeat(count);
    let cut = format!("{}…", long(64));
    for (field, message) in [
        (
            "true".to_owned(),
            r#": true is not an object. Use one such as {"type": "string"}."#.to_owned(),
        ),
        ("{}".into(), format!(": type is missing. Use {types}.")),
        (
            r#"{"type":"object"}"#.into(),
            format!("/type: \"object\" is not a type of a field. Use {types}."),
        ),
        (
            r#"{"type":["string","null"]}"#.into(),
            format!("/type: [\"string\",\"null\"] is not a type of a field. Use {types}."),
        ),
        (
            r#"{"type":"string","pattern":"a"}"#.into(),
            format!("/pattern: \"pattern\" is not a keyword of a text. {text}"),
        ),
        (
            r#"{"type":"string","const":"a"}"#.into(),
            format!("/const: \"const\" is not a keyword of a text. {text}"),
        ),
        (
            r#"{"type":"string","title":"a","title":"b"}"#.into(),
            "/title: \"title\" is there twice. Keep one.".into(),
        ),
        (r#"{"type":"string","title":null}"#.into(), "/title: null is not a string. Use one.".into()),
        (
            r#"{"type":"string","title":""}"#.into(),
            "/title: \"\" is empty or invisible. Use a text that can be seen, or leave title out.".into(),
        ),
        (
            r#"{"type":"string","description":"\u200b"}"#.into(),
            "/description: \"\u{200b}\" is empty or invisible. Use a text that can be seen, or leave \
             description out."
                .into(),
        ),
        (
            format!(r#"{{"type":"string","title":"{}"}}"#, long(121)),
            format!("/title: \"{cut}\" is too long. Use at most 120 characters."),
        ),
        (
            format!(r#"{{"type":"string","description":"{}"}}"#, long(501)),
            format!("/description: \"{cut}\" is too long. Use at most 500 characters."),
        ),
        (
            r#"{"type":"string","format":"ipv4"}"#.into(),
            "/format: \"ipv4\" is not supported. Use \"email\", \"uri\", \"date\" or \"date-time\".".into(),
        ),
        (r#"{"type":"string","format":5}"#.into(), "/format: 5 is not a string. Use one.".into()),
        (
            r#"{"type":"string","minLength":-1}"#.into(),
            "/minLength: -1 is not a length. Use a whole number such as 1.".into(),
        ),
        (
            r#"{"type":"string","maxLength":"9"}"#.into(),
            "/maxLength: \"9\" is not a length. Use a whole number such as 1.".into(),
        ),
        (
            r#"{"type":"string","maxLength":10001}"#.into(),
            "/maxLength: 10001 is too large. Use at most 10000.".into(),
        ),
        (
            r#"{"type":"string","maxLength":0}"#.into(),
            "/maxLength: 0 is too small to fill the field in. Use at least 1.".into(),
        ),
        (
            r#"{"type":"string","format":"email","maxLength":4}"#.into(),
            "/maxLength: 4 is too small to fill the field in. Use at least 5.".into(),
        ),
        (
            r#"{"type":"string","minLength":3,"maxLength":2}"#.into(),
            "/minLength: 3 is more than 2, the longest text. Use at most that, or set maxLength.".into(),
        ),
        (
            r#"{"type":"string","format":"email","minLength":255}"#.into(),
            "/minLength: 255 is more than 254, the longest text. Use at most that, or set maxLength.".into(),
        ),
        (
            r#"{"type":"string","format":"date","maxLength":10}"#.into(),
            "/maxLength: the format gives the length. Leave maxLength out.".into(),
        ),
        (
            r#"{"type":"string","format":"date-time","minLength":1}"#.into(),
            "/minLength: the format gives the length. Leave minLength out.".into(),
        ),
        (r#"{"type":"string","default":5}"#.into(), "/default: 5 is not a string. Use one.".into()),
        (
            r#"{"type":"string","minLength":3,"default":"ab"}"#.into(),
            "/default: \"ab\" is too short. Use at least 3 characters.".into(),
        ),
        (
            r#"{"type":"string","default":"a\r\nb "}"#.into(),
            "/default: \"a\\r\\nb \" has white space at an end, or carriage returns, which a page does not \
             keep. Use \"a\\nb\"."
                .into(),
        ),
        (
            r#"{"type":"string","format":"date","default":"2026-02-30"}"#.into(),
            "/default: \"2026-02-30\" is not valid. Use a date such as \"2026-01-31\".".into(),
        ),
        (
            r#"{"type":"number","minimum":"5"}"#.into(),
            "/minimum: \"5\" is not a number of at most 100 characters. Use one such as 12.5.".into(),
        ),
        (
            r#"{"type":"integer","maximum":1.5}"#.into(),
            "/maximum: 1.5 is not an integer of at most 100 characters. Use one such as 12.".into(),
        ),
        (
            r#"{"type":"number","minimum":2,"maximum":1.99}"#.into(),
            "/minimum: 2 is more than maximum, which is 1.99. Use at most that.".into(),
        ),
        (
            r#"{"type":"number","exclusiveMinimum":2}"#.into(),
            "/exclusiveMinimum: \"exclusiveMinimum\" is not a keyword of a number. Use only minimum, \
             maximum, type, title, description, default."
                .into(),
        ),
        (
            r#"{"type":"number","maximum":2,"default":3}"#.into(),
            "/default: 3 is too large. Use at most 2.".into(),
        ),
        (
            r#"{"type":"number","default":"3"}"#.into(),
            "/default: \"3\" is not valid. Use a number such as 12.5.".into(),
        ),
        (
            r#"{"type":"boolean","default":"true"}"#.into(),
            "/default: \"true\" is not valid. Use true or false.".into(),
        ),
        (
            r#"{"type":"boolean","enum":[true]}"#.into(),
            "/enum: \"enum\" is not a keyword of a boolean. Use only type, title, description, default."
                .into(),
        ),
    ] {
        let schema = schema(&format!(r#"{{"f":{field}}}"#));
        assert_eq!(refusal(&schema), format!("/form/properties/f{message}"));
    }
    let longest = format!(
        r#"{{"type":"string","title":"{}","description":"{}","maxLength":10000}}"#,
        long(120),
        long(500)
    );
    assert_eq!(form_of(&longest).fields.len(), 1);
}
