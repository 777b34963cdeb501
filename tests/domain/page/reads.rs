//! What a page tells to those who may not read everything.
use super::*;

#[test]
fn who_may_only_decide_does_not_read_what_was_decided_and_an_expired_link_reads_nothing() {
    let mut token = completed(
        r#"{"status":"rejected","comment":"secret"}"#,
        CompletedBy::Page,
        Some("ann"),
    );
    token.approval =
        Some(r#"{"title":"T","description":"D-secret","requestedBy":"R-secret"}"#.to_owned());
    // The page of one decision is the same as that of another, to the byte.
    let finished = |reads, output| {
        let token = Token {
            approval: token.approval.clone(),
            ..completed(output, CompletedBy::Page, Some("ann"))
        };
        opened(&token, reads)
    };
    for reads in [Reads::Question, Reads::Nothing] {
        let page = finished(reads, r#"{"status":"rejected","comment":"secret"}"#);
        assert_eq!(page, finished(reads, r#"{"status":"approved"}"#));
        assert_eq!(page, finished(reads, "null"));
        assert!(page.contains("<h1>Decided</h1>"), "{page}");
        for secret in [
            ">secret", "ann", "Rejected", "Approved", "Reject", "Approve",
        ] {
            assert!(!page.contains(secret), "{secret}: {page}");
        }
        let asks = ["T</", "D-secret", "R-secret"].map(|text| page.contains(text));
        assert_eq!(asks, [reads == Reads::Question; 3], "{page}");
    }
    let asked = opened(
        &waiting(r#"{"title":"T","description":"D"}"#),
        Reads::Nothing,
    );
    assert!(
        asked.contains(">T<") && asked.contains(">D<") && asked.contains("<form"),
        "{asked}"
    );
    let page = link_expired(&token, Reads::Everything);
    assert!(
        page.contains(">T<") && !page.contains("secret") && !page.contains("ann"),
        "{page}"
    );
    assert!(!link_expired(&token, Reads::Nothing).contains(">T<"));
    let page = not_recorded(&token, &input("0", "", "mine"), NotRecorded::AlreadyDecided);
    assert!(
        page.contains(en().comment_not_sent) && page.contains("mine"),
        "what was written is not lost: {page}"
    );
}

#[test]
fn a_form_that_was_not_compared_reads_as_if_the_page_was_opened() {
    let token = completed(r#"{"status":"rejected"}"#, CompletedBy::Page, None);
    let sent = input("0", "", "");
    let state = PageState::Finished {
        token: &token,
        reads: Reads::Question,
        submission: Some(Submission {
            input: &sent,
            not_recorded: NotRecorded::Undisclosed,
        }),
    };
    assert_eq!(rendered(en(), state), opened(&token, Reads::Question));
}

#[test]
fn everyone_reads_that_a_request_was_withdrawn_and_only_readers_of_everything_why_and_when() {
    let sent = input("0", "", "");
    for reads in [Reads::Everything, Reads::Question, Reads::Nothing] {
        let token = cancelled(Some("R-secret"));
        let page = opened(&token, reads);
        assert!(
            page.contains("<h1>Withdrawn</h1>") && page.contains(en().request_withdrawn),
            "{page}"
        );
        let has = |text| page.contains(text);
        assert_eq!(has("R-secret"), reads == Reads::Everything, "{page}");
        assert_eq!(has(en().withdrawn_at), reads == Reads::Everything, "{page}");
        assert_eq!(has("Go?"), reads != Reads::Nothing, "{page}");
        // The page does not reveal whether there is a reason.
        if reads != Reads::Everything {
            assert_eq!(page, opened(&cancelled(None), reads));
        }
        let submission = Some(Submission {
            input: &sent,
            not_recorded: NotRecorded::Withdrawn,
        });
        let state = PageState::Finished {
            token: &token,
            reads,
            submission,
        };
        let page = rendered(en(), state);
        assert!(page.contains(en().withdrawn_not_recorded), "{page}");
        assert_eq!(page.contains("R-secret"), reads == Reads::Everything);
    }
}
