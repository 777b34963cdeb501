//! A page as the API tells it.
use super::{HOUR, NOW, at, cursor, row};
use serde_json::{Value, json};
use waitpoint::domain::list::page::ListPage;
use waitpoint::domain::list::page_body::list_json;
use waitpoint::domain::list::row::Row;

#[test]
fn a_cancelled_item_says_when_and_a_default_decision_is_a_completion() {
    let mut cancelled = row("cancelled", NOW);
    cancelled.timeout_at = Some(at(NOW + HOUR));
    cancelled.ended_at = Some(at(NOW + 1));
    cancelled.is_cancelled = true;
    let mut defaulted = row("defaulted", NOW);
    defaulted.timeout_at = Some(at(NOW + 1));
    defaulted.has_default = true;
    let page = ListPage {
        rows: vec![cancelled, defaulted],
        next: None,
        previous: None,
    };
    let body = list_json(&page, at(NOW + 2), |_| String::new());
    let body: Value = serde_json::from_str(&body).unwrap();
    let told = |index: usize| {
        let item = &body["data"][index];
        ["status", "completedAt", "cancelledAt"].map(|name| item[name].as_str())
    };
    let end = Some("2026-09-26T00:00:00.001Z");
    assert_eq!(told(0), [Some("TIMED_OUT"), end, end]);
    assert_eq!(told(1), [Some("COMPLETED"), end, None]);
}

#[test]
fn the_wire_form_leaves_out_what_is_not_there() {
    let mut full = row("full", NOW);
    full.timeout_at = Some(at(NOW + 1));
    full.tags = vec![
        "b".to_owned(),
        "a".to_owned(),
        "c".to_owned(),
        "a".to_owned(),
    ];
    full.idempotency_key = Some("k\"".to_owned());
    full.key_expires_at = Some(at(NOW + HOUR));
    let page = ListPage {
        rows: vec![full, row("bare", 0)],
        next: Some(cursor(0, "bare")),
        previous: None,
    };
    let url = |row: &Row| format!("https://example.com/{}", row.id);
    let body = list_json(&page, at(NOW + 1), url);
    assert!(!body.contains("null"));
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap(),
        json!({
            "data": [
                {
                    "id": "waitpoint_full",
                    "url": "https://example.com/full",
                    "status": "TIMED_OUT",
                    "completedAt": "2026-09-26T00:00:00.001Z",
                    "timeoutAt": "2026-09-26T00:00:00.001Z",
                    "completedAfter": "2026-09-26T00:00:00.001Z",
                    "idempotencyKey": "k\"",
                    "idempotencyKeyExpiresAt": "2026-09-26T01:00:00.000Z",
                    "tags": ["a", "a", "b", "c"],
                    "createdAt": "2026-09-26T00:00:00.000Z",
                },
                {
                    "id": "waitpoint_bare",
                    "url": "https://example.com/bare",
                    "status": "WAITING",
                    "tags": [],
                    "createdAt": "1970-01-01T00:00:00.000Z",
                },
            ],
            "pagination": { "next": "0_bare" },
        })
    );
    let none = ListPage {
        rows: Vec::new(),
        next: None,
        previous: None,
    };
    let empty = r#"{"data":[],"pagination":{}}"#;
    assert_eq!(list_json(&none, at(NOW), |_| String::new()), empty);
}
