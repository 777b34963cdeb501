//! The lines of the log. `docs/operations.md` lists them.

use super::delivery_body::failed_attempt_json;
use crate::domain::token::Token;
use crate::domain::token::effects::LogLine;

/// A line as JSON. It contains no credential, and nothing that a caller wrote except the public `id`.
/// `None` for an attempt of which the token knows nothing.
#[must_use]
pub fn log_line_json(
    line: LogLine,
    environment: &str,
    id: &str,
    token: Option<&Token>,
) -> Option<String> {
    let event = match line {
        LogLine::Created => "created",
        LogLine::Completed(_) => "completed",
        LogLine::Cancelled => "cancelled",
        LogLine::Extended => "extended",
        LogLine::Voted => "voted",
        LogLine::Reminded => "reminded",
        LogLine::Attempt(delivery) => return failed_attempt_json(id, token?, delivery),
    };
    let by = match line {
        LogLine::Completed(by) => format!(r#","by":"{}""#, by.as_str()),
        _ => String::new(),
    };
    // Environment names and ids need no escaping in JSON.
    Some(format!(
        r#"{{"event":"{event}","environment":"{environment}","token":"{id}"{by}}}"#
    ))
}
