//! Who sends a callback, and in which form the answer is read (RFC 9110 12.5.1).

use super::media_type::MediaType;

/// Who sent a POST to `token.url`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A machine: its body is the output.
    Machine,
    /// The form of the approval page.
    Page,
    /// A person's browser, with a form that is not the page's. It is shown the page.
    Browser,
}

impl Sender {
    /// Only the page's form has a nonce. Without one it is a machine, whatever it accepts, unless a
    /// browser navigates with a body that a form of HTML can send.
    #[must_use]
    pub fn of(media: &MediaType, has_nonce: bool, navigates: bool) -> Self {
        if has_nonce {
            Self::Page
        } else if navigates && media.is_sent_by_forms() {
            Self::Browser
        } else {
            Self::Machine
        }
    }
}

/// Whether an `Accept` header ranks HTML above JSON.
#[must_use]
pub fn prefers_html(accept: &str) -> bool {
    !accept.is_empty() && quality(accept, "text", "html") > quality(accept, "application", "json")
}

/// The weight of a media type in thousandths. The most specific range counts.
fn quality(accept: &str, kind: &str, subtype: &str) -> u16 {
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        // `HttpURLConnection` of Java sends a bare `*`.
        let name = parts.next()?;
        let (found_kind, found_subtype) = name.split_once('/').unwrap_or((name, "*"));
        let specificity = match (found_kind, found_subtype) {
            (found, sub)
                if found.eq_ignore_ascii_case(kind) && sub.eq_ignore_ascii_case(subtype) =>
            {
                2
            }
            (found, "*") if found.eq_ignore_ascii_case(kind) => 1,
            ("*", "*") => 0,
            _ => return None,
        };
        let weight = parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.trim().strip_prefix('='));
        Some((specificity, weight.map_or(1_000, thousandths)))
    });
    ranges
        .max_by_key(|&(specificity, _)| specificity)
        .map_or(0, |(_, weight)| weight)
}

/// A weight from 0 to 1. One that cannot be read counts as 1, like one that is missing.
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.trim().split_once('.').unwrap_or((weight.trim(), ""));
    let mut digits = fraction.bytes().chain(*b"000").take(3);
    let fraction = digits.try_fold(0_u16, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + u16::from(byte - b'0'))
    });
    match (whole, fraction) {
        ("0" | "", Some(fraction)) => fraction,
        _ => 1_000,
    }
}
