//! The structs of the template `www/page.html`.

use super::fault::InputFault;
use super::fields::{Checks, FieldView, views};
use crate::domain::approval::form;
use crate::domain::approval::schema::{Approval, Choice, Comment, Confirm, MAX_LABEL, Style};
use crate::domain::page::decide::{FormError, FormInput};
use crate::domain::page::i18n::Words;
use crate::domain::text::{single_line, strip_invisible};
use crate::domain::time::timestamp::Timestamp;
use askama::Template;
use std::borrow::Cow;

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
    /// What an approver sees of the votes.
    pub(super) voting: Option<Voting>,
    pub(super) form: Option<Form<'a>>,
    pub(super) css: &'static str,
    pub(super) js: &'static str,
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

/// A labelled detail of a decision: a text or a time.
pub(super) struct Detail<'a> {
    label: Heading<'a>,
    class: &'static str,
    text: String,
    time: Option<TimeElement>,
}

/// A time for the script, with a text for browsers without scripts.
pub(super) struct TimeElement {
    iso: String,
    utc: String,
}

pub(super) struct Form<'a> {
    nonce: &'a str,
    alert: Option<Alert<'a>>,
    fields: Vec<FieldView<'a>>,
    choices: Vec<Button>,
    has_radio_buttons: bool,
    has_text_field: bool,
    typed: &'a str,
    has_comment: bool,
    is_comment_required: bool,
    comment: &'a str,
    choice_fault: Option<Fault<'a>>,
    comment_fault: Option<Fault<'a>>,
}

/// What an approver sees of the votes.
pub(super) struct Voting {
    /// The approver's name.
    pub(super) name: String,
    /// How many have voted, and how many votes are needed.
    pub(super) progress: String,
    /// The label of what the approver has voted for.
    pub(super) own: Option<String>,
}

/// Why the form is shown again.
enum Alert<'a> {
    Sentence(&'a str),
    /// All that is wrong with the input, in the order of the page.
    List(Vec<AlertItem<'a>>),
}

struct AlertItem<'a> {
    /// The id of the control.
    id: String,
    /// The label of a field, as its creator wrote it.
    label: Option<String>,
    sentence: Cow<'a, str>,
}

/// What is wrong with the choice or the comment.
struct Fault<'a> {
    /// The id of its sentence.
    id: &'static str,
    /// The sentence, unless it is the page's alert.
    sentence: Option<&'a str>,
}

struct Button {
    index: usize,
    label: String,
    class: &'static str,
    is_chosen: bool,
    /// Whether the browser checks the fields first.
    sends_fields: bool,
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

    fn title(&self) -> String {
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
    pub(super) fn of(at: Timestamp) -> Self {
        let iso = at.to_string();
        let utc = match iso.split_once('T') {
            Some((date, time)) => format!("{date} {} UTC", time.get(..5).unwrap_or(time)),
            None => iso.clone(),
        };
        Self { iso, utc }
    }
}

impl<'a> Form<'a> {
    pub(super) fn of(
        words: &'a Words,
        approval: &Approval,
        fields: &'a form::Form,
        nonce: &'a str,
        input: &'a FormInput,
        error: Option<&'a FormError>,
    ) -> Self {
        let button = |(index, choice): (usize, &Choice)| Button {
            index,
            label: single_line(&choice.label),
            class: match choice.style {
                Style::Primary => "primary",
                Style::Danger => "danger",
                Style::Neutral => "neutral",
            },
            is_chosen: input.choice == index.to_string(),
            sends_fields: choice.form || fields.fields.is_empty(),
        };
        let faults = match error {
            Some(FormError::Input(faults)) => faults.as_slice(),
            _ => &[],
        };
        let fault_of = |index| {
            faults.iter().find_map(|fault| match fault {
                InputFault::Field(fault) if fault.field == index => Some(&fault.why),
                _ => None,
            })
        };
        // One button sends whatever was chosen.
        let checks = match approval.confirm {
            Confirm::Choose | Confirm::Typed if !approval.choices.iter().all(|it| it.form) => {
                Checks::Server
            }
            _ => Checks::Browser,
        };
        let fields = views(words, fields, checks, input, fault_of);
        let alert = error.map(|error| match error {
            FormError::Stale => Alert::Sentence(words.stale),
            FormError::Busy => Alert::Sentence(words.wait),
            FormError::Unavailable => Alert::Sentence(words.try_again),
            FormError::Input(faults) => Alert::of(words, faults, &fields),
        });
        let is_listed = matches!(alert, Some(Alert::List(_)));
        let fault = |id, own: [InputFault; 2]| {
            let fault = faults.iter().find(|fault| own.contains(fault))?;
            Some(Fault {
                id: if is_listed { id } else { "alert" },
                sentence: sentence(words, fault).filter(|_| is_listed),
            })
        };
        Self {
            nonce,
            choices: approval.choices.iter().enumerate().map(button).collect(),
            has_radio_buttons: approval.confirm == Confirm::Choose,
            has_text_field: approval.confirm == Confirm::Typed,
            typed: prefix(&input.typed, 4 * MAX_LABEL),
            has_comment: approval.comment != Comment::None,
            is_comment_required: approval.comment == Comment::Required,
            comment: &input.comment,
            choice_fault: fault(
                "choice-fault",
                [InputFault::ChooseOne, InputFault::TypeExactly],
            ),
            comment_fault: fault(
                "comment-fault",
                [InputFault::CommentMissing, InputFault::CommentTooLong],
            ),
            alert,
            fields,
        }
    }
}

impl<'a> Alert<'a> {
    fn of(words: &'a Words, faults: &[InputFault], fields: &[FieldView<'_>]) -> Self {
        if let [fault] = faults
            && let Some(sentence) = sentence(words, fault)
        {
            return Self::Sentence(sentence);
        }
        let item = |fault: &InputFault| {
            let id = match fault {
                InputFault::Field(fault) => {
                    let field = fields.get(fault.field)?;
                    return Some(AlertItem {
                        id: field.id.clone(),
                        label: Some(field.label.clone()),
                        sentence: Cow::Owned(field.fault.clone()?),
                    });
                }
                InputFault::ChooseOne => "choice",
                InputFault::TypeExactly => "typed",
                InputFault::CommentMissing | InputFault::CommentTooLong => "comment",
            };
            Some(AlertItem {
                id: id.to_owned(),
                label: None,
                sentence: Cow::Borrowed(sentence(words, fault)?),
            })
        };
        Self::List(faults.iter().filter_map(item).collect())
    }
}

/// The sentence about a fault that is no field's.
fn sentence(words: &Words, fault: &InputFault) -> Option<&'static str> {
    Some(match fault {
        InputFault::Field(_) => return None,
        InputFault::ChooseOne => words.choose_one,
        InputFault::TypeExactly => words.type_exactly,
        InputFault::CommentMissing => words.comment_missing,
        InputFault::CommentTooLong => words.comment_long,
    })
}

impl Tone {
    fn name(self) -> &'static str {
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

/// The first characters of a text, at most `limit`.
pub(super) fn prefix(text: &str, limit: usize) -> &str {
    let end = text.char_indices().nth(limit).map(|(end, _)| end);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}
