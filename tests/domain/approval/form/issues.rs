//! How the API says what is wrong with an output.
use super::{form_of, issues, required, schema};
use waitpoint::domain::approval::form::Form;
use waitpoint::domain::approval::form::check::MAX_ISSUES;

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
            "1e9999999999 is too long or too large a number. Use at most 100 characters, and an \
             exponent from -200 to 200.",
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
