//! Invariants:
//! - An internal id is 1 to 64 letters and digits. A public id is that with [`PREFIX`].
//! - The same request key in the same environment gives the same id.
//!
//! Ids of tokens. They are not secret.

use super::keyring::Environment;
use sha2::{Digest, Sha256};

/// The prefix of ids that clients see.
pub const PREFIX: &str = "waitpoint_";

/// The public id of a token.
#[must_use]
pub fn public_id(internal: &str) -> String {
    format!("{PREFIX}{internal}")
}

/// The internal id of a token: the part after [`PREFIX`], which callers may leave out. `None` for a
/// text that cannot be an id, so that no object is called for it.
#[must_use]
pub fn internal_id(raw_id: &str) -> Option<&str> {
    let id = raw_id.strip_prefix(PREFIX).unwrap_or(raw_id);
    let fits = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then_some(id)
}

impl Environment {
    /// The internal id of the token that is created with this request idempotency key. The SDK's
    /// retry sends the same key and so reaches the same token.
    #[must_use]
    pub fn token_id(&self, request_key: &[u8]) -> String {
        let digest = Sha256::new()
            .chain_update(self.id.as_bytes())
            .chain_update([0])
            .chain_update(request_key)
            .finalize();
        let mut number = digest
            .iter()
            .take(16)
            .fold(0_u128, |n, &byte| n << 8 | u128::from(byte));
        let mut id = String::from("c");
        for _ in 0..24 {
            let digit = (number % 36) as u8;
            id.push(char::from(if digit < 10 {
                b'0' + digit
            } else {
                b'a' + digit - 10
            }));
            number /= 36;
        }
        id
    }
}
