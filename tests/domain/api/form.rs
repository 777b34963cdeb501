//! Forms that machines post to `token.url`.
use super::{FORM, as_json, callback};
use crate::tests::domain::callback::content::parse_callback;
use proptest::prelude::*;
use serde_json::{Value, json};
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::api::limits::{MAX_COMPLETE, MAX_FORM_FIELDS};
use waitpoint::domain::token::OutputKind;

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
fn a_form_that_outgrows_the_limit_as_json_is_too_large() {
    let nuls = |count| format!("a={}", "%00".repeat(count));
    let written = |count: usize| r#"{"a":""}"#.len() + 6 * count;
    let most = (MAX_COMPLETE - written(0)) / 6;
    assert_eq!(callback(FORM, nuls(most)).1.len(), written(most));
    assert_eq!(
        parse_callback(FORM, nuls(most + 1).as_bytes()),
        Err(ApiError::BodyTooLarge {
            limit: MAX_COMPLETE,
            size: written(most + 1),
        })
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
            Err(ApiError::TooManyFields(MAX_FORM_FIELDS))
        );
    }
    let error = ApiError::TooManyFields(MAX_FORM_FIELDS);
    assert_eq!((error.status(), error.code()), (413, "too_many_fields"));
    assert_eq!(
        error.to_string(),
        "A form can have at most 1000 fields. Use JSON for more."
    );
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

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
