//! Invariant: what upstream refuses as no JSON object has no such field.
//!
//! The fields of create that upstream does not know.

use crate::domain::json;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What create asks of the edge alone: the fields that upstream does not know.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// The text that `approval` holds.
    pub approval: Option<String>,
    /// The text that `webhook` holds.
    pub webhook: Option<String>,
}

impl Extras {
    /// Looks for them in the body of a create; what is no JSON object has none, and upstream refuses it.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            approval: Option<&'a RawValue>,
            #[serde(borrow)]
            webhook: Option<&'a RawValue>,
        }
        let text = |raw: Option<&RawValue>| raw.map(|raw| raw.get().to_owned());
        match json::object::<Fields<'_>>(body) {
            Some(fields) => Self {
                approval: text(fields.approval),
                webhook: text(fields.webhook),
            },
            None => Self::default(),
        }
    }
}
