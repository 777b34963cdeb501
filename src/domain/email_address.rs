//! Checks e-mail addresses.

use crate::domain::api::excerpt::excerpt;
use crate::domain::webhook::url::is_host_name;

/// Longest e-mail address, in bytes (RFC 5321, 4.5.3.1.3).
pub(crate) const MAX_ADDRESS: usize = 254;
/// Longest part of an address before the `@`, in bytes (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;

/// Checks that this is an e-mail address and nothing else: what is accepted stands in a header.
pub(crate) fn check_address(address: &str) -> Result<(), String> {
    let why = match address.rsplit_once('@') {
        _ if !address.bytes().all(|byte| byte.is_ascii_graphic()) => {
            "contains white space, a control character or a character beyond ASCII"
        }
        _ if address.len() > MAX_ADDRESS => "is longer than 254 bytes",
        None => "has no @",
        Some((local, _)) if !is_local_part(local) => "has no valid name before the @",
        Some((_, domain)) if !(domain.contains('.') && is_host_name(domain)) => {
            "has no valid domain after the @"
        }
        Some(_) => return Ok(()),
    };
    let given = excerpt(address);
    Err(format!(
        "{given} {why}. Use an address such as ann@example.com."
    ))
}

/// Whether this is a dot-atom (RFC 5322, 3.2.3), as nearly all addresses have.
fn is_local_part(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    text.len() <= MAX_LOCAL_PART
        && text
            .split('.')
            .all(|atom| !atom.is_empty() && atom.bytes().all(fits))
}
