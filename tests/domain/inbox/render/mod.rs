//! The pages of the inbox, in each language.

mod escaping;
mod list;
mod samples;
mod token;
mod whole;

use std::time::Duration;
use waitpoint::domain::approval::schema::{Comment, Style};
use waitpoint::domain::inbox::bulk::{BulkAction, BulkOutcome, Marked, NotRead, SharedChoice};
use waitpoint::domain::inbox::page::InboxPage;
use waitpoint::domain::inbox::query::InboxQuery;
use waitpoint::domain::inbox::render::{
    Frame, Message, Operator, Outcomes, Review, ReviewProblem, SignIn, SignInProblem, TokenProblem,
    TokenView, Written, list, message, outcomes, review, sign_in, token,
};
use waitpoint::domain::list::row::Row;
use waitpoint::domain::page::FormInput;
use waitpoint::domain::page::i18n::{Words, choose};
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::delivery::{
    Attempt, AttemptResult, Delivery, Progress, Target, UpstreamConflict,
};
use waitpoint::domain::token::event::TokenEvent;
use waitpoint::domain::token::history::{HistoryEntry, HistoryKind};
use waitpoint::domain::token::notify::Recipient;
use waitpoint::domain::token::votes::{Quorum, Vote};
use waitpoint::domain::token::{
    CompletedBy, Decision, DefaultDecision, Key, Output, OutputKind, State, Token,
};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const ID: &str = "waitpoint_abc123";

fn en() -> &'static Words {
    choose("en", "")
}

fn in_minutes(minutes: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(60 * minutes))
}

fn minutes_ago(minutes: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(60 * minutes))
}

fn frame(words: &Words) -> Frame<'_> {
    Frame {
        words,
        now: NOW,
        operator: Some(Operator {
            environment: "prod",
            person: Some("ann@example.com"),
            nonce: "NONCE",
        }),
    }
}

fn row(id: &str, title: &str, deadline: Option<Timestamp>) -> Row {
    Row {
        created_at: minutes_ago(200),
        timeout_at: deadline,
        title: Some(title.to_owned()),
        ..super::row(id)
    }
}

fn found(rows: Vec<Row>) -> InboxPage {
    InboxPage {
        rows,
        next: None,
        is_partial: false,
    }
}

fn listed(query: &str, page: &InboxPage) -> String {
    list(frame(en()), &InboxQuery::parse(query), page)
}

fn waiting(approval: &str) -> Token {
    Token {
        approval: Some(approval.to_owned()),
        ..Token::new(minutes_ago(90), Some(in_minutes(90)), Vec::new())
    }
}

fn ended(state: State) -> Token {
    Token {
        state,
        ..waiting(r#"{"title":"Go?"}"#)
    }
}

fn withdrawn() -> Token {
    ended(State::Cancelled {
        at: NOW,
        reason: Some("not needed".to_owned()),
    })
}

fn decided(output: &str, kind: OutputKind) -> Token {
    let text = output.to_owned();
    let output = Some(Output { kind, text });
    ended(State::Completed {
        at: NOW,
        decision: Decision {
            output,
            by: CompletedBy::Inbox,
            subject: None,
            callback: None,
            is_by_owner: false,
        },
    })
}

fn opened(
    words: &Words,
    one: &Token,
    problem: Option<&TokenProblem>,
    written: Written<'_>,
) -> String {
    let view = TokenView {
        id: ID,
        token: one,
        input: &FormInput::default(),
        problem,
        written,
        done: None,
    };
    token(frame(words), view)
}

fn marked(id: &str, token: Token) -> Marked {
    Marked {
        id: id.to_owned(),
        token: Ok(token),
    }
}

fn choices() -> Vec<SharedChoice> {
    let choice = |label: &str, style| SharedChoice {
        label: label.to_owned(),
        style,
    };
    vec![
        choice("Approve", Style::Primary),
        choice("Reject", Style::Danger),
    ]
}

/// A token of which everything is known.
fn rich() -> Token {
    let delivery = |target, progress, attempts, result| Delivery {
        progress,
        attempts,
        last: Some(Attempt {
            at: minutes_ago(3),
            result,
        }),
        ..Delivery::new(TokenEvent::Created, target, NOW)
    };
    let pending = Progress::Pending(in_minutes(30));
    let entry = |minutes, kind| HistoryEntry {
        at: minutes_ago(minutes),
        kind,
    };
    let vote = |approver, choice, comment: &str| Vote {
        approver,
        choice,
        at: minutes_ago(10),
        comment: Some(comment.to_owned()),
        fields: None,
    };
    Token {
        approval: Some(
            r#"{"title":"Refund €1,240 to Harbour Books?","requestedBy":"Billing agent","description":
            "Order 5521 arrived damaged.\nThe customer sent three pictures.","approvers":[
            {"id":"ann","name":"Ann Miller","email":"ann@example.com"},{"id":"bob","name":"Bob"},
            {"id":"eve","name":"Eve"}],"required":2}"#
                .to_owned(),
        ),
        tags: vec!["refund".to_owned(), "order-5521".to_owned()],
        key: Some(Key {
            text: "order-5521-refund".to_owned(),
            expires_at: None,
        }),
        on_timeout: Some(DefaultDecision {
            output: Some(Output {
                kind: OutputKind::Json,
                text: r#"{"status":"rejected"}"#.to_owned(),
            }),
        }),
        quorum: Some(Quorum {
            approvers: ["ann", "bob", "eve"].map(str::to_owned).into(),
            required: 2,
        }),
        votes: vec![vote(0, 0, "fine with me")],
        webhook: Some("https://example.com/hook".to_owned()),
        notify: vec![
            Recipient::Email {
                address: "ann@example.com".to_owned(),
                locale: None,
                approver: Some(0),
            },
            Recipient::Slack("finance".to_owned()),
        ],
        history: vec![
            entry(80, HistoryKind::Notified(0)),
            entry(30, HistoryKind::Reminded(1)),
            entry(20, HistoryKind::Extended(in_minutes(90))),
            entry(10, HistoryKind::Voted(0)),
            entry(5, HistoryKind::CallbackIgnored),
        ],
        deliveries: vec![
            delivery(
                Target::Recipient(0),
                Progress::Delivered,
                1,
                AttemptResult::MailAccepted,
            ),
            delivery(Target::Recipient(1), pending, 2, AttemptResult::NoResponse),
            delivery(
                Target::Token,
                Progress::Failed,
                10,
                AttemptResult::Status(500),
            ),
            Delivery {
                conflict: Some(UpstreamConflict::TimedOutUpstream),
                ..delivery(
                    Target::Upstream,
                    Progress::Failed,
                    1,
                    AttemptResult::Status(409),
                )
            },
            Delivery::new(TokenEvent::Created, Target::Environment, NOW),
        ],
        ..waiting("{}")
    }
}

/// What a reader sees.
fn main_of(page: &str) -> &str {
    let main = page.split_once("<main>").unwrap().1;
    main.split_once("</main>").unwrap().0
}

fn assert_has(page: &str, parts: &[&str]) {
    let page = page.split_once("<body").unwrap().1;
    let page = page.split_once("<footer>").map_or(page, |(page, _)| page);
    for part in parts {
        assert!(page.contains(part), "{part}\n{page}");
    }
}
