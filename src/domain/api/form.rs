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
    json.push("{");
    for (index, (name, values)) in fields.iter().enumerate() {
        if index > 0 {
            json.push(",");
        }
        json.push_json(name);
        json.push(":");
        match values.as_slice() {
            [one] => json.push_json(*one),
            many => json.push_json(many),
        }
    }
    json.push("}");
    json.finish()
}

/// A text with a maximum length. Escaping can turn one byte into six. What goes beyond the maximum is
/// counted, not kept.
struct BoundedText {
    text: String,
    size: usize,
    limit: usize,
}

impl BoundedText {
    fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            size: 0,
            limit,
        }
    }

    fn push(&mut self, text: &str) {
        self.size += text.len();
        if self.size <= self.limit {
            self.text.push_str(text);
        }
    }

    fn push_json<T: Serialize + ?Sized>(&mut self, value: &T) {
        // Writing a text cannot fail.
        let _ = serde_json::to_writer(self, value);
    }

    fn finish(self) -> Result<String, ApiError> {
        if self.size <= self.limit {
            Ok(self.text)
        } else {
            Err(ApiError::BodyTooLarge {
                limit: self.limit,
                size: self.size,
            })
        }
    }
}

impl io::Write for BoundedText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(std::str::from_utf8(bytes).map_err(io::Error::other)?);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
