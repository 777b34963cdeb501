//! The decision of a form.

use crate::domain::approval::schema::{
    Approval, Choice, Comment, Confirm, MAX_COMMENT, Style, minify_json,
};
use crate::domain::page::i18n::Words;
use crate::domain::text::is_same_word;
use crate::domain::token::{CompletedBy, State, Token};

/// The largest body of a form, in bytes. The longest comment takes 24,000 of them.
pub const MAX_FORM: usize = 32 * 1024;
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
}

impl FormInput {
    /// Reads the fields of a form; what is missing is empty.
    #[must_use]
    pub fn of<'a>(field: impl Fn(&str) -> Option<&'a str>) -> Self {
        let text = |name| field(name).unwrap_or_default().to_owned();
        Self {
            choice: text("choice"),
            typed: text("typed"),
            comment: text("comment"),
        }
    }
}

/// Why the form is shown again. Nothing was decided, except perhaps if storage failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormError {
    /// The nonce has expired, or belongs to another page.
    Stale,
    /// No choice was made.
    ChooseOne,
    /// The typed text is not the label of a choice.
    TypeExactly,
    /// A comment is required.
    CommentMissing,
    /// The comment is longer than [`MAX_COMMENT`].
    CommentTooLong,
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
/// The field that is missing or invalid.
pub fn decide(approval: &Approval, input: &FormInput) -> Result<String, FormError> {
    let choice = match approval.confirm {
        Confirm::Click | Confirm::Choose => {
            let index = input.choice.parse::<usize>().ok();
            index
                .and_then(|index| approval.choices.get(index))
                .ok_or(FormError::ChooseOne)?
        }
        Confirm::Typed => {
            let is_typed = |choice: &&Choice| is_same_word(&input.typed, &choice.label);
            approval
                .choices
                .iter()
                .find(is_typed)
                .ok_or(FormError::TypeExactly)?
        }
    };
    // Browsers send line breaks as CR LF.
    let comment = input.comment.replace("\r\n", "\n");
    let comment = match approval.comment {
        Comment::None => "",
        Comment::Optional | Comment::Required => comment.trim(),
    };
    if comment.chars().count() > MAX_COMMENT {
        return Err(FormError::CommentTooLong);
    }
    if comment.is_empty() && approval.comment == Comment::Required {
        return Err(FormError::CommentMissing);
    }
    Ok(choice.output(comment, None))
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
    let label = |output| approval.choice_of(output).map(|(choice, ..)| &choice.label);
    match (label(&wanted), label(stored)) {
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
