//! What is wrong with fields.
use super::{faults, form_of, issues, required};
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
        ("0e99", None),
        ("-1.5", None),
        ("-15e-1", None),
        ("-0.15E+1", None),
        ("-1.5000000000000000000000000000001", small.clone()),
        ("-1.51", small.clone()),
        ("-2", small.clone()),
        ("-1e200", small.clone()),
        ("-1e-200", None),
        ("9007199254740992.999", None),
        ("9007199254740993", None),
        ("9.007199254740993e15", None),
        ("9007199254740993.0001", large.clone()),
        ("9007199254740994", large.clone()),
        ("1e16", large.clone()),
        ("1e200", large.clone()),
        ("123e-200", None),
        ("\"5\"", Some(FaultReason::WrongType)),
        ("true", Some(FaultReason::WrongType)),
        ("1e9999999999", Some(FaultReason::NotNumber)),
        ("1e201", Some(FaultReason::NotNumber)),
        ("1e-201", Some(FaultReason::NotNumber)),
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
