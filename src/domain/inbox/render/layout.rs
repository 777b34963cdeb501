//! What stands around the content of a page.

use super::view::{Frame, Operator};
use crate::domain::page::CSS as PAGE_CSS;
use crate::domain::page::i18n::Words;
use crate::domain::token::{State, Token};
use askama::Template;

/// Inline in each page, after the approval page's; its hash is in the Content-Security-Policy.
pub const CSS: &str = include_str!("../../../../www/inbox.css");
/// Inline in each page; its hash is in the Content-Security-Policy.
pub const JS: &str = include_str!("../../../../www/inbox.js");

#[derive(Template)]
#[template(path = "inbox/layout.html")]
struct Layout<'a> {
    words: &'a Words,
    title: &'a str,
    class: &'a str,
    now: String,
    operator: Option<Operator<'a>>,
    content: &'a str,
    page_css: &'static str,
    css: &'static str,
    js: &'static str,
}

/// A link to the page of a token.
#[derive(Template)]
#[template(path = "inbox/item.html")]
struct Link<'a> {
    /// The public id.
    id: &'a str,
    /// In one line; empty if there is none.
    title: &'a str,
}

/// A page. `class` is that of its body.
pub(super) fn page(frame: Frame<'_>, title: &str, class: &str, content: &str) -> String {
    let layout = Layout {
        words: frame.words,
        title,
        class,
        now: frame.now.to_string(),
        operator: frame.operator,
        content,
        page_css: PAGE_CSS,
        css: CSS,
        js: JS,
    };
    // Writing to a string cannot fail.
    layout.render().unwrap_or_default()
}

pub(super) fn link(id: &str, title: &str) -> String {
    Link { id, title }.render().unwrap_or_default()
}

pub(super) fn nonce(frame: Frame<'_>) -> &str {
    frame.operator.map_or("", |operator| operator.nonce)
}

/// The status of a token, in words.
pub(super) fn status(words: &Words, token: &Token) -> &'static str {
    match token.state {
        State::Waiting => words.inbox.waiting,
        State::Completed { .. } => words.decided,
        State::TimedOut => words.inbox.timed_out,
        State::Cancelled { .. } => words.withdrawn,
    }
}

/// A sentence with a number in it.
pub(super) fn with_number(sentence: &str, number: usize) -> String {
    sentence.replace("{n}", &number.to_string())
}
