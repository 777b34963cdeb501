//! Invariant: base64, hexadecimal and decimal text is read as a whole or not at all.
//!
//! base64, base64url, hexadecimal, decimal and percent-encoded text.

use alloc::vec::Vec;

/// The characters for 0 to 61, which both base64 alphabets share.
#[cfg(not(feature = "browser"))]
const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// The characters for 62 and 63 in base64url.
const URL: [u8; 2] = *b"-_";
/// The characters for 62 and 63 in base64.
#[cfg(not(feature = "browser"))]
const STANDARD: [u8; 2] = *b"+/";

/// Appends bytes as unpadded base64url.
#[cfg(not(feature = "browser"))]
pub(crate) fn base64url_encode(bytes: &[u8], out: &mut alloc::string::String) {
    encode(bytes, URL, out);
}

/// Reads strict base64url: without padding, other characters or surplus bits.
pub(crate) fn base64url_decode(text: &str) -> Option<Vec<u8>> {
    decode(text, URL)
}

/// Appends bytes as base64, padded.
#[cfg(not(feature = "browser"))]
pub(crate) fn base64_encode(bytes: &[u8], out: &mut alloc::string::String) {
    encode(bytes, STANDARD, out);
    for _ in 0..(3 - bytes.len() % 3) % 3 {
        out.push('=');
    }
}

/// Reads strict base64. The padding may be left out as a whole.
#[cfg(not(feature = "browser"))]
pub(crate) fn base64_decode(text: &str) -> Option<Vec<u8>> {
    let unpadded = text.trim_end_matches('=');
    let padding = text.len() - unpadded.len();
    let whole = padding == 0 || (padding <= 2 && text.len().is_multiple_of(4));
    whole.then(|| decode(unpadded, STANDARD)).flatten()
}

#[cfg(not(feature = "browser"))]
fn encode(bytes: &[u8], last: [u8; 2], out: &mut alloc::string::String) {
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for sextet in 0..=chunk.len() {
            let index = (bits >> (18 - 6 * sextet)) as usize & 63;
            let letter = LETTERS
                .get(index)
                .or_else(|| last.get(index - LETTERS.len()));
            out.extend(letter.map(|&letter| char::from(letter)));
        }
    }
}

/// The value of each byte in both base64 alphabets; [`NONE`] if it has none.
#[allow(clippy::indexing_slicing, reason = "by the compiler")]
const SEXTETS: [u8; 256] = {
    let mut sextets = [NONE; 256];
    let mut n = 0;
    while n < 26 {
        sextets[b'A' as usize + n] = n as u8;
        sextets[b'a' as usize + n] = n as u8 + 26;
        if n < 10 {
            sextets[b'0' as usize + n] = n as u8 + 52;
        }
        n += 1;
    }
    sextets
};
const NONE: u8 = 64;

fn decode(text: &str, [last_but_one, last]: [u8; 2]) -> Option<Vec<u8>> {
    if text.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for &letter in chunk {
            let sextet = match SEXTETS.get(usize::from(letter)) {
                Some(&sextet) if sextet != NONE => sextet,
                _ if letter == last_but_one => 62,
                _ if letter == last => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(sextet);
        }
        let bits = bits << (6 * (4 - chunk.len()));
        let whole = chunk.len() * 6 / 8;
        let [_, decoded @ ..] = bits.to_be_bytes();
        let (decoded, left_over) = decoded.split_at_checked(whole)?;
        if left_over.iter().any(|&byte| byte != 0) {
            return None;
        }
        bytes.extend_from_slice(decoded);
    }
    Some(bytes)
}

/// Reads 64 hexadecimal digits in either case.
#[cfg(not(feature = "browser"))]
pub(crate) fn hex_decode(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        for &digit in pair {
            *byte = *byte << 4 | u8::try_from(char::from(digit).to_digit(16)?).ok()?;
        }
    }
    Some(bytes)
}

/// Decodes percent-encoded text. A percent sign without two hexadecimal digits stays, and invalid
/// UTF-8 becomes U+FFFD.
#[cfg(not(feature = "browser"))]
pub(crate) fn percent_decode(text: &str) -> alloc::string::String {
    alloc::string::String::from_utf8_lossy(&percent_decode_bytes(text)).into_owned()
}

/// The bytes of percent-encoded text, in whatever charset.
#[cfg(not(feature = "browser"))]
pub(crate) fn percent_decode_bytes(text: &str) -> Vec<u8> {
    let digit = |byte| char::from(byte).to_digit(16);
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let escaped = match (byte, tail) {
            (b'%', &[high, low, ..]) => digit(high).zip(digit(low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                bytes.push((high << 4 | low) as u8);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    bytes
}

/// Reads a number that has only decimal digits.
#[cfg(not(feature = "browser"))]
pub(crate) fn digits(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Appends a text as the value of a query: all but letters, digits and `-._~` is percent-encoded.
#[cfg(not(any(feature = "browser", feature = "server")))]
pub(crate) fn percent_encode(text: &str, out: &mut alloc::string::String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0');
            out.extend([digit(byte >> 4), digit(byte & 15)]);
        }
    }
}
