//! Invariant: a key that is unknown or repeated is an error that names it; it is never ignored.
//!
//! Reads the objects of the `callback` field of create.

use crate::domain::api::error::ApiError;
use crate::domain::api::excerpt::excerpt;
use crate::domain::json::entries;
use serde_json::value::RawValue;

/// The fields of a JSON object, each as JSON text.
pub(super) struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// Reads an object that may have these keys only. `path` is its field, `like` an example of it.
    pub(super) fn parse(
        json: &'a str,
        path: &'static str,
        like: &str,
        known: &[&str],
    ) -> Result<Self, ApiError> {
        let fields = entries(json).ok_or_else(|| {
            let text = excerpt(json);
            let message = format!("{text} is not an object. Use one such as {like}.");
            invalid(path, message)
        })?;
        for (index, (key, _)) in fields.iter().enumerate() {
            let text = excerpt(key);
            if !known.contains(&key.as_str()) {
                let known = known.join(", ");
                return Err(invalid(
                    path,
                    format!("{text} is not a known field. Use {known}."),
                ));
            }
            if fields.iter().take(index).any(|(earlier, _)| earlier == key) {
                return Err(invalid(
                    path,
                    format!("{text} is given twice. Use it once."),
                ));
            }
        }
        Ok(Self(fields))
    }

    /// The JSON text of a field. `null` is a value: a signature that is left out by mistake must be an
    /// error.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        let (_, raw) = self.0.iter().find(|(name, _)| name == key)?;
        Some(raw.get())
    }

    /// A field that is a string. `like` says which strings are valid.
    pub(super) fn string(
        &self,
        key: &str,
        path: &'static str,
        like: &str,
    ) -> Result<Option<String>, ApiError> {
        let read = |json| {
            serde_json::from_str(json).map_err(|_| {
                let text = excerpt(json);
                invalid(path, format!("{text} is not a string. Use {like}."))
            })
        };
        self.get(key).map(read).transpose()
    }
}

/// An error of a field.
#[cold]
pub(super) fn invalid(path: &'static str, message: String) -> ApiError {
    ApiError::ValidationError { path, message }
}
