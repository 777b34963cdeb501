//! Invariant: the JSON of a form is at most [`MAX_COMPLETE`] bytes long, however much escaping
//! lengthens it.
//!
//! Forms: fields, and a JSON object of them.

use super::error::ApiError;
use super::limits::{MAX_COMPLETE, MAX_FORM_FIELDS};
use crate::domain::encoding::percent_decode;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io;

/// The fields of a form, in order.
pub fn form_fields(form: &str) -> impl Iterator<Item = (String, String)> {
    form.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (form_decode(name), form_decode(value))
    })
}

/// Decodes a name or a value of `application/x-www-form-urlencoded`.
fn form_decode(text: &str) -> String {
    percent_decode(&text.replace('+', " "))
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub value: FieldValue,
}

/// The value of a field. In JSON a text is a string, and a file an object of what is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum FieldValue {
    Text(String),
    /// A file of a multipart form. Its bytes are not kept.
    File {
        filename: String,
        #[serde(rename = "type")]
        media_type: String,
        /// In bytes.
        size: u64,
    },
}

impl Field {
    #[must_use]
    pub fn of_text((name, value): (String, String)) -> Self {
        let value = FieldValue::Text(value);
        Self { name, value }
    }

    /// Its value, unless it is a file.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            FieldValue::Text(text) => Some(text),
            FieldValue::File { .. } => None,
        }
    }
}

/// Rejects a form of more than [`MAX_FORM_FIELDS`].
///
/// # Errors
/// `TooManyFields`
pub fn check_field_count(form: &str) -> Result<(), ApiError> {
    let fields = form.split('&').filter(|pair| !pair.is_empty());
    if fields.take(MAX_FORM_FIELDS + 1).count() > MAX_FORM_FIELDS {
        return Err(ApiError::TooManyFields(MAX_FORM_FIELDS));
    }
    Ok(())
}

/// The fields as a JSON object, in the order of first appearance. A repeated name has an array.
///
/// # Errors
/// `BodyTooLarge` if the object is longer than [`MAX_COMPLETE`].
pub fn fields_to_json(given: &[Field]) -> Result<String, ApiError> {
    let mut fields: Vec<(&str, Vec<&FieldValue>)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for Field { name, value } in given {
        let place = *places.entry(name).or_insert(fields.len());
        match fields.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => fields.push((name, vec![value])),
        }
    }
    let mut json = BoundedText::new(MAX_COMPLETE);
    let opened = json.push("{");
    let written = fields.iter().enumerate().all(|(index, (name, values))| {
        (index == 0 || json.push(","))
            && json.push_json(name)
            && json.push(":")
            && match values.as_slice() {
                [one] => json.push_json(*one),
                many => json.push_json(many),
            }
    });
    if opened && written && json.push("}") {
        Ok(json.text)
    } else {
        Err(ApiError::BodyTooLarge(MAX_COMPLETE))
    }
}

/// A text with a maximum length. Escaping can turn one byte into six.
struct BoundedText {
    text: String,
    limit: usize,
}

impl BoundedText {
    fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
        }
    }

    /// Appends a text; false if it does not fit.
    #[must_use]
    fn push(&mut self, text: &str) -> bool {
        let fits = self.text.len() + text.len() <= self.limit;
        if fits {
            self.text.push_str(text);
        }
        fits
    }

    /// Appends a value as JSON; false if it does not fit.
    #[must_use]
    fn push_json<T: Serialize + ?Sized>(&mut self, value: &T) -> bool {
        serde_json::to_writer(self, value).is_ok()
    }
}

impl io::Write for BoundedText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        if self.push(text) {
            Ok(bytes.len())
        } else {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
