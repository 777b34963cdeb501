//! Invariants:
//! - A body that is not a JSON object has none of these fields; upstream rejects it.
//! - A field that occurs twice is rejected.
//!
//! The fields of create that upstream does not know.

use crate::domain::api::error::ApiError;
use crate::domain::api::limits::MAX_CREATE;
use crate::domain::json;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

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

/// Their names.
const NAMES: [&str; 6] = [
    "approval",
    "webhook",
    "callback",
    "notify",
    "reminders",
    "onTimeout",
];

impl EdgeFields {
    /// Reads them from the body of a create.
    ///
    /// # Errors
    /// `ValidationError` if one of them occurs twice: upstream would accept the create, and the edge could
    /// not tell which one counts.
    pub fn of(body: &[u8]) -> Result<Self, ApiError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Fields<'a> {
            #[serde(borrow)]
            approval: Option<&'a RawValue>,
            #[serde(borrow)]
            webhook: Option<&'a RawValue>,
            #[serde(borrow)]
            callback: Option<&'a RawValue>,
            #[serde(borrow)]
            notify: Option<&'a RawValue>,
            #[serde(borrow)]
            reminders: Option<&'a RawValue>,
            #[serde(borrow)]
            on_timeout: Option<&'a RawValue>,
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
                callback: text(fields.callback),
                notify: text(fields.notify),
                reminders: text(fields.reminders),
                on_timeout: text(fields.on_timeout),
            }),
            Err(why) if why.is_data() => Err(ApiError::ValidationError {
                path: "",
                message: why.to_string(),
            }),
            Err(_) => Ok(Self::default()),
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
        let rest = without_edge_fields(body).ok_or_else(|| too_large(body.len()))?;
        if rest.len() > MAX_CREATE {
            return Err(too_large(rest.len()));
        }
        Ok(Cow::Owned(rest.into_bytes()))
    }
}

/// A JSON object without the fields of [`EdgeFields`].
fn without_edge_fields(body: &[u8]) -> Option<String> {
    struct Rest;
    impl<'de> Visitor<'de> for Rest {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<String, A::Error> {
            let mut rest = String::from("{");
            while let Some(key) = map.next_key::<String>()? {
                let value: &RawValue = map.next_value()?;
                if NAMES.contains(&key.as_str()) {
                    continue;
                }
                if rest.len() > 1 {
                    rest.push(',');
                }
                rest.push_str(&json::to_json(&key));
                rest.push(':');
                rest.push_str(value.get());
            }
            rest.push('}');
            Ok(rest)
        }
    }
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let text = json::object_text(body)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.deserialize_map(Rest).ok()
}
