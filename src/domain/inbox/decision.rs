//! What a token was decided, as the list shows it.
//!
//! Invariant: the text in the index is of no language: the choices that a token has if its creator left them
//! out are named, others have the label that the creator wrote.

use crate::domain::approval::schema::Approval;
use crate::domain::page::approval_of;
use crate::domain::page::i18n::{Words, choose};
use crate::domain::text::single_line;
use crate::domain::token::{State, Token};

const APPROVED: &str = "approve";
const REJECTED: &str = "reject";
/// Stands before a label.
const LABEL: char = '=';

/// What the index has of a token's decision. `None` if it has no approval, or was completed with an output of
/// no choice.
#[must_use]
pub fn decision_of(token: &Token) -> Option<String> {
    let (State::Completed { decision, .. }, Some(text)) = (&token.state, &token.approval) else {
        return None;
    };
    let words = choose("", "");
    let approval = approval_of(token, words);
    let (choice, ..) = approval.choice_of(&decision.output.as_ref()?.text)?;
    let has_own_choices = !Approval::read(text).ok()?.choices.is_empty();
    Some(match has_own_choices {
        true => format!("{LABEL}{}", single_line(&choice.label)),
        false if choice.label == words.approve => APPROVED.to_owned(),
        false => REJECTED.to_owned(),
    })
}

/// The text of a decision in a language.
#[must_use]
pub fn decision_in(words: &Words, stored: &str) -> String {
    match stored {
        APPROVED => words.approve.to_owned(),
        REJECTED => words.reject.to_owned(),
        other => other.strip_prefix(LABEL).unwrap_or_default().to_owned(),
    }
}
