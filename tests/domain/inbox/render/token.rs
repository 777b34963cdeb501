//! The page of a token, and what is done to several.
use super::samples::{each_outcome, problems, reviewed, signing_in, written};
use super::*;
use waitpoint::domain::inbox::render::Done;
use waitpoint::domain::page::FormError;

#[test]
fn a_token_that_waits_can_be_decided_and_managed() {
    let page = opened(en(), &rich(), None, Written::Nothing);
    assert_has(
        &page,
        &[
            r#"class="inbox token waiting" data-now="2027-01-15T08:00:00.000Z""#,
            r#"<h1 dir="auto" lang="">Refund €1,240 to Harbour Books?</h1>"#,
            r#"<form method="post" data-offline="#,
            r#"<button class="primary" name="choice" id="choice" value="0"><bdi lang="">Approve</bdi></button>"#,
            "Votes so far: 1 of 3. Equal votes needed: 2. Your decision here ends it, whatever the votes.",
            r#"<dt><bdi lang="">Ann Miller</bdi></dt><dd class="strong"><bdi>Approve</bdi></dd>"#,
            r#"<dt><bdi lang="">Eve</bdi></dt><dd class=""><bdi>No vote yet</bdi></dd>"#,
            r#"name="action" value="extend""#,
            r#"name="timeout" value="2027-01-15T09:30""#,
            r#"name="action" value="notify""#,
            r#"name="action" value="withdraw""#,
        ],
    );
    let silent = Token {
        notify: Vec::new(),
        ..rich()
    };
    assert!(!opened(en(), &silent, None, Written::Nothing).contains(r#"value="notify""#));
}

#[test]
fn what_is_known_of_a_token_is_on_its_page() {
    let page = opened(en(), &rich(), None, Written::Nothing);
    assert_has(
        &page,
        &[
            "<dt>Id</dt><dd><code>waitpoint_abc123</code>",
            "<dt>Status</dt><dd>Waiting</dd>",
            r#"<dt>At the deadline</dt><dd><bdi lang="">Reject</bdi></dd>"#,
            r#"<bdi lang="">order-5521-refund</bdi>"#,
            r#"<span class="chip ok">Delivered</span> <code>waitpoint.created</code></p>
<p><bdi>email ann@example.com</bdi>"#,
            r#"<span class="chip bad">Failed</span>"#,
            "<bdi>Webhook of the request https://example.com/hook</bdi>",
            r#"Attempts: 10 · <span lang="en" dir="ltr">HTTP 500</span>"#,
            "not reached, or no answer within 10 seconds",
            "it had timed out upstream",
            r#"Next attempt <time datetime="2027-01-15T08:30:00.000Z">"#,
            r#"<p>Notified · <bdi lang="">ann@example.com</bdi></p>"#,
            r#"<p>New deadline <time datetime="2027-01-15T09:30:00.000Z">"#,
            r#"<p>Voted · <bdi lang="">ann</bdi></p>"#,
        ],
    );
    assert!(
        !page.contains(r#"href="https://"#),
        "no caller's URL is a link"
    );
}

#[test]
fn a_token_that_ended_shows_its_end_and_its_output() {
    let output = r#"{"choice":"a{,}\"b","list":[1.50,{"deep":[]},{}],"n":-0.10}"#;
    let page = opened(
        en(),
        &decided(output, OutputKind::Json),
        None,
        Written::Nothing,
    );
    let pretty = "{\n  &#34;choice&#34;: &#34;a{,}\\&#34;b&#34;,\n  &#34;list&#34;: [\n    1.50,\n    {\n      \
                  &#34;deep&#34;: []\n    },\n    {}\n  ],\n  &#34;n&#34;: -0.10\n}";
    assert_has(
        &page,
        &[
            r#"class="inbox token decided""#,
            "<h1>Decided</h1>",
            "an operator",
            pretty,
            r#"<p>Decided · By: <bdi lang="">an operator</bdi></p>"#,
        ],
    );
    assert!(!page.contains(r#"name="action""#) && !page.contains("data-offline"));
    let approved = decided(r#"{"status":"approved"}"#, OutputKind::Json);
    assert_has(
        &opened(en(), &approved, None, Written::Nothing),
        &[r#"<h1><bdi lang="">Approve</bdi></h1>"#],
    );
    assert_has(
        &opened(en(), &withdrawn(), None, Written::Nothing),
        &["<h1>Withdrawn</h1>", "<bdi>not needed</bdi>"],
    );
}

#[test]
fn an_output_is_shown_as_far_as_a_page_should_be_long() {
    for (output, kind) in [
        ("‹".repeat(9_000), OutputKind::Text),
        ("[".repeat(9_000), OutputKind::Json),
        (format!("{}1", "{\"a\":".repeat(100_000)), OutputKind::Json),
    ] {
        let page = opened(en(), &decided(&output, kind), None, Written::Nothing);
        let shown = page.split_once("<pre").unwrap().1;
        let shown = shown.split_once("</pre>").unwrap().0;
        assert!(
            shown.contains('…') && shown.len() < 300_000,
            "{}",
            shown.len()
        );
    }
    let empty = opened(en(), &decided("", OutputKind::Text), None, Written::Nothing);
    assert!(!empty.contains("<pre"));
}

#[test]
fn what_went_wrong_stands_where_it_belongs_and_nothing_written_is_lost() {
    for problem in problems() {
        let is_ended = matches!(problem, TokenProblem::NotRecorded(_) | TokenProblem::Ended);
        let token = if is_ended { withdrawn() } else { rich() };
        let page = opened(en(), &token, Some(&problem), written(&problem));
        let sentence = match &problem {
            TokenProblem::Form(_) => r#"id="alert""#,
            TokenProblem::NotRecorded(_) => r#"<header class="end">"#,
            TokenProblem::Ended => r#"role="alert" tabindex="-1" autofocus>This request no longer"#,
            TokenProblem::Deadline => {
                r#"id="timeout-fault">Enter a time that is still to come.</span><input type="datetime-local" id="timeout" name="timeout" value="2020-01-01T10:00""#
            }
            TokenProblem::ReasonTooLong => "autofocus>\ntoo &#60;long&#62;</textarea>",
            TokenProblem::RemindedRecently => "There was a reminder less than a minute ago.",
            TokenProblem::NobodyToNotify => "This request notifies nobody.",
            TokenProblem::Stale => "Nothing was changed. Please try again.",
            TokenProblem::Unavailable => "We could not confirm that this was done.",
        };
        assert_has(&page, &[sentence]);
        let is_in_place = matches!(
            problem,
            TokenProblem::Deadline
                | TokenProblem::ReasonTooLong
                | TokenProblem::RemindedRecently
                | TokenProblem::NobodyToNotify
        );
        assert_eq!(page.contains("<details open>"), is_in_place, "{problem:?}");
    }
}

#[test]
fn what_was_written_is_shown_again_whatever_the_problem() {
    let token = Token {
        approval: Some(
            r#"{"title":"Go?","form":{"type":"object","properties":{"a":{"type":"string"}}}}"#
                .to_owned(),
        ),
        ..rich()
    };
    let input = FormInput::of(|name| match name {
        "comment" => vec!["so <far>"],
        "field-0" => vec!["over there"],
        _ => Vec::new(),
    });
    for problem in [
        TokenProblem::Stale,
        TokenProblem::Unavailable,
        TokenProblem::Form(FormError::Busy),
    ] {
        let with = |input, written| {
            let view = TokenView {
                id: ID,
                token: &token,
                input,
                problem: Some(&problem),
                written,
                done: None,
            };
            super::token(frame(en()), view)
        };
        let fresh = FormInput::default();
        let reason = with(&fresh, Written::Reason("too <late>"));
        assert_has(
            &reason,
            &[
                "<details open>\n<summary>Withdraw</summary>",
                ">\ntoo &#60;late&#62;</textarea>",
                r#"value="2027-01-15T09:30""#,
            ],
        );
        let deadline = with(&fresh, Written::Deadline("2099-01-01T10:00"));
        assert_has(
            &deadline,
            &[
                "<details open>\n<summary>Change the deadline</summary>",
                r#"name="timeout" value="2099-01-01T10:00""#,
            ],
        );
        for page in [&reason, &deadline] {
            assert_eq!(page.matches("<details open>").count(), 1, "{problem:?}");
        }
        let decision = with(&input, Written::Nothing);
        assert_has(
            &decision,
            &[">\nso &#60;far&#62;</textarea>", ">\nover there</textarea>"],
        );
        assert!(!decision.contains("<details open>"));
    }
}

#[test]
fn what_was_done_is_said_unless_something_went_wrong() {
    for (done, sentence) in Done::ALL.into_iter().zip([
        "Your decision was recorded.",
        "The request was withdrawn.",
        "The deadline was changed.",
        "Reminders are being sent.",
    ]) {
        let with = |problem| {
            let view = TokenView {
                id: ID,
                token: &rich(),
                input: &FormInput::default(),
                problem,
                written: Written::Nothing,
                done: Some(done),
            };
            token(frame(en()), view)
        };
        assert_has(&with(None), &[sentence]);
        assert!(!with(Some(&TokenProblem::Deadline)).contains(sentence));
    }
}

#[test]
fn a_summary_acts_on_those_that_wait_and_names_the_others() {
    let page = reviewed(en(), None, Comment::Optional);
    let ids: Vec<_> = page.split(r#"name="id" value=""#).skip(1).collect();
    let ids: Vec<_> = ids
        .iter()
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let waiting = ["waitpoint_a1", "waitpoint_a2", "waitpoint_a3"];
    assert_eq!(ids, [waiting, waiting].concat(), "for each of the forms");
    assert_has(
        &page,
        &[
            r#"<button class="primary" name="decide" value="Approve"><bdi lang="">Approve</bdi></button>"#,
            r#"<button class="danger" name="decide" value="Reject">"#,
            r#"<textarea id="comment" name="comment" rows="3" dir="auto">"#,
            "No longer waiting",
            r#"<a href="/inbox/waitpoint_a4" target="_blank"><bdi lang="">Go?</bdi></a><span class="chip">Withdrawn</span>"#,
            r#"<code>waitpoint_a5</code></a><span class="chip">Not found</span></li></ul><h2>Not reached</h2>
<ul class="items"><li><a href="/inbox/waitpoint_a6" target="_blank"><code>waitpoint_a6</code></a></li></ul>"#,
            r#"name="withdraw" value="1""#,
        ],
    );
    let page = reviewed(en(), Some(ReviewProblem::CommentMissing), Comment::Required);
    assert_has(
        &page,
        &[
            "Write a comment.",
            r#"aria-invalid="true" aria-describedby="comment-fault" autofocus required>"#,
        ],
    );
    let page = reviewed(en(), Some(ReviewProblem::ReasonTooLong), Comment::None);
    assert_has(
        &page,
        &[
            "at most 500 characters.",
            "so &#60;far&#62;</textarea>",
            "<details open>",
        ],
    );
    assert!(!page.contains(r#"id="comment""#));
}

#[test]
fn without_a_shared_decision_or_a_token_that_waits_the_summary_says_so() {
    let summary = |marked: &[Marked], choices: &[SharedChoice]| {
        let summary = Review {
            marked,
            choices,
            comment: Comment::Optional,
            written: "",
            problem: None,
        };
        review(frame(en()), summary)
    };
    let page = summary(&[marked("a1", waiting("{}"))], &[]);
    assert_has(&page, &[en().inbox.nothing_shared, r#"name="withdraw""#]);
    assert!(!page.contains(r#"name="decide""#));
    let page = summary(&[marked("a1", withdrawn())], &choices());
    assert_has(&page, &[en().inbox.none_waits]);
    assert!(!page.contains(r#"name="withdraw""#) && !page.contains(r#"name="decide""#));
    let unreached = Marked {
        id: "a1".to_owned(),
        token: Err(NotRead::Unavailable),
    };
    let page = summary(&[unreached, marked("a2", withdrawn())], &choices());
    assert_has(&page, &[en().inbox.nothing_done, "<h2>Not reached</h2>"]);
    assert!(
        !page.contains(en().inbox.none_waits) && !page.contains(r#"name="id""#),
        "it may still wait"
    );
}

#[test]
fn outcomes_are_counted_and_told_for_each() {
    let mut each = each_outcome();
    each.push((marked("a8", waiting("{}")), BulkOutcome::Done));
    let action = BulkAction::Decide {
        label: "Approve".to_owned(),
        comment: String::new(),
    };
    let done = Outcomes {
        action: &action,
        outcomes: &each,
    };
    let page = outcomes(frame(en()), done);
    assert_has(
        &page,
        &[
            r#"<h1><bdi lang="">Approve</bdi></h1>"#,
            r#"<dt>Done</dt><dd class="strong">2</dd>"#,
            r#"<dt>Already decided</dt><dd class="strong">1</dd>"#,
            r#"<bdi lang="">Publish the report?</bdi></a><span class="chip ok">Done</span>"#,
            r#"<span class="chip bad">Not confirmed</span>"#,
        ],
    );
}

#[test]
fn one_signs_in_with_a_key_that_the_page_never_shows_again() {
    let page = signing_in(en(), Some(SignInProblem::WrongKey));
    assert_has(
        &page,
        &[
            r#"<form method="post" action="/inbox/sign-in">"#,
            r#"name="next" value="/inbox?tag=a""#,
            r#"<input type="password" id="key" name="key" required"#,
            r#"aria-describedby="key-hint alert" aria-invalid="true">"#,
            "This key is not valid here.",
        ],
    );
    assert!(!page.contains("Sign out"));
}
