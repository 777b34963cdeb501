//! The charset of a body: a byte order mark wins, then the content type, then what the body itself
//! says.
//!
//! Decoding is the platform's; see [`Decoder`].

use super::media_type::MediaType;
use crate::domain::api::error::ApiError;

/// Decodes bytes by the label of a charset, as `TextDecoder` does.
pub trait Decoder {
    /// # Errors
    /// See [`DecodeError`].
    fn decode(&self, label: &str, bytes: &[u8]) -> Result<String, DecodeError>;
}

/// Why bytes could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// There is no charset of this label.
    UnknownCharset,
    /// The bytes are not text in this charset.
    Malformed,
}

/// The longest label of a charset, in bytes. The platform's longest has 19.
const MAX_LABEL: usize = 64;

/// Decodes bytes, unless the label is too long to be one: a sender chooses it, perhaps for each of a
/// thousand fields.
///
/// # Errors
/// See [`DecodeError`].
pub(super) fn decode_by(
    decoder: &dyn Decoder,
    label: &str,
    bytes: &[u8],
) -> Result<String, DecodeError> {
    if label.len() > MAX_LABEL {
        return Err(DecodeError::UnknownCharset);
    }
    decoder.decode(label, bytes)
}

/// The text of a body.
///
/// # Errors
/// `InvalidJson` for bytes that are no text in their charset, `UnsupportedCharset`.
pub fn decode_body(
    media: &MediaType,
    body: &[u8],
    decoder: &dyn Decoder,
) -> Result<String, ApiError> {
    if let Some((label, marked)) = byte_order_mark(body) {
        return decode(label, marked, decoder);
    }
    if let Some(label) = media.charset() {
        return decode(label, body, decoder);
    }
    // An XML document may name its charset; one that does not exist is as good as none.
    if let Some(label) = xml_encoding(body)
        && let Ok(text) = decode_by(decoder, label, body)
    {
        return Ok(text);
    }
    decode("utf-8", body, decoder)
}

/// Decodes a text whose charset somebody has declared.
///
/// # Errors
/// `InvalidJson`, `UnsupportedCharset`.
pub(super) fn decode(label: &str, bytes: &[u8], decoder: &dyn Decoder) -> Result<String, ApiError> {
    if is_utf8(label) || (is_ascii(label) && bytes.is_ascii()) {
        let text = std::str::from_utf8(bytes).map_err(|_| ApiError::InvalidJson)?;
        return Ok(text.to_owned());
    }
    decode_by(decoder, label, bytes).map_err(|why| match why {
        DecodeError::UnknownCharset => ApiError::UnsupportedCharset(label.to_owned()),
        DecodeError::Malformed => ApiError::InvalidJson,
    })
}

/// Whether a label is that of UTF-8, which needs no decoding.
pub(super) fn is_utf8(label: &str) -> bool {
    label.eq_ignore_ascii_case("utf-8") || label.eq_ignore_ascii_case("utf8")
}

fn is_ascii(label: &str) -> bool {
    label.eq_ignore_ascii_case("us-ascii") || label.eq_ignore_ascii_case("ascii")
}

/// The charset of a byte order mark, and the bytes after it.
fn byte_order_mark(body: &[u8]) -> Option<(&'static str, &[u8])> {
    let marks: [(&str, &[u8]); 3] = [
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16le", b"\xff\xfe"),
        ("utf-16be", b"\xfe\xff"),
    ];
    marks
        .into_iter()
        .find_map(|(label, mark)| Some((label, body.strip_prefix(mark)?)))
}

/// The `encoding` of an XML declaration.
fn xml_encoding(body: &[u8]) -> Option<&str> {
    let rest = body.trim_ascii_start().strip_prefix(b"<?xml")?;
    let end = rest.iter().take(200).position(|&byte| byte == b'>')?;
    let declaration = std::str::from_utf8(rest.get(..end)?).ok()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value
        .chars()
        .next()
        .filter(|quote| matches!(quote, '"' | '\''))?;
    value.get(1..)?.split(quote).next()
}
