//! What the list says that a token was decided.
use waitpoint::domain::inbox::decision::{decision_in, decision_of};
use waitpoint::domain::page::i18n::ALL;
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::{CompletedBy, Decision, Output, OutputKind, State, Token};

fn decided(approval: Option<&str>, output: &str) -> Option<String> {
    let at = Timestamp::from_millis(1);
    let decision = Decision {
        output: Some(Output {
            kind: OutputKind::Json,
            text: output.to_owned(),
        }),
        by: CompletedBy::Page,
        subject: None,
        callback: None,
        is_by_owner: false,
    };
    decision_of(&Token {
        approval: approval.map(str::to_owned),
        state: State::Completed { at, decision },
        ..Token::new(at, None, Vec::new())
    })
}

#[test]
fn a_choice_has_its_label_and_the_usual_ones_the_word_of_the_language() {
    let own = r#"{"choices":[{"label":" Ship \u200bit "},{"label":"approve","data":{"go":1}}]}"#;
    for (approval, output, english) in [
        (Some("{}"), r#"{"status":"approved"}"#, Some("Approve")),
        (
            Some(r#"{"choices":[]}"#),
            r#"{"status":"rejected","comment":"no"}"#,
            Some("Reject"),
        ),
        (Some(own), r#"{"go":1}"#, Some("approve")),
        (Some("{}"), r#"{"status":"other"}"#, None),
        (Some("{}"), "", None),
        (Some(own), r#"{"status":"approved"}"#, None),
        (None, r#"{"status":"approved"}"#, None),
    ] {
        let stored = decided(approval, output);
        let shown = stored.as_deref().map(|made| decision_in(ALL[0], made));
        assert_eq!(shown.as_deref(), english, "{approval:?} {output}");
    }
    let approved = decided(Some("{}"), r#"{"status":"approved"}"#).unwrap();
    for words in ALL {
        assert_eq!(decision_in(words, &approved), words.approve);
    }
    assert_eq!(
        decision_of(&Token::new(Timestamp::from_millis(1), None, Vec::new())),
        None
    );
}
