//! A notice as a message for an incoming webhook of Slack, in Block Kit.
//!
//! Texts of others are `plain_text`, in which Slack knows neither mentions nor links. Slack counts
//! characters, but does not say of what: here each text is within its limit in UTF-16 and when escaped.

use super::{Notice, shortened};
use crate::domain::json::to_json;
use crate::domain::page::i18n::Words;

/// The longest text of a header block.
const MAX_HEADER: usize = 150;
/// The longest text of a section block. An element of a context block may be as long.
const MAX_SECTION: usize = 3_000;

/// The body of the request, as JSON.
#[must_use]
pub fn render(words: &Words, notice: &Notice<'_>) -> String {
    let headline = notice.headline(words);
    // Notifications and screen readers take this text, which is always mrkdwn.
    let mut json = String::from(r#"{"text":"#);
    json += &to_json(&escaped(&fitted(&headline, MAX_HEADER)));
    // Slack would open the links in a description to show what they lead to.
    json += r#","unfurl_links":false,"unfurl_media":false,"blocks":[{"type":"header","text":"#;
    plain_text(&mut json, &headline, MAX_HEADER);
    json.push('}');
    if let Some(description) = &notice.description {
        json += r#",{"type":"section","text":"#;
        plain_text(&mut json, description, MAX_SECTION);
        json.push('}');
    }
    let requested_by = notice.requested_by(words);
    if requested_by.is_some() || notice.deadline.is_some() {
        json += r#",{"type":"context","elements":["#;
        if let Some(at) = notice.deadline {
            // Slack writes the date in the reader's language and time zone.
            let seconds = at.as_secs().to_string();
            let format = "^{date_long} {time}|";
            let utc = words.utc(at);
            let text = [words.decide_by, " <!date^", &seconds, format, &utc, ">"];
            json += r#"{"type":"mrkdwn","text":"#;
            json += &to_json(&text.concat());
            json.push('}');
            if requested_by.is_some() {
                json.push(',');
            }
        }
        if let Some(text) = &requested_by {
            plain_text(&mut json, text, MAX_SECTION);
        }
        json += "]}";
    }
    json += r#",{"type":"actions","elements":[{"type":"button","style":"primary","text":"#;
    plain_text(&mut json, words.open_request, MAX_HEADER);
    json += r#","url":"#;
    json += &to_json(notice.link);
    json += "}]}]}";
    json
}

/// Without `emoji`, `:eyes:` stays what it is.
fn plain_text(json: &mut String, text: &str, limit: usize) {
    *json += r#"{"type":"plain_text","emoji":false,"text":"#;
    *json += &to_json(&fitted(text, limit));
    json.push('}');
}

fn fitted(text: &str, limit: usize) -> String {
    shortened(text, limit, |c| match c {
        '&' => "&amp;".len(),
        '<' | '>' => "&lt;".len(),
        c => c.len_utf16(),
    })
}

/// The text as mrkdwn: these three begin all that Slack gives a meaning beyond a text's looks.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;")
}
