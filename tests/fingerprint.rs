//! Whether two JSON texts mean the same.

use proptest::prelude::*;
use serde_json::Value;
use waitpoint::fingerprint::Fingerprint;

fn is_same(a: &str, b: &str) -> bool {
    let of = |text| Fingerprint::of_json(text).unwrap_or_else(|| panic!("{text}"));
    of(a) == of(b)
}

#[test]
fn spelling_means_nothing() {
    for (a, b) in [
        (r#" { "a" : [ 1 , 2 ] } "#, r#"{"a":[1,2]}"#),
        (r#""caf\u00e9""#, "\"café\""),
        (r#"{"b":1.0,"1":[2e0]}"#, r#"{"1":[2],"b":1}"#),
        ("-0.0", "0"),
        // JavaScript's numbers are no more exact than this.
        ("9007199254740993", "9007199254740992"),
        (r#"{"a":1,"b":2,"a":3}"#, r#"{"b":2,"a":3}"#),
        (r#"{"\u0061":null}"#, r#"{"a":null}"#),
    ] {
        assert!(is_same(a, b), "{a} {b}");
    }
}

#[test]
fn what_differs_differs() {
    let texts = [
        "null",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "0.1",
        r#""""#,
        r#""0""#,
        r#""1""#,
        r#""null""#,
        "[]",
        "{}",
        "[[]]",
        "[{}]",
        "[1,2]",
        "[2,1]",
        "[1,[2]]",
        "[[1],2]",
        "[[1,2]]",
        "[12]",
        r#"["1,2"]"#,
        r#"["1","2"]"#,
        r#"{"a":1}"#,
        r#"{"a":1,"b":null}"#,
        r#"{"a":{"b":1}}"#,
        r#"{"a":"b"}"#,
        r#"{"b":"a"}"#,
        r#"[["a","b"]]"#,
        r#"["a"]"#,
    ];
    for (at, a) in texts.iter().enumerate() {
        for b in &texts[..at] {
            assert!(!is_same(a, b), "{a} {b}");
        }
    }
}

#[test]
fn a_string_is_that_string_as_json() {
    for text in ["", "x", "\"\n\u{0}é"] {
        let json = serde_json::to_string(text).unwrap();
        assert_eq!(
            Fingerprint::of_json(&json),
            Some(Fingerprint::of_string(text))
        );
    }
}

#[test]
fn what_cannot_be_read_has_none() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    for text in ["", "{", "1 2", "nul", "1e999", "\u{feff}1", &deep] {
        assert_eq!(Fingerprint::of_json(text), None, "{text}");
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c\u{e9}\"]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]{0,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn it_agrees_with_comparing_the_values(a in json(), b in json()) {
        prop_assert_eq!(is_same(&a.to_string(), &b.to_string()), a == b);
        let pretty = serde_json::to_string_pretty(&a).unwrap();
        prop_assert!(is_same(&pretty, &a.to_string()));
    }
}
