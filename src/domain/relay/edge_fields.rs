//! Invariants:
//! - A body that is not a JSON object has none of these fields; upstream rejects it.
//! - A field that occurs twice is rejected.
//!
//! The fields of create that upstream does not know.

use crate::domain::api::error::ApiError;
use crate::domain::api::limits::MAX_CREATE;
use crate::domain::approval::schema::{Approval, Validate};
use crate::domain::json;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The fields of create that only the edge knows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct EdgeFields {
    /// The JSON text of `approval`.
    pub approval: Option<String>,
    /// The JSON text of `webhook`.
    pub webhook: Option<String>,
    /// The JSON text of `callback`.
    pub callback: Option<String>,
    /// The JSON text of `notify`.
    pub notify: Option<String>,
    /// The JSON text of `reminders`.
    pub reminders: Option<String>,
    /// The JSON text of `onTimeout`.
    pub on_timeout: Option<String>,
}

impl EdgeFields {
    /// Reads them from the body of a create.
    ///
    /// # Errors
    /// `ValidationError` if one of them occurs twice: upstream would accept the create, and the edge could
    /// not tell which one counts.
    pub fn of(body: &[u8]) -> Result<Self, ApiError> {
        let (mut found, mut seen) = (Self::default(), Vec::new());
        for (key, value) in entries_of(body).unwrap_or_default() {
            let Some(field) = found.field(&key) else {
                continue;
            };
            if seen.contains(&key) {
                return Err(ApiError::ValidationError {
                    path: "",
                    message: format!("duplicate field `{key}`"),
                });
            }
            seen.push(key);
            *field = Some(value.get().to_owned()).filter(|text| text != "null");
        }
        Ok(found)
    }

    fn field(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "approval" => Some(&mut self.approval),
            "webhook" => Some(&mut self.webhook),
            "callback" => Some(&mut self.callback),
            "notify" => Some(&mut self.notify),
            "reminders" => Some(&mut self.reminders),
            "onTimeout" => Some(&mut self.on_timeout),
            _ => None,
        }
    }

    /// The body of a create as it is sent upstream: without these fields, which upstream would ignore,
    /// or act on as well if it is a Waitpoint.
    ///
    /// # Errors
    /// `BodyTooLarge`
    pub fn fit<'a>(&self, body: &'a [u8]) -> Result<Cow<'a, [u8]>, ApiError> {
        let too_large = |size| ApiError::BodyTooLarge {
            limit: MAX_CREATE,
            size,
        };
        if body.len() > MAX_CREATE && self.approval.is_none() {
            return Err(too_large(body.len()));
        }
        if *self == Self::default() {
            return Ok(Cow::Borrowed(body));
        }
        let entries = entries_of(body).ok_or_else(|| too_large(body.len()))?;
        let rest = json::without(entries, |key| Self::default().field(key).is_some());
        if rest.len() > MAX_CREATE {
            return Err(too_large(rest.len()));
        }
        Ok(Cow::Owned(rest.into_bytes()))
    }
}

fn entries_of(body: &[u8]) -> Option<Vec<(String, &RawValue)>> {
    // Upstream ignores a byte order mark.
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    json::entries(json::object_text(body)?)
}

/// Rejects rules about who may decide: upstream makes the token's url, and that decides without them.
///
/// # Errors
/// `ValidationError`.
pub fn check_decided_here(approval: &Approval) -> Result<(), ApiError> {
    let (path, message) = if !approval.parse_approvers()?.is_empty() {
        let message = "votes are not counted for tokens that live upstream. Leave approvers out.";
        ("approval.approvers", message)
    } else if approval.validate == Validate::All {
        let message = "upstream completes its tokens without a check of the form. Leave it out.";
        ("approval.validate", message)
    } else {
        return Ok(());
    };
    Err(ApiError::ValidationError {
        path,
        message: message.to_owned(),
    })
}
