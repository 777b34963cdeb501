//! Invariants:
//! - A nonce is valid for one token, and for at most [`NONCE_LIFE`].
//! - A nonce has one spelling.
//!
//! The nonce in the form of an approval page. It proves that the page was opened, and needs neither
//! storage nor a cookie.

use super::keyring::Environment;
use crate::domain::encoding::{base64url_decode, base64url_encode};
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// How long a page's form can be sent.
pub const NONCE_LIFE: Duration = Duration::from_secs(12 * 60 * 60);

impl Environment {
    /// A nonce that proves that the approval page of the token `id` (internal) was opened at `now`
    /// while the token waited.
    #[must_use]
    pub fn form_nonce(&self, id: &str, now: Timestamp) -> String {
        let issued_at = now.as_secs().to_string();
        let mut nonce = format!("v1.{issued_at}.");
        if let Some(mac) = self.sign(Self::nonced(id, &issued_at).as_bytes()) {
            base64url_encode(&mac, &mut nonce);
        }
        nonce
    }

    /// Whether this is a [`nonce`](Self::form_nonce) of that token and at most [`NONCE_LIFE`] old.
    #[must_use]
    pub fn accepts_form_nonce(&self, id: &str, nonce: &str, now: Timestamp) -> bool {
        let parts = nonce
            .strip_prefix("v1.")
            .and_then(|rest| rest.split_once('.'));
        let Some((issued_at, Some(mac))) = parts.map(|(iat, mac)| (iat, base64url_decode(mac)))
        else {
            return false;
        };
        // The clocks of machines differ.
        let latest = now.as_secs() + 60;
        let age = issued_at.parse().ok().and_then(|at| latest.checked_sub(at));
        // The timestamp is compared as text, so that a nonce has one spelling.
        age.is_some_and(|age| age <= NONCE_LIFE.as_secs() + 60)
            && self.has_signed(Self::nonced(id, issued_at).as_bytes(), &mac)
    }

    /// No other text that the key signs has this prefix.
    fn nonced(id: &str, issued_at: &str) -> String {
        format!("waitpoint page\n{id}\n{issued_at}\nWAITING")
    }
}
