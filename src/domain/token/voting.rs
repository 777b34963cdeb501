//! Decisions that several people make by votes.
//!
//! Invariants:
//! - Only the approvers vote, each once. Until the token ends, a new vote replaces the person's old one.
//! - The token completes with the vote that makes a choice have enough votes, or with a veto.

use super::votes::{Ballot, Vote};
use super::{CompletedBy, Decision, Output, OutputKind, Token};
use crate::domain::time::timestamp::Timestamp;

impl Token {
    /// The id of an approver.
    #[must_use]
    pub fn approver(&self, index: u8) -> Option<&str> {
        self.quorum.as_ref()?.approver(index)
    }

    /// The vote of an approver.
    #[must_use]
    pub fn vote_of(&self, approver: u8) -> Option<&Vote> {
        self.votes.iter().find(|vote| vote.approver == approver)
    }

    /// Whether a decision may complete the token, which then needs no votes.
    pub(super) fn may_complete(&self, decision: &Decision) -> bool {
        self.quorum.is_none() || decision.is_by_owner
    }

    /// Whether a ballot is of one of the approvers.
    pub(super) fn is_of_approver(&self, ballot: &Ballot) -> bool {
        let quorum = self.quorum.as_ref();
        quorum.is_some_and(|quorum| quorum.approver(ballot.approver).is_some())
    }

    /// Whether this ballot is the approver's vote already.
    #[must_use]
    pub fn is_cast(&self, ballot: &Ballot) -> bool {
        self.vote_of(ballot.approver).is_some_and(|vote| {
            (vote.choice, &vote.comment, &vote.fields)
                == (ballot.choice, &ballot.comment, &ballot.fields)
        })
    }

    /// The decision that this ballot of an approver brings; `None` if more votes are needed.
    pub(super) fn decided_by(&self, ballot: &Ballot) -> Option<Decision> {
        let quorum = self.quorum.as_ref()?;
        let others = self
            .votes
            .iter()
            .filter(|vote| vote.approver != ballot.approver && vote.choice == ballot.choice);
        let is_enough = others.count() + 1 >= usize::from(quorum.required);
        (is_enough || ballot.is_veto).then(|| Decision {
            output: Some(Output {
                kind: OutputKind::Json,
                text: ballot.output.clone(),
            }),
            by: CompletedBy::Page,
            subject: self.approver(ballot.approver).map(str::to_owned),
            callback: None,
            is_by_owner: false,
        })
    }

    /// Replaces the approver's vote.
    pub(super) fn cast(&mut self, ballot: Ballot, at: Timestamp) {
        self.votes.retain(|vote| vote.approver != ballot.approver);
        self.votes.push(Vote {
            approver: ballot.approver,
            choice: ballot.choice,
            at,
            comment: ballot.comment,
            fields: ballot.fields,
        });
    }
}
