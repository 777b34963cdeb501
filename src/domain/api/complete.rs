//! Invariant: an output is stored as the exact text of the request. It is checked to be JSON, but
//! never parsed into values and serialized again, so numbers of any size, any keys and any depth are
//! kept.
//!
//! Complete: the body of the request, and the outcome.

use super::body::object;
use super::error::ApiError;
use crate::domain::token::transition::Outcome;
use crate::domain::token::{Output, OutputKind};
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;

#[derive(Debug, PartialEq, Eq)]
pub struct CompleteRequest {
    /// The value of `data`.
    pub output: Option<Output>,
    /// An unknown key of the body, perhaps `data` misspelt.
    pub unknown_key: Option<String>,
}

impl CompleteRequest {
    /// Reads the body of complete.
    ///
    /// # Errors
    /// `BodyEmpty`, `InvalidJson`, `ValidationError`.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let CompleteFields { data, unknown_key } = object(body)?;
        let output = data.map(|raw| Output {
            kind: OutputKind::Json,
            text: raw.get().to_owned(),
        });
        Ok(Self {
            output,
            unknown_key,
        })
    }
}

struct CompleteFields<'a> {
    data: Option<&'a RawValue>,
    unknown_key: Option<String>,
}

impl<'de: 'a, 'a> Deserialize<'de> for CompleteFields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = CompleteFields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = CompleteFields {
                    data: None,
                    unknown_key: None,
                };
                while let Some(key) = map.next_key::<String>()? {
                    if key != "data" {
                        map.next_value::<IgnoredAny>()?;
                        fields.unknown_key.get_or_insert(key);
                    } else if fields.data.replace(map.next_value()?).is_some() {
                        // It is unclear which of the two fields the caller means.
                        return Err(A::Error::duplicate_field("data"));
                    }
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

impl Outcome {
    /// As the header `waitpoint-outcome` names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Completed => "completed",
            Self::AlreadyCompleted => "already-completed",
            Self::TimedOut => "timed-out",
            Self::Cancelled => "cancelled",
            Self::Extended => "extended",
            Self::Ignored => "ignored",
            Self::Unsigned => "unsigned",
            Self::Voted => "voted",
            Self::ApproversOnly => "approvers-only",
        }
    }
}
