//! Content-Security-Policies.

use crate::domain::encoding::base64url_encode;
use sha2::{Digest, Sha256};

/// The policy of a page that only has text.
pub(crate) const TEXT_ONLY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The source expression of a script or a style that is inline in the page.
pub(crate) fn source_hash(text: &str) -> String {
    let mut encoded = String::new();
    base64url_encode(&Sha256::digest(text.as_bytes()), &mut encoded);
    format!("sha256-{}=", encoded.replace('-', "+").replace('_', "/"))
}

/// The policy of a page with forms, which go to its own origin and to `form_action`. Its styles and scripts,
/// and no others, are inline.
pub(crate) fn of_page(styles: &[&str], scripts: &[&str], form_action: &str) -> String {
    let form_action = match form_action {
        "" => "'self'".to_owned(),
        other => format!("'self' {other}"),
    };
    let sources = |texts: &[&str]| {
        let hashes = texts.iter().map(|text| format!("'{}'", source_hash(text)));
        hashes.collect::<Vec<_>>().join(" ")
    };
    let (styles, scripts) = (sources(styles), sources(scripts));
    format!(
        "default-src 'none'; style-src {styles}; script-src {scripts}; img-src 'self' data:; \
         connect-src 'self'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'"
    )
}
