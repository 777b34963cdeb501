//! The links of approvers, in responses to the owner.

use serde::Serialize;

/// The link with which one approver votes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApproverLink {
    /// The approver's id.
    pub approver: String,
    pub url: String,
    pub short_url: String,
}
