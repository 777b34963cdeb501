//! The history that an owner sees.
use super::{NOW, at, completed, token};
use serde_json::{Value, json};
use waitpoint::domain::api::token_body::{Visibility, token_json};
use waitpoint::domain::token::history::{HistoryEntry, HistoryKind};
use waitpoint::domain::token::notify::Recipient;
use waitpoint::domain::token::{CompletedBy, Decision, OutputKind, State, Token};

fn history(token: &Token) -> Vec<Value> {
    let body = token_json("waitpoint_c1", "u", token, Visibility::Owner);
    let body: Value = serde_json::from_str(&body).unwrap();
    body["history"].as_array().unwrap().clone()
}

fn entry(at_: u64, kind: HistoryKind) -> HistoryEntry {
    HistoryEntry {
        at: at(NOW + at_),
        kind,
    }
}

fn types(entries: &[Value]) -> Vec<&str> {
    let types = entries.iter().map(|one| one["type"].as_str().unwrap());
    types.collect()
}

#[test]
fn each_entry_is_written_so() {
    let mut token = token(State::Waiting);
    token.notify = vec![
        Recipient::Email {
            address: "ann@example.com".to_owned(),
            locale: Some("de".to_owned()),
            approver: None,
        },
        Recipient::Slack("deploys".to_owned()),
        Recipient::Teams("ops".to_owned()),
        Recipient::Webhook("https://a.example/".to_owned()),
    ];
    token.history = vec![
        entry(1, HistoryKind::Notified(0)),
        entry(2, HistoryKind::Notified(1)),
        entry(3, HistoryKind::Notified(2)),
        entry(4, HistoryKind::Reminded(3)),
        entry(5, HistoryKind::Extended(at(NOW + 60_000))),
        entry(6, HistoryKind::CallbackIgnored),
        entry(7, HistoryKind::Notified(9)),
    ];
    let time = |millis: u64| format!("2026-09-26T00:00:00.{millis:03}Z");
    assert_eq!(
        history(&token),
        [
            json!({"type": "created", "at": time(0)}),
            json!({"type": "notified", "at": time(1), "to": {"email": "ann@example.com"}}),
            json!({"type": "notified", "at": time(2), "to": {"slack": "deploys"}}),
            json!({"type": "notified", "at": time(3), "to": {"teams": "ops"}}),
            json!({"type": "reminded", "at": time(4), "to": {"webhook": "https://a.example/"}}),
            json!({"type": "extended", "at": time(5), "timeoutAt": "2026-09-26T00:01:00.000Z"}),
            json!({"type": "callback_ignored", "at": time(6)}),
            // A record of a later version: there is no such recipient.
            json!({"type": "notified", "at": time(7)}),
        ]
    );
    for visibility in [Visibility::Token, Visibility::Webhook] {
        let body = token_json("waitpoint_c1", "u", &token, visibility);
        assert!(!body.contains("history"), "{body}");
    }
}

#[test]
fn each_end_is_written_so() {
    let by = |by, subject: Option<&str>| State::Completed {
        at: at(NOW + 5),
        decision: Decision {
            output: None,
            by,
            subject: subject.map(str::to_owned),
            callback: None,
            is_by_owner: false,
        },
    };
    let cancelled = |reason: Option<&str>| State::Cancelled {
        at: at(NOW + 5),
        reason: reason.map(str::to_owned),
    };
    let now = "2026-09-26T00:00:00.005Z";
    for (state, end) in [
        (
            by(CompletedBy::Page, Some("ann")),
            json!({"type": "completed", "at": now, "by": "page", "subject": "ann"}),
        ),
        (
            by(CompletedBy::Timeout, None),
            json!({"type": "completed", "at": now, "by": "timeout"}),
        ),
        (cancelled(None), json!({"type": "cancelled", "at": now})),
        (
            cancelled(Some("sold out")),
            json!({"type": "cancelled", "at": now, "reason": "sold out"}),
        ),
        (
            State::TimedOut,
            json!({"type": "timed_out", "at": "2026-09-26T00:01:00.000Z"}),
        ),
    ] {
        let entries = history(&token(state));
        assert_eq!(types(&entries)[0], "created");
        assert_eq!(entries[1..], [end]);
    }
}

#[test]
fn the_end_stands_where_it_happened() {
    let mut token = token(completed(OutputKind::Json, "1"));
    let end = token.finished_at().unwrap().as_millis() - NOW;
    token.history = vec![
        entry(0, HistoryKind::CallbackIgnored),
        // Before the end, though in its millisecond.
        entry(end, HistoryKind::CallbackIgnored),
        entry(end + 1, HistoryKind::Notified(0)),
    ];
    let entries = history(&token);
    assert_eq!(
        types(&entries),
        [
            "created",
            "callback_ignored",
            "callback_ignored",
            "completed",
            "notified"
        ]
    );
}

#[test]
fn of_a_long_history_the_first_and_the_last_are_shown() {
    let ignored = |count: u64| (1..=count).map(|at| entry(at, HistoryKind::CallbackIgnored));
    let at_ = |entry: &Value| entry["at"].as_str().unwrap().to_owned();
    let mut token = token(State::Waiting);
    token.history = ignored(99).collect();
    let entries = history(&token);
    assert_eq!(
        (entries.len(), at_(&entries[1])),
        (100, "2026-09-26T00:00:00.001Z".to_owned())
    );
    token.state = State::TimedOut;
    let entries = history(&token);
    assert_eq!(entries.len(), 100);
    assert_eq!(
        (types(&entries)[0], types(&entries)[99]),
        ("created", "timed_out")
    );
    assert_eq!(
        at_(&entries[1]),
        "2026-09-26T00:00:00.002Z",
        "the oldest made room"
    );
    assert_eq!(at_(&entries[98]), "2026-09-26T00:00:00.099Z");
    // A record that has more than is ever stored.
    token.history = ignored(150).collect();
    let entries = history(&token);
    assert_eq!((entries.len(), types(&entries)[0]), (100, "created"));
    assert_eq!(at_(&entries[1]), "2026-09-26T00:00:00.053Z");
}
