//! Invariants:
//! - A body that is not a JSON object has none of these fields; upstream rejects it.
//! - A field that occurs twice is rejected.
//!
//! The fields of create that upstream does not know.

use crate::domain::api::error::ApiError;
use crate::domain::json;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The fields of create that only the edge knows.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct EdgeFields {
    /// The JSON text of `approval`.
    pub approval: Option<String>,
    /// The JSON text of `webhook`.
    pub webhook: Option<String>,
}

impl EdgeFields {
    /// Reads them from the body of a create.
    ///
    /// # Errors
    /// `ValidationError` if one of them occurs twice: upstream would accept the create, and the edge could
    /// not tell which one counts.
    pub fn of(body: &[u8]) -> Result<Self, ApiError> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            approval: Option<&'a RawValue>,
            #[serde(borrow)]
            webhook: Option<&'a RawValue>,
        }
        let text = |raw: Option<&RawValue>| raw.map(|raw| raw.get().to_owned());
        // Upstream ignores a byte order mark.
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        let Some(body) = json::object_text(body) else {
            return Ok(Self::default());
        };
        match serde_json::from_str::<Fields<'_>>(body) {
            Ok(fields) => Ok(Self {
                approval: text(fields.approval),
                webhook: text(fields.webhook),
            }),
            Err(why) if why.is_data() => Err(ApiError::ValidationError {
                path: "",
                message: why.to_string(),
            }),
            Err(_) => Ok(Self::default()),
        }
    }
}
