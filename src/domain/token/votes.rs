//! Who decides by votes, and their votes. `voting.rs` has the rules.

use crate::domain::time::timestamp::Timestamp;

/// The most approvers.
pub const MAX_APPROVERS: usize = 20;

/// Who decides by votes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// The ids of the approvers, which differ; at most [`MAX_APPROVERS`].
    pub approvers: Vec<String>,
    /// How many of them must vote for the same choice; at least one, at most all.
    pub required: u8,
}

/// What an approver votes for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// The approver's index in [`Quorum::approvers`].
    pub approver: u8,
    /// The index of the choice.
    pub choice: u8,
    /// Whether this choice needs no other votes.
    pub is_veto: bool,
    /// The output of the choice, as JSON.
    pub output: String,
    pub comment: Option<String>,
    /// What the approver filled in: a JSON object.
    pub fields: Option<String>,
}

/// A vote that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// The approver's index in [`Quorum::approvers`].
    pub approver: u8,
    /// The index of the choice.
    pub choice: u8,
    /// When it was cast.
    pub at: Timestamp,
    pub comment: Option<String>,
    /// What the approver filled in: a JSON object.
    pub fields: Option<String>,
}

impl Quorum {
    /// The id of an approver.
    #[must_use]
    pub fn approver(&self, index: u8) -> Option<&str> {
        self.approvers.get(usize::from(index)).map(String::as_str)
    }

    /// The index of the approver with this id.
    #[must_use]
    pub fn index_of(&self, id: &str) -> Option<u8> {
        let index = self.approvers.iter().position(|one| one == id)?;
        u8::try_from(index).ok()
    }
}
