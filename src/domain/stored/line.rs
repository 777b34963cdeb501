//! A line of JSON and, after it, a text as it is: a text of megabytes is never escaped or parsed on its way.

use serde::{Serialize, de::DeserializeOwned};

/// What cannot be read back: a bug, or a record of a later version.
#[derive(Debug)]
pub struct Unreadable;

/// A line of JSON, then a text: the one border between what is parsed and what is not.
pub fn pack<T: Serialize>(head: &T, text: &str) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(head).unwrap_or_default();
    bytes.push(b'\n');
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// The inverse of [`pack`].
pub fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, String), Unreadable> {
    let (head, text) = split_line(bytes).ok_or(Unreadable)?;
    let head = serde_json::from_slice(head).map_err(|_| Unreadable)?;
    Ok((
        head,
        String::from_utf8(text.to_vec()).map_err(|_| Unreadable)?,
    ))
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&byte| byte == b'\n')?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}
