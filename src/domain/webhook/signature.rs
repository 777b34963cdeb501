//! Signatures of webhooks. Source: Standard Webhooks 1.0.0.
//!
//! Invariant: nothing here formats a secret; [`SigningSecret`] has no `Debug`.

use crate::domain::encoding::{base64_decode, base64_encode};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A secret that is prepared for signing.
pub(super) struct SigningSecret(Hmac<Sha256>);

impl SigningSecret {
    /// Reads `whsec_` and 24 to 64 bytes in base64.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = base64_decode(text.strip_prefix("whsec_")?)?;
        (24..=64)
            .contains(&bytes.len())
            .then(|| Hmac::new_from_slice(&bytes).ok().map(Self))
            .flatten()
    }
}

/// The header `webhook-signature` of a message: one signature per secret, of `<id>.<seconds since the
/// epoch>.<body>`. `None` without a secret.
pub(super) fn header<'a>(
    secrets: impl Iterator<Item = &'a SigningSecret>,
    id: &str,
    timestamp: u64,
    body: &[u8],
) -> Option<String> {
    let head = format!("{id}.{timestamp}.");
    let mut header = String::new();
    for SigningSecret(secret) in secrets {
        let mac = secret
            .clone()
            .chain_update(head.as_bytes())
            .chain_update(body);
        header += if header.is_empty() { "v1," } else { " v1," };
        base64_encode(&mac.finalize().into_bytes(), &mut header);
    }
    (!header.is_empty()).then_some(header)
}
