//! Invariants:
//! - A short link is valid for one token of one environment, for one purpose, until it expires.
//! - A short link has one spelling.
//!
//! The credential of a token's `shortUrl`, `/t/<id>/<expiry><mac>`: for services that cut or refuse
//! a URL as long as a JWT. The environment is not in the path, but the MAC covers it.

use super::access_token::Lifetime;
use super::caller::{Claims, SignedCallbacks};
use super::keyring::{Environment, Keyring};
use crate::domain::api::route::SHORT_LINK;
use crate::domain::encoding::{base64url_decode, base64url_encode};
use std::borrow::Cow;

/// Bytes of the HMAC-SHA-256 that the link holds.
const MAC: usize = 16;
/// Characters of [`MAC`] bytes in base64url.
const MAC_LETTERS: usize = 22;
/// The longest expiry: 36^7 seconds reach beyond the year 9999.
const MAX_EXPIRY: usize = 8;

/// Stands between the index of an approver and the expiry, which has no such character.
const APPROVER_END: char = '-';

/// What a short link is for. A link for one purpose is invalid for every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    /// To read the token and to decide it, as with the JWT in its `url`.
    Decide,
    /// To read the token. Callbacks decide it if they are signed as its `callback.verify` says.
    Callback,
    /// To read the token and to vote, as the approver with this index.
    Vote(u8),
}

impl LinkPurpose {
    /// That of a token's own link. `verify` is its `callback.verify`.
    #[must_use]
    pub fn of_token(verify: Option<&str>) -> Self {
        match verify {
            Some(_) => Self::Callback,
            None => Self::Decide,
        }
    }

    fn name(self) -> Cow<'static, str> {
        match self {
            Self::Decide => "decide".into(),
            Self::Callback => "callback".into(),
            Self::Vote(approver) => format!("vote {approver}").into(),
        }
    }
}

impl Environment {
    /// The credential of the token `id` (internal). It expires when the JWT in the token's `url`
    /// does.
    #[must_use]
    pub fn short_link(&self, purpose: LinkPurpose, id: &str, lifetime: Lifetime) -> String {
        let expiry = base36(lifetime.expires_at);
        let message = self.linked(purpose, id, &expiry);
        let mut credential = match purpose {
            LinkPurpose::Vote(approver) => format!("{approver}{APPROVER_END}{expiry}"),
            LinkPurpose::Decide | LinkPurpose::Callback => expiry,
        };
        let mac = self.sign(message.as_bytes());
        if let Some(mac) = mac.as_ref().and_then(|mac| mac.get(..MAC)) {
            base64url_encode(mac, &mut credential);
        }
        credential
    }

    /// No other text that the key signs has this prefix. None of the parts can hold a line break.
    fn linked(&self, purpose: LinkPurpose, id: &str, expiry: &str) -> String {
        let (purpose, environment) = (purpose.name(), &self.id);
        format!("waitpoint link\n{purpose}\n{environment}\n{id}\n{expiry}")
    }
}

impl Keyring {
    /// As [`Keyring::verify_short_link`], for whatever purpose it is.
    pub(super) fn verify_any_short_link(&self, id: &str, credential: &str) -> Option<Claims<'_>> {
        let verify = |purpose, credential| self.verify_short_link(purpose, id, credential);
        let before_mac = credential.get(..credential.len().checked_sub(MAC_LETTERS)?)?;
        if let Some((approver, _)) = before_mac.split_once(APPROVER_END) {
            let index = approver.parse::<u8>().ok()?;
            // `+1` and `01` are the same number.
            let is_plain = index.to_string() == approver;
            let rest = credential.get(approver.len() + 1..)?;
            return verify(LinkPurpose::Vote(index), rest).filter(|_| is_plain);
        }
        verify(LinkPurpose::Decide, credential)
            .or_else(|| verify(LinkPurpose::Callback, credential))
    }

    /// Verifies the expiry and MAC of a short link for the token `id`, by every key. The claims are those
    /// of the JWT in the token's `url`, and may have expired. `None` if no key signed it.
    #[must_use]
    pub fn verify_short_link(
        &self,
        purpose: LinkPurpose,
        id: &str,
        credential: &str,
    ) -> Option<Claims<'_>> {
        let at = credential.len().checked_sub(MAC_LETTERS)?;
        let (expiry, mac) = credential.split_at_checked(at)?;
        let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_plain(id) || expiry.len() > MAX_EXPIRY {
            return None;
        }
        let expires_at = u64::from_str_radix(expiry, 36).ok()?;
        let mac = base64url_decode(mac).filter(|mac| mac.len() == MAC)?;
        let environment = self.find_signer_by(&mac, |one| one.linked(purpose, id, expiry))?;
        let mut scopes = vec![format!("read:waitpoints:{id}")];
        if purpose != LinkPurpose::Callback {
            scopes.push(format!("write:waitpoints:{id}"));
        }
        Some(Claims {
            environment,
            scopes,
            subject: None,
            approver: match purpose {
                LinkPurpose::Vote(approver) => Some(approver),
                LinkPurpose::Decide | LinkPurpose::Callback => None,
            },
            expires_at,
            signed_callbacks: (purpose == LinkPurpose::Callback)
                .then_some(SignedCallbacks::AsRecorded),
        })
    }
}

/// A token's short link: `id` is the internal id.
#[must_use]
pub fn short_url(origin: &str, id: &str, credential: &str) -> String {
    format!("{origin}{SHORT_LINK}{id}/{credential}")
}

fn base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(number % 36).unwrap_or(0);
        digits.extend(char::from_digit(digit, 36));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}
