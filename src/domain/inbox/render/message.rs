//! A page that has only a message.

use super::layout::{page, with_number};
use super::view::{Frame, Message};
use crate::domain::inbox::bulk::MAX_MARKED;
use askama::Template;

#[derive(Template)]
#[template(path = "inbox/message.html")]
struct MessagePage<'a> {
    heading: &'a str,
    sentence: &'a str,
    /// The text of the link to the list.
    inbox: &'a str,
    /// Whether that link stands above the page.
    has_bar: bool,
}

/// A message.
#[must_use]
pub fn message(frame: Frame<'_>, message: Message) -> String {
    let (words, inbox) = (frame.words, &frame.words.inbox);
    let too_many = with_number(inbox.too_many_marked_help, MAX_MARKED);
    let (heading, sentence) = match message {
        Message::NotFound => (inbox.not_found, inbox.not_found_help),
        Message::Unavailable { submitted: true } => (words.trouble, inbox.not_confirmed),
        Message::Unavailable { submitted: false } => (words.trouble, inbox.nothing_done),
        Message::Busy => (words.busy, inbox.nothing_done),
        Message::CrossSite => (words.cross_site_title, inbox.from_other_site),
        Message::Stale => (inbox.open_again, inbox.stale),
        Message::TooLarge => (words.too_large, words.shorten),
        Message::NothingMarked => (inbox.nothing_marked, inbox.nothing_marked_help),
        Message::TooManyMarked => (inbox.too_many_marked, too_many.as_str()),
        Message::LivesUpstream => (inbox.elsewhere, inbox.elsewhere_help),
        Message::AccessDenied => (inbox.no_access, inbox.no_access_help),
    };
    let content = MessagePage {
        heading,
        sentence,
        inbox: inbox.inbox,
        has_bar: frame.operator.is_some(),
    };
    let content = content.render().unwrap_or_default();
    page(frame, heading, "single trouble", &content)
}
