//! The votes of a token's approvers.

use crate::domain::page::approval_of;
use crate::domain::page::i18n;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::Token;
use serde::Serialize;
use serde_json::value::RawValue;

/// A vote.
#[derive(Serialize)]
pub(super) struct VoteBody<'a> {
    /// The approver's id.
    approver: &'a str,
    /// The label of the choice.
    choice: String,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<&'a RawValue>,
}

/// The votes of a token, in the order in which they were cast.
pub(super) fn votes(token: &Token) -> Vec<VoteBody<'_>> {
    if token.votes.is_empty() {
        return Vec::new();
    }
    // Choices that the creator left out have their English labels, whatever the page's language was.
    let approval = approval_of(token, i18n::choose("", ""));
    let label = |index: u8| approval.choices.get(usize::from(index));
    let votes = token.votes.iter();
    votes
        .map(|vote| VoteBody {
            approver: token.approver(vote.approver).unwrap_or_default(),
            choice: label(vote.choice).map_or(String::new(), |choice| choice.label.clone()),
            at: vote.at,
            comment: vote.comment.as_deref(),
            fields: (vote.fields.as_deref()).and_then(|text| serde_json::from_str(text).ok()),
        })
        .collect()
}
