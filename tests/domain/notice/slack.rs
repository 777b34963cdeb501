use super::*;
use serde_json::Value;
use waitpoint::domain::notice::slack::render;

fn message(notice: &Notice<'_>) -> Value {
    serde_json::from_str(&render(en(), notice)).unwrap()
}

#[test]
fn a_message_has_title_description_deadline_requester_and_one_button() {
    let asked = token(&serde_json::json!({
        "title": "Deploy <2.4> & \"rest\"?", "description": "Line\nline <b>", "requestedBy": "Ann <!here>",
    }));
    let plain = |text| serde_json::json!({ "type": "plain_text", "emoji": false, "text": text });
    assert_eq!(
        message(&reminder(&asked)),
        serde_json::json!({
            "text": "Reminder: Deploy &lt;2.4&gt; &amp; \"rest\"?",
            "unfurl_links": false,
            "unfurl_media": false,
            "blocks": [
                { "type": "header", "text": plain("Reminder: Deploy <2.4> & \"rest\"?") },
                { "type": "section", "text": plain("Line\nline <b>") },
                { "type": "context", "elements": [
                    { "type": "mrkdwn", "text": "Decide by \
                        <!date^1799136540^{date_long} {time}|5\u{a0}January 2027, 08:09\u{a0}UTC>" },
                    plain("Requested by Ann <!here>"),
                ] },
                { "type": "actions", "elements": [
                    { "type": "button", "style": "primary", "text": plain("View request"), "url": LINK },
                ] },
            ],
        })
    );

    let bare = Token {
        approval: None,
        timeout_at: None,
        ..asked
    };
    let message = message(&created(&bare));
    let kinds: Vec<_> = message["blocks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|block| &block["type"])
        .collect();
    assert_eq!(kinds, ["header", "actions"], "Slack refuses empty blocks");
}

#[test]
fn texts_of_others_are_no_markup() {
    let message = message(&created(&saying(EVIL)));
    let markup = message["text"].as_str().unwrap();
    assert!(!markup.contains(['<', '>']), "{markup}");
    let mut found = 0;
    walk(&message, &mut |object| {
        if object["type"] == "mrkdwn" {
            let text = object["text"].as_str().unwrap();
            assert!(text.starts_with("Decide by <!date^") && text.matches('<').count() == 1);
            found += 1;
        }
    });
    assert_eq!(found, 1);
}

#[test]
fn a_message_is_within_the_limits_of_slack() {
    for unit in [
        "x",
        "é🦀",
        "&",
        "<>",
        "\"\\",
        "\u{1f468}\u{200d}\u{1f469}",
        "a\n",
    ] {
        let asked = saying(&unit.repeat(9_000));
        let json = render(en(), &reminder(&asked));
        let message = message(&reminder(&asked));
        assert!(json.len() < 40_000, "{} bytes", json.len());
        let escaped = |text: &str| text.replace('&', "&amp;").replace(['<', '>'], "&lt;");
        let length = |text: &Value| escaped(text.as_str().unwrap()).encode_utf16().count();
        let blocks = &message["blocks"];
        assert!(
            (140..=150).contains(&length(&blocks[0]["text"]["text"])),
            "{unit}"
        );
        assert!(
            (2_990..=3_000).contains(&length(&blocks[1]["text"]["text"])),
            "{unit}"
        );
        assert!(blocks[1]["text"]["text"].as_str().unwrap().ends_with('…'));
        assert!(length(&blocks[2]["elements"][1]["text"]) <= 3_000);
    }
    let whole = "é".repeat(150);
    let message = message(&created(&saying(&whole)));
    assert_eq!(
        message["blocks"][0]["text"]["text"], whole,
        "no ellipsis without need"
    );
}

/// Calls `visit` with every object.
fn walk(value: &Value, visit: &mut impl FnMut(&Value)) {
    match value {
        Value::Array(list) => list.iter().for_each(|item| walk(item, visit)),
        Value::Object(fields) => {
            visit(value);
            fields.values().for_each(|item| walk(item, visit));
        }
        _ => {}
    }
}
