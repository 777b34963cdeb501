//! Each state of the page.
use super::*;

#[test]
fn each_state_has_its_own_page() {
    let approved = completed(r#"{"status":"approved"}"#, CompletedBy::Page, None);
    let rejected = completed(
        r#"{"status":"rejected","comment":"no <b>"}"#,
        CompletedBy::Api,
        None,
    );
    let otherwise = completed("42", CompletedBy::Callback, Some("ann@example.com"));
    let by_default = completed(r#"{"status":"approved"}"#, CompletedBy::Timeout, None);
    let opened = |token: &Token| super::opened(token, Reads::Everything);
    let not_recorded = |token, why| super::not_recorded(token, &FormInput::default(), why);
    let message = |state| rendered(en(), state);
    let pages = [
        (
            opened(&waiting("{}")),
            "<title>Your decision is needed</title>",
            "Decide by",
        ),
        (
            opened(&approved),
            "<title>Approve · ",
            "someone with this link",
        ),
        (opened(&rejected), "<title>Reject · ", "no &#60;b&#62;"),
        (opened(&otherwise), "<title>Decided · ", "ann@example.com"),
        (
            not_recorded(&approved, NotRecorded::AlreadyDecided),
            "<title>Approve · ",
            en().not_taken,
        ),
        (
            not_recorded(&approved, NotRecorded::CommentNotAdded),
            "<title>Approve · ",
            en().same,
        ),
        (
            opened(&timed_out()),
            "<title>Time is up · ",
            en().nobody_decided,
        ),
        (
            not_recorded(&timed_out(), NotRecorded::TooLate),
            "<title>Time is up · ",
            en().too_late,
        ),
        (
            opened(&cancelled(Some("no <b> need"))),
            "<title>Withdrawn · ",
            "<bdi>no &#60;b&#62; need</bdi>",
        ),
        (
            not_recorded(&cancelled(None), NotRecorded::Withdrawn),
            "<title>Withdrawn · ",
            en().withdrawn_not_recorded,
        ),
        (
            opened(&by_default),
            "<title>Approve · ",
            "nobody; the default decision at the deadline",
        ),
        (
            not_recorded(&by_default, NotRecorded::TooLate),
            "<title>Approve · ",
            en().too_late,
        ),
        (
            link_expired(&waiting("{}"), Reads::Everything),
            "<title>This link has expired · ",
            en().request_new_link,
        ),
        (
            message(PageState::LinkNotFound),
            "<title>This link is not valid</title>",
            en().link_truncated,
        ),
        (
            message(PageState::Unavailable { submitted: true }),
            "<title>Something went wrong",
            en().try_again,
        ),
        (
            message(PageState::Unavailable { submitted: false }),
            "<title>Something went wrong",
            en().wait,
        ),
        (
            message(PageState::Busy { submitted: false }),
            "<title>Too many requests</title>",
            en().wait,
        ),
        (
            message(PageState::Busy { submitted: true }),
            "<title>Too many requests</title>",
            en().try_again,
        ),
        (
            message(PageState::CrossSite),
            "<title>This came from another site</title>",
            en().cross_site_help,
        ),
        (
            message(PageState::TooLarge),
            "<title>That was too long.",
            en().shorten,
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
fn the_heading_of_a_decision_is_the_label_that_was_chosen() {
    let asked = r#"{"choices":[{"label":"Ship\n  it\u200b","style":"primary"},
        {"label":"<Hold>","style":"danger"},{"label":"لاحقا"}]}"#;
    let decided = |output| {
        let token = Token {
            approval: Some(asked.to_owned()),
            ..completed(output, CompletedBy::Page, None)
        };
        opened(&token, Reads::Everything)
    };
    for (output, heading, tone) in [
        (
            "{\"choice\":\"Ship\\n  it\u{200b}\"}",
            r#"<bdi lang="">Ship it</bdi>"#,
            "approved",
        ),
        (
            r#"{"choice":"<Hold>","comment":"x"}"#,
            r#"<bdi lang="">&#60;Hold&#62;</bdi>"#,
            "rejected",
        ),
        (
            r#"{"choice":"لاحقا"}"#,
            r#"<bdi lang="">لاحقا</bdi>"#,
            "decided",
        ),
        ("42", "Decided", "decided"),
    ] {
        let page = decided(output);
        assert!(page.contains(&format!("<h1>{heading}</h1>")), "{page}");
        assert!(page.contains(&format!(r#"<body class="{tone}""#)), "{page}");
    }
    assert!(decided(r#"{"choice":"<Hold>"}"#).contains("<title>&#60;Hold&#62; · "));
}

#[test]
fn an_error_keeps_what_was_filled_in() {
    let token = waiting(r#"{"confirm":"choose","choices":[{"label":"A"},{"label":"B"}]}"#);
    let filled_in = input("1", "", "so <far>");
    for error in [
        FormError::Stale,
        FormError::Input(vec![InputFault::ChooseOne]),
        FormError::Input(vec![InputFault::CommentMissing]),
        FormError::Input(vec![InputFault::CommentTooLong]),
        FormError::Busy,
        FormError::Unavailable,
    ] {
        let page = form_again(&token, &filled_in, &error);
        assert!(
            page.contains(r#"role="alert""#) && page.contains(r#"value="NONCE""#),
            "{error:?}"
        );
        assert!(page.contains("\nso &#60;far&#62;</textarea>"), "{page}");
        assert!(page.contains(r#"value="1" required checked>"#), "{page}");
    }
    let typed = waiting(r#"{"confirm":"typed"}"#);
    let page = form_again(
        &typed,
        &input("", "\"Appr", ""),
        &FormError::Input(vec![InputFault::TypeExactly]),
    );
    assert!(page.contains(r#"value="&#34;Appr""#), "{page}");
}

#[test]
fn a_page_stays_small_whatever_was_decided() {
    let comment = "‹".repeat(60_000);
    let output = |comment: &str| format!(r#"{{"status":"approved","comment":"{comment}"}}"#);
    for output in [
        output(&comment),
        output(&comment.repeat(16)),
        output(&comment[..3 * 2_500]),
    ] {
        let page = opened(
            &completed(&output, CompletedBy::Api, None),
            Reads::Everything,
        );
        assert!(page.len() < 40_000, "{}", page.len());
    }
    let shortened = format!("{}…", "‹".repeat(2_000));
    let token = completed(&output(&comment[..3 * 2_500]), CompletedBy::Api, None);
    let page = opened(&token, Reads::Everything);
    assert!(
        page.contains(&shortened) && page.contains("Approve"),
        "{page}"
    );
}

#[test]
fn a_withdrawn_request_is_no_ones_fault() {
    let page = opened(&cancelled(Some("not needed")), Reads::Everything);
    assert!(page.contains(r#"<body class="withdrawn""#), "{page}");
    // "Time is up", "By" and a deadline would tell of something that did not happen.
    for wrong in [
        en().timed_out,
        en().timed_out_at,
        "<dt>By</dt>",
        en().decide_by,
    ] {
        assert!(!page.contains(wrong), "{wrong}: {page}");
    }
    assert!(page.contains("<dt>Reason</dt>") && page.contains("<dt>Withdrawn on</dt>"));
    let silent = opened(&cancelled(None), Reads::Everything);
    assert!(!silent.contains("<dt>Reason</dt>"), "{silent}");
}

#[test]
fn a_form_has_a_place_for_a_deadline_that_comes_later() {
    let without = Token {
        timeout_at: None,
        ..waiting("{}")
    };
    let page = opened(&without, Reads::Everything);
    assert!(
        page.contains(r#"<p class="deadline" hidden>Decide by <time id="deadline"></time>"#),
        "{page}"
    );
    let page = opened(&waiting("{}"), Reads::Everything);
    assert!(page.contains(r#"<p class="deadline">Decide by <time id="deadline" datetime="#));
    // A page without a form asks for nothing, so nothing has a deadline there.
    let shown_only = rendered(en(), PageState::ShownOnly { token: &without });
    for page in [shown_only, opened(&timed_out(), Reads::Everything)] {
        assert!(!page.contains(r#"class="deadline""#), "{page}");
    }
}
