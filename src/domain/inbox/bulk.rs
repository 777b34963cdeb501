//! Several tokens, decided or withdrawn at once.
//!
//! Invariant: a decision is offered only if every marked token that waits takes it, by its label and the
//! same comment.

use super::query::SIZES;
use super::sent::SentForm;
use crate::domain::api::life::read_reason;
use crate::domain::approval::schema::{Approval, Comment, Confirm, Style};
use crate::domain::page::i18n::Words;
use crate::domain::page::{FormInput, InputFault, approval_of, decide, read_comment};
use crate::domain::text::single_line;
use crate::domain::token::{CompletedBy, State, Token};

/// The most tokens that are marked at once: those of a large page.
pub const MAX_MARKED: usize = SIZES[1];

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

/// Why nothing was done to the marked tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewProblem {
    CommentMissing,
    CommentTooLong,
    ReasonTooLong,
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

/// The choices that all marked tokens share, of those that wait. None if none waits, or if one requires a
/// comment and another takes none.
#[must_use]
pub fn shared_choices(marked: &[Marked], words: &Words) -> Vec<SharedChoice> {
    let approvals: Vec<_> = waiting(marked)
        .map(|token| approval_of(token, words))
        .collect();
    let some_want = |comment| approvals.iter().any(|one| one.comment == comment);
    if some_want(Comment::None) && some_want(Comment::Required) {
        return Vec::new();
    }
    // A comment can be written for all of them.
    let is_shared = |choice: &SharedChoice| {
        let mut outputs = approvals.iter().map(|one| output(one, &choice.label, "-"));
        outputs.all(|output| output.is_some())
    };
    let first = approvals.first().map(|one| one.choices.iter());
    first
        .into_iter()
        .flatten()
        .map(|choice| SharedChoice {
            label: single_line(&choice.label),
            style: choice.style,
        })
        .filter(is_shared)
        .collect()
}

/// Whether the form asks for a comment: it is required if one of the tokens requires it, and none is taken
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
    // A typed confirmation is meant to make a person read, so it is not offered for several.
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

/// The outcome for a token that does not wait, when `sent` has come or is carried out.
#[must_use]
pub fn outcome_of_ended(
    token: &Token,
    action: &BulkAction,
    words: &Words,
    sent: SentForm<'_>,
) -> BulkOutcome {
    let is_done = match action {
        BulkAction::Decide { label, comment } => {
            let wanted = output_of(token, words, label, comment);
            wanted.is_some_and(|wanted| sent.has_decided(token, &wanted))
        }
        BulkAction::Withdraw { reason } => sent.has_withdrawn(token, reason.as_deref()),
    };
    if is_done {
        return BulkOutcome::Done;
    }
    match &token.state {
        State::Completed { decision, .. } if decision.by == CompletedBy::Timeout => {
            BulkOutcome::TimedOut
        }
        State::Completed { .. } | State::Waiting => BulkOutcome::AlreadyDecided,
        State::TimedOut => BulkOutcome::TimedOut,
        State::Cancelled { .. } => BulkOutcome::Withdrawn,
    }
}

/// Why an action was not read: what was written, and what is wrong with it.
pub type BadAction<'a> = (ReviewProblem, &'a str);

/// Reads what a form wants; `None` if it only asks for the summary. `field` returns a field or `""`.
///
/// # Errors
/// What is wrong with the comment or the reason.
pub fn read_action<'a>(
    field: impl Fn(&str) -> &'a str,
    wanted: Comment,
) -> Result<Option<BulkAction>, BadAction<'a>> {
    let label = field("decide");
    if !label.is_empty() {
        let written = field("comment");
        let comment = read_comment(written, wanted).map_err(|fault| match fault {
            InputFault::CommentMissing => (ReviewProblem::CommentMissing, written),
            _ => (ReviewProblem::CommentTooLong, written),
        })?;
        let label = label.to_owned();
        return Ok(Some(BulkAction::Decide { label, comment }));
    }
    if !field("withdraw").is_empty() {
        let written = field("reason");
        let reason = read_reason(written).map_err(|_| (ReviewProblem::ReasonTooLong, written))?;
        return Ok(Some(BulkAction::Withdraw { reason }));
    }
    Ok(None)
}
