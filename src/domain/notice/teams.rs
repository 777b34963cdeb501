//! A notice as a message for an incoming webhook of Teams, or the trigger "When a Teams webhook request
//! is received" of Workflows: an Adaptive Card.
//!
//! Texts of others are `TextRun`s, which know no Markdown. A `TextBlock` would, and its escapes differ
//! between Teams' clients.

use super::{Notice, shortened};
use crate::domain::json::to_json;
use crate::domain::page::i18n::Words;

/// The longest description, in UTF-16 units. Teams takes 28 KB a message.
const MAX_TEXT: usize = 3_000;

/// The body of the request, as JSON.
#[must_use]
pub fn render(words: &Words, notice: &Notice<'_>) -> String {
    // Version 1.2 is the newest that Teams shows on phones.
    let mut json = String::from(r#"{"type":"message","attachments":[{"contentType":"#);
    json += r#""application/vnd.microsoft.card.adaptive","contentUrl":null,"content":"#;
    json += r#"{"type":"AdaptiveCard","version":"1.2","lang":"#;
    json += &to_json(words.lang);
    if words.dir == "rtl" {
        json += r#","rtl":true"#;
    }
    json += r#","body":["#;
    text_run(
        &mut json,
        &notice.headline(words),
        r#","size":"large","weight":"bolder""#,
    );
    if let Some(text) = notice.requested_by(words) {
        json.push(',');
        text_run(&mut json, &text, r#","isSubtle":true"#);
    }
    if let Some(description) = &notice.description {
        json.push(',');
        text_run(&mut json, description, "");
    }
    if let Some(at) = notice.deadline {
        // Teams writes these in the reader's time zone. It wants a time without milliseconds.
        let iso = at.to_string();
        let seconds = iso.get(..19).unwrap_or_default();
        let date = [" {{DATE(", seconds, "Z, LONG)}}"].concat();
        let time = [" {{TIME(", seconds, "Z)}}"].concat();
        json += r#",{"type":"TextBlock","wrap":true,"isSubtle":true,"text":"#;
        json += &to_json(&[words.decide_by, &date, &time].concat());
        json.push('}');
    }
    json += r#"],"actions":[{"type":"Action.OpenUrl","title":"#;
    json += &to_json(words.open_request);
    json += r#","url":"#;
    json += &to_json(notice.link);
    json += "}]}}]}";
    json
}

fn text_run(json: &mut String, text: &str, style: &str) {
    *json += r#"{"type":"RichTextBlock","inlines":[{"type":"TextRun""#;
    *json += style;
    *json += r#","text":"#;
    *json += &to_json(&shortened(text, MAX_TEXT, char::len_utf16));
    *json += "}]}";
}
