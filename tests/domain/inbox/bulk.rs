//! What can be decided of several tokens at once.
use super::at;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use waitpoint::domain::approval::schema::{Comment, Style};
use waitpoint::domain::inbox::bulk::{Marked, NotRead, output_of, shared_choices, shared_comment};
use waitpoint::domain::page::i18n::{Words, choose};
use waitpoint::domain::token::{State, Token};

/// A form of two fields, of which one is required.
pub(super) const FORM: &str = r#"{"choices":[{"label":"Yes"},{"label":"No","form":false}],"form":{
    "type":"object","required":["name"],"properties":{"name":{"type":"string"},"why":{"type":"string"}}}}"#;

pub(super) fn en() -> &'static Words {
    choose("en", "")
}

pub(super) fn waiting(approval: &str) -> Token {
    Token {
        approval: (!approval.is_empty()).then(|| approval.to_owned()),
        ..Token::new(at(1), None, Vec::new())
    }
}

fn marked(token: Token) -> Marked {
    Marked {
        id: "a".to_owned(),
        token: Ok(token),
    }
}

fn all(approvals: &[&str]) -> Vec<Marked> {
    let tokens = approvals.iter().map(|approval| waiting(approval));
    tokens.map(marked).collect()
}

fn labels(marked: &[Marked]) -> Vec<String> {
    let shared = shared_choices(marked, en());
    shared.into_iter().map(|choice| choice.label).collect()
}

#[test]
fn choices_are_offered_that_all_marked_tokens_share() {
    let yes_no = r#"{"choices":[{"label":"Yes"},{"label":"No"}]}"#;
    let no_later_yes = r#"{"choices":[{"label":"No"},{"label":"Later"},{"label":"Yes"}]}"#;
    let yes = r#"{"choices":[{"label":" Yes "}]}"#;
    for (approvals, offered) in [
        (&[""][..], &["Approve", "Reject"][..]),
        (
            &["", "{}", r#"{"choices":[]}"#, r#"{"title":"Ship?"}"#],
            &["Approve", "Reject"],
        ),
        (&[yes_no], &["Yes", "No"]),
        // In the order of the first token.
        (&[yes_no, no_later_yes], &["Yes", "No"]),
        (&[no_later_yes, yes_no], &["No", "Yes"]),
        // As they are shown.
        (&[yes_no, yes, no_later_yes], &["Yes"]),
        (&[yes, yes_no], &["Yes"]),
        (&[yes_no, ""], &[]),
        (&["", r#"{"choices":[{"label":"Reject"}]}"#], &["Reject"]),
        // Only what is the same to the letter.
        (&[yes_no, r#"{"choices":[{"label":"yes"}]}"#], &[]),
        // Who must type a label is to read what it decides.
        (&[r#"{"confirm":"typed"}"#], &[]),
        (&["", r#"{"confirm":"typed"}"#], &[]),
        (&["", r#"{"confirm":"choose"}"#], &["Approve", "Reject"]),
        // A form takes more than a label, even if nothing of it is required.
        (&[FORM], &["No"]),
        (&[yes_no, FORM], &["No"]),
        (&[FORM, yes], &[]),
        (
            &[r#"{"form":{"type":"object","properties":{"why":{"type":"string"}}}}"#],
            &[],
        ),
        // A comment can be written for all, unless one takes none.
        (&[r#"{"comment":"required"}"#, ""], &["Approve", "Reject"]),
        (&[r#"{"comment":"none"}"#, ""], &["Approve", "Reject"]),
        (&[r#"{"comment":"required"}"#, r#"{"comment":"none"}"#], &[]),
    ] {
        assert_eq!(labels(&all(approvals)), offered, "{approvals:?}");
    }
}

#[test]
fn tokens_that_do_not_wait_have_no_say() {
    let gone = |token| Marked {
        id: "b".to_owned(),
        token: Err(token),
    };
    let ended = |state| {
        marked(Token {
            state,
            ..waiting(r#"{"choices":[{"label":"Other"}],"comment":"required"}"#)
        })
    };
    let mut some = vec![
        gone(NotRead::NotFound),
        ended(State::TimedOut),
        gone(NotRead::Unavailable),
    ];
    assert_eq!(labels(&some), [""; 0]);
    assert_eq!(labels(&[]), [""; 0]);
    some.push(marked(waiting("")));
    assert_eq!(labels(&some), ["Approve", "Reject"]);
    assert_eq!(shared_comment(&some, en()), Comment::Optional);
}

#[test]
fn a_choice_looks_as_that_of_the_first_token_and_speaks_the_language_of_the_page() {
    let danger = r#"{"choices":[{"label":"Approve","style":"danger"}]}"#;
    let style = |approvals: &[&str]| shared_choices(&all(approvals), en())[0].style;
    assert_eq!(style(&["", danger]), Style::Primary);
    assert_eq!(style(&[danger, ""]), Style::Danger);
    let german = choose("de", "");
    let label = shared_choices(&all(&[""]), german).remove(0).label;
    assert_eq!(label, german.approve);
    assert!(shared_choices(&all(&["", danger]), german).is_empty());
}

#[test]
fn a_comment_is_required_if_one_token_requires_it() {
    let [optional, required, none] = ["", r#"{"comment":"required"}"#, r#"{"comment":"none"}"#];
    for (approvals, shared) in [
        (&[][..], Comment::Optional),
        (&[optional], Comment::Optional),
        (&[optional, none], Comment::None),
        (&[none, optional], Comment::None),
        (&[none, required], Comment::Required),
        (&[required, none, optional], Comment::Required),
    ] {
        assert_eq!(
            shared_comment(&all(approvals), en()),
            shared,
            "{approvals:?}"
        );
    }
}

#[test]
fn each_token_gets_its_own_output() {
    let own = r#"{"choices":[{"label":"Approve","data":{"ok":[1, 2]}},{"label":"No"}]}"#;
    let output = |approval: &str, label: &str, comment: &str| {
        output_of(&waiting(approval), en(), label, comment)
    };
    let is = |text: &str| Some(text.to_owned());
    assert_eq!(output("", "Approve", ""), is(r#"{"status":"approved"}"#));
    assert_eq!(output(own, "Approve", ""), is(r#"{"ok":[1, 2]}"#));
    assert_eq!(output(own, "No", ""), is(r#"{"choice":"No"}"#));
    let commented = output(own, "No", " for\r\nnow ").unwrap();
    assert_eq!(commented, r#"{"choice":"No","comment":"for\nnow"}"#);
    // Where there is no comment, it is left out.
    let silent = r#"{"comment":"none"}"#;
    assert_eq!(
        output(silent, "Reject", "x"),
        is(r#"{"status":"rejected"}"#)
    );
    for (approval, label, comment) in [
        (own, "Reject", ""),
        (own, "", ""),
        (own, "0", ""),
        (FORM, "Yes", ""),
        (r#"{"confirm":"typed"}"#, "Approve", ""),
        (r#"{"comment":"required"}"#, "Approve", " "),
    ] {
        assert_eq!(output(approval, label, comment), None, "{approval} {label}");
    }
    let long = "x".repeat(2_001);
    assert_eq!(output(own, "No", &long), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_offered_is_taken_by_all(
        approvals in vec(select(vec![
            "", FORM, r#"{"comment":"required"}"#, r#"{"comment":"none"}"#, r#"{"confirm":"typed"}"#,
            r#"{"choices":[{"label":" Approve","data":{"ok":[1, 2]}},{"label":"No"}]}"#,
        ]), 0..5),
    ) {
        let marked = all(&approvals);
        let comment = match shared_comment(&marked, en()) {
            Comment::Required => "because",
            Comment::Optional | Comment::None => "",
        };
        for label in labels(&marked) {
            for approval in &approvals {
                let output = output_of(&waiting(approval), en(), &label, comment);
                prop_assert!(output.is_some(), "{} {}", approval, label);
            }
        }
    }
}
