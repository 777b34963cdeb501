//! Results of tools and tasks.
use super::NOW;
use serde_json::{Value, json};
use std::time::Duration;
use waitpoint::domain::mcp::message::event;
use waitpoint::domain::mcp::outcome::{decision_json, task_fields};
use waitpoint::domain::token::{CompletedBy, Decision, Output, OutputKind, State, Token};

const RETENTION: Duration = Duration::from_hours(48);

fn token(state: State) -> Token {
    let timeout = NOW.plus(Duration::from_hours(24));
    Token {
        state,
        ..Token::new(NOW, Some(timeout), Vec::new())
    }
}

fn completed(kind: OutputKind, text: &str) -> Token {
    let output = Output {
        kind,
        text: text.to_owned(),
    };
    token(State::Completed {
        at: NOW.plus(Duration::from_mins(1)),
        decision: Decision {
            output: Some(output),
            by: CompletedBy::Page,
            subject: None,
            callback: None,
            is_by_owner: false,
        },
    })
}

fn cancelled() -> Token {
    token(State::Cancelled {
        at: NOW.plus(Duration::from_mins(1)),
        reason: Some("not\nneeded".to_owned()),
    })
}

fn decision(token: &Token, link: Option<&str>) -> Value {
    serde_json::from_str(&decision_json("waitpoint_x", token, link)).unwrap()
}

#[test]
fn the_link_is_shown_only_while_it_can_decide() {
    let link = Some("https://a.example/t");
    assert_eq!(
        decision(&token(State::Waiting), link)["link"],
        "https://a.example/t"
    );
    assert!(decision(&token(State::Waiting), None)["link"].is_null());
    for ended in [
        completed(OutputKind::Json, "1"),
        token(State::TimedOut),
        cancelled(),
    ] {
        assert!(decision(&ended, link)["link"].is_null());
    }
}

#[test]
fn whatever_is_no_approval_says_so() {
    for (token, status, told) in [
        (token(State::Waiting), "waiting", "check_decision"),
        (
            completed(OutputKind::Json, "1"),
            "completed",
            "may be a refusal",
        ),
        (token(State::TimedOut), "timed_out", "no approval"),
        (cancelled(), "cancelled", "no approval"),
    ] {
        let decision = decision(&token, None);
        assert_eq!(decision["status"], status);
        assert!(
            decision["message"].as_str().unwrap().contains(told),
            "{status}"
        );
    }
    assert_eq!(decision(&cancelled(), None)["reason"], "not\nneeded");
}

#[test]
fn an_output_comes_in_one_line_whatever_it_is() {
    for (kind, text, value) in [
        (
            OutputKind::Json,
            "{\n \"go\": true,\r\n\n \"n\": \"a\\nb c\"}",
            json!({"go": true, "n": "a\nb c"}),
        ),
        (OutputKind::Json, "1.0", json!(1.0)),
        (OutputKind::Text, "a\n\nb", json!("a\n\nb")),
    ] {
        let token = completed(kind, text);
        let structured = decision_json("waitpoint_x", &token, None);
        let task = task_fields("waitpoint_x", &token, RETENTION, &structured);
        for text in [&structured, &task] {
            assert!(!text.contains(['\n', '\r']), "{text:?}");
        }
        assert_eq!(event(&structured).matches('\n').count(), 3);
        assert_eq!(decision(&token, None)["output"], value);
    }
    // Digits are kept.
    let token = completed(OutputKind::Json, "12.50");
    assert!(decision_json("waitpoint_x", &token, None).contains("\"output\":12.50"));
}

#[test]
fn a_task_says_how_long_it_is_kept() {
    let task = |token: &Token| -> Value {
        let decision = decision_json("waitpoint_x", token, None);
        let fields = task_fields("waitpoint_x", token, RETENTION, &decision);
        serde_json::from_str(&format!("{{{fields}}}")).unwrap()
    };
    let hour = 3_600_000;
    let waiting = task(&token(State::Waiting));
    assert_eq!(waiting["ttlMs"], 72 * hour);
    assert!(waiting["result"].is_null());
    let ended = task(&completed(OutputKind::Json, "1"));
    assert_eq!(
        (&ended["ttlMs"], &ended["status"]),
        (&json!(48 * hour + 60_000), &json!("completed"))
    );
    assert_eq!(ended["result"]["structuredContent"]["output"], 1);
    let late = task(&token(State::TimedOut));
    assert_eq!(
        (&late["ttlMs"], &late["status"]),
        (&json!(72 * hour), &json!("completed"))
    );
    let gone = task(&cancelled());
    assert_eq!(
        (&gone["status"], &gone["statusMessage"]),
        (&json!("cancelled"), &json!("not\nneeded"))
    );
    let mut forever = token(State::Waiting);
    forever.timeout_at = None;
    assert!(task(&forever)["ttlMs"].is_null());
}
