//! What a token asks, decided by what a person fills in. A line each: the choice, the typed label, the
//! comment; then the JSON of `approval`.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use waitpoint::domain::approval::schema::{Approval, Comment};
use waitpoint::domain::page::{self, FormInput, PageState, Reads, RenderContext, i18n};
use waitpoint::domain::text::{is_same_word, looks_alike, single_line, strip_invisible};
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::{CompletedBy, Decision, Output, OutputKind, State, Token};

const NOW: Timestamp = Timestamp::from_millis(1_790_380_800_000);

fuzz_target!(|text: &str| {
    let mut parts = text.splitn(4, '\n');
    let mut next = || parts.next().unwrap_or("");
    let (choice, typed, comment, json) = (next(), next(), next(), next());
    show(choice, typed);
    show(comment, json);
    let Some(tags) = decide(choice, typed, comment, json) else {
        return;
    };
    // What somebody wrote is no tag of the page: it has as many with `<` spelled otherwise.
    let plain = |text: &str| text.replace('<', "‹");
    let asked = json.replace("\\u003c", "‹").replace("\\u003C", "‹");
    let harmless = decide(
        &plain(choice),
        &plain(typed),
        &plain(comment),
        &plain(&asked),
    );
    assert!(harmless.is_none_or(|harmless| harmless == tags));
});

/// What any two texts show.
fn show(a: &str, b: &str) {
    let shown = strip_invisible(a);
    assert_eq!(strip_invisible(&shown), shown);
    assert_eq!(single_line(&single_line(a)), single_line(a));
    assert!(looks_alike(a, a) && is_same_word(a, a));
    assert!(looks_alike(a, &shown) && is_same_word(a, &shown));
    assert_eq!(looks_alike(a, b), looks_alike(b, a));
    assert!(!is_same_word(a, b) || looks_alike(a, b));
}

/// Shows the page and decides; how many tags the page has before and after. `None` if that is no approval.
fn decide(choice: &str, typed: &str, comment: &str, json: &str) -> Option<[usize; 2]> {
    Approval::parse(json).ok()?;
    let view = RenderContext {
        words: i18n::choose("en", ""),
        now: NOW,
    };
    let draft = FormInput {
        choice: choice.to_owned(),
        typed: typed.to_owned(),
        comment: comment.to_owned(),
        fields: None,
    };
    let mut token = Token {
        approval: Some(json.to_owned()),
        ..Token::new(NOW, None, Vec::new())
    };
    let tags = |state: PageState<'_>| page::render(view, state).matches('<').count();
    let open = tags(PageState::Waiting {
        token: &token,
        nonce: "nonce",
        input: &draft,
        error: None,
    });

    let approval = page::approval_of(&token, view.words);
    let Ok(output) = page::decide(&approval, &draft) else {
        return Some([open, 0]);
    };
    assert!(
        serde_json::from_str::<&RawValue>(&output).is_ok(),
        "{output}"
    );
    let (choice, comment, fields) = approval.choice_of(&output).unwrap();
    match approval.comment {
        Comment::None => assert_eq!(comment, ""),
        _ => assert_eq!(comment, draft.comment.replace("\r\n", "\n").trim()),
    }
    assert_eq!(choice.output(&comment, fields.as_deref()), output);
    token.state = State::Completed {
        at: NOW,
        decision: Decision {
            callback: None,
            output: Some(Output {
                kind: OutputKind::Json,
                text: output,
            }),
            by: CompletedBy::Page,
            subject: None,
            is_by_owner: false,
        },
    };
    assert_eq!(page::compare(&token, &approval, &draft), None);
    let finished = PageState::ended(&token, Reads::Everything);
    Some([open, tags(finished)])
}
