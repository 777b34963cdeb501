//! What a token may ask, and what a choice decides.
mod form;
mod output;

use super::text::HIDDEN;
use proptest::prelude::*;
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::approval::schema::{
    Approval, Choice, Comment, Confirm, Style, Validate, minify_json,
};

fn why(json: &str) -> String {
    match Approval::parse(json) {
        Err(ApiError::ValidationError {
            path: "approval",
            message,
        }) => message,
        other => panic!("{json}: {other:?}"),
    }
}

#[test]
fn every_field_is_read() {
    let approval = Approval::parse(
        r#"{"title":"T","description":"D\nE","requestedBy":"Ann","comment":"required","confirm":"typed",
            "choices":[{"label":"Go","data":{"a": 1e400},"style":"primary"},{"label":"No","form":false}],
            "validate":"all","form":{ "type":"object","properties":{"a":{"type":"boolean"}}}}"#,
    );
    let expected = Approval {
        title: Some("T".into()),
        description: Some("D\nE".into()),
        requested_by: Some("Ann".into()),
        comment: Comment::Required,
        confirm: Confirm::Typed,
        choices: vec![
            Choice {
                label: "Go".into(),
                data: Some(r#"{"a": 1e400}"#.into()),
                style: Style::Primary,
                is_veto: false,
                form: true,
            },
            Choice {
                label: "No".into(),
                data: None,
                style: Style::Neutral,
                is_veto: false,
                form: false,
            },
        ],
        form: Some(r#"{ "type":"object","properties":{"a":{"type":"boolean"}}}"#.into()),
        validate: Validate::All,
        ..Approval::default()
    };
    assert_eq!(approval, Ok(expected));
    assert_eq!(Approval::parse("{}"), Ok(Approval::default()));
    assert_eq!(
        Approval::parse(r#"{"title":null,"form":null}"#),
        Ok(Approval::default())
    );
}

#[test]
fn what_cannot_be_shown_is_refused_and_named() {
    let long = |n: usize| "é".repeat(n);
    let choices = |n: usize| {
        format!(
            r#"{{"choices":[{}]}}"#,
            (0..n)
                .map(|i| format!(r#"{{"label":"{i}"}}"#))
                .collect::<Vec<_>>()
                .join(",")
        )
    };
    for (json, part) in [
        (r#"[]"#.to_owned(), "is not an approval"),
        (r#""text""#.to_owned(), "is not an approval"),
        (
            r#"{"choices":[["Go",1,"primary"]]}"#.to_owned(),
            "is not a choice",
        ),
        (
            r#"{"choices":null}"#.to_owned(),
            "choices is null. Use at least one choice, or leave choices out for Approve and Reject.",
        ),
        (
            r#"{"choices":[]}"#.to_owned(),
            "choices is []. Use at least one choice, or leave choices out for Approve and Reject.",
        ),
        (
            r#"{"title":"x", "choices": [ ] }"#.to_owned(),
            "choices is []",
        ),
        (r#"{"choices":{}}"#.to_owned(), "expected a sequence"),
        (r#"{"choices":""}"#.to_owned(), "expected a sequence"),
        (r#"{"choices":[null]}"#.to_owned(), "is not a choice"),
        (r#"{"choices":[""]}"#.to_owned(), "is not a choice"),
        (r#"{"title":""}"#.to_owned(), "title is empty"),
        (r#"{"description":""}"#.to_owned(), "description is empty"),
        (r#"{"requestedBy":""}"#.to_owned(), "requestedBy is empty"),
        (
            r#"{"choices":[{"label":null}]}"#.to_owned(),
            "expected a string",
        ),
        (
            r#"{"choices":[{"label":"\u200b"}]}"#.to_owned(),
            "choices[0].label is empty",
        ),
        (
            r#"{"choices":[{"label":"A","style":""}]}"#.to_owned(),
            "unknown variant ``",
        ),
        (
            r#"{"choices":[{"label":"A","style":null}]}"#.to_owned(),
            "style, comment, confirm and validate must be strings. Leave them out for their defaults.",
        ),
        (r#"{"comment":""}"#.to_owned(), "unknown variant ``"),
        (r#"{"comment":null}"#.to_owned(), "must be strings"),
        (r#"{"confirm":null}"#.to_owned(), "must be strings"),
        (r#"{"validate":null}"#.to_owned(), "must be strings"),
        (
            r#"{"validate":"none"}"#.to_owned(),
            "unknown variant `none`",
        ),
        (
            r#"{"choices":[{"label":"A","form":null}]}"#.to_owned(),
            "invalid type: null, expected a boolean",
        ),
        (
            r#"{"title":"\ud83d"}"#.to_owned(),
            "unexpected end of hex escape",
        ),
        (r#"{"titel":"x"}"#.to_owned(), "unknown field `titel`"),
        (r#"{"title":5}"#.to_owned(), "expected a string"),
        (r#"{"title":" "}"#.to_owned(), "title is empty"),
        (r#"{"title":"\u200b"}"#.to_owned(), "title is empty"),
        (
            r#"{"description":"\u2800 \ufe0f"}"#.to_owned(),
            "description is empty",
        ),
        (format!(r#"{{"title":"{}"}}"#, long(121)), "120 characters"),
        (
            format!(r#"{{"description":"{}"}}"#, long(4_001)),
            "4000 characters",
        ),
        (
            format!(r#"{{"requestedBy":"{}"}}"#, long(121)),
            "120 characters",
        ),
        (choices(7), "7 choices are too many. Use at most 6."),
        (r#"{"choices":[{}]}"#.to_owned(), "missing field `label`"),
        (
            r#"{"choices":[{"label":""}]}"#.to_owned(),
            "choices[0].label is empty",
        ),
        (
            format!(r#"{{"choices":[{{"label":"{}"}}]}}"#, long(41)),
            "40 characters",
        ),
        (
            r#"{"choices":[{"label":"A"},{"label":" a "}]}"#.to_owned(),
            "looks like choices[0].label",
        ),
        (
            r#"{"choices":[{"label":"A","style":"red"}]}"#.to_owned(),
            "unknown variant `red`",
        ),
        (
            r#"{"choices":[{"label":"A","data":{"comment":1}}]}"#.to_owned(),
            "\"comment\"",
        ),
        (
            r#"{"comment":"maybe"}"#.to_owned(),
            "unknown variant `maybe`",
        ),
        (r#"{"confirm":"code"}"#.to_owned(), "unknown variant `code`"),
    ] {
        let message = why(&json);
        assert!(message.contains(part), "{json}: {message}");
        assert!(!message.contains("line 1"), "{message}");
    }
    for json in [
        format!(
            r#"{{"title":"{}","description":"{}"}}"#,
            long(120),
            long(4_000)
        ),
        choices(6),
        r#"{"comment":"none","choices":[{"label":"A","data":{"comment":1}}]}"#.to_owned(),
        r#"{"choices":[{"label":"A","data":{"choices":[]}}]}"#.to_owned(),
        r#"{"title":"say \"choices\":[]"}"#.to_owned(),
    ] {
        assert!(Approval::parse(&json).is_ok(), "{json}");
    }
}

fn choice(data: Option<&str>) -> Choice {
    Choice {
        label: "Go \"on\"".into(),
        data: data.map(str::to_owned),
        style: Style::Neutral,
        is_veto: false,
        form: true,
    }
}

#[test]
fn the_output_is_the_choices_data_as_it_was_written_and_the_comment() {
    for (data, plain, commented) in [
        (
            None,
            r#"{"choice":"Go \"on\""}"#,
            r#"{"choice":"Go \"on\"","comment":"a\"b"}"#,
        ),
        (
            Some(r#"{"a": 1e400}"#),
            r#"{"a": 1e400}"#,
            r#"{"a": 1e400,"comment":"a\"b"}"#,
        ),
        (Some("{ }"), "{ }", r#"{"comment":"a\"b"}"#),
        (Some("[1]"), "[1]", r#"{"data":[1],"comment":"a\"b"}"#),
        (Some("null"), "null", r#"{"data":null,"comment":"a\"b"}"#),
        (
            Some(r#""{}""#),
            r#""{}""#,
            r#"{"data":"{}","comment":"a\"b"}"#,
        ),
    ] {
        assert_eq!(choice(data).output("", None), plain);
        assert_eq!(choice(data).output("a\"b", None), commented);
    }
}

#[test]
fn an_output_that_no_choice_makes_has_none() {
    let approval = Approval {
        choices: vec![choice(None)],
        ..Approval::default()
    };
    for output in [
        "",
        "{}",
        "42",
        r#"{"choice":"other"}"#,
        r#"{"comment":"x"}"#,
    ] {
        assert_eq!(approval.choice_of(output), None, "{output}");
    }
}

#[test]
fn json_is_compared_without_its_white_space() {
    assert_eq!(
        minify_json(" { \"a b\" : [ 1 , \"c \\\" d\" ] }\n"),
        r#"{"a b":[1,"c \" d"]}"#
    );
    assert_eq!(minify_json(r#""\\ " "#), r#""\\ ""#);
}

/// Of two labels, the way these are refused.
fn labels(first: &str, second: &str) -> Result<Approval, ApiError> {
    let choices = [first, second].map(|label| serde_json::json!({ "label": label }));
    Approval::parse(&serde_json::json!({ "choices": choices }).to_string())
}

#[test]
fn labels_that_look_the_same_or_like_nothing_are_refused() {
    for hidden in HIDDEN {
        let refused = labels("Approve", &hidden.to_string());
        let why = refused.unwrap_err().to_string();
        assert!(
            why.contains("choices[1].label is empty"),
            "{hidden:?}: {why}"
        );
        for same in [format!("Approve{hidden}"), format!("App{hidden}rove")] {
            let why = labels("Approve", &same).unwrap_err().to_string();
            assert!(
                why.contains("looks like choices[0].label. Use a label"),
                "{hidden:?}: {why}"
            );
        }
    }
    let why = labels("Approve", "\u{410}pprove").unwrap_err().to_string();
    assert!(
        why.contains("choices[1].label \"\u{410}pprove\" looks like choices[0].label"),
        "{why}"
    );
    assert!(labels("Approve", "Reject").is_ok());
}

/// What was accepted before there was a check is shown as it was.
#[test]
fn a_stored_approval_is_read_without_the_checks() {
    let alike = r#"{"choices":[{"label":"OK"},{"label":"0K"}]}"#;
    assert!(Approval::parse(alike).is_err());
    assert_eq!(Approval::read(alike).unwrap().choices.len(), 2);
    assert!(Approval::read("[]").is_err());
}

proptest! {
    #[test]
    fn an_output_tells_its_choice_and_comment(comment in ".{0,40}", label in ".{1,20}", fields in "[a-b]{1,2}") {
        let choices = vec![
            Choice { label, data: Some(format!(r#"{{"{fields}":1}}"#)), style: Style::Neutral, is_veto: false, form: true },
            choice(None),
            choice(Some("[]")),
        ];
        let approval = Approval { choices, ..Approval::default() };
        for choice in &approval.choices {
            let output = choice.output(&comment, None);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&output).is_ok(), "{output}");
            prop_assert_eq!(approval.choice_of(&output), Some((choice, comment.clone(), None)));
        }
    }
}

#[test]
fn a_stored_approval_without_choices_is_still_read() {
    for json in [r#"{"title":"Old","choices":[]}"#, r#"{"title":"Old"}"#] {
        let approval = Approval::read(json).unwrap();
        assert_eq!(approval.title.as_deref(), Some("Old"));
        assert!(approval.choices.is_empty());
    }
}

/// Texts of exactly `count` characters, as people write them and as programs escape them.
fn texts(count: usize) -> Vec<String> {
    let escaped = |unit: &str| unit.repeat(count);
    let combined = "e\u{301}".repeat(count / 2) + &"e".repeat(count % 2);
    vec![
        "漢".repeat(count),
        "🎉".repeat(count),
        combined,
        escaped(r"\u0416"),
        escaped(r"\ud83c\udf89"),
        escaped(r"\\"),
    ]
}

#[test]
fn texts_are_counted_in_characters_however_they_are_written() {
    for (field, limit) in [("title", 120), ("description", 4_000), ("requestedBy", 120)] {
        let approval = |text: &str| format!(r#"{{"{field}":"{text}"}}"#);
        for text in texts(limit) {
            let parsed = Approval::parse(&approval(&text));
            assert!(parsed.is_ok(), "{field} {:.20}: {parsed:?}", text);
        }
        for text in texts(limit + 1) {
            let why = why(&approval(&text));
            assert_eq!(
                why,
                format!("{field} is too long. Use at most {limit} characters.")
            );
        }
    }
    for (text, fits) in [(40, true), (41, false)].map(|(n, fits)| (texts(n), fits)) {
        for text in text {
            let json = format!(r#"{{"choices":[{{"label":"{text}"}}]}}"#);
            assert_eq!(Approval::parse(&json).is_ok(), fits, "{text}");
        }
    }
}

#[test]
fn the_output_of_the_longest_choice_with_the_longest_comment_is_recognised() {
    let data = format!(r#"{{"x":"{}"}}"#, "y".repeat(60_000));
    let approval = Approval::parse(&format!(
        r#"{{"choices":[{{"label":"Go","data":{data}}},{{"label":"No"}}]}}"#
    ))
    .unwrap();
    let comment = "\u{1}".repeat(2_000);
    let output = approval.choices[0].output(&comment, None);
    let (choice, said, _) = approval.choice_of(&output).unwrap();
    assert_eq!((choice.label.as_str(), said), ("Go", comment));
}
