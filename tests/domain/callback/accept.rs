//! `callback.accept`.
use super::fault;
use proptest::prelude::*;
use serde_json::{Value, json};
use waitpoint::domain::callback::accept::Accept;

fn accept(pointer: &str, values: Value) -> Accept {
    Accept::parse(&json!({ "pointer": pointer, "in": values }).to_string()).unwrap()
}

#[test]
fn the_value_at_the_pointer_decides() {
    let is_done = accept("/status", json!(["succeeded", "failed", "canceled"]));
    // replicate.com/docs/topics/webhooks
    for (body, expected) in [
        (r#"{"id":"1","status":"starting","output":null}"#, false),
        (
            r#"{"id":"1","status":"succeeded","output":[{"status":"starting"}]}"#,
            true,
        ),
        (
            r#"{"status":"starting","prediction":{"status":"succeeded"}}"#,
            false,
        ),
        (r#"{"status":"failed"}"#, true),
        (r#"{"status":"f\u0061iled"}"#, true),
        (r#"{"st\u0061tus":"failed"}"#, true),
        (r#"{"status":"Failed"}"#, false),
        (r#"{"status":["failed"]}"#, false),
        (r#"{"status":{"failed":true}}"#, false),
        (r#"{"Status":"failed"}"#, false),
        (r#"["failed"]"#, false),
        (r#""failed""#, false),
        (r#"{}"#, false),
        ("", false),
        ("failed", false),
        // As in JSON.parse, the last one counts.
        (r#"{"status":"starting","status":"failed"}"#, true),
        (r#"{"status":"failed","status":"starting"}"#, false),
        (r#"{"status":"failed","status":{}}"#, false),
        // What is not JSON as a whole matches nothing.
        (r#"{"status":"failed"} x"#, false),
        (r#"{"status":"failed""#, false),
        (r#"{"status":"failed","a":}"#, false),
        // Lone surrogates and numbers beyond a float stand in JSON.
        (r#"{"\ud800":"\ud800","n":1e999,"status":"failed"}"#, true),
    ] {
        assert_eq!(is_done.matches(body), expected, "{body}");
    }
}

#[test]
fn pointers_are_those_of_rfc_6901() {
    // The example of RFC 6901, section 5.
    let document = r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,
        "m~n":8,"~1":9,"0":{"01":10}}"#;
    for (pointer, value) in [
        ("/foo/0", json!("bar")),
        ("/foo/1", json!("baz")),
        ("/", json!(0)),
        ("/a~1b", json!(1)),
        ("/c%d", json!(2)),
        ("/e^f", json!(3)),
        ("/g|h", json!(4)),
        ("/i\\j", json!(5)),
        ("/k\"l", json!(6)),
        ("/ ", json!(7)),
        ("/m~0n", json!(8)),
        ("/~01", json!(9)),
        ("/0/01", json!(10)),
    ] {
        assert!(
            accept(pointer, json!([value])).matches(document),
            "{pointer}"
        );
    }
    for pointer in [
        "/foo/2", "/foo/00", "/foo/01", "/foo/-", "/foo/+1", "/foo/1/x", "/foo", "/foo/", "",
    ] {
        let all = json!(["bar", "baz", 0, null]);
        assert!(!accept(pointer, all).matches(document), "{pointer}");
    }
    assert!(accept("", json!(["ok"])).matches(r#" "ok" "#));
    assert!(!accept("/99999999999999999999", json!([1])).matches("[1]"));
}

#[test]
fn scalars_are_compared_with_their_type() {
    let is = |value: Value, body: &str| {
        accept("/v", json!([value])).matches(&format!(r#"{{"v":{body}}}"#))
    };
    for (value, body, expected) in [
        (json!(1), "1", true),
        (json!(1), "1.0", true),
        (json!(1), "10e-1", true),
        (json!(1.5), "1.5", true),
        (json!(1.0), "1", true),
        (json!(0), "-0", true),
        (json!(1), "\"1\"", false),
        (json!("1"), "1", false),
        (json!(1), "true", false),
        (json!(true), "true", true),
        (json!(true), "\"true\"", false),
        (json!(false), "null", false),
        (json!(null), "null", true),
        (json!(null), "\"null\"", false),
        (json!(null), "0", false),
        (json!(-1), "-1", true),
        (json!(9_007_199_254_740_993_u64), "9007199254740993", true),
        (
            json!(9_007_199_254_740_993_u64),
            "9007199254740992.0",
            false,
        ),
        (json!(u64::MAX), "18446744073709551615", true),
        (json!(1e300), "1e300", true),
        (json!(1e300), "1e301", false),
        (json!("é"), "\"\\u00e9\"", true),
        (json!("a\u{0}"), "\"a\\u0000\"", true),
    ] {
        assert_eq!(is(value.clone(), body), expected, "{value} {body}");
    }
    // A missing value is not null.
    assert!(!accept("/v", json!([null])).matches("{}"));
    assert!(!accept("/v/w", json!([null])).matches(r#"{"v":null}"#));
}

#[test]
fn no_body_is_too_deep_or_too_long() {
    let is_ok = accept("/a/a/a/status", json!(["ok"]));
    for depth in [1, 126, 128, 1_000, 1_000_000] {
        let deep = format!("{}{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        assert!(!is_ok.matches(&deep), "{depth}");
        let open = "[".repeat(depth);
        assert!(!is_ok.matches(&open), "{depth}");
        let beside = format!(
            r#"{{"x":{}{},"a":{{"a":{{"a":{{"status":"ok"}}}}}}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        );
        assert!(is_ok.matches(&beside), "{depth}");
    }
    let long = format!(r#"{{"x":"{}","status":"ok"}}"#, "y".repeat(3 * 1024 * 1024));
    assert!(accept("/status", json!(["ok"])).matches(&long));
    let pointer = "/a".repeat(100);
    let body = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
    assert!(accept(&pointer, json!([1])).matches(&body));
}

#[test]
fn errors_name_the_field_and_the_value() {
    let many = |count: usize| json!({"pointer": "/a", "in": vec![1; count]}).to_string();
    let long = json!({"pointer": format!("/{}", "a".repeat(500)), "in": [1]}).to_string();
    let deep = json!({"pointer": "/a".repeat(101), "in": [1]}).to_string();
    let text = json!({"pointer": "/a", "in": ["é".repeat(501)]}).to_string();
    let (accept, pointer) = ("callback.accept", "callback.accept.pointer");
    let values = "callback.accept.in";
    for (json, path, named) in [
        ("[]", accept, r#""[]""#),
        ("5", accept, r#""5""#),
        (r#"{"pointer":"/a","in":[1],"not":[2]}"#, accept, "\"not\""),
        (
            r#"{"pointer":"/a","pointer":"/b","in":[1]}"#,
            accept,
            "twice",
        ),
        (r#"{"in":[1]}"#, pointer, "missing"),
        (r#"{"pointer":null,"in":[1]}"#, pointer, "null"),
        (r#"{"pointer":5,"in":[1]}"#, pointer, r#""5""#),
        (r#"{"pointer":"status","in":[1]}"#, pointer, r#""status""#),
        (r##"{"pointer":"#/status","in":[1]}"##, pointer, "#/status"),
        (r#"{"pointer":"/a~","in":[1]}"#, pointer, "~0"),
        (r#"{"pointer":"/a~2","in":[1]}"#, pointer, "/a~2"),
        (r#"{"pointer":"/~~0","in":[1]}"#, pointer, "~1"),
        (&long, pointer, "500"),
        (&deep, pointer, "100"),
        (r#"{"pointer":"/a"}"#, values, "missing"),
        (r#"{"pointer":"/a","in":"x"}"#, values, r#"\"x\""#),
        (r#"{"pointer":"/a","in":[]}"#, values, "[]"),
        (r#"{"pointer":"/a","in":[1e999]}"#, values, "1e999"),
        (r#"{"pointer":"/a","in":[[1]]}"#, values, "[1]"),
        (r#"{"pointer":"/a","in":[{"b":1}]}"#, values, "b"),
        (&many(51), values, "51"),
        (&text, values, "500"),
    ] {
        let (at, message) = fault(Accept::parse(json));
        assert!(
            at == path && message.contains(named),
            "{json}: {at}: {message}"
        );
        assert!(message.ends_with('.'), "{message}");
        assert!(message.chars().count() < 250, "{message}");
    }
    assert!(Accept::parse(&many(50)).is_ok());
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        (-2_i64..3).prop_map(|value| json!(value)),
        "[ab0]{0,2}".prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4);
        let map = prop::collection::btree_map("[ab01~/]{0,2}", inner, 0..4);
        prop_oneof![
            list.prop_map(Value::from),
            map.prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn it_finds_what_serde_json_finds(
        body in tree(),
        pointer in "(/([ab01]|~0|~1){0,2}){0,3}",
        value in prop_oneof![Just(json!(null)), Just(json!(1)), Just(json!("a")), Just(json!(true))],
    ) {
        let expected = body.pointer(&pointer) == Some(&value);
        prop_assert_eq!(accept(&pointer, json!([value])).matches(&body.to_string()), expected);
    }

    #[test]
    fn any_text_is_matched_without_a_panic(body in any::<String>(), pointer in "(/.{0,3}){0,3}") {
        if let Ok(accept) = Accept::parse(&json!({"pointer": pointer, "in": [1]}).to_string()) {
            prop_assert!(!accept.matches(&body) || serde_json::from_str::<Value>(&body).is_ok());
        }
    }
}
