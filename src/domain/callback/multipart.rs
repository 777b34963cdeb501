//! Invariants:
//! - A body is passed over once, and of a file nothing is copied.
//! - A text is in the charset that its part names, else its form, else in UTF-8.
//!
//! Multipart forms (RFC 7578), as senders write them. The platform's own parser refuses names without
//! quotes, which .NET sends, and reads each part as UTF-8, though Apache HttpClient and SendGrid name
//! other charsets.

use super::charset::{Decoder, decode, decode_by, is_utf8};
use super::media_type::{MediaType, parameters};
use crate::domain::api::error::ApiError;
use crate::domain::api::form::{Field, FieldValue};
use crate::domain::api::limits::MAX_FORM_FIELDS;
use crate::domain::encoding::percent_decode_bytes;
use crate::domain::json::entries;
use std::borrow::Cow;

/// The longest `charsets` of SendGrid that is read, in bytes. It names some ten fields.
const MAX_CHARSETS: usize = 4 * 1024;

/// One part: two of its headers, and what follows them.
struct Part<'a> {
    disposition: &'a [u8],
    content_type: Cow<'a, str>,
    content: &'a [u8],
}

/// What a `Content-Disposition` says.
struct Disposition {
    name: String,
    /// A part with a file name is a file.
    filename: Option<String>,
}

/// The fields of a form.
///
/// # Errors
/// `InvalidForm`, `TooManyFields`, `UnsupportedCharset` if the content type's charset does not exist.
pub fn multipart_fields(
    media: &MediaType,
    body: &[u8],
    decoder: &dyn Decoder,
) -> Result<Vec<Field>, ApiError> {
    let boundary = media.boundary().filter(|boundary| !boundary.is_empty());
    let parts = split(body, boundary.ok_or(ApiError::InvalidForm)?)?;
    let parts: Option<Vec<_>> = parts.into_iter().map(Part::parse).collect();
    let parts = parts.ok_or(ApiError::InvalidForm)?;
    let is_known = |label: &str| is_utf8(label) || decode_by(decoder, label, b"").is_ok();
    if let Some(label) = media.charset().filter(|label| !is_known(label)) {
        return Err(ApiError::UnsupportedCharset(label.to_owned()));
    }
    let own = |name| text_of(&parts, name).filter(|label| is_known(label));
    let of_form = media.charset().map(Cow::Borrowed);
    let of_form = of_form.or_else(|| own("_charset_").or_else(|| own("charset")));
    // SendGrid: an object of the names of fields and their charsets.
    let charsets = text_of(&parts, "charsets");
    let charsets = charsets
        .as_deref()
        .filter(|json| json.len() <= MAX_CHARSETS);
    let of_fields = charsets.and_then(entries).unwrap_or_default();
    let of_field = |name: &str| {
        let (_, label) = of_fields.iter().find(|(field, _)| field == name)?;
        serde_json::from_str::<String>(label.get()).ok()
    };
    let fields = parts.iter().map(|part| {
        let of_form = of_form.as_deref();
        let header = text_in([of_form], part.disposition, decoder);
        let Disposition { name, filename } = Disposition::parse(&header, decoder)?;
        let value = match filename {
            Some(filename) => FieldValue::File {
                filename,
                media_type: part.content_type.clone().into_owned(),
                size: part.content.len() as u64,
            },
            None => {
                let media = MediaType::parse(&part.content_type);
                let of_field = of_field(&name);
                let labels = [media.charset(), of_field.as_deref(), of_form];
                FieldValue::Text(text_in(labels, part.content, decoder))
            }
        };
        Some(Field { name, value })
    });
    fields.collect::<Option<_>>().ok_or(ApiError::InvalidForm)
}

/// The parts between the lines with the boundary.
fn split<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<&'a [u8]>, ApiError> {
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut begin = None;
    let mut line = 0;
    while let Some(rest) = body.get(line..).filter(|rest| !rest.is_empty()) {
        let length = rest.iter().position(|&byte| byte == b'\n');
        let next = length.map_or(body.len(), |length| line + length + 1);
        let after = rest
            .get(..next - line)
            .and_then(|text| text.strip_prefix(delimiter.as_bytes()))
            .filter(|after| after.starts_with(b"--") || after.trim_ascii().is_empty());
        if let Some(after) = after {
            if let Some(begin) = begin {
                let part = body.get(begin..line).unwrap_or_default();
                parts.push(without_line_end(part));
            }
            if parts.len() > MAX_FORM_FIELDS {
                return Err(ApiError::TooManyFields(MAX_FORM_FIELDS));
            }
            if after.starts_with(b"--") {
                return Ok(parts);
            }
            begin = Some(next);
        }
        line = next;
    }
    Err(ApiError::InvalidForm)
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

impl<'a> Part<'a> {
    /// `None` without a `Content-Disposition`.
    fn parse(text: &'a [u8]) -> Option<Self> {
        let mut disposition = None;
        let mut content_type = Cow::Borrowed("");
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.iter().position(|&byte| byte == b'\n');
            let (line, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
            rest = after;
            let line = without_line_end(line);
            if line.is_empty() {
                break;
            }
            let Some(colon) = line.iter().position(|&byte| byte == b':') else {
                continue;
            };
            let (name, value) = line.split_at(colon);
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            let name = name.trim_ascii();
            if name.eq_ignore_ascii_case(b"content-disposition") {
                disposition = Some(value);
            } else if name.eq_ignore_ascii_case(b"content-type") {
                content_type = String::from_utf8_lossy(value);
            }
        }
        Some(Self {
            disposition: disposition?,
            content_type,
            content: rest,
        })
    }
}

impl Disposition {
    /// `None` without a name.
    fn parse(header: &str, decoder: &dyn Decoder) -> Option<Self> {
        let (mut name, mut filename, mut extended) = (None, None, None);
        for (key, value) in parameters(header) {
            match key.as_str() {
                "name" => name = name.or(Some(unescape(value))),
                "filename" => filename = filename.or(Some(unescape(value))),
                "filename*" => extended = extended.or_else(|| decode_extended(&value, decoder)),
                _ => {}
            }
        }
        Some(Self {
            name: name?,
            filename: extended.or(filename),
        })
    }
}

/// Browsers and curl escape these three characters so.
fn unescape(text: String) -> String {
    if !text.contains('%') {
        return text;
    }
    let text = text.replace("%22", "\"");
    text.replace("%0D", "\r").replace("%0A", "\n")
}

/// `UTF-8''%C3%A9.txt` (RFC 8187).
fn decode_extended(text: &str, decoder: &dyn Decoder) -> Option<String> {
    let (label, rest) = text.split_once('\'')?;
    let (_, value) = rest.split_once('\'')?;
    decode(label, &percent_decode_bytes(value), decoder).ok()
}

/// The ASCII text of the first part with this name that is no file.
fn text_of<'a>(parts: &[Part<'a>], name: &str) -> Option<Cow<'a, str>> {
    let is_it = |part: &&Part<'_>| {
        let header = String::from_utf8_lossy(part.disposition);
        let mut parameters = parameters(&header);
        let has_name = parameters.any(|(key, value)| key == "name" && value == name);
        has_name && part.content.is_ascii()
    };
    let part = parts.iter().find(is_it)?;
    Some(String::from_utf8_lossy(part.content))
}

/// A text in the first of these charsets that it can be in, or else in UTF-8, with replacements for
/// what is not.
fn text_in<const N: usize>(
    labels: [Option<&str>; N],
    bytes: &[u8],
    decoder: &dyn Decoder,
) -> String {
    let mut labels = labels.into_iter().flatten();
    labels
        .find_map(|label| decode(label, bytes, decoder).ok())
        .unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned())
}
