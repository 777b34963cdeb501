//! Credentials that no key here verifies, such as trigger.dev's run tokens. Upstream judges them.
//!
//! Invariants:
//! - A credential is accepted for one token, and only if upstream lets it read that token. So it is
//!   authentic, and the token is in its environment.
//! - The token is also in an environment here: that environment's own key reads it, too.
//! - A right to read is no right to write. Upstream proves the right to write by its answer to a
//!   completion of a token that does not exist. For a JWT, its scopes must allow it, too. A JWT for
//!   one token cannot be asked about another, so its scopes count, whose signature upstream verified.

use crate::domain::api::error::ApiError;
use crate::domain::auth::access_token::MAX_JWT;
use crate::domain::auth::caller::scope_allows;
use crate::domain::encoding::{base64url_decode, base64url_encode};
use crate::domain::json;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How long upstream's consent is remembered.
pub const REMEMBER_ACCEPTED: Duration = Duration::from_secs(60);
/// How long upstream's refusal is remembered.
pub const REMEMBER_REFUSED: Duration = Duration::from_secs(5);
/// The longest credential that upstream is asked about, in bytes.
pub const MAX_CREDENTIAL: usize = MAX_JWT;

/// The complete request that asks about a right to write, for a token that does not exist.
pub const WRITE_PROBE: &str = "{}";

/// What a credential says about itself. It counts once upstream has accepted the credential.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// A credential without scopes, such as a secret key.
    Opaque,
    /// A run token: a JWT with `typ: run+jwt`.
    RunToken { scopes: Vec<String> },
    /// Another JWT with scopes.
    PublicToken(Scoped),
}

/// The claims of a JWT that was not verified here.
#[derive(Debug, PartialEq, Eq)]
pub struct Scoped {
    pub scopes: Vec<String>,
    /// The `exp` claim, in seconds since the epoch.
    pub expires_at: u64,
}

/// How a right to write is proven, once upstream has let the credential read the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Upstream is asked.
    Ask,
    /// The scopes say it.
    Scopes,
}

impl Kind {
    /// Reads a credential without verifying it.
    #[must_use]
    pub fn of(credential: &str) -> Self {
        Self::of_jwt(credential).unwrap_or(Self::Opaque)
    }

    fn of_jwt(credential: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Header {
            typ: Option<String>,
        }
        #[derive(Deserialize)]
        struct Payload<'a> {
            #[serde(borrow)]
            scopes: Option<&'a RawValue>,
            exp: Option<u64>,
        }
        let (signed, _) = credential.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let header: Header = json::object(&base64url_decode(header)?)?;
        let payload = base64url_decode(payload)?;
        let payload: Payload<'_> = json::object(&payload)?;
        // Anything but an array of texts grants nothing.
        let scopes = serde_json::from_str(payload.scopes?.get()).unwrap_or_default();
        let is_run_token = header
            .typ
            .is_some_and(|typ| typ.eq_ignore_ascii_case("run+jwt"));
        Some(if is_run_token {
            Self::RunToken { scopes }
        } else {
            Self::PublicToken(Scoped {
                scopes,
                expires_at: payload.exp.unwrap_or(u64::MAX),
            })
        })
    }

    /// How the right to write the token `id`, spelled as in the request, is proven.
    ///
    /// # Errors
    /// `InsufficientScope`, if the credential itself denies the right.
    pub fn proof(&self, id: &str) -> Result<Proof, ApiError> {
        match self {
            Self::Opaque => Ok(Proof::Ask),
            Self::RunToken { scopes } => {
                if scopes.iter().any(|scope| scope_allows(scope, "write", id)) {
                    Ok(Proof::Ask)
                } else {
                    Err(ApiError::InsufficientScope)
                }
            }
            // What these scopes allow is checked where it is needed.
            Self::PublicToken(_) => Ok(Proof::Scopes),
        }
    }
}

/// Whether upstream's status for a read of the token lets the credential read it. `refused` is the
/// error of a credential that is invalid here.
///
/// # Errors
/// `refused`, `InsufficientScope`, `TokenNotFound`, `UpstreamUnavailable`.
pub fn judge_read(status: u16, refused: ApiError) -> Result<(), ApiError> {
    match status {
        200 => Ok(()),
        404 => Err(ApiError::TokenNotFound),
        other => Err(refusal(other, refused)),
    }
}

/// Whether upstream's status for a completion of a token that does not exist proves a right to write.
///
/// # Errors
/// `refused`, `InsufficientScope`, `UpstreamUnavailable`.
pub fn judge_write(status: u16, refused: ApiError) -> Result<(), ApiError> {
    match status {
        // The credential and its scopes are checked before the token is looked up.
        404 => Ok(()),
        other => Err(refusal(other, refused)),
    }
}

/// Why no environment is that of a token, by the statuses of reads with their own keys, none of
/// which is 200. `None` is no answer.
#[must_use]
pub fn judge_environments(statuses: &[Option<u16>], refused: ApiError) -> ApiError {
    // trigger.dev answers 500 for a token that it does not know. The caller makes sure that 500 is not
    // an outage.
    let is_unknown = |&status: &Option<u16>| matches!(status, Some(401 | 403 | 404 | 500));
    if statuses.iter().all(is_unknown) {
        refused
    } else {
        ApiError::UpstreamUnavailable
    }
}

fn refusal(status: u16, refused: ApiError) -> ApiError {
    match status {
        401 => refused,
        403 => ApiError::InsufficientScope,
        // This includes 500, which trigger.dev also answers for a token that it does not know: a
        // repeated request finds out, and a decision is not lost.
        _ => ApiError::UpstreamUnavailable,
    }
}

/// The key under which upstream's verdict on a credential for a token is remembered. It contains no
/// part of the credential.
#[must_use]
pub fn verdict_key(credential: &str, id: &str) -> String {
    let digest = Sha256::new()
        .chain_update(id.as_bytes())
        .chain_update([0])
        .chain_update(credential.as_bytes())
        .finalize();
    let mut key = String::new();
    base64url_encode(&digest, &mut key);
    key
}
