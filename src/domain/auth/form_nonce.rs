//! Invariants:
//! - A nonce is valid for one page of one token, or for one session of the inbox, and for at most
//!   [`NONCE_LIFE`].
//! - A nonce has one spelling.
//!
//! The nonce in a form. It proves that the page was opened, and needs no storage; that of an approval page
//! needs no cookie either.

use super::keyring::Environment;
use crate::domain::encoding::{base64url_decode, base64url_encode};
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// How long a page's form can be sent.
pub const NONCE_LIFE: Duration = Duration::from_secs(12 * 60 * 60);

/// What a nonce is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoncePurpose<'a> {
    /// The form of a token's approval page, by its internal id.
    ApprovalPage(&'a str),
    /// The forms of the inbox in this session.
    Inbox(&'a str),
    /// The form that signs in to the inbox.
    SignIn,
}

impl NoncePurpose<'_> {
    /// What is signed. No other text that the key signs has this prefix.
    fn message(self, issued_at: &str) -> String {
        match self {
            Self::ApprovalPage(id) => format!("waitpoint page\n{id}\n{issued_at}\nWAITING"),
            Self::Inbox(session) => format!("waitpoint inbox form\n{session}\n{issued_at}"),
            Self::SignIn => format!("waitpoint inbox sign-in\n{issued_at}"),
        }
    }
}

impl Environment {
    /// A nonce for a page that is opened at `now`.
    #[must_use]
    pub fn form_nonce(&self, purpose: NoncePurpose<'_>, now: Timestamp) -> String {
        let issued_at = now.as_secs().to_string();
        let mut nonce = format!("v1.{issued_at}.");
        if let Some(mac) = self.sign(purpose.message(&issued_at).as_bytes()) {
            base64url_encode(&mac, &mut nonce);
        }
        nonce
    }

    /// When the page was opened, to the second, if this is a [`nonce`](Self::form_nonce) for that purpose
    /// and at most [`NONCE_LIFE`] old.
    #[must_use]
    pub fn open_form_nonce(
        &self,
        purpose: NoncePurpose<'_>,
        nonce: &str,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let (issued_at, mac) = nonce.strip_prefix("v1.")?.split_once('.')?;
        let mac = base64url_decode(mac)?;
        // The clocks of machines differ.
        let latest = now.as_secs() + 60;
        let at: u64 = issued_at.parse().ok()?;
        let age = latest.checked_sub(at)?;
        // The timestamp is compared as text, so that a nonce has one spelling.
        let is_valid = age <= NONCE_LIFE.as_secs() + 60
            && self.has_signed(purpose.message(issued_at).as_bytes(), &mac);
        is_valid.then(|| Timestamp::from_millis(at.saturating_mul(1_000)))
    }
}
