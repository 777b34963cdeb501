//! What a sent form decides.
use super::*;
use waitpoint::domain::page::{approval_of, compare, decide};

#[test]
fn a_form_decides_as_the_approval_says() {
    let ask = |json: &str, input: &FormInput| decide(&approval_of(&waiting(json), en()), input);
    let approved = Ok(r#"{"status":"approved"}"#.to_owned());
    assert_eq!(ask("{}", &input("0", "", "")), approved);
    assert_eq!(ask("{}", &input("0", "", " \r\n ")), approved);
    assert_eq!(
        ask("{}", &input("1", "", " a\r\nb ")),
        Ok(r#"{"status":"rejected","comment":"a\nb"}"#.to_owned())
    );
    for choice in ["", "2", "-1", "x", "99999999999999999999"] {
        assert_eq!(
            ask("{}", &input(choice, "Approve", "")),
            Err(vec![InputFault::ChooseOne]),
            "{choice}"
        );
    }
    let typed = r#"{"confirm":"typed"}"#;
    assert_eq!(ask(typed, &input("", "approve ", "")), approved);
    assert_eq!(
        ask(typed, &input("0", "", "")),
        Err(vec![InputFault::TypeExactly])
    );
    let required = r#"{"comment":"required"}"#;
    assert_eq!(
        ask(required, &input("0", "", " ")),
        Err(vec![InputFault::CommentMissing])
    );
    assert_eq!(
        ask("{}", &input("0", "", &"é".repeat(2_001))),
        Err(vec![InputFault::CommentTooLong])
    );
    assert!(ask("{}", &input("0", "", &"é".repeat(2_000))).is_ok());
    assert_eq!(
        ask(r#"{"comment":"none"}"#, &input("0", "", "lost?")),
        approved
    );
}

#[test]
fn a_decision_on_a_finished_token_is_compared_with_the_one_that_stands() {
    let stands = |output: &str, input: FormInput| {
        let token = completed(output, CompletedBy::Api, None);
        compare(&token, &approval_of(&token, en()), &input)
    };
    assert_eq!(stands(r#"{"status":"approved"}"#, input("0", "", "")), None);
    assert_eq!(
        stands(r#"{ "status": "approved" }"#, input("0", "", "")),
        None
    );
    assert_eq!(
        stands(
            r#"{"status":"approved","comment":"a"}"#,
            input("0", "", "a")
        ),
        None
    );
    assert_eq!(
        stands(r#"{"status":"approved"}"#, input("0", "", "b")),
        Some(NotRecorded::CommentNotAdded)
    );
    assert_eq!(
        stands(r#"{"status":"approved"}"#, input("1", "", "")),
        Some(NotRecorded::AlreadyDecided)
    );
    assert_eq!(
        stands("42", input("0", "", "")),
        Some(NotRecorded::AlreadyDecided)
    );
    assert_eq!(
        stands("", input("9", "", "")),
        Some(NotRecorded::AlreadyDecided)
    );
    let late = timed_out();
    assert_eq!(
        compare(&late, &approval_of(&late, en()), &input("0", "", "")),
        Some(NotRecorded::TooLate)
    );
}

#[test]
fn a_form_that_comes_after_the_owner_or_the_deadline_is_told_of_them() {
    let compared =
        |token: &Token, choice| compare(token, &approval_of(token, en()), &input(choice, "", ""));
    assert_eq!(
        compared(&cancelled(None), "0"),
        Some(NotRecorded::Withdrawn)
    );
    // No form can have sent the default decision, so the same one does not count as sent twice.
    let by_default = completed(r#"{"status":"approved"}"#, CompletedBy::Timeout, None);
    for choice in ["0", "1", "9"] {
        assert_eq!(compared(&by_default, choice), Some(NotRecorded::TooLate));
    }
}
