//! Several tokens, decided or withdrawn at once.
//!
//! Invariants:
//! - A decision is offered only if every marked token that waits takes it, by its label alone.
//! - The same form, sent again, does nothing again and has the same outcomes: what it has done is known by
//!   who did it, what was decided, and when.

use crate::domain::approval::schema::{Approval, Comment, Confirm, Style, minify_json};
use crate::domain::page::i18n::Words;
use crate::domain::page::{FormInput, approval_of, decide};
use crate::domain::text::single_line;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::{CompletedBy, State, Token};

/// The most tokens that are marked at once: those of a large page.
pub const MAX_MARKED: usize = 200;

/// A marked token.
#[derive(Clone, Debug)]
pub struct Marked {
    /// The internal id.
    pub id: String,
    pub token: Result<Token, NotRead>,
}

/// Why a marked token is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRead {
    /// There is no such token, or its retention is over.
    NotFound,
    /// Its object did not answer.
    Unavailable,
}

/// A decision that all marked tokens share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedChoice {
    pub label: String,
    pub style: Style,
}

/// What is done to the marked tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkAction {
    /// The choice with this label.
    Decide { label: String, comment: String },
    /// Withdraw them, for this reason.
    Withdraw { reason: Option<String> },
}

/// The outcome for one of the marked tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkOutcome {
    /// It was done, by this form.
    Done,
    /// Somebody had decided it before.
    AlreadyDecided,
    /// Its deadline had passed before.
    TimedOut,
    /// Somebody had withdrawn it before.
    Withdrawn,
    /// It has no such choice any more, or wants more than its label.
    NotOffered,
    NotFound,
    /// Its object did not answer. It may have been done.
    Unavailable,
}

/// The choices that all marked tokens share, of those that wait. None if none waits.
#[must_use]
pub fn shared_choices(marked: &[Marked], words: &Words) -> Vec<SharedChoice> {
    let mut approvals = waiting(marked).map(|token| approval_of(token, words));
    let Some(first) = approvals.next() else {
        return Vec::new();
    };
    let choices = first.choices.iter().map(|choice| SharedChoice {
        label: single_line(&choice.label),
        style: choice.style,
    });
    let mut shared: Vec<_> = choices.collect();
    let mut keep = |approval: &Approval| {
        // A comment can be written for all of them.
        shared.retain(|choice| output(approval, &choice.label, "-").is_some());
    };
    keep(&first);
    approvals.for_each(|approval| keep(&approval));
    shared
}

/// Whether the form asks for a comment: it is required if one of the tokens requires it, and there is none
/// if one takes none.
#[must_use]
pub fn shared_comment(marked: &[Marked], words: &Words) -> Comment {
    let mut shared = Comment::Optional;
    for token in waiting(marked) {
        match approval_of(token, words).comment {
            Comment::Optional => {}
            Comment::Required => return Comment::Required,
            Comment::None => shared = Comment::None,
        }
    }
    shared
}

/// The output of the choice with this label; `None` if the token has no such choice, or it takes more than
/// its label and a comment.
#[must_use]
pub fn output_of(token: &Token, words: &Words, label: &str, comment: &str) -> Option<String> {
    output(&approval_of(token, words), label, comment)
}

fn output(approval: &Approval, label: &str, comment: &str) -> Option<String> {
    // Who must type the label is to read what it decides.
    if approval.confirm == Confirm::Typed {
        return None;
    }
    let mut choices = approval.choices.iter().enumerate();
    let (index, choice) = choices.find(|(_, choice)| single_line(&choice.label) == label)?;
    // Nobody has seen what its fields would hold.
    if approval.sends_form(choice) {
        return None;
    }
    let input = FormInput {
        choice: index.to_string(),
        comment: comment.to_owned(),
        ..FormInput::default()
    };
    decide(approval, &input).ok()
}

fn waiting(marked: &[Marked]) -> impl Iterator<Item = &Token> {
    let tokens = marked.iter().filter_map(|one| one.token.as_ref().ok());
    tokens.filter(|token| token.state == State::Waiting)
}

/// The outcome for a token that had ended when the form was sent, or does not wait any more. `shown_at` is
/// when the form was made; `subject` is who sends it.
#[must_use]
pub fn outcome_of_ended(
    token: &Token,
    action: &BulkAction,
    words: &Words,
    subject: Option<&str>,
    shown_at: Timestamp,
) -> BulkOutcome {
    match (&token.state, action) {
        (State::Completed { at, decision }, BulkAction::Decide { label, comment }) => {
            let wanted = output_of(token, words, label, comment);
            let made = decision.output.as_ref();
            let is_same = wanted
                .zip(made)
                .is_some_and(|(wanted, made)| minify_json(&wanted) == minify_json(&made.text));
            let is_own =
                decision.by == CompletedBy::Inbox && decision.subject.as_deref() == subject;
            if is_same && is_own && *at >= shown_at {
                BulkOutcome::Done
            } else {
                of_end(token)
            }
        }
        (State::Cancelled { at, reason: made }, BulkAction::Withdraw { reason }) => {
            if made == reason && *at >= shown_at {
                BulkOutcome::Done
            } else {
                BulkOutcome::Withdrawn
            }
        }
        _ => of_end(token),
    }
}

/// How a token had ended before.
fn of_end(token: &Token) -> BulkOutcome {
    match &token.state {
        State::Completed { decision, .. } if decision.by == CompletedBy::Timeout => {
            BulkOutcome::TimedOut
        }
        State::Completed { .. } | State::Waiting => BulkOutcome::AlreadyDecided,
        State::TimedOut => BulkOutcome::TimedOut,
        State::Cancelled { .. } => BulkOutcome::Withdrawn,
    }
}
