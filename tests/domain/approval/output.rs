//! What a choice and a form make, and which outputs that come otherwise are accepted.
use super::why;
use proptest::prelude::*;
use waitpoint::domain::approval::schema::{
    Approval, Choice, MAX_CHOICE_OUTPUT, MAX_COMMENT, Style, minify_json,
};
use waitpoint::domain::token::{Output, OutputKind};

const FORM: &str =
    r#""form":{"type":"object","properties":{"n":{"type":"number"}},"required":["n"]}"#;

fn approval(fields: &str) -> Approval {
    Approval::parse(&format!("{{{FORM},{fields}}}")).unwrap()
}

fn output(kind: OutputKind, text: &str) -> Output {
    Output {
        kind,
        text: text.to_owned(),
    }
}

/// The pointers and messages of an output's issues.
fn issues(approval: &Approval, output: &Output) -> Vec<(String, String)> {
    let issues = approval.issues_of(Some(output)).into_iter();
    issues.map(|it| (it.pointer, it.message)).collect()
}

#[test]
fn the_fields_stand_beside_the_choices_data() {
    let choice = |data: Option<&str>| Choice {
        label: "Go".into(),
        data: data.map(str::to_owned),
        style: Style::Neutral,
        form: true,
        is_veto: false,
    };
    let fields = Some(r#"{"n":1}"#);
    for (data, plain, commented) in [
        (
            None,
            r#"{"choice":"Go","fields":{"n":1}}"#,
            r#"{"choice":"Go","comment":"c","fields":{"n":1}}"#,
        ),
        (
            Some(r#"{"a": 1e400}"#),
            r#"{"a": 1e400,"fields":{"n":1}}"#,
            r#"{"a": 1e400,"comment":"c","fields":{"n":1}}"#,
        ),
        (
            Some("{ }"),
            r#"{"fields":{"n":1}}"#,
            r#"{"comment":"c","fields":{"n":1}}"#,
        ),
        (
            Some("[1]"),
            r#"{"data":[1],"fields":{"n":1}}"#,
            r#"{"data":[1],"comment":"c","fields":{"n":1}}"#,
        ),
    ] {
        assert_eq!(choice(data).output("", fields), plain);
        assert_eq!(choice(data).output("c", fields), commented);
    }
}

#[test]
fn what_contradicts_the_form_is_refused_and_named() {
    for (fields, message) in [
        (
            r#""validate":"all""#.to_owned(),
            "validate is \"all\", but there is no form. Add form, or leave validate out.",
        ),
        (
            r#""choices":[{"label":"A"},{"label":"B","form":false}]"#.to_owned(),
            "choices[1].form is false, but there is no form. Add form, or leave it out of the choice.",
        ),
        (
            format!(r#"{FORM},"choices":[{{"label":"A","form":false}}]"#),
            "form is false for each choice, so nobody could send the form. Leave it out of a choice.",
        ),
        (
            format!(r#"{FORM},"choices":[{{"label":"A","data":{{"fields":1}}}}]"#),
            "choices[0].data has a field \"fields\", which stands for the form's fields. Rename the field.",
        ),
        (
            format!(
                r#"{FORM},"comment":"none","choices":[{{"label":"A","data":[1]}},
                   {{"label":"B","data":{{"data":[1]}},"form":false}}]"#
            ),
            "choices[1].data is the same as that of an earlier choice. Use different data for each choice.",
        ),
        (
            r#""form":"n""#.to_owned(),
            "/form: \"n\" is not an object. Use {\"type\": \"object\", \"properties\": {\"reason\": \
             {\"type\": \"string\"}}, \"required\": [\"reason\"]}.",
        ),
    ] {
        assert_eq!(why(&format!("{{{fields}}}")), message);
    }
    // Without a form these are data like any other.
    assert!(Approval::parse(r#"{"choices":[{"label":"A","data":{"fields":1}}]}"#).is_ok());
}

#[test]
fn an_output_tells_its_choice_its_comment_and_its_fields() {
    let approval = approval(
        r#""choices":[{"label":"A","data":[1]},{"label":"B","data":{"data":[2]},"form":false}]"#,
    );
    let found = |output: &str| {
        let found = approval.choice_of(output);
        found.map(|(choice, comment, fields)| (choice.label.clone(), comment, fields))
    };
    let made = |label: &str, comment: &str, fields: Option<&str>| {
        Some((
            label.to_owned(),
            comment.to_owned(),
            fields.map(str::to_owned),
        ))
    };
    for (output, expected) in [
        (r#"[1]"#, made("A", "", None)),
        (
            r#"{"data":[1],"fields":{"n":1}}"#,
            made("A", "", Some(r#"{"n":1}"#)),
        ),
        (
            r#"{"data": [1], "comment": "c d", "fields": {"n": "e f"}}"#,
            made("A", "c d", Some(r#"{"n":"e f"}"#)),
        ),
        (r#"{"data":[2]}"#, made("B", "", None)),
        (r#"{"data":[2],"comment":"c"}"#, made("B", "c", None)),
        (r#"{"data":[1],"comment":"c"}"#, made("A", "c", None)),
        (r#"{"fields":{"n":1}}"#, None),
        (r#"{"data":[2],"fields":{"n":1}}"#, None),
    ] {
        assert_eq!(found(output), expected, "{output}");
    }
}

#[test]
fn outputs_that_do_not_come_from_the_page_are_held_to_the_form_if_it_is_asked() {
    let json = |text: &str| output(OutputKind::Json, text);
    let choices = r#""choices":[{"label":"A"},{"label":"B","form":false}]"#;
    let page = approval(choices);
    let all = approval(&format!(r#"{choices},"validate":"all""#));
    for text in ["5", "{}", r#"{"fields":{"n":"x"}}"#] {
        assert_eq!(issues(&page, &json(text)), [], "{text}");
        assert_eq!(issues(&all, &json(text)).len(), 1, "{text}");
    }
    assert_eq!(page.issues_of(None), []);
    let missing = &all.issues_of(None)[0];
    assert_eq!(missing.pointer, "");
    assert_eq!(
        missing.message,
        "The output is missing. Use a JSON object with fields."
    );
    for text in [
        r#"{"fields":{"n":1}}"#,
        r#"{"choice":"A","fields":{"n":1}}"#,
        r#"{"choice":"B"}"#,
        r#"{"choice":"B","comment":"no"}"#,
    ] {
        assert_eq!(issues(&all, &json(text)), [], "{text}");
    }
    let message = r#""n" is missing. Use a number such as 12.5."#;
    assert_eq!(
        issues(&all, &json(r#"{"choice":"A"}"#)),
        [("/fields/n".to_owned(), message.to_owned())]
    );
    let message = r#""n=1" is not JSON. Use a JSON object with fields."#;
    assert_eq!(
        issues(&all, &output(OutputKind::Text, "n=1")),
        [(String::new(), message.to_owned())]
    );
}

#[test]
fn an_approval_without_a_form_has_an_empty_one() {
    assert!(Approval::default().form().fields.is_empty());
    assert_eq!(approval(r#""title":"T""#).form().fields[0].name, "n");
}

#[test]
fn the_longest_output_that_a_page_can_send_is_recognised() {
    // One text is 10,000 characters at most.
    let texts = r#"{"type":"string","maxLength":10000}"#;
    let approval = Approval::parse(&format!(
        r#"{{"form":{{"type":"object","properties":{{"a":{texts},"b":{texts}}}}},"choices":[{{"label":"Go"}}]}}"#
    ))
    .unwrap();
    let text = format!("x{}x", "\u{1}".repeat(9_998));
    let fields = approval.form().fields_json(&|_| vec![&text]).unwrap();
    let comment = "\u{1}".repeat(MAX_COMMENT);
    let output = approval.choices[0].output(&comment, Some(&fields));
    assert!(output.len() < MAX_CHOICE_OUTPUT);
    let (_, said, found) = approval.choice_of(&output).unwrap();
    assert_eq!((said, found), (comment, Some(fields)));
}

proptest! {
    #[test]
    fn an_output_with_fields_tells_them(comment in ".{0,20}", text in ".{1,20}", first: bool) {
        let approval = Approval::parse(
            r#"{"form":{"type":"object","properties":{"é":{"type":"string"}}},
                "choices":[{"label":"A"},{"label":"B","data":7}]}"#,
        ).unwrap();
        let fields = approval.form().fields_json(&|_| vec![&text]).unwrap();
        let choice = &approval.choices[usize::from(!first)];
        let output = choice.output(&comment, Some(&fields));
        prop_assert_eq!(minify_json(&output), output.clone());
        prop_assert_eq!(approval.choice_of(&output), Some((choice, comment, Some(fields))));
    }
}
