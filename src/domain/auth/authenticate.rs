//! Authenticates callers by the `Authorization` header or the credential in a `token.url`. Source of
//! the formats: trigger.dev's `bearerCredentials.ts` and `httpCallback.server.ts`.
//!
//! Invariant: a credential is accepted as a whole or not at all, and an error contains no part of it.

use super::caller::Caller;
use super::jwt::JwtError;
use super::keyring::{Environment, Keyring};
use super::token_id::internal_id;
use crate::domain::api::error::ApiError;
use crate::domain::encoding::hex_decode;
use crate::domain::time::timestamp::Timestamp;

impl Keyring {
    /// Authenticates an `Authorization` header: an optional `Bearer `, then a secret key or a public
    /// access token.
    ///
    /// # Errors
    /// `MissingAuthorization`, `InvalidApiKey`, `InvalidPublicToken`, `PublicTokenExpired`.
    pub fn authenticate(
        &self,
        authorization: &str,
        now: Timestamp,
    ) -> Result<Caller<'_>, ApiError> {
        let credential = bearer(authorization).ok_or(ApiError::MissingAuthorization)?;
        if let Some(environment) = self.by_secret(credential) {
            return Ok(Caller::Secret(environment));
        }
        if credential.matches('.').count() != 2 {
            return Err(ApiError::InvalidApiKey);
        }
        Ok(Caller::Public(self.verify(credential, now)?))
    }

    /// Like [`Keyring::authenticate`], where only a secret key is accepted.
    ///
    /// # Errors
    /// `MissingAuthorization`, `InvalidApiKey`.
    pub fn authenticate_secret(&self, authorization: &str) -> Result<&Environment, ApiError> {
        let credential = bearer(authorization).ok_or(ApiError::MissingAuthorization)?;
        self.by_secret(credential).ok_or(ApiError::InvalidApiKey)
    }

    /// Authenticates the credential in a `token.url`: a public access token that may write the token
    /// or takes its signed callbacks, or the token's callback hash. `raw_id` is the id in the URL.
    /// Also returns whether the credential has expired, because the page tells this to people who
    /// open an old link.
    ///
    /// # Errors
    /// `InvalidCallbackHash`, `InvalidPublicToken`, `InsufficientScope`.
    pub fn authenticate_link(
        &self,
        raw_id: &str,
        credential: &str,
        now: Timestamp,
    ) -> Result<(Caller<'_>, bool), ApiError> {
        if credential.contains('.') {
            let claims = self.verify_but_for_expiry(credential, now)?;
            let takes_callbacks =
                claims.signed_callbacks.is_some() && claims.allows("read", raw_id);
            return if claims.allows("write", raw_id) || takes_callbacks {
                let has_expired = claims.has_expired(now);
                Ok((Caller::Public(claims), has_expired))
            } else {
                Err(ApiError::InsufficientScope)
            };
        }
        internal_id(raw_id)
            .and_then(|id| self.by_callback_hash(id, credential))
            .map(|environment| (Caller::CallbackHash(environment), false))
            .ok_or(ApiError::InvalidCallbackHash)
    }

    /// Authenticates the credential in a `shortUrl`. `id` is the internal id, as in the URL. Also
    /// returns whether the credential has expired.
    ///
    /// # Errors
    /// `InvalidCallbackHash`.
    pub fn authenticate_short_link(
        &self,
        id: &str,
        credential: &str,
        now: Timestamp,
    ) -> Result<(Caller<'_>, bool), ApiError> {
        let claims = self
            .verify_any_short_link(id, credential)
            .ok_or(ApiError::InvalidCallbackHash)?;
        let has_expired = claims.has_expired(now);
        Ok((Caller::Public(claims), has_expired))
    }

    /// The environment of a credential, whatever it allows and even if it has expired.
    #[must_use]
    pub fn environment_of(&self, credential: &str, now: Timestamp) -> Option<&Environment> {
        self.by_secret(credential).or_else(|| {
            let claims = self.verify_but_for_expiry(credential, now).ok()?;
            Some(claims.environment)
        })
    }

    /// The environment in which this 64-digit hexadecimal text is the callback hash of the token with
    /// the internal id `id`.
    #[must_use]
    pub fn by_callback_hash(&self, id: &str, hash: &str) -> Option<&Environment> {
        self.find_signer_of(id.as_bytes(), &hex_decode(hash)?)
    }
}

impl From<JwtError> for ApiError {
    fn from(why: JwtError) -> Self {
        match why {
            JwtError::Invalid => Self::InvalidPublicToken,
            JwtError::Expired => Self::PublicTokenExpired,
        }
    }
}

/// The credential of an `Authorization` header; `None` if it is empty.
#[must_use]
pub fn bearer(authorization: &str) -> Option<&str> {
    // The scheme is case-insensitive.
    let credential = match authorization.split_at_checked(7) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("Bearer ") => rest,
        _ => authorization,
    };
    let credential = credential.trim();
    (!credential.is_empty()).then_some(credential)
}
