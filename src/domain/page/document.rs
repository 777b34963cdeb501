//! The structs of the templates `www/page.html` and `www/card.html`.

use super::form::Form;
use crate::domain::page::i18n::Words;
use crate::domain::text::{single_line, strip_invisible};
use crate::domain::time::timestamp::Timestamp;
use askama::Template;

/// Inline in the page; its hash is in the Content-Security-Policy.
pub const CSS: &str = include_str!("../../../www/page.css");
/// Inline in the page; its hash is in the Content-Security-Policy.
pub const JS: &str = include_str!("../../../www/page.js");

#[derive(Template)]
#[template(path = "page.html")]
pub(super) struct Document<'a> {
    pub(super) words: &'a Words,
    pub(super) tone: Tone,
    /// The server's time, for the script. Empty if the page has no script.
    pub(super) now: String,
    pub(super) end: Option<End<'a>>,
    pub(super) question: Option<Question>,
    pub(super) deadline: Option<TimeElement>,
    /// How many have voted, for those who do not vote.
    pub(super) progress: Option<String>,
    pub(super) details: Vec<Detail<'a>>,
    pub(super) voting: Option<Voting>,
    pub(super) form: Option<Form<'a>>,
    pub(super) css: &'static str,
    pub(super) js: &'static str,
}

/// What a page says of its token. The inbox says it too, on a page of its own.
#[derive(Template)]
#[template(path = "card.html")]
pub(super) struct Card<'a> {
    document: &'a Document<'a>,
}

/// The heading and the sentence of a page without a form.
pub(super) struct End<'a> {
    pub(super) heading: Heading<'a>,
    pub(super) sentence: &'a str,
}

/// What stands above something else.
pub(super) enum Heading<'a> {
    /// One of the page's own sentences.
    Words(&'a str),
    /// The label of a choice or a field, as its creator wrote it.
    Label(String),
}

pub(super) struct Question {
    pub(super) title: String,
    pub(super) requested_by: Option<String>,
    pub(super) description: Option<String>,
}

/// What an approver sees of the votes.
pub(super) struct Voting {
    /// The approver's name.
    pub(super) name: String,
    /// How many have voted, and how many votes are needed.
    pub(super) progress: String,
    /// The label of what the approver has voted for.
    pub(super) own: Option<String>,
    /// The labels of the choices for which one vote is enough.
    pub(super) vetoes: Vec<String>,
}

/// A labelled detail of a decision: a text or a time.
pub(super) struct Detail<'a> {
    label: Heading<'a>,
    class: &'static str,
    text: String,
    time: Option<TimeElement>,
}

/// A time for the script, with a text for browsers without scripts.
pub struct TimeElement {
    pub iso: String,
    pub utc: String,
}

/// The colour and icon of a page. The colour is never the only sign.
#[derive(Clone, Copy)]
pub(super) enum Tone {
    Waiting,
    Approved,
    Rejected,
    Decided,
    Withdrawn,
    Late,
    Trouble,
}

impl<'a> Document<'a> {
    /// A page without a token.
    pub(super) fn new(words: &'a Words) -> Self {
        Self {
            words,
            tone: Tone::Waiting,
            now: String::new(),
            end: None,
            question: None,
            deadline: None,
            progress: None,
            details: Vec::new(),
            voting: None,
            form: None,
            css: CSS,
            js: JS,
        }
    }

    /// A page of a token, with the script.
    pub(super) fn of_token(words: &'a Words, now: Timestamp) -> Self {
        Self {
            now: now.to_string(),
            ..Self::new(words)
        }
    }

    pub(super) fn write(&self) -> String {
        // Writing to a string cannot fail.
        self.render().unwrap_or_default()
    }

    pub(super) fn card(&self) -> Card<'_> {
        Card { document: self }
    }

    pub(super) fn title(&self) -> String {
        match (&self.end, &self.question) {
            (Some(end), Some(question)) => format!("{} · {}", end.heading.text(), question.title),
            (Some(end), None) => end.heading.text().to_owned(),
            (None, Some(question)) => question.title.clone(),
            (None, None) => self.words.question.to_owned(),
        }
    }
}

impl<'a> End<'a> {
    pub(super) fn new(heading: &'a str, sentence: &'a str) -> Self {
        Self {
            heading: Heading::Words(heading),
            sentence,
        }
    }
}

impl Heading<'_> {
    fn text(&self) -> &str {
        match self {
            Self::Words(text) => text,
            Self::Label(text) => text,
        }
    }

    fn is_label(&self) -> bool {
        matches!(self, Self::Label(_))
    }
}

impl<'a> Detail<'a> {
    pub(super) fn text(label: &'a str, class: &'static str, text: &str) -> Self {
        Self {
            label: Heading::Words(label),
            class,
            text: strip_invisible(text),
            time: None,
        }
    }

    pub(super) fn time(label: &'a str, at: Timestamp) -> Self {
        Self {
            label: Heading::Words(label),
            class: "",
            text: String::new(),
            time: Some(TimeElement::of(at)),
        }
    }

    /// With the label of a field instead of one of the page's own.
    pub(super) fn of_field(self, label: &str) -> Self {
        Self {
            label: Heading::Label(single_line(label)),
            ..self
        }
    }
}

impl TimeElement {
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let iso = at.to_string();
        let utc = match iso.split_once('T') {
            Some((date, time)) => format!("{date} {} UTC", time.get(..5).unwrap_or(time)),
            None => iso.clone(),
        };
        Self { iso, utc }
    }
}

impl Tone {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Decided => "decided",
            Self::Withdrawn => "withdrawn",
            Self::Late => "late",
            Self::Trouble => "trouble",
        }
    }

    /// The SVG path of the icon, in a square of 24.
    fn icon(self) -> &'static str {
        match self {
            Self::Waiting | Self::Late => "M12 4v8l5 3",
            Self::Approved => "M4 13l5 5L20 6",
            Self::Rejected => "M5 5l14 14M19 5L5 19",
            Self::Decided => "M4 12h16",
            Self::Withdrawn => "M5 19L19 5",
            Self::Trouble => "M12 3v11M12 20v.1",
        }
    }
}
