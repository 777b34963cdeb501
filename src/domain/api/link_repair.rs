//! Invariants:
//! - A whole link is left as it is, and so is every other path.
//! - Nothing is guessed: only what can stand in no credential is removed. The signature decides.
//!
//! Repairs the path of a `token.url` or a `shortUrl` that was damaged on its way: by a mail program
//! that escapes characters, by text or markup behind the link that was taken for a part of it, or by
//! an invisible character in it.

use super::route::{Endpoint, SHORT_LINK, TOKENS};

/// Escapes of invisible characters, which programs put into long words to let them wrap: the soft
/// hyphen, zero-width spaces and joiners, the word joiner and the byte order mark.
const INVISIBLE: [&str; 6] = [
    "%C2%AD",
    "%E2%80%8B",
    "%E2%80%8C",
    "%E2%80%8D",
    "%E2%81%A0",
    "%EF%BB%BF",
];

/// The path of a damaged link as it was given out; `None` if the path has no damage, or is not that
/// of a link.
#[must_use]
pub fn repair_link(path: &str) -> Option<String> {
    if is_whole(path) {
        return None;
    }
    let path = decode_unreserved(path);
    let at = credential_start(&path)?;
    let (before, rest) = path.split_at_checked(at)?;
    let repaired = format!("{before}{}", trim_credential(rest, parts_of(&path, rest))?);
    let is_link = matches!(
        Endpoint::of(&repaired),
        Some(Endpoint::Callback { .. } | Endpoint::ShortLink { .. })
    );
    (is_link && is_whole(&repaired)).then_some(repaired)
}

/// Whether a path can be that of a whole link: a JWT has two dots, every other credential none. All
/// paths of the API but `/openapi.json` are whole, so this is the only cost of most requests.
fn is_whole(path: &str) -> bool {
    let mut dots = 0;
    let is_plain = path.bytes().all(|byte| {
        dots += usize::from(byte == b'.');
        is_of_a_credential(byte) || byte == b'/'
    });
    let ends_plain = path.bytes().next_back().is_none_or(|byte| {
        // A slash at the end is answered by a redirect.
        byte == b'/' || byte.is_ascii_alphanumeric()
    });
    let last = path.rsplit('/').next().unwrap_or("");
    is_plain && ends_plain && (dots == 0 || dots == parts_of(path, last) - 1)
}

/// How many parts the credential has that begins `text`, with dots between them: a JWT has three.
fn parts_of(path: &str, text: &str) -> usize {
    let is_hash = |part: &str| part.len() == 64 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let first = text
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .next();
    let is_one = path.starts_with(SHORT_LINK) || first.is_some_and(is_hash);
    if is_one { 1 } else { 3 }
}

fn is_of_a_credential(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// Where the credential of a link begins.
fn credential_start(path: &str) -> Option<usize> {
    let (rest, separator) = match path.strip_prefix(TOKENS) {
        Some(rest) => (rest.strip_prefix('/')?, "/callback/"),
        None => (path.strip_prefix(SHORT_LINK)?, "/"),
    };
    let at = rest.find(separator)?;
    Some(path.len() - rest.len() + at + separator.len())
}

/// The credential at the beginning of a text. It ends before the first character that no credential
/// has, and never in a dot, a hyphen or an underscore: the last character of a signature's base64url
/// has bits that are zero, and the last two letters of the alphabet do not. `None` if there is no
/// credential, or a further segment of the path follows.
fn trim_credential(text: &str, parts: usize) -> Option<&str> {
    let foreign = text.bytes().position(|byte| !is_of_a_credential(byte));
    let (mut credential, rest) = text.split_at_checked(foreign.unwrap_or(text.len()))?;
    if rest.starts_with('/') {
        return None;
    }
    // A sentence may go on behind a link: "….Thanks".
    if let Some((end, _)) = credential.match_indices('.').nth(parts - 1) {
        credential = credential.get(..end)?;
    }
    let credential = credential.trim_end_matches(['.', '-', '_']);
    (!credential.is_empty()).then_some(credential)
}

/// Decodes the escapes of unreserved characters (RFC 3986, 6.2.2.2), which stand for the same path,
/// and removes those of invisible ones.
fn decode_unreserved(path: &str) -> String {
    let mut parts = path.split('%');
    let mut decoded = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        match u8::from_str_radix(digits, 16) {
            Ok(byte) if is_of_a_credential(byte) || byte == b'~' => decoded.push(char::from(byte)),
            _ => {
                decoded.push('%');
                decoded.push_str(&digits.to_ascii_uppercase());
            }
        }
        decoded.push_str(rest);
    }
    for escape in INVISIBLE {
        if decoded.contains(escape) {
            decoded = decoded.replace(escape, "");
        }
    }
    decoded
}
