//! The stored form of a token's approvers and their votes, and of a ballot on its way to the object.

use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::votes::{Ballot, Quorum, Vote};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) struct StoredQuorum {
    approvers: Vec<String>,
    required: u8,
}

/// A vote; the time is in milliseconds.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredVote {
    approver: u8,
    choice: u8,
    at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fields: Option<String>,
}

/// A [`Ballot`].
#[derive(Serialize, Deserialize)]
pub struct StoredBallot {
    approver: u8,
    choice: u8,
    #[serde(rename = "veto", default, skip_serializing_if = "std::ops::Not::not")]
    is_veto: bool,
    output: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fields: Option<String>,
}

impl StoredQuorum {
    pub(super) fn of(quorum: &Quorum) -> Self {
        Self {
            approvers: quorum.approvers.clone(),
            required: quorum.required,
        }
    }

    pub(super) fn into_quorum(self) -> Quorum {
        Quorum {
            approvers: self.approvers,
            required: self.required,
        }
    }
}

impl StoredVote {
    pub(super) fn of(vote: &Vote) -> Self {
        Self {
            approver: vote.approver,
            choice: vote.choice,
            at: vote.at.as_millis(),
            comment: vote.comment.clone(),
            fields: vote.fields.clone(),
        }
    }

    pub(super) fn into_vote(self) -> Vote {
        Vote {
            approver: self.approver,
            choice: self.choice,
            at: Timestamp::from_millis(self.at),
            comment: self.comment,
            fields: self.fields,
        }
    }
}

impl StoredBallot {
    /// The stored form of a ballot.
    pub fn of(ballot: Ballot) -> Self {
        Self {
            approver: ballot.approver,
            choice: ballot.choice,
            is_veto: ballot.is_veto,
            output: ballot.output,
            comment: ballot.comment,
            fields: ballot.fields,
        }
    }

    /// The inverse of [`StoredBallot::of`].
    pub fn into_ballot(self) -> Ballot {
        Ballot {
            approver: self.approver,
            choice: self.choice,
            is_veto: self.is_veto,
            output: self.output,
            comment: self.comment,
            fields: self.fields,
        }
    }
}
