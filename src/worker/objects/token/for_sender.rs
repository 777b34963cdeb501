//! What the sender of a command announces when it has the reply.
//!
//! The object would have to wait until its write is durable, which costs a tenth of a create. The sender
//! has waited already: a reply is held back until then.

use crate::domain::stored::line::Unreadable;
use crate::worker::guard::Keeper;
use crate::worker::objects::index::{self, Row};
use serde::{Deserialize, Serialize};
use worker::{Env, console_log};

/// Empty if the object announces the change itself.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct ForSender {
    /// A line to log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) log: Option<String>,
    /// The row of the token, for the index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) row: Option<Row>,
}

impl ForSender {
    pub(crate) fn parse(json: &str) -> Result<Self, Unreadable> {
        if json.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(json).map_err(|_| Unreadable)
    }

    /// `""` if there is nothing to announce.
    pub(super) fn to_json(&self) -> String {
        if self.log.is_none() && self.row.is_none() {
            return String::new();
        }
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(crate) fn announce(self, env: &Env, environment: &str, keeper: &Keeper) {
        if let Some(line) = self.log {
            console_log!("{line}");
        }
        if let Some(row) = self.row {
            index::enqueue_row(env, environment, row, keeper);
        }
    }
}
