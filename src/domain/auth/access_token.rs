//! Invariants:
//! - A signature is verified before anything it signs is read.
//! - A token that is minted allows to write and to read one waitpoint, and nothing else.
//!
//! Public access tokens: minted, and verified.

use super::caller::Claims;
use super::jwt::{self, JwtError};
use super::keyring::{Environment, Keyring};
use crate::domain::encoding::{base64url_decode, base64url_encode};
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// Longest public access token that is looked at, in bytes.
pub const MAX_JWT: usize = 4_096;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Keyring {
    /// Verifies a public access token: at most [`MAX_JWT`] bytes, three parts of strict unpadded
    /// base64url, `alg` exactly `HS256`, signed by a key of the environment that `sub` names,
    /// issuer and audience exact, `exp` in the future, `nbf` not.
    ///
    /// # Errors
    /// See [`JwtError`].
    pub fn verify(&self, jwt: &str, now: Timestamp) -> Result<Claims<'_>, JwtError> {
        let claims = self.verify_but_for_expiry(jwt, now)?;
        if claims.has_expired(now) {
            Err(JwtError::Expired)
        } else {
            Ok(claims)
        }
    }

    pub(super) fn verify_but_for_expiry(
        &self,
        jwt: &str,
        now: Timestamp,
    ) -> Result<Claims<'_>, JwtError> {
        if jwt.len() > MAX_JWT {
            return Err(JwtError::Invalid);
        }
        let (environment, header, payload) = self.find_signer(jwt).ok_or(JwtError::Invalid)?;
        let named = (!environment.is_upstream).then_some(environment.id.as_str());
        let (scopes, subject, expires_at) = jwt::read_claims(header, payload, named, now)?;
        Ok(Claims {
            environment,
            scopes,
            subject,
            expires_at,
        })
    }

    /// The environment by a key of which a JWT is signed, and its header and payload as they stand there.
    /// Neither is looked at.
    pub(crate) fn find_signer<'a>(&self, jwt: &'a str) -> Option<(&Environment, &'a str, &'a str)> {
        let (signed, signature) = jwt.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let signer = self.find_signer_of(signed.as_bytes(), &base64url_decode(signature)?)?;
        Some((signer, header, payload))
    }
}

impl Environment {
    /// Mints the public access token of one token: scopes to write and to read it and nothing
    /// else. `id` is the public one, with prefix. It lives from the token's creation to its
    /// timeout, at least 24 hours and at most 30 days; if that has passed, from `now` on.
    #[must_use]
    pub fn mint(
        &self,
        id: &str,
        created_at: Timestamp,
        timeout_at: Option<Timestamp>,
        now: Timestamp,
    ) -> String {
        let life = Duration::from_millis(timeout_at.map_or(u64::MAX, |at| {
            at.as_millis().saturating_sub(created_at.as_millis())
        }))
        .clamp(DAY, 30 * DAY);
        let issued_at = if created_at.plus(life) > now {
            created_at
        } else {
            now
        };
        // Rounded up, so that it never ends before the life does.
        let exp = issued_at.plus(life).as_millis().div_ceil(1_000);
        let mut jwt = jwt::signing_input(&self.id, id, issued_at.as_secs(), exp);
        if let Some(signature) = self.sign(jwt.as_bytes()) {
            jwt.push('.');
            base64url_encode(&signature, &mut jwt);
        }
        jwt
    }
}
