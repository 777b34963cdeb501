//! What is wrong with a form, on the page.
use super::*;
use waitpoint::domain::approval::form::{FaultReason, FieldFault};
use waitpoint::domain::page::{approval_of, decide};

#[test]
fn all_faults_are_beside_their_fields_and_listed() {
    let token = waiting(&EACH.replacen('{', r#"{"confirm":"choose","comment":"required","#, 1));
    let approval = approval_of(&token, en());
    let sent = filled(
        "",
        &[
            (0, &["x"]),
            (6, &["100"]),
            (7, &["1.5"]),
            (11, &["0", "1", "2"]),
        ],
    );
    // Without a choice nobody knows whether the fields are sent.
    assert_eq!(
        decide(&approval, &sent),
        Err(vec![InputFault::ChooseOne, InputFault::CommentMissing])
    );
    let sent = FormInput {
        choice: "0".into(),
        ..sent
    };
    let faults = decide(&approval, &sent).unwrap_err();
    let field = |field, why| InputFault::Field(FieldFault { field, why });
    assert_eq!(
        faults,
        [
            field(0, FaultReason::TooShort(2)),
            field(4, FaultReason::Missing),
            field(6, FaultReason::TooLarge("99.5".into())),
            field(7, FaultReason::NotInteger),
            field(9, FaultReason::Missing),
            field(11, FaultReason::TooMany(2)),
            InputFault::CommentMissing,
        ]
    );
    let page = form_again(&token, &sent, &FormError::Input(faults));
    assert_has(
        &page,
        &[
            r#"<div class="alert" id="alert" role="alert" tabindex="-1" autofocus>Please correct the following:"#,
            r##"<li><a href="#field-0"><bdi lang="">Your name</bdi>: Use at least 2 characters.</a></li>"##,
            r##"<a href="#field-4"><bdi lang="">day</bdi>: Fill in this field.</a>"##,
            r##"<a href="#comment">Write a comment.</a>"##,
            r#"<span class="fault" id="field-6-fault">Enter 99.5 or less.</span>"#,
            r#"aria-describedby="field-6-fault" aria-invalid="true""#,
            r#"aria-describedby="field-9-fault" role="radiogroup" aria-invalid="true"><legend>"#,
            r#"<span class="fault" id="field-9-fault">Choose one of the options.</span>"#,
            r#"<span class="fault" id="field-11-fault">Choose at most 2.</span>"#,
            r#"<span class="fault" id="comment-fault">Write a comment.</span>"#,
            r#"aria-invalid="true" aria-describedby="comment-fault""#,
        ],
    );
    // A single fault that is no field's is the alert itself.
    let error = FormError::Input(vec![InputFault::CommentMissing]);
    let page = form_again(&token, &sent, &error);
    assert_has(
        &page,
        &[
            r#"<p class="alert" id="alert" role="alert" tabindex="-1" autofocus>Write a comment.</p>"#,
            r#"aria-invalid="true" aria-describedby="alert""#,
        ],
    );
    assert!(!page.contains(r#"class="fault""#), "{page}");
    let both = [InputFault::ChooseOne, InputFault::CommentMissing];
    let page = form_again(&token, &sent, &FormError::Input(both.to_vec()));
    assert_has(
        &page,
        &[
            r##"<a href="#choice">Choose one of the options.</a>"##,
            r#"<fieldset role="radiogroup" aria-invalid="true" aria-describedby="choice-fault">"#,
            r#"<input type="radio" name="choice" id="choice" value="0""#,
        ],
    );
}

#[test]
fn every_language_says_what_is_wrong() {
    let reasons = [
        FaultReason::Missing,
        FaultReason::TooShort(7),
        FaultReason::TooLong(7),
        FaultReason::NotNumber,
        FaultReason::NotInteger,
        FaultReason::TooSmall("-7".into()),
        FaultReason::TooLarge("7".into()),
        FaultReason::NotEmail,
        FaultReason::NotUri,
        FaultReason::NotDate,
        FaultReason::NotDateTime,
        FaultReason::NotAnOption,
        FaultReason::TooFew(7),
        FaultReason::TooMany(7),
        FaultReason::WrongType,
    ];
    let token = waiting(r#"{"form":{"type":"object","properties":{"a":{"type":"string"}}}}"#);
    let sent = filled("0", &[]);
    let said = |words: &Words, why: &FaultReason| {
        let fault = InputFault::Field(FieldFault {
            field: 0,
            why: why.clone(),
        });
        let error = FormError::Input(vec![fault]);
        let state = PageState::Waiting {
            token: &token,
            nonce: "N",
            input: &sent,
            error: Some(&error),
        };
        let page = rendered(words, state);
        let said = page.split(r#"id="field-0-fault">"#).nth(1).unwrap();
        said.split('<').next().unwrap().to_owned()
    };
    for words in waitpoint::domain::page::i18n::ALL {
        let mut all: Vec<_> = reasons.iter().map(|why| said(words, why)).collect();
        for (why, sentence) in reasons.iter().zip(&all) {
            assert!(
                !sentence.is_empty() && !sentence.contains('{'),
                "{sentence}"
            );
            let has_bound = format!("{why:?}").contains('7');
            assert_eq!(
                sentence.contains('7'),
                has_bound || sentence.contains("2027"),
                "{sentence}"
            );
            assert!(
                words.lang == "en" || *sentence != said(en(), why),
                "{sentence}"
            );
        }
        all.sort();
        all.dedup();
        assert_eq!(all.len(), reasons.len(), "{}: each has its own", words.lang);
    }
}
