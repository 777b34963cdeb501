//! What the page shows in each state, in each language, and what its form decides.
use waitpoint::domain::auth::form_nonce::NONCE_LIFE;
use waitpoint::domain::auth::keyring::Keyring;
use waitpoint::domain::page::i18n::{ALL, Words, choose};
use waitpoint::domain::page::{
    CSS, FormError, FormInput, JS, Notice, Reads, Remark, RenderContext, approval_of, compare,
    decide, of_notice, of_token,
};
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::{CompletedBy, Decision, Output, OutputKind, State, Token};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn en() -> &'static Words {
    choose("en", "")
}

fn view(words: &Words) -> RenderContext<'_> {
    RenderContext {
        words,
        now: NOW,
        reads: Reads::Everything,
    }
}

fn waiting(approval: &str) -> Token {
    Token {
        approval: Some(approval.to_owned()),
        ..Token::new(
            NOW,
            Some(NOW.plus(std::time::Duration::from_secs(60))),
            Vec::new(),
        )
    }
}

fn completed(output: &str, by: CompletedBy, subject: Option<&str>) -> Token {
    let output = Some(Output {
        kind: OutputKind::Json,
        text: output.to_owned(),
    });
    let decision = Decision {
        output,
        by,
        subject: subject.map(str::to_owned),
    };
    Token {
        state: State::Completed { at: NOW, decision },
        ..waiting("{}")
    }
}

fn shown(token: &Token, remark: Option<Remark>) -> String {
    of_token(
        view(en()),
        token,
        "NONCE",
        &FormInput::default(),
        None,
        remark,
    )
}

fn draft(choice: &str, typed: &str, comment: &str) -> FormInput {
    FormInput {
        choice: choice.into(),
        typed: typed.into(),
        comment: comment.into(),
    }
}

#[test]
fn each_state_has_its_own_page() {
    let timed_out = Token {
        state: State::TimedOut,
        ..waiting("{}")
    };
    let approved = completed(r#"{"status":"approved"}"#, CompletedBy::Page, None);
    let rejected = completed(
        r#"{"status":"rejected","comment":"no <b>"}"#,
        CompletedBy::Api,
        None,
    );
    let otherwise = completed("42", CompletedBy::Callback, Some("ann@example.com"));
    let pages = [
        (
            shown(&waiting("{}"), None),
            "<title>A decision is asked for</title>",
            "Decide by",
        ),
        (
            shown(&approved, None),
            "<title>Approved · ",
            "somebody with this link",
        ),
        (
            shown(&rejected, None),
            "<title>Rejected · ",
            "no &#60;b&#62;",
        ),
        (
            shown(&otherwise, None),
            "<title>Decided · ",
            "ann@example.com",
        ),
        (
            shown(&approved, Some(Remark::NotTaken)),
            "<title>Approved · ",
            en().not_taken,
        ),
        (
            shown(&timed_out, None),
            "<title>The time is over · ",
            en().nobody_decided,
        ),
        (
            shown(&timed_out, Some(Remark::TooLate)),
            "<title>The time is over · ",
            en().too_late,
        ),
        (
            shown(&waiting("{}"), Some(Remark::Expired)),
            "<title>This link has expired · ",
            en().request_new_link,
        ),
        (
            of_notice(en(), Notice::Unknown),
            "<title>This link is not valid</title>",
            en().link_truncated,
        ),
        (
            of_notice(en(), Notice::TroubleDeciding),
            "<title>Something went wrong",
            en().try_again,
        ),
        (
            of_notice(en(), Notice::Trouble),
            "<title>Something went wrong",
            en().wait,
        ),
        (
            of_notice(en(), Notice::Busy),
            "<title>Too many requests</title>",
            en().wait,
        ),
        (
            of_notice(en(), Notice::BusyDeciding),
            "<title>Too many requests</title>",
            en().try_again,
        ),
        (
            of_notice(en(), Notice::Foreign),
            "<title>This came from another site</title>",
            en().cross_site_help,
        ),
        (
            of_notice(en(), Notice::TooLarge),
            "<title>That was too long.",
            en().comment_long,
        ),
    ];
    for (page, title, part) in &pages {
        assert!(page.contains(title), "{title}: {page}");
        assert!(page.contains(part), "{part}: {page}");
        assert_eq!(page.matches("<h1").count(), 1, "{title}");
        assert!(page.len() < 14_000, "{} bytes", page.len());
    }
    let forms = pages.iter().filter(|(page, ..)| page.contains("<form"));
    assert_eq!(forms.count(), 1, "only a waiting token can be decided");
}

#[test]
fn a_fault_keeps_what_was_filled_in() {
    let token = waiting(r#"{"confirm":"choose","choices":[{"label":"A"},{"label":"B"}]}"#);
    let draft = draft("1", "", "so <far>");
    for fault in [
        FormError::Stale,
        FormError::ChooseOne,
        FormError::CommentMissing,
        FormError::CommentLong,
        FormError::Trouble,
    ] {
        let page = of_token(view(en()), &token, "NONCE", &draft, Some(fault), None);
        assert!(
            page.contains(r#"role="alert""#) && page.contains(r#"value="NONCE""#),
            "{fault:?}"
        );
        assert!(page.contains("\nso &#60;far&#62;</textarea>"), "{page}");
        assert!(page.contains(r#"value="1" required checked>"#), "{page}");
    }
    let typed = waiting(r#"{"confirm":"typed"}"#);
    let page = of_token(
        view(en()),
        &typed,
        "N",
        &self::draft("", "\"Appr", ""),
        Some(FormError::TypeExactly),
        None,
    );
    assert!(page.contains(r#"value="&#34;Appr""#), "{page}");
}

#[test]
fn a_draft_decides_as_the_approval_says() {
    let ask = |json: &str, draft: &FormInput| decide(&approval_of(&waiting(json), en()), draft);
    let approved = Ok(r#"{"status":"approved"}"#.to_owned());
    assert_eq!(ask("{}", &draft("0", "", "")), approved);
    assert_eq!(ask("{}", &draft("0", "", " \r\n ")), approved);
    assert_eq!(
        ask("{}", &draft("1", "", " a\r\nb ")),
        Ok(r#"{"status":"rejected","comment":"a\nb"}"#.to_owned())
    );
    for choice in ["", "2", "-1", "x", "99999999999999999999"] {
        assert_eq!(
            ask("{}", &draft(choice, "Approve", "")),
            Err(FormError::ChooseOne),
            "{choice}"
        );
    }
    let typed = r#"{"confirm":"typed"}"#;
    assert_eq!(ask(typed, &draft("", "approve ", "")), approved);
    assert_eq!(ask(typed, &draft("0", "", "")), Err(FormError::TypeExactly));
    let required = r#"{"comment":"required"}"#;
    assert_eq!(
        ask(required, &draft("0", "", " ")),
        Err(FormError::CommentMissing)
    );
    assert_eq!(
        ask("{}", &draft("0", "", &"é".repeat(2_001))),
        Err(FormError::CommentLong)
    );
    assert!(ask("{}", &draft("0", "", &"é".repeat(2_000))).is_ok());
    assert_eq!(
        ask(r#"{"comment":"none"}"#, &draft("0", "", "lost?")),
        approved
    );
}

#[test]
fn a_decision_on_a_finished_token_is_compared_with_the_one_that_stands() {
    let stands = |output: &str, draft: FormInput| {
        let token = completed(output, CompletedBy::Api, None);
        compare(&token, &approval_of(&token, en()), &draft)
    };
    assert_eq!(stands(r#"{"status":"approved"}"#, draft("0", "", "")), None);
    assert_eq!(
        stands(r#"{ "status": "approved" }"#, draft("0", "", "")),
        None
    );
    assert_eq!(
        stands(
            r#"{"status":"approved","comment":"a"}"#,
            draft("0", "", "a")
        ),
        None
    );
    assert_eq!(
        stands(r#"{"status":"approved"}"#, draft("0", "", "b")),
        Some(Remark::Same)
    );
    assert_eq!(
        stands(r#"{"status":"approved"}"#, draft("1", "", "")),
        Some(Remark::NotTaken)
    );
    assert_eq!(stands("42", draft("0", "", "")), Some(Remark::NotTaken));
    assert_eq!(stands("", draft("9", "", "")), Some(Remark::NotTaken));
    let late = Token {
        state: State::TimedOut,
        ..waiting("{}")
    };
    assert_eq!(
        compare(&late, &approval_of(&late, en()), &draft("0", "", "")),
        Some(Remark::TooLate)
    );
}

#[test]
fn who_may_only_decide_does_not_read_what_was_decided_and_an_expired_link_reads_nothing() {
    let mut token = completed(
        r#"{"status":"rejected","comment":"secret"}"#,
        CompletedBy::Page,
        Some("ann"),
    );
    token.approval =
        Some(r#"{"title":"T","description":"D-secret","requestedBy":"R-secret"}"#.to_owned());
    let question_only = RenderContext {
        reads: Reads::Question,
        ..view(en())
    };
    let blind = RenderContext {
        reads: Reads::Nothing,
        ..view(en())
    };
    // The document of one decision is that of another, to the letter.
    let finished = |view, output| {
        let token = Token {
            approval: token.approval.clone(),
            ..completed(output, CompletedBy::Page, Some("ann"))
        };
        of_token(view, &token, "N", &FormInput::default(), None, None)
    };
    for view in [question_only, blind] {
        let page = finished(view, r#"{"status":"rejected","comment":"secret"}"#);
        assert_eq!(page, finished(view, r#"{"status":"approved"}"#));
        assert_eq!(page, finished(view, "null"));
        assert!(page.contains("<h1>Decided</h1>"), "{page}");
        for secret in [">secret", "ann", "Rejected", "Approved"] {
            assert!(!page.contains(secret), "{secret}: {page}");
        }
        let asks = ["T</", "D-secret", "R-secret"].map(|text| page.contains(text));
        assert_eq!(asks, [view.reads == Reads::Question; 3], "{page}");
    }
    let asked = of_token(
        blind,
        &waiting(r#"{"title":"T","description":"D"}"#),
        "N",
        &FormInput::default(),
        None,
        None,
    );
    assert!(
        asked.contains(">T<") && asked.contains(">D<") && asked.contains("<form"),
        "{asked}"
    );
    let page = of_token(
        view(en()),
        &token,
        "N",
        &FormInput::default(),
        None,
        Some(Remark::Expired),
    );
    assert!(
        page.contains(">T<") && !page.contains("secret") && !page.contains("ann"),
        "{page}"
    );
    let page = of_token(
        view(en()),
        &token,
        "N",
        &draft("0", "", "mine"),
        None,
        Some(Remark::NotTaken),
    );
    assert!(
        page.contains(en().comment_not_sent) && page.contains("mine"),
        "what was written is not lost: {page}"
    );
}

#[test]
fn a_page_stays_small_whatever_was_decided() {
    let comment = "‹".repeat(60_000);
    for output in [
        format!(r#"{{"status":"approved","comment":"{comment}"}}"#),
        format!(
            r#"{{"status":"approved","comment":"{}"}}"#,
            comment.repeat(16)
        ),
        format!(
            r#"{{"status":"approved","comment":"{}"}}"#,
            &comment[..3 * 2_500]
        ),
    ] {
        let token = completed(&output, CompletedBy::Api, None);
        let page = of_token(view(en()), &token, "N", &FormInput::default(), None, None);
        assert!(page.len() < 40_000, "{}", page.len());
    }
    let shortened = format!("{}…", "‹".repeat(2_000));
    let token = completed(
        &format!(
            r#"{{"status":"approved","comment":"{}"}}"#,
            &comment[..3 * 2_500]
        ),
        CompletedBy::Api,
        None,
    );
    let page = of_token(view(en()), &token, "N", &FormInput::default(), None, None);
    assert!(
        page.contains(&shortened) && page.contains("Approved"),
        "{page}"
    );
}

#[test]
fn texts_cannot_pretend_to_be_others() {
    let json = serde_json::json!({ "title": "pay\u{202e}1\t000\u{200b}€\u{0007}\n", "choices": [{ "label": "\u{2066}Yes" }] });
    let page = shown(&waiting(&json.to_string()), None);
    assert!(
        page.contains(">pay1 000€<") && page.contains(r#"<bdi lang="">Yes</bdi>"#),
        "{page}"
    );
}

#[test]
fn nothing_that_is_written_leaves_its_place() {
    let evil = r#""'><script>alert(1)</script><img src=x onerror=alert(1)> {{7*7}} </textarea></title>&lt;"#;
    let json = serde_json::json!({ "title": evil, "description": evil, "requestedBy": evil,
        "choices": [{ "label": &evil[..40] }] });
    let token = waiting(&json.to_string());
    let page = of_token(
        view(en()),
        &token,
        "N",
        &draft("", evil, evil),
        Some(FormError::Stale),
        None,
    );
    let harmless = of_token(
        view(en()),
        &waiting(r#"{"title":"x","description":"x","requestedBy":"x","choices":[{"label":"x"}]}"#),
        "N",
        &draft("", "x", "x"),
        Some(FormError::Stale),
        None,
    );
    let tags = |page: &str| page.matches('<').count();
    assert_eq!(tags(&page), tags(&harmless), "{page}");
}

#[test]
fn every_language_is_whole_and_chosen_by_name_or_header() {
    assert_eq!(
        ALL.map(|words| words.lang),
        ["en", "de", "fr", "es", "pt", "ja", "zh", "ar"]
    );
    for words in ALL {
        let page = of_token(
            view(words),
            &waiting("{}"),
            "N",
            &FormInput::default(),
            Some(FormError::Stale),
            None,
        );
        assert!(
            page.contains(&format!(
                r#"<html lang="{}" dir="{}">"#,
                words.lang, words.dir
            )),
            "{page}"
        );
        assert!(page.contains(words.approve) && page.contains(words.safe));
        if words.lang != "en" {
            assert_ne!(words.question, en().question);
        }
    }
    for (asked, header, lang) in [
        ("", "", "en"),
        ("", "de", "de"),
        ("", "de-AT,en;q=0.9", "de"),
        ("", "en;q=0.3, fr;q=0.8, de;q=0.5", "fr"),
        ("", "nl, ja;q=0.1", "ja"),
        ("", "zh-Hant-TW", "zh"),
        ("", "*", "en"),
        ("", "de;q=0, es;q=0.001", "es"),
        ("", "de;q=x", "en"),
        ("", ";;q=,,=;q=1;é", "en"),
        ("ar", "de", "ar"),
        ("AR_EG", "de", "ar"),
        ("xx", "de", "de"),
    ] {
        assert_eq!(choose(asked, header).lang, lang, "{asked:?} {header:?}");
    }
}

#[test]
fn styles_and_script_end_where_the_template_ends_them() {
    assert!(!CSS.contains("</") && !JS.contains("</"));
}

#[test]
fn a_nonce_holds_for_its_token_and_its_time() {
    let keyring =
        Keyring::parse("tr_dev_123456789012345678901234\nprod=tr_prod_12345678901234567890")
            .unwrap();
    let [dev, prod] = [
        "tr_dev_123456789012345678901234",
        "tr_prod_12345678901234567890",
    ]
    .map(|key| keyring.by_secret(key).unwrap());
    let nonce = dev.form_nonce("c1", NOW);
    assert!(dev.accepts_form_nonce("c1", &nonce, NOW));
    assert!(dev.accepts_form_nonce("c1", &nonce, NOW.plus(NONCE_LIFE)));
    let later = NOW.plus(NONCE_LIFE + std::time::Duration::from_secs(61));
    assert!(!dev.accepts_form_nonce("c1", &nonce, later), "too old");
    assert!(
        !dev.accepts_form_nonce(
            "c1",
            &nonce,
            Timestamp::from_millis(NOW.as_millis() - 61_000)
        ),
        "of the future"
    );
    assert!(
        !dev.accepts_form_nonce("c2", &nonce, NOW),
        "another token's"
    );
    assert!(
        !prod.accepts_form_nonce("c1", &nonce, NOW),
        "another environment's"
    );
    for at in 0..nonce.len() {
        let mut bad = nonce.clone().into_bytes();
        bad[at] ^= 1;
        let bad = String::from_utf8_lossy(&bad).into_owned();
        assert!(!dev.accepts_form_nonce("c1", &bad, NOW), "{bad}");
        assert!(!dev.accepts_form_nonce("c1", &nonce[..at], NOW));
    }
}
