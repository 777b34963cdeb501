//! Who sent a form.
//!
//! Invariant: a form of the inbox is taken only from a page of the inbox itself, as far as the browser says.
//! The cookie is sent with no request of another site, and the nonce is in none of its pages.

/// Whether a form comes from a page at one of these origins. `origin` and `fetch_site` are the headers
/// `Origin` and `Sec-Fetch-Site`, or `""`.
///
/// With `referrer-policy: no-referrer` Chromium sends `Origin: null` for a page's own form. So do pages of
/// no origin, which only `Sec-Fetch-Site` tells apart.
#[must_use]
pub fn is_own_form(origin: &str, fetch_site: &str, own: [&str; 2]) -> bool {
    match (origin, fetch_site) {
        ("" | "null", site) => site == "same-origin",
        (origin, "" | "same-origin") => own.contains(&origin),
        _ => false,
    }
}
