//! What is wrong with fields, and how the API says so.
use super::{faults, form_of, issues, required, schema};
use waitpoint::domain::approval::form::check::MAX_ISSUES;
use waitpoint::domain::approval::form::{FaultReason, Form};

/// Checks one value of field `f`.
fn why(form: &Form, value: &str) -> Option<FaultReason> {
    let fields = format!("{{\"f\":{value}}}");
    let found = faults(form, &fields);
    let issues = issues(form, &format!("{{\"fields\":{fields}}}"));
    assert_eq!(found.is_empty(), issues.is_empty(), "{value}: {issues:?}");
    assert!(found.len() <= 1, "{found:?}");
    found.into_iter().next().map(|(_, why)| why)
}

#[test]
fn lengths_are_counted_in_characters() {
    let form = form_of(r#"{"type":"string","minLength":2,"maxLength":3}"#);
    for (value, expected) in [
        (r#""""#, Some(FaultReason::TooShort(2))),
        (r#""🎉""#, Some(FaultReason::TooShort(2))),
        (r#""🎉\u00e9""#, None),
        (r#""🎉🎉🎉""#, None),
        (r#""abcd""#, Some(FaultReason::TooLong(3))),
        ("5", Some(FaultReason::WrongType)),
        ("null", Some(FaultReason::WrongType)),
        (r#"["ab"]"#, Some(FaultReason::WrongType)),
        (r#""ab\ud800""#, Some(FaultReason::WrongType)),
    ] {
        assert_eq!(why(&form, value), expected, "{value}");
    }
    assert_eq!(why(&required(r#"{"type":"string"}"#), r#""""#), None);
}

#[test]
fn numbers_are_compared_exactly() {
    let form = form_of(r#"{"type":"number","minimum":-1.50,"maximum":9007199254740993}"#);
    let small = Some(FaultReason::TooSmall("-1.50".into()));
    let large = Some(FaultReason::TooLarge("9007199254740993".into()));
    for (value, expected) in [
        ("0", None),
        ("-0", None),
        ("0e999", None),
        ("-1.5", None),
        ("-15e-1", None),
        ("-0.15E+1", None),
        ("-1.5000000000000000000000000000001", small.clone()),
        ("-1.51", small.clone()),
        ("-2", small.clone()),
        ("-1e300", small.clone()),
        ("-1e-300", None),
        ("9007199254740992.999", None),
        ("9007199254740993", None),
        ("9.007199254740993e15", None),
        ("9007199254740993.0001", large.clone()),
        ("9007199254740994", large.clone()),
        ("1e16", large.clone()),
        ("1e400", large.clone()),
        ("123e-400", None),
        ("\"5\"", Some(FaultReason::WrongType)),
        ("true", Some(FaultReason::WrongType)),
        ("1e9999999999", Some(FaultReason::NotNumber)),
    ] {
        assert_eq!(why(&form, value), expected, "{value}");
    }
    let form = form_of(r#"{"type":"number","minimum":0,"maximum":0}"#);
    for (value, expected) in [
        ("0.0", None),
        ("-0e5", None),
        ("0.1", Some(FaultReason::TooLarge("0".into()))),
        ("-1e-9", Some(FaultReason::TooSmall("0".into()))),
    ] {
        assert_eq!(why(&form, value), expected, "{value}");
    }
}

#[test]
fn an_integer_is_one_however_it_is_written() {
    let form = form_of(r#"{"type":"integer"}"#);
    for value in [
        "0",
        "0.000",
        "1.0",
        "1e2",
        "1.5e1",
        "150e-1",
        "-7",
        "12345678901234567890123",
    ] {
        assert_eq!(why(&form, value), None, "{value}");
    }
    for value in ["0.5", "1.0001", "15e-2", "1e-1", "-7.5"] {
        assert_eq!(why(&form, value), Some(FaultReason::NotInteger), "{value}");
    }
}

#[test]
fn texts_have_their_formats() {
    let check = |format: &str, fault: FaultReason, good: &[&str], bad: &[&str]| {
        let form = form_of(&format!(r#"{{"type":"string","format":"{format}"}}"#));
        for text in good {
            assert_eq!(why(&form, &format!("\"{text}\"")), None, "{text}");
        }
        for text in bad {
            assert_eq!(
                why(&form, &format!("\"{text}\"")),
                Some(fault.clone()),
                "{text}"
            );
        }
    };
    check(
        "email",
        FaultReason::NotEmail,
        &["ann@example.com", "a.b+c@d.example.org"],
        &[
            "",
            "ann",
            "ann@example",
            "a b@example.com",
            "a@b@",
            ".a@example.com",
            "ä@example.com",
        ],
    );
    check(
        "uri",
        FaultReason::NotUri,
        &[
            "https://example.com",
            "mailto:ann@example.com",
            "urn:isbn:1",
            "git+ssh://h/é",
            "a:b",
        ],
        &[
            "",
            "example.com",
            "https:",
            ":x",
            "1a:b",
            "a b:c",
            "https://a b",
            "https://a\\nb",
            "a_b:c",
            "ä:b",
        ],
    );
    check(
        "date",
        FaultReason::NotDate,
        &[
            "2026-01-31",
            "2024-02-29",
            "1899-12-31",
            "2000-02-29",
            "9999-12-31",
        ],
        &[
            "",
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "2026-1-31",
            "2026-01-31T00:00:00Z",
            "31.01.2026",
            "20260131",
            "-2026-01-31",
            "2026-01-3１",
        ],
    );
    check(
        "date-time",
        FaultReason::NotDateTime,
        &[
            "2026-01-31T14:30:00Z",
            "2026-01-31t14:30:00.5z",
            "1900-01-01T00:00:00-12:34",
            "2026-01-31T23:59:59.123456789+23:59",
        ],
        &[
            "",
            "2026-01-31",
            "2026-01-31T14:30:00",
            "2026-01-31T14:30Z",
            "2026-01-31 14:30:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T14:30:60Z",
            "2026-02-30T14:30:00Z",
            "2026-01-31T14:30:00+0200",
            "2026-01-31T14:30:00.Z",
            "2026-01-31T14:30:00.1234567890Z",
            "2026-01-31T14:30:00ZZ",
        ],
    );
}

#[test]
fn options_and_booleans_are_checked() {
    let one = form_of(
        r#"{"type":"string","oneOf":[{"const":"a","title":"A"},{"const":"b","title":"B"}]}"#,
    );
    assert_eq!(why(&one, "\"b\""), None);
    for (value, expected) in [
        ("\"A\"", FaultReason::NotAnOption),
        ("\"\"", FaultReason::NotAnOption),
        ("1", FaultReason::WrongType),
    ] {
        assert_eq!(why(&one, value), Some(expected), "{value}");
    }
    let boolean = required(r#"{"type":"boolean"}"#);
    assert_eq!(why(&boolean, "false"), None);
    assert_eq!(why(&boolean, "0"), Some(FaultReason::WrongType));
    let many =
        form_of(r#"{"type":"array","items":{"type":"string","enum":["a","b"]},"minItems":1}"#);
    for (value, expected) in [
        (r#"["b", "a"]"#, None),
        ("[]", Some(FaultReason::TooFew(1))),
        (r#"["a","b","c"]"#, Some(FaultReason::NotAnOption)),
        (r#"["a","a"]"#, Some(FaultReason::Repeated)),
        (r#"["a",["b"]]"#, Some(FaultReason::WrongType)),
        (r#""a""#, Some(FaultReason::WrongType)),
        (r#"{"a":"b"}"#, Some(FaultReason::WrongType)),
    ] {
        assert_eq!(why(&many, value), expected, "{value}");
    }
}

#[test]
fn without_fields_none_is_filled_in() {
    let form = required(r#"{"type":"string"}"#);
    let missing = [(0, FaultReason::Missing)];
    assert_eq!(faults(&form, "{}"), missing);
    assert_eq!(form.check(None), form.check(Some("{}")));
    assert_eq!(faults(&form, r#"{"F":"x"}"#), missing);
    assert_eq!(faults(&form, "[]"), [(0, FaultReason::WrongType)]);
    assert_eq!(form_of(r#"{"type":"string"}"#).check(None), []);
}

/// All sentences of the API.
#[test]
fn an_issue_names_the_place_the_value_and_what_would_do() {
    let one = |field: &str, value: &str| -> Vec<(String, String)> {
        issues(&form_of(field), &format!(r#"{{"fields":{{"f":{value}}}}}"#))
    };
    let options = r#"{"type":"string","enum":["1","2","3","4","5","6","7","8","9"]}"#;
    let many = r#"{"type":"array","items":{"type":"string","enum":["a","b"]},"maxItems":1}"#;
    let (least, most) = ("\"minLength\":2", "\"maxLength\":1");
    for (field, value, place, message) in [
        (
            format!(r#"{{"type":"string",{least}}}"#),
            r#""a""#,
            "",
            r#""a" is too short. Use at least 2 characters."#,
        ),
        (
            format!(r#"{{"type":"string",{most}}}"#),
            r#""ab""#,
            "",
            r#""ab" is too long. Use at most 1 character."#,
        ),
        (
            r#"{"type":"string"}"#.into(),
            "5",
            "",
            "5 is not valid. Use a string.",
        ),
        (
            r#"{"type":"string","format":"email"}"#.into(),
            r#""ann smith""#,
            "",
            r#""ann smith" is not valid. Use an e-mail address such as "ann@example.com"."#,
        ),
        (
            r#"{"type":"string","format":"uri"}"#.into(),
            r#""example.com""#,
            "",
            r#""example.com" is not valid. Use a URI such as "https://example.com"."#,
        ),
        (
            r#"{"type":"string","format":"date"}"#.into(),
            r#""31.1.""#,
            "",
            r#""31.1." is not valid. Use a date such as "2026-01-31"."#,
        ),
        (
            r#"{"type":"string","format":"date-time"}"#.into(),
            r#""2026-01-31T14:30""#,
            "",
            "\"2026-01-31T14:30\" is not valid. Use a date and time with an offset, such as \
             \"2026-01-31T14:30:00Z\".",
        ),
        (
            r#"{"type":"number"}"#.into(),
            r#""5""#,
            "",
            r#""5" is not valid. Use a number such as 12.5."#,
        ),
        (
            r#"{"type":"number"}"#.into(),
            "1e9999999999",
            "",
            "1e9999999999 is too long a number. Use at most 100 characters, and at most 9 digits in the \
             exponent.",
        ),
        (
            r#"{"type":"integer"}"#.into(),
            "1.5",
            "",
            "1.5 is not valid. Use an integer such as 12.",
        ),
        (
            r#"{"type":"number","minimum":2.50}"#.into(),
            "2",
            "",
            "2 is too small. Use at least 2.50.",
        ),
        (
            r#"{"type":"number","maximum":-1}"#.into(),
            "2",
            "",
            "2 is too large. Use at most -1.",
        ),
        (
            r#"{"type":"boolean"}"#.into(),
            r#""on""#,
            "",
            r#""on" is not valid. Use true or false."#,
        ),
        (
            r#"{"type":"string","enum":["a"]}"#.into(),
            r#""b""#,
            "",
            r#""b" is not valid. Use "a"."#,
        ),
        (
            options.into(),
            r#""b""#,
            "",
            r#""b" is not valid. Use "1", "2", "3", "4", "5", "6", "7", "8", …."#,
        ),
        (
            many.into(),
            r#""b""#,
            "",
            r#""b" is not valid. Use a list of "a" or "b"."#,
        ),
        (
            many.into(),
            r#"["b","c"]"#,
            "/1",
            r#""c" is not valid. Use "a" or "b"."#,
        ),
        (
            many.into(),
            r#"["b","b"]"#,
            "/1",
            r#""b" is there twice. Keep one."#,
        ),
        (
            many.into(),
            r#"["a", "b"]"#,
            "",
            r#"["a","b"] has too many items. Use at most 1 option."#,
        ),
    ] {
        let found = one(&field, value);
        let expected = (format!("/fields/f{place}"), message.to_owned());
        assert!(found.contains(&expected), "{field} {value}: {found:?}");
    }
    assert_eq!(
        issues(&required(r#"{"type":"integer"}"#), "{}"),
        [(
            "/fields/f".to_owned(),
            r#""f" is missing. Use an integer such as 12."#.to_owned()
        )]
    );
}

#[test]
fn all_issues_are_told_at_once_with_their_pointers() {
    let form = Form::parse(
        r#"{"type":"object","properties":{"a/b~c":{"type":"number"},"d":{"type":"boolean"}},
            "required":["d"]}"#,
    )
    .unwrap();
    let found = |output: &str| issues(&form, output);
    let pair = |pointer: &str, message: &str| (pointer.to_owned(), message.to_owned());
    assert_eq!(
        found(r#"{"x":1,"fields":{"é":1,"a/b~c":"","d":true,"d":true}}"#),
        [
            pair(
                "/fields/a~1b~0c",
                r#""" is not valid. Use a number such as 12.5."#
            ),
            pair("/fields/é", r#""é" is not a field. Use "a/b~c" or "d"."#),
            pair("/fields/d", r#""d" is there twice. Keep one."#),
        ]
    );
    assert_eq!(
        found("{}"),
        [pair("/fields/d", r#""d" is missing. Use true or false."#)]
    );
    let example = r#"Use an object such as {"fields": {}}."#;
    for (output, shown) in [
        ("[ 1 ]", "[1]"),
        ("5", "5"),
        ("null", "null"),
        (r#""a""#, r#""a""#),
        ("", ""),
    ] {
        assert_eq!(
            found(output),
            [pair("", &format!("{shown} is not an object. {example}"))]
        );
    }
    assert_eq!(
        found(r#"{"fields":[1]}"#),
        [pair("/fields", &format!("[1] is not an object. {example}"))]
    );
    assert_eq!(
        found(r#"{"fields":{"d":true},"fields":{"d":true}}"#),
        [pair("/fields", r#""fields" is there twice. Keep one."#)]
    );
}

#[test]
fn issues_are_few_and_short_however_long_the_output_is() {
    let form = Form::parse(&schema(
        r#"{"list":{"type":"array","items":{"type":"string","enum":["a"]}},"text":{"type":"string"}}"#,
    ))
    .unwrap();
    let long = "x".repeat(100_000);
    let many = format!("[{}\"b\"]", "\"b\",".repeat(100_000));
    let unknown: String = (0..50_000).map(|n| format!("\"{n}\":0,")).collect();
    for output in [
        format!(r#"{{"fields":{{"text":"{long}","{long}":1}}}}"#),
        format!(r#"{{"fields":{{"list":{many}}}}}"#),
        format!(r#"{{"fields":{{{unknown}"text":0}}}}"#),
        format!(
            r#"{{"fields":{{{}"text":""}}}}"#,
            r#""text":"","#.repeat(50_000)
        ),
        format!(r#"["{long}"]"#),
    ] {
        let found = issues(&form, &output);
        assert!((1..=MAX_ISSUES).contains(&found.len()));
        for (pointer, message) in found {
            assert!(pointer.chars().count() < 100, "{pointer}");
            assert!(message.chars().count() < 200, "{message}");
        }
    }
}
