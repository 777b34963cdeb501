//! Invariant: the body of a callback is stored byte for byte as JSON or text, or it is rejected. No
//! part of it is lost but the bytes of files.
//!
//! What a callback says: a form or a text.

use super::charset::{Decoder, decode_body, decode_by, is_utf8};
use super::media_type::MediaType;
use super::multipart::multipart_fields;
use crate::domain::api::error::ApiError;
use crate::domain::api::form::{Field, check_field_count, fields_to_json, form_fields};
use crate::domain::api::limits::MAX_COMPLETE;
use crate::domain::encoding::{percent_decode, percent_decode_bytes};
use crate::domain::json::quoted_len;
use crate::domain::token::{Output, OutputKind};
use serde_json::value::RawValue;

/// The value of `waitpoint-hint` for a body that its content type calls JSON, and is not.
pub const NOT_JSON: &str = "body-is-not-json";

/// The content of a body, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The fields of a form, in order.
    Form(Vec<Field>),
    Text(String),
}

impl Content {
    /// Reads a body.
    ///
    /// # Errors
    /// `InvalidJson` for a body that is no text, `InvalidForm`, `UnsupportedCharset`, `TooManyFields`.
    pub fn read(media: &MediaType, body: &[u8], decoder: &dyn Decoder) -> Result<Self, ApiError> {
        if media.is_multipart() && !body.is_empty() {
            return multipart_fields(media, body, decoder).map(Self::Form);
        }
        if media.is_urlencoded() {
            // A form is ASCII but for its escapes, so its charset matters only when they are decoded.
            let text = decode_body(&MediaType::default(), body, decoder)?;
            // `curl -d '{"a":1}'` sends JSON with the content type of a form. A real form escapes
            // braces.
            if !text.trim_start().starts_with(['{', '[', '"']) {
                if text.trim().is_empty() {
                    return Ok(Self::Text(text));
                }
                check_field_count(&text)?;
                return decode_fields(media, &text, decoder).map(Self::Form);
            }
        }
        decode_body(media, body, decoder).map(Self::Text)
    }

    /// The text of a field of a form; of several with this name the first.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let Self::Form(fields) = self else {
            return None;
        };
        fields.iter().find(|field| field.name == name)?.text()
    }

    /// The texts of all fields of a form with this name.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        let Self::Form(fields) = self else {
            return Vec::new();
        };
        let named = fields.iter().filter(|field| field.name == name);
        named.filter_map(Field::text).collect()
    }

    /// The text; `""` for a form.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Form(_) => "",
            Self::Text(text) => text,
        }
    }

    /// The fields of a form that are texts.
    #[must_use]
    pub fn texts(&self) -> Option<Vec<(String, String)>> {
        let Self::Form(fields) = self else {
            return None;
        };
        let texts = fields
            .iter()
            .filter_map(|field| Some((field.name.clone(), field.text()?.to_owned())));
        Some(texts.collect())
    }

    /// The content as an output: an empty body is `{}`, JSON is kept as it is, whatever its content
    /// type claims, as by trigger.dev; a form becomes an object of its fields, and other text stays
    /// text. Also returns what was odd about it.
    ///
    /// # Errors
    /// `BodyTooLarge` for a form whose JSON is longer than [`MAX_COMPLETE`], or a text that is longer
    /// than twice that as JSON.
    pub fn into_output(
        self,
        media: &MediaType,
    ) -> Result<(Output, Option<&'static str>), ApiError> {
        let json = |text: String| Output {
            kind: OutputKind::Json,
            text,
        };
        let text = match self {
            Self::Form(fields) => return Ok((json(fields_to_json(&fields)?), None)),
            Self::Text(text) => text,
        };
        if text.trim().is_empty() {
            return Ok((json("{}".to_owned()), None));
        }
        if let Ok(raw) = serde_json::from_str::<&RawValue>(&text) {
            return Ok((json(raw.get().to_owned()), None));
        }
        // Responses hold an output as a JSON string, which at most doubles the length of JSON.
        let (limit, size) = (2 * MAX_COMPLETE, quoted_len(&text));
        if size > limit {
            return Err(ApiError::BodyTooLarge { limit, size });
        }
        let hint = media.is_json().then_some(NOT_JSON);
        let kind = OutputKind::Text;
        Ok((Output { kind, text }, hint))
    }
}

/// The fields of a URL-encoded form, in the charset of the content type or, if that names none, of the
/// form's own field `_charset_` or `charset`. A charset that does not exist there is no charset.
fn decode_fields(
    media: &MediaType,
    form: &str,
    decoder: &dyn Decoder,
) -> Result<Vec<Field>, ApiError> {
    let own = || {
        let fields = form.split('&').filter_map(|pair| pair.split_once('='));
        let named = fields.filter(|(name, _)| matches!(*name, "_charset_" | "charset"));
        named.map(|(_, value)| percent_decode(value)).next()
    };
    let is_declared = media.charset().is_some();
    let label = media.charset().map(str::to_owned).or_else(own);
    let Some(label) = label.filter(|label| !is_utf8(label)) else {
        return Ok(form_fields(form).map(Field::of_text).collect());
    };
    if decode_by(decoder, &label, b"").is_err() {
        return if is_declared {
            Err(ApiError::UnsupportedCharset(label))
        } else {
            Ok(form_fields(form).map(Field::of_text).collect())
        };
    }
    let decode = |text: &str| {
        let bytes = percent_decode_bytes(&text.replace('+', " "));
        // What is ASCII is the same in every charset of forms.
        match String::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => text,
            Ok(text) => decode_by(decoder, &label, text.as_bytes()).unwrap_or(text),
            Err(bytes) => decode_by(decoder, &label, bytes.as_bytes())
                .unwrap_or_else(|_| String::from_utf8_lossy(bytes.as_bytes()).into_owned()),
        }
    };
    let pairs = form.split('&').filter(|pair| !pair.is_empty());
    Ok(pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Field::of_text((decode(name), decode(value)))
        })
        .collect())
}
