use super::*;
use serde_json::{Value, json};
use waitpoint::domain::notice::teams::render;

fn message(notice: &Notice<'_>) -> Value {
    serde_json::from_str(&render(en(), notice)).unwrap()
}

#[test]
fn a_message_is_a_card_with_one_button() {
    let asked = token(&json!({
        "title": "Deploy **2.4**?", "description": "Line\nline [x](y)", "requestedBy": "Ann",
    }));
    let run = |run: Value| json!({ "type": "RichTextBlock", "inlines": [run] });
    assert_eq!(
        message(&reminder(&asked)),
        json!({ "type": "message", "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "type": "AdaptiveCard",
                "version": "1.2",
                "lang": "en",
                "body": [
                    run(json!({ "type": "TextRun", "size": "large", "weight": "bolder",
                        "text": "Reminder: Deploy **2.4**?" })),
                    run(json!({ "type": "TextRun", "isSubtle": true, "text": "Requested by Ann" })),
                    run(json!({ "type": "TextRun", "text": "Line\nline [x](y)" })),
                    { "type": "TextBlock", "wrap": true, "isSubtle": true, "text": "Decide by \
                        {{DATE(2027-01-05T08:09:00Z, LONG)}} {{TIME(2027-01-05T08:09:00Z)}}" },
                ],
                "actions": [{ "type": "Action.OpenUrl", "title": "View request", "url": LINK }],
            },
        }] })
    );

    let bare = Token {
        approval: None,
        timeout_at: None,
        ..asked
    };
    let body = &message(&created(&bare))["attachments"][0]["content"]["body"];
    assert_eq!(body.as_array().unwrap().len(), 1);

    let arabic = choose("ar", "");
    let json = render(
        arabic,
        &Notice::of(&bare, TokenEvent::Created, arabic, LINK),
    );
    let message: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(message["attachments"][0]["content"]["rtl"], true);
}

#[test]
fn texts_of_others_are_no_markdown() {
    let message = message(&created(&saying(EVIL)));
    let body = message["attachments"][0]["content"]["body"]
        .as_array()
        .unwrap();
    for block in body.iter().filter(|block| block["type"] == "TextBlock") {
        let text = block["text"].as_str().unwrap();
        assert!(text.starts_with("Decide by {{DATE(2027-") && !text.contains("alert"));
    }
    assert_eq!(body.len(), 4);
}

#[test]
fn a_message_is_within_the_limit_of_teams() {
    for unit in ["x", "é🦀", "漢", "&", "\"\\", "a\n"] {
        let notice = reminder(&saying(&unit.repeat(4_000)));
        // One that could be created: the longest title, description and requester.
        let notice = Notice {
            title: notice.title.chars().take(120).collect(),
            requested_by: notice
                .requested_by
                .map(|name| name.chars().take(120).collect()),
            ..notice
        };
        let json = render(en(), &notice);
        assert!(json.len() <= 21_000, "{unit}: {} bytes", json.len());
        assert!(message(&notice).to_string().contains('…'));
    }
}
