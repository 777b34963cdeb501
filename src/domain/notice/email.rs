//! A notice by e-mail.
//!
//! The template is `www/email.html`. Mail programs drop style sheets, the attributes of `<html>` and much
//! of CSS, so styles are inline, and language and direction stand on a `<div>` within the body.

use super::{Notice, shortened};
use crate::domain::page::i18n::Words;
use askama::Template;

/// The longest subject, in characters.
const MAX_SUBJECT: usize = 200;

/// The texts of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// One line.
    pub subject: String,
    /// The mail as HTML.
    pub html: String,
    /// The same as plain text, its lines separated by LF.
    pub text: String,
}

#[derive(Template)]
#[template(path = "email.html")]
struct Document<'a> {
    words: &'a Words,
    notice: &'a Notice<'a>,
    subject: &'a str,
    /// What lists of mails show beside the subject.
    preview: String,
    /// The lines of the description. Some mail programs do not know `white-space`.
    lines: Vec<&'a str>,
    deadline: Option<String>,
}

/// The mail in the language of `words`.
#[must_use]
pub fn render(words: &Words, notice: &Notice<'_>) -> Email {
    let subject = shortened(&notice.headline(words), MAX_SUBJECT, |_| 1);
    let description = notice.description.as_deref().unwrap_or_default();
    let facts = [notice.requested_by(words), notice.decide_by(words)];
    let mut preview = facts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    if preview.is_empty() {
        preview.push_str(words.link_safe);
    }
    let document = Document {
        words,
        notice,
        subject: &subject,
        preview,
        lines: description.lines().collect(),
        deadline: notice.deadline.map(|at| words.utc(at)),
    };
    Email {
        // Writing to a string cannot fail.
        html: document.render().unwrap_or_default(),
        text: plain_text(words, notice),
        subject,
    }
}

fn plain_text(words: &Words, notice: &Notice<'_>) -> String {
    let mut text = notice.headline(words);
    text.push_str("\n\n");
    let facts = [notice.requested_by(words), notice.decide_by(words)];
    for fact in facts.iter().flatten() {
        text.push_str(fact);
        text.push('\n');
    }
    if facts.iter().any(Option::is_some) {
        text.push('\n');
    }
    if let Some(description) = &notice.description {
        text.push_str(description);
        text.push_str("\n\n");
    }
    for part in [
        words.open_request,
        "\n",
        notice.link,
        "\n\n",
        words.link_safe,
        "\n",
        words.forward,
        "\n",
    ] {
        text.push_str(part);
    }
    text
}
