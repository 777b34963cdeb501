//! The decision of a form.

use super::fault::InputFault;
use crate::domain::approval::form::{FieldKind, Form, MAX_FIELDS};
use crate::domain::approval::schema::{
    Approval, Choice, Comment, Confirm, MAX_COMMENT, Style, minify_json,
};
use crate::domain::page::i18n::Words;
use crate::domain::text::is_same_word;
use crate::domain::token::{CompletedBy, State, Token};

/// The largest body of a form, in bytes. The longest fields and comment take 264,000 of them.
pub const MAX_FORM: usize = 272 * 1024;
/// The field that distinguishes the page's form from a request of a machine.
pub const NONCE_FIELD: &str = "waitpoint_nonce";

/// The input of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormInput {
    /// The index of a choice.
    pub choice: String,
    /// The label of a choice, as typed.
    pub typed: String,
    /// A comment.
    pub comment: String,
    /// What was sent for each field of the approval's form, options by their index. `None` for a fresh
    /// page, which shows the fields' defaults.
    pub fields: Option<Vec<Vec<String>>>,
}

impl FormInput {
    /// Reads a form that was sent, by all values of a name. What is missing is empty.
    #[must_use]
    pub fn of<'a>(values: impl Fn(&str) -> Vec<&'a str>) -> Self {
        let text = |name| values(name).first().copied().unwrap_or_default().to_owned();
        let sent = |index| {
            values(&format!("field-{index}"))
                .into_iter()
                .map(str::to_owned)
                .collect()
        };
        Self {
            choice: text("choice"),
            typed: text("typed"),
            comment: text("comment"),
            fields: Some((0..MAX_FIELDS).map(sent).collect()),
        }
    }

    /// What was sent for a field. `None` if the page is fresh.
    pub(super) fn sent(&self, field: usize) -> Option<&[String]> {
        let fields = self.fields.as_ref()?;
        Some(fields.get(field).map_or(&[], Vec::as_slice))
    }
}

/// Why the form is shown again. Nothing was decided, except perhaps if storage failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormError {
    /// The nonce has expired, or belongs to another page.
    Stale,
    /// The input has these faults, in the order of the page.
    Input(Vec<InputFault>),
    /// Too many attempts.
    Busy,
    /// Storage failed. The decision may have been recorded.
    Unavailable,
}

/// Why the decision of a sent form was not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRecorded {
    /// Another decision was recorded before.
    AlreadyDecided,
    /// The same decision was recorded before, without this comment.
    CommentNotAdded,
    /// The deadline had passed: the token had timed out, or its default decision had been taken.
    TooLate,
    /// The token had been withdrawn.
    Withdrawn,
    /// The token is completed, and this person may not know its decision.
    Undisclosed,
}

/// The output that a form decides on.
///
/// # Errors
/// All that is missing or invalid, in the order of the page.
pub fn decide(approval: &Approval, input: &FormInput) -> Result<String, Vec<InputFault>> {
    let chosen = choose(approval, input)?;
    let output = (chosen.choice).output(&chosen.comment, chosen.fields.as_deref());
    Ok(output)
}

/// What a form says.
pub(super) struct Chosen<'a> {
    /// The index of the choice.
    pub(super) index: usize,
    pub(super) choice: &'a Choice,
    /// Empty if there is none.
    pub(super) comment: String,
    /// What was filled in: a JSON object.
    pub(super) fields: Option<String>,
}

/// Reads a form.
///
/// # Errors
/// All that is missing or invalid, in the order of the page.
pub(super) fn choose<'a>(
    approval: &'a Approval,
    input: &FormInput,
) -> Result<Chosen<'a>, Vec<InputFault>> {
    let choice = choice(approval, input);
    // Without a choice nobody knows whether it sends the fields.
    let sends_fields = match choice {
        Ok((_, choice)) => approval.sends_form(choice),
        Err(_) => approval
            .choices
            .iter()
            .all(|choice| approval.sends_form(choice)),
    };
    let form = approval.form();
    let fields = match sends_fields {
        true => form
            .fields_json(&|index| values(&form, input, index))
            .map(Some),
        false => Ok(None),
    };
    let comment = read_comment(&input.comment, approval.comment);
    match (choice, fields, comment) {
        (Ok((index, choice)), Ok(fields), Ok(comment)) => Ok(Chosen {
            index,
            choice,
            comment,
            fields,
        }),
        (choice, fields, comment) => {
            let fields = fields.err().into_iter().flatten().map(InputFault::Field);
            Err(fields.chain(choice.err()).chain(comment.err()).collect())
        }
    }
}

fn choice<'a>(
    approval: &'a Approval,
    input: &FormInput,
) -> Result<(usize, &'a Choice), InputFault> {
    let mut choices = approval.choices.iter().enumerate();
    match approval.confirm {
        Confirm::Click | Confirm::Choose => {
            let index = input.choice.parse::<usize>().ok();
            index
                .and_then(|index| choices.nth(index))
                .ok_or(InputFault::ChooseOne)
        }
        Confirm::Typed => {
            let is_typed =
                |(_, choice): &(usize, &Choice)| is_same_word(&input.typed, &choice.label);
            choices.find(is_typed).ok_or(InputFault::TypeExactly)
        }
    }
}

/// The values of a field as they are in the output. An option was sent as its index; what is none is
/// left to the rules of the form.
fn values<'a>(form: &'a Form, input: &'a FormInput, index: usize) -> Vec<&'a str> {
    let options = match form.fields.get(index).map(|field| &field.kind) {
        Some(FieldKind::One { options, .. } | FieldKind::Many { options, .. }) => {
            options.as_slice()
        }
        _ => &[],
    };
    let value = |sent: &'a String| {
        let option = sent
            .parse::<usize>()
            .ok()
            .and_then(|index| options.get(index));
        option.map_or(sent.as_str(), |option| option.value.as_str())
    };
    input
        .sent(index)
        .unwrap_or_default()
        .iter()
        .map(value)
        .collect()
}

/// A comment that a person has written.
///
/// # Errors
/// `CommentMissing`, `CommentTooLong`.
pub fn read_comment(written: &str, wanted: Comment) -> Result<String, InputFault> {
    // Browsers send line breaks as CR LF.
    let comment = written.replace("\r\n", "\n");
    let comment = match wanted {
        Comment::None => "",
        Comment::Optional | Comment::Required => comment.trim(),
    };
    if comment.chars().count() > MAX_COMMENT {
        return Err(InputFault::CommentTooLong);
    }
    if comment.is_empty() && wanted == Comment::Required {
        return Err(InputFault::CommentMissing);
    }
    Ok(comment.to_owned())
}

/// Compares a form with the decision of a finished token. `None` if it is the same decision, sent
/// again.
#[must_use]
pub fn compare(token: &Token, approval: &Approval, input: &FormInput) -> Option<NotRecorded> {
    let decision = match &token.state {
        State::Completed { decision, .. } if decision.by != CompletedBy::Timeout => decision,
        State::Cancelled { .. } => return Some(NotRecorded::Withdrawn),
        // A default decision was not sent by a form, so no form can have sent it twice.
        State::Completed { .. } | State::TimedOut | State::Waiting => {
            return Some(NotRecorded::TooLate);
        }
    };
    let stored = decision
        .output
        .as_ref()
        .map_or("", |output| output.text.as_str());
    let Ok(wanted) = decide(approval, input) else {
        return Some(NotRecorded::AlreadyDecided);
    };
    if minify_json(&wanted) == minify_json(stored) {
        return None;
    }
    let made = |output| {
        let (choice, _, fields) = approval.choice_of(output)?;
        Some((&choice.label, fields))
    };
    match (made(&wanted), made(stored)) {
        (Some(wanted), Some(stored)) if wanted == stored => Some(NotRecorded::CommentNotAdded),
        _ => Some(NotRecorded::AlreadyDecided),
    }
}

/// The question of a token. Choices that its creator left out are in the language of the page.
#[must_use]
pub fn approval_of(token: &Token, words: &Words) -> Approval {
    let text = token.approval.as_deref().unwrap_or("{}");
    // The approval was checked when the token was created.
    let mut approval = Approval::read(text).unwrap_or_default();
    if approval.choices.is_empty() {
        let choice = |label: &str, status, style| Choice {
            label: label.to_owned(),
            data: Some(format!(r#"{{"status":"{status}"}}"#)),
            style,
            is_veto: false,
            form: true,
        };
        approval.choices = vec![
            choice(words.approve, "approved", Style::Primary),
            choice(words.reject, "rejected", Style::Danger),
        ];
    }
    approval
}
