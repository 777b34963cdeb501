//! What comes of a form for several tokens, also when it is sent again.
use super::bulk::{FORM, en, waiting};
use super::{NOW, at};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use waitpoint::domain::inbox::bulk::{BulkAction, BulkOutcome, outcome_of_ended, output_of};
use waitpoint::domain::inbox::sent::SentForm;
use waitpoint::domain::token::event::{EventSet, Subscriptions};
use waitpoint::domain::token::transition::Event;
use waitpoint::domain::token::{
    CompletedBy, Decision, DefaultDecision, Output, OutputKind, State, Token,
};

/// When the form was made.
const SHOWN: u64 = NOW - 1_000;

fn approve(comment: &str) -> BulkAction {
    BulkAction::Decide {
        label: "Approve".to_owned(),
        comment: comment.to_owned(),
    }
}

fn withdraw(reason: Option<&str>) -> BulkAction {
    BulkAction::Withdraw {
        reason: reason.map(str::to_owned),
    }
}

fn completed(output: &str, by: CompletedBy, subject: Option<&str>, when: u64) -> Token {
    let decision = Decision {
        output: Some(Output {
            kind: OutputKind::Json,
            text: output.to_owned(),
        }),
        by,
        subject: subject.map(str::to_owned),
        callback: None,
        is_by_owner: true,
    };
    let state = State::Completed {
        at: at(when),
        decision,
    };
    Token {
        state,
        ..waiting("")
    }
}

fn cancelled(reason: Option<&str>, when: u64) -> Token {
    Token {
        state: State::Cancelled {
            at: at(when),
            reason: reason.map(str::to_owned),
        },
        ..waiting("")
    }
}

/// For an operator who signed in with a key, or by e-mail.
fn outcome(token: &Token, action: &BulkAction, subject: Option<&str>) -> BulkOutcome {
    outcome_of_ended(
        token,
        action,
        en(),
        SentForm {
            subject,
            shown_at: at(SHOWN),
        },
    )
}

#[test]
fn what_this_form_did_is_done_and_what_others_did_is_told_apart() {
    use BulkOutcome::{AlreadyDecided, Done, TimedOut, Withdrawn};
    use CompletedBy::{Api, Inbox, Page, Timeout};
    let (approved, rejected) = (r#"{"status":"approved"}"#, r#"{"status":"rejected"}"#);
    let commented = r#"{ "status": "approved", "comment": "ok" }"#;
    let ann = Some("ann@example.com");
    let bob = Some("bob@example.com");
    for (what, token, action, subject, expected) in [
        (
            "own",
            completed(approved, Inbox, None, SHOWN),
            approve(""),
            None,
            Done,
        ),
        (
            "by mail",
            completed(approved, Inbox, ann, NOW),
            approve(""),
            ann,
            Done,
        ),
        (
            "with a comment",
            completed(commented, Inbox, None, NOW),
            approve("ok"),
            None,
            Done,
        ),
        (
            "another comment",
            completed(commented, Inbox, None, NOW),
            approve("no"),
            None,
            AlreadyDecided,
        ),
        (
            "no comment",
            completed(approved, Inbox, None, NOW),
            approve("ok"),
            None,
            AlreadyDecided,
        ),
        (
            "otherwise",
            completed(rejected, Inbox, None, NOW),
            approve(""),
            None,
            AlreadyDecided,
        ),
        (
            "of another",
            completed(approved, Inbox, bob, NOW),
            approve(""),
            ann,
            AlreadyDecided,
        ),
        (
            "of a key",
            completed(approved, Inbox, None, NOW),
            approve(""),
            ann,
            AlreadyDecided,
        ),
        (
            "by a key",
            completed(approved, Inbox, ann, NOW),
            approve(""),
            None,
            AlreadyDecided,
        ),
        (
            "before",
            completed(approved, Inbox, None, SHOWN - 1),
            approve(""),
            None,
            AlreadyDecided,
        ),
        (
            "on the page",
            completed(approved, Page, None, NOW),
            approve(""),
            None,
            AlreadyDecided,
        ),
        (
            "by a machine",
            completed(approved, Api, None, NOW),
            approve(""),
            None,
            AlreadyDecided,
        ),
        (
            "by default",
            completed(approved, Timeout, None, NOW),
            approve(""),
            None,
            TimedOut,
        ),
        (
            "withdrawn",
            cancelled(None, NOW),
            approve(""),
            None,
            Withdrawn,
        ),
        (
            "withdraws",
            cancelled(Some("old"), SHOWN),
            withdraw(Some("old")),
            ann,
            Done,
        ),
        (
            "without a reason",
            cancelled(None, NOW),
            withdraw(None),
            None,
            Done,
        ),
        (
            "another reason",
            cancelled(Some("old"), NOW),
            withdraw(None),
            None,
            Withdrawn,
        ),
        (
            "withdrawn before",
            cancelled(None, SHOWN - 1),
            withdraw(None),
            None,
            Withdrawn,
        ),
        (
            "decided",
            completed(approved, Inbox, None, NOW),
            withdraw(None),
            None,
            AlreadyDecided,
        ),
        (
            "defaulted",
            completed(approved, Timeout, None, NOW),
            withdraw(None),
            None,
            TimedOut,
        ),
    ] {
        assert_eq!(outcome(&token, &action, subject), expected, "{what}");
    }
    let timed_out = Token {
        state: State::TimedOut,
        ..waiting("")
    };
    for action in [approve(""), withdraw(None)] {
        assert_eq!(outcome(&timed_out, &action, None), TimedOut);
    }
    // What a token has no choice for was somebody else's decision.
    let typed = Token {
        approval: Some(r#"{"confirm":"typed"}"#.to_owned()),
        ..completed(approved, Inbox, None, NOW)
    };
    assert_eq!(outcome(&typed, &approve(""), None), AlreadyDecided);
}

const NOTHING: Subscriptions = Subscriptions {
    has_environment: false,
    events: EventSet::NONE,
};

/// What the form does to a token, as the Worker does it.
fn send(token: &mut Token, action: &BulkAction, now: u64) -> BulkOutcome {
    token.time_out_if_due(at(now), NOTHING);
    if token.state != State::Waiting {
        return outcome(token, action, None);
    }
    let event = match action {
        BulkAction::Withdraw { reason } => Event::Cancel(reason.clone()),
        BulkAction::Decide { label, comment } => {
            let Some(text) = output_of(token, en(), label, comment) else {
                return BulkOutcome::NotOffered;
            };
            let kind = OutputKind::Json;
            Event::Complete(Decision {
                output: Some(Output { kind, text }),
                by: CompletedBy::Inbox,
                subject: None,
                callback: None,
                is_by_owner: true,
            })
        }
    };
    token.apply(event, at(now), NOTHING);
    BulkOutcome::Done
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_form_that_is_sent_again_does_nothing_again_and_has_the_same_outcomes(
        approvals in vec(select(vec![
            "", FORM, r#"{"comment":"required"}"#, r#"{"comment":"none"}"#, r#"{"confirm":"typed"}"#,
            r#"{"choices":[{"label":" Approve","data":{"ok":[1, 2]}}]}"#,
        ]), 1..8),
        ends in vec((any::<bool>(), any::<bool>()), 8),
        text in select(vec!["", " ", "ok", " a\r\nb "]),
        is_withdrawal in any::<bool>(),
    ) {
        let action = if is_withdrawal {
            withdraw(Some(text).filter(|text| !text.is_empty()))
        } else {
            approve(text)
        };
        let mut tokens: Vec<_> = approvals.iter().zip(&ends).map(|(approval, (times_out, has_default))| Token {
            timeout_at: Some(at(NOW + if *times_out { 0 } else { 60_000 })),
            on_timeout: has_default.then(|| DefaultDecision { output: None }),
            ..waiting(approval)
        }).collect();
        let first: Vec<_> = tokens.iter_mut().map(|one| send(one, &action, NOW)).collect();
        let after = tokens.clone();
        for now in [NOW, NOW + 30_000] {
            let again: Vec<_> = tokens.iter_mut().map(|one| send(one, &action, now)).collect();
            prop_assert_eq!(&again, &first);
            prop_assert_eq!(&tokens, &after);
        }
        for (outcome, (times_out, _)) in first.iter().zip(&ends) {
            prop_assert_eq!(*outcome == BulkOutcome::TimedOut, *times_out);
        }
    }
}
