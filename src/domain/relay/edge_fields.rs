//! Invariants:
//! - What upstream refuses as no JSON object has no such field.
//! - A field that is said twice is refused.
//!
//! The fields of create that upstream does not know.

use crate::domain::api::error::ApiError;
use crate::domain::json;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What create asks of the edge alone: the fields that upstream does not know.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct EdgeFields {
    pub approval: Option<String>,
    pub webhook: Option<String>,
}

impl EdgeFields {
    /// Looks for them in the body of a create; what is no JSON object has none, and upstream refuses it.
    ///
    /// # Errors
    /// `ValidationError` for an object that says one of them twice: upstream would take it, and nobody
    /// would ask.
    pub fn of(body: &[u8]) -> Result<Self, ApiError> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            approval: Option<&'a RawValue>,
            #[serde(borrow)]
            webhook: Option<&'a RawValue>,
        }
        let text = |raw: Option<&RawValue>| raw.map(|raw| raw.get().to_owned());
        // Upstream takes no byte order mark for a part of the text.
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
