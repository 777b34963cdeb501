//! Invariants:
//! - A signature is verified before anything that it signs is read.
//! - A minted token allows to write and to read one waitpoint, and nothing else.
//!
//! Mints and verifies public access tokens.

use super::caller::{Claims, SignedCallbacks};
use super::jwt::{self, JwtError};
use super::keyring::{Environment, Keyring};
use crate::domain::encoding::{base64url_decode, base64url_encode};
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// The longest public access token that is accepted, in bytes.
pub const MAX_JWT: usize = 4_096;

/// In place of the JSON of a `callback.verify` in a link: it is that of the token's record.
pub const AS_RECORDED: &str = "true";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Keyring {
    /// Verifies a public access token. It must have at most [`MAX_JWT`] bytes in three parts of
    /// strict unpadded base64url. `alg` must be exactly `HS256`, and a key of the environment named
    /// by `sub` must have signed it. Issuer and audience must match exactly, `exp` must be in the
    /// future and `nbf` must not.
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
        let claims = jwt::read_claims(header, payload, named, now)?;
        Ok(Claims {
            approver: None,
            environment,
            scopes: claims.scopes,
            subject: claims.subject,
            expires_at: claims.expires_at,
            signed_callbacks: claims.verify.map(|verify| match verify.as_str() {
                AS_RECORDED => SignedCallbacks::AsRecorded,
                _ => SignedCallbacks::As(verify),
            }),
        })
    }

    /// The environment whose key signed a JWT, and the JWT's encoded header and payload. Neither is
    /// parsed yet.
    pub(crate) fn find_signer<'a>(&self, jwt: &'a str) -> Option<(&Environment, &'a str, &'a str)> {
        let (signed, signature) = jwt.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let signer = self.find_signer_of(signed.as_bytes(), &base64url_decode(signature)?)?;
        Some((signer, header, payload))
    }
}

/// How long the credentials of one token live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// In seconds since the epoch.
    pub issued_at: u64,
    /// In seconds since the epoch.
    pub expires_at: u64,
}

impl Lifetime {
    /// From the token's creation to its timeout, for at least 24 hours and at most 30 days. If that
    /// has passed, as long from `now` on.
    #[must_use]
    pub fn of(created_at: Timestamp, timeout_at: Option<Timestamp>, now: Timestamp) -> Self {
        let life = Duration::from_millis(timeout_at.map_or(u64::MAX, |at| {
            at.as_millis().saturating_sub(created_at.as_millis())
        }))
        .clamp(DAY, 30 * DAY);
        let issued_at = if created_at.plus(life) > now {
            created_at
        } else {
            now
        };
        Self {
            issued_at: issued_at.as_secs(),
            // Rounded up, so that it is valid until the very end.
            expires_at: issued_at.plus(life).as_millis().div_ceil(1_000),
        }
    }
}

impl Environment {
    /// Mints the public access token of one token, with the scopes to write and to read it. `id` is
    /// the public id. It is valid for its [`Lifetime`].
    #[must_use]
    pub fn mint(
        &self,
        id: &str,
        created_at: Timestamp,
        timeout_at: Option<Timestamp>,
        now: Timestamp,
    ) -> String {
        self.mint_link(id, None, None, Lifetime::of(created_at, timeout_at, now))
    }

    /// Mints the credential in a token's `url`. With the JSON of its `callback.verify` it may only read
    /// the token, and callbacks that are so signed decide it. With a `subject` it is that of the
    /// approver with this id.
    #[must_use]
    pub fn mint_link(
        &self,
        id: &str,
        verify: Option<&str>,
        subject: Option<&str>,
        lifetime: Lifetime,
    ) -> String {
        let Lifetime {
            issued_at,
            expires_at,
        } = lifetime;
        let mut jwt = jwt::signing_input(&self.id, id, issued_at, expires_at, verify, subject);
        if let Some(signature) = self.sign(jwt.as_bytes()) {
            jwt.push('.');
            base64url_encode(&signature, &mut jwt);
        }
        jwt
    }
}
