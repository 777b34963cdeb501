//! The votes of approvers, on the page.
//!
//! Invariant: until the token ends, the page shows how many have voted, and only to an approver how they
//! have voted themselves.

use super::answers;
use super::decide::{FormInput, NotRecorded, choose, compare};
use super::document::{Detail, Voting};
use super::fault::InputFault;
use super::i18n::Words;
use crate::domain::approval::approvers::Approver;
use crate::domain::approval::form::{FieldKind, Form};
use crate::domain::approval::schema::Approval;
use crate::domain::text::single_line;
use crate::domain::token::Token;
use crate::domain::token::votes::{Ballot, Vote};

/// The longest fields of a vote that the page shows, in bytes. Twenty approvers may vote, and an open page
/// is read every minute.
pub const MAX_VOTE_ON_PAGE: usize = 8_000;

/// What an approver votes for by a form.
///
/// # Errors
/// All that is missing or invalid, in the order of the page.
pub fn ballot(
    approval: &Approval,
    input: &FormInput,
    approver: u8,
) -> Result<Ballot, Vec<InputFault>> {
    let chosen = choose(approval, input)?;
    let comment = Some(chosen.comment).filter(|comment| !comment.is_empty());
    Ok(Ballot {
        approver,
        // There are few choices.
        choice: u8::try_from(chosen.index).unwrap_or(u8::MAX),
        is_veto: chosen.choice.is_veto,
        output: chosen.choice.output("", None),
        comment,
        fields: chosen.fields,
    })
}

/// Compares a form with the approver's vote on a finished token. `None` if it is the same vote, sent
/// again.
#[must_use]
pub fn compare_vote(
    token: &Token,
    approval: &Approval,
    input: &FormInput,
    approver: u8,
) -> Option<NotRecorded> {
    let ballot = ballot(approval, input, approver);
    if ballot.is_ok_and(|ballot| token.is_cast(&ballot)) {
        return None;
    }
    // The others may have decided the same without this vote.
    Some(match compare(token, approval, input) {
        None | Some(NotRecorded::CommentNotAdded) => NotRecorded::AlreadyDecided,
        Some(why) => why,
    })
}

impl Voting {
    pub(super) fn of(words: &Words, token: &Token, approval: &Approval, approver: u8) -> Self {
        let own = token.vote_of(approver).map(|vote| label(approval, vote));
        let vetoes = approval.choices.iter().filter(|choice| choice.is_veto);
        Self {
            name: name(&approval.approvers(), token, approver),
            progress: progress(words, token).unwrap_or_default(),
            own,
            vetoes: vetoes.map(|choice| single_line(&choice.label)).collect(),
        }
    }
}

/// How many have voted, and how many votes are needed; `None` if there are no approvers.
#[must_use]
pub fn progress(words: &Words, token: &Token) -> Option<String> {
    let quorum = token.quorum.as_ref()?;
    let text = words.votes_so_far;
    let text = text.replace("{n}", &token.votes.len().to_string());
    let text = text.replace("{m}", &quorum.approvers.len().to_string());
    Some(text.replace("{k}", &quorum.required.to_string()))
}

/// How each of them has voted. What a person wrote stands apart, so that it cannot pass for a field, or
/// for another's vote.
pub(super) fn details<'a>(words: &'a Words, token: &Token, approval: &Approval) -> Vec<Detail<'a>> {
    let (form, approvers) = (approval.form(), approval.approvers());
    let mut details = Vec::new();
    for vote in &token.votes {
        let name = name(&approvers, token, vote.approver);
        details.push(Detail::text("", "strong", &label(approval, vote)).of_field(&name));
        let fields = vote.fields.as_deref().unwrap_or_default();
        details.extend(answers::details(words, &form, fields));
        let comment = vote.comment.as_deref();
        details.extend(comment.map(|comment| Detail::text(words.comment, "text", comment)));
    }
    details
}

/// The approvers who have not voted.
pub(super) fn missing<'a>(words: &'a Words, token: &Token, approval: &Approval) -> Vec<Detail<'a>> {
    let approvers = approval.approvers();
    let quorum = token.quorum.as_ref();
    let ids = quorum.map_or(&[][..], |quorum| quorum.approvers.as_slice());
    let indices = (0_u8..).zip(ids).map(|(index, _)| index);
    let missing = indices.filter(|&index| token.vote_of(index).is_none());
    let detail = |index| {
        let name = name(&approvers, token, index);
        Detail::text("", "", words.inbox.no_vote_yet).of_field(&name)
    };
    missing.map(detail).collect()
}

fn name(approvers: &[Approver], token: &Token, approver: u8) -> String {
    let id = token.approver(approver).unwrap_or_default();
    let name = approvers.get(usize::from(approver));
    name.map_or(id.to_owned(), |approver| single_line(&approver.name))
}

fn label(approval: &Approval, vote: &Vote) -> String {
    let choice = approval.choices.get(usize::from(vote.choice));
    choice.map_or(String::new(), |choice| single_line(&choice.label))
}

impl FormInput {
    /// What an approver has sent for their vote.
    #[must_use]
    pub fn of_vote(approval: &Approval, vote: &Vote) -> Self {
        let choice = approval.choices.get(usize::from(vote.choice));
        let fields = vote.fields.as_deref();
        Self {
            choice: vote.choice.to_string(),
            typed: choice.map_or(String::new(), |choice| choice.label.clone()),
            comment: vote.comment.clone().unwrap_or_default(),
            fields: fields.map(|json| sent_of(&approval.form(), json)),
        }
    }
}

/// What the controls of a form send for these values of its fields.
fn sent_of(form: &Form, json: &str) -> Vec<Vec<String>> {
    let values = form.values_of(json).unwrap_or_default();
    let fields = form.fields.iter().zip(values).map(|(field, value)| {
        let Some(json) = value else {
            return Vec::new();
        };
        // A text, or the JSON of a number or a boolean.
        let texts: Vec<String> = match serde_json::from_str(json) {
            Ok(texts) => texts,
            Err(_) => vec![serde_json::from_str(json).unwrap_or_else(|_| json.to_owned())],
        };
        match &field.kind {
            FieldKind::One { options, .. } | FieldKind::Many { options, .. } => {
                let index = |text: &String| options.iter().position(|one| one.value == *text);
                let indices = texts.iter().filter_map(index);
                indices.map(|index| index.to_string()).collect()
            }
            FieldKind::Text { .. } | FieldKind::Number { .. } | FieldKind::Boolean { .. } => texts,
        }
    });
    fields.collect()
}
