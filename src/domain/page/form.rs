//! The form of a page: the fields, the choices and the comment.

use super::fault::InputFault;
use super::fields::{Checks, FieldView, views};
use crate::domain::approval::form;
use crate::domain::approval::schema::{Approval, Choice, Comment, Confirm, MAX_LABEL, Style};
use crate::domain::page::decide::{FormError, FormInput};
use crate::domain::page::i18n::Words;
use crate::domain::text::{prefix, single_line};
use askama::Template;
use std::borrow::Cow;

#[derive(Template)]
#[template(path = "form.html")]
pub(super) struct Form<'a> {
    words: &'a Words,
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
            class: button_class(choice.style),
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
            words,
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

impl Form<'_> {
    /// Whether Enter in a field would press the button of the first choice.
    fn enter_would_decide(&self) -> bool {
        !self.fields.is_empty() && !self.has_radio_buttons && !self.has_text_field
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

/// The class of a choice's button.
#[must_use]
pub fn button_class(style: Style) -> &'static str {
    match style {
        Style::Primary => "primary",
        Style::Danger => "danger",
        Style::Neutral => "neutral",
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
