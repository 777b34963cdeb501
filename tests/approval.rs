//! What a token may ask, and what a choice decides.
use proptest::prelude::*;
use waitpoint::approval::{
    Approval, Choice, Comment, Confirm, Style, clean, compact, is_same_word, line,
};
use waitpoint::error::Refusal;

fn why(json: &str) -> String {
    match Approval::parse(json) {
        Err(Refusal::Invalid {
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
            "choices":[{"label":"Go","data":{"a": 1e400},"style":"primary"},{"label":"No"}]}"#,
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
            },
            Choice {
                label: "No".into(),
                data: None,
                style: Style::Neutral,
            },
        ],
    };
    assert_eq!(approval, Ok(expected));
    assert_eq!(Approval::parse("{}"), Ok(Approval::default()));
    assert_eq!(
        Approval::parse(r#"{"title":null}"#),
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
        (r#"[]"#.to_owned(), "no object"),
        (r#""text""#.to_owned(), "no object"),
        (
            r#"{"choices":[["Go",1,"primary"]]}"#.to_owned(),
            "is no choice",
        ),
        (r#"{"choices":null}"#.to_owned(), "expected a sequence"),
        (r#"{"titel":"x"}"#.to_owned(), "unknown field `titel`"),
        (r#"{"title":5}"#.to_owned(), "expected a string"),
        (r#"{"title":" "}"#.to_owned(), "title is empty"),
        (format!(r#"{{"title":"{}"}}"#, long(121)), "120 characters"),
        (
            format!(r#"{{"description":"{}"}}"#, long(4_001)),
            "4000 characters",
        ),
        (
            format!(r#"{{"requestedBy":"{}"}}"#, long(121)),
            "120 characters",
        ),
        (choices(7), "choices must be 6"),
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
            "looks like an earlier one",
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
    ] {
        assert!(Approval::parse(&json).is_ok(), "{json}");
    }
}

fn choice(data: Option<&str>) -> Choice {
    Choice {
        label: "Go \"on\"".into(),
        data: data.map(str::to_owned),
        style: Style::Neutral,
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
        assert_eq!(choice(data).output(""), plain);
        assert_eq!(choice(data).output("a\"b"), commented);
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
fn texts_are_cleaned_of_what_misleads() {
    assert_eq!(
        clean("a\tb\r\nc\rd\u{2028}e\u{7}\u{202e}\u{ad}\u{3164}"),
        "a b\nc\nd\ne"
    );
    assert_eq!(
        clean("👩\u{200d}🚀 می\u{200c}خواهم"),
        "👩\u{200d}🚀 می\u{200c}خواهم"
    );
    assert_eq!(line("  Delete\n\tall\u{a0} of it "), "Delete all of it");
    assert_eq!(line("\u{200b}"), "");
}

#[test]
fn json_is_compared_without_its_white_space() {
    assert_eq!(
        compact(" { \"a b\" : [ 1 , \"c \\\" d\" ] }\n"),
        r#"{"a b":[1,"c \" d"]}"#
    );
    assert_eq!(compact(r#""\\ " "#), r#""\\ ""#);
}

#[test]
fn a_label_is_typed_whatever_its_case() {
    assert!(is_same_word(" approve ", "Approve"));
    assert!(is_same_word("承認", "承認"));
    assert!(is_same_word("delete all", "Delete\n all"));
    assert!(!is_same_word("", "Approve"));
    assert!(!is_same_word("Approve it", "Approve"));
}

proptest! {
    #[test]
    fn an_output_tells_its_choice_and_comment(comment in ".{0,40}", label in ".{1,20}", fields in "[a-b]{1,2}") {
        let choices = vec![
            Choice { label, data: Some(format!(r#"{{"{fields}":1}}"#)), style: Style::Neutral },
            choice(None),
            choice(Some("[]")),
        ];
        let approval = Approval { choices, ..Approval::default() };
        for choice in &approval.choices {
            let output = choice.output(&comment);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&output).is_ok(), "{output}");
            prop_assert_eq!(approval.choice_of(&output), Some((choice, comment.clone())));
        }
    }
}
