//! Texts of others stay in their place.
use super::*;

const EVIL: &str =
    r#""'><script>alert(1)</script><img src=x onerror=alert(1)> {{7*7}} </textarea></title>&lt;"#;
const LONG: &str = "<b>\u{202e}x\u{200b}</b>";

/// Every page with texts of others, where each is this one.
fn pages_with(text: &str, short: &str) -> Vec<String> {
    let operator = Operator {
        environment: text,
        person: Some(text),
        nonce: "NONCE",
    };
    let frame = Frame {
        operator: Some(operator),
        ..frame(en())
    };
    let words = en();
    let mut one = row("a1", text, None);
    one.tags = vec![text.to_owned()];
    let query = InboxQuery {
        text: text.to_owned(),
        tag: text.to_owned(),
        ..InboxQuery::default()
    };
    let approval = serde_json::json!({ "title": text, "description": text, "requestedBy": text,
        "choices": [{ "label": short, "style": "primary" }], "approvers": [{ "id": text, "name": text }] });
    let asked = Token {
        approval: Some(approval.to_string()),
        tags: vec![text.to_owned()],
        notify: vec![
            Recipient::Webhook(text.to_owned()),
            Recipient::Slack(text.to_owned()),
        ],
        key: rich().key.map(|key| Key {
            text: text.to_owned(),
            ..key
        }),
        quorum: Some(Quorum {
            approvers: vec![text.to_owned()],
            required: 1,
        }),
        votes: vec![Vote {
            approver: 0,
            choice: 0,
            at: NOW,
            comment: Some(text.to_owned()),
            fields: None,
        }],
        ..rich()
    };
    let output = Some(Output {
        kind: OutputKind::Text,
        text: text.to_owned(),
    });
    let decision = Decision {
        output,
        by: CompletedBy::Inbox,
        subject: Some(text.to_owned()),
        callback: None,
        is_by_owner: false,
    };
    let completed = Token {
        state: State::Completed { at: NOW, decision },
        ..asked.clone()
    };
    let withdrawn = Token {
        state: State::Cancelled {
            at: NOW,
            reason: Some(text.to_owned()),
        },
        ..asked.clone()
    };
    let choice = SharedChoice {
        label: short.to_owned(),
        style: Style::Neutral,
    };
    let marked = [marked("a1", asked.clone()), marked("a2", withdrawn.clone())];
    let opened = |token: &Token, problem: Option<&TokenProblem>, written: Written<'_>| {
        let input = FormInput {
            comment: text.to_owned(),
            ..FormInput::default()
        };
        let view = TokenView {
            id: ID,
            token,
            input: &input,
            problem,
            written,
            done: None,
        };
        super::token(frame, view)
    };
    let summary = |problem| {
        let summary = Review {
            marked: &marked,
            choices: std::slice::from_ref(&choice),
            comment: Comment::Optional,
            written: text,
            problem: Some(problem),
        };
        review(frame, summary)
    };
    let action = BulkAction::Decide {
        label: text.to_owned(),
        comment: text.to_owned(),
    };
    let done = Outcomes {
        action: &action,
        outcomes: &[(marked[0].clone(), BulkOutcome::Done)],
    };
    let form = SignIn {
        next: text,
        nonce: "NONCE",
        problem: None,
    };
    vec![
        list(frame, &query, &found(vec![one])),
        opened(&asked, None, Written::Nothing),
        opened(&asked, None, Written::Deadline(text)),
        opened(&asked, None, Written::Reason(text)),
        opened(&completed, None, Written::Nothing),
        opened(&withdrawn, None, Written::Nothing),
        summary(ReviewProblem::CommentTooLong),
        summary(ReviewProblem::ReasonTooLong),
        outcomes(frame, done),
        sign_in(Frame { words, ..frame }, form),
    ]
}

#[test]
fn nothing_that_is_written_leaves_its_place() {
    let harmless = pages_with("x", "x");
    for (page, harmless) in pages_with(EVIL, &EVIL[..40]).iter().zip(&harmless) {
        let tags = |page: &str| page.matches('<').count();
        assert_eq!(tags(page), tags(harmless), "{page}");
        let quotes = |page: &str| page.matches('"').count();
        assert_eq!(quotes(page), quotes(harmless), "{page}");
        assert!(!page.contains("{{7*7}}</"), "{page}");
    }
}

#[test]
fn texts_cannot_pretend_to_be_others() {
    for page in pages_with(LONG, "x").iter().take(6) {
        // What is in a field stays as it was written.
        let shown = main_of(page)
            .split('>')
            .filter(|text| text.contains("#60;b"));
        let mut count = 0;
        for text in shown.filter(|text| !text.contains("value=") && !text.contains("</textarea")) {
            count += 1;
            let text = text.split('<').next().unwrap();
            assert!(
                !text.contains(['\u{202e}', '\u{200b}']),
                "{text:?} in {page}"
            );
        }
        assert!(count > 0, "{page}");
    }
}
