//! A line of JSON and then a text. The text is never escaped or parsed, since it can be megabytes.

use serde::{Deserialize, Serialize};

/// The data cannot be parsed: there is a bug, or a later version wrote it.
#[derive(Debug)]
pub struct Unreadable;

/// Joins a line of JSON and a text.
pub fn pack<T: Serialize>(head: &T, text: &str) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(head).unwrap_or_default();
    bytes.push(b'\n');
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// The inverse of [`pack`].
pub fn unpack<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, String), Unreadable> {
    let all = std::str::from_utf8(bytes).map_err(|_| Unreadable)?;
    let (head, text) = all.split_once('\n').ok_or(Unreadable)?;
    let head = serde_json::from_str(head).map_err(|_| Unreadable)?;
    Ok((head, text.to_owned()))
}
