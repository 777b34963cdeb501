//! Invariants:
//! - Only RS256 is supported, with a key of the team. There is no code path for another algorithm or for a
//!   key in the assertion.
//! - Who an assertion names is known only once its signature was verified.
//!
//! The assertion with which Cloudflare Access says who signed in: the header `Cf-Access-Jwt-Assertion`.
//! Source: developers.cloudflare.com, "Validate JWTs".

use super::inbox_settings::AccessSettings;
use crate::domain::encoding::base64url_decode;
use crate::domain::json;
use crate::domain::time::timestamp::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::fmt;

/// The longest assertion, in bytes. A header has at most twice as many.
const MAX_ASSERTION: usize = 16 * 1024;
/// How much the clocks of machines may differ, in seconds.
const SKEW: u64 = 60;

/// An assertion whose claims are right, if its signature is.
#[derive(Debug)]
pub struct Unverified<'a> {
    /// The id of the key that is to verify it.
    pub key_id: String,
    /// What was signed.
    pub signed: &'a str,
    pub signature: Vec<u8>,
    identity: AccessIdentity,
}

/// Who signed in, and to which environment.
#[derive(Debug, PartialEq, Eq)]
pub struct AccessIdentity {
    pub environment: String,
    pub email: String,
}

/// Why an assertion is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessError {
    /// It is missing, malformed, or signed by another algorithm than RS256.
    Malformed,
    /// Its `iss` is another team.
    Issuer,
    /// Its `aud` is no application of `ACCESS_AUD`.
    Audience,
    /// It has expired, or is of the future.
    Time,
    /// It names no person: it is of a service token.
    NoEmail,
    /// No key of the team has signed it.
    Signature,
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is malformed, or its algorithm is not RS256",
            Self::Issuer => "its issuer is not ACCESS_TEAM_DOMAIN",
            Self::Audience => "its audience is not in ACCESS_AUD",
            Self::Time => "it has expired, or is not valid yet",
            Self::NoEmail => "it has no email: service tokens cannot sign in",
            Self::Signature => "no key of the team has signed it",
        })
    }
}

/// A key of the team, as JSON Web Key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AccessKey {
    pub kid: String,
    kty: String,
    /// The modulus and the exponent, in base64url.
    pub n: String,
    pub e: String,
}

/// The fields of a header that are used. As RFC 7515 wants it, others are ignored, also a key in the
/// header, and `crit`, which says that some must not be, is refused.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    crit: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    aud: Box<RawValue>,
    exp: u64,
    iat: Option<u64>,
    nbf: Option<u64>,
    email: Option<String>,
}

impl<'a> Unverified<'a> {
    /// Reads an assertion, and checks all but its signature. So a request that goes past Access costs
    /// no verification of a signature.
    ///
    /// # Errors
    /// See [`AccessError`].
    pub fn read(
        assertion: &'a str,
        access: &AccessSettings,
        now: Timestamp,
    ) -> Result<Self, AccessError> {
        let (key_id, signed, signature, claims) = parse(assertion).ok_or(AccessError::Malformed)?;
        Ok(Self {
            key_id,
            signed,
            signature,
            identity: claims.identity(access, now)?,
        })
    }

    /// Who signed in. To be called once the signature was verified.
    #[must_use]
    pub fn into_identity(self) -> AccessIdentity {
        self.identity
    }
}

/// The id of the key, what was signed, the signature and the claims.
fn parse(assertion: &str) -> Option<(String, &str, Vec<u8>, Claims)> {
    if assertion.len() > MAX_ASSERTION {
        return None;
    }
    let (signed, signature) = assertion.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let header: Header = json::object(&base64url_decode(header)?)?;
    if header.alg != "RS256" || header.crit.is_some() {
        return None;
    }
    let claims = json::object(&base64url_decode(payload)?)?;
    Some((header.kid, signed, base64url_decode(signature)?, claims))
}

impl Claims {
    fn identity(
        self,
        access: &AccessSettings,
        now: Timestamp,
    ) -> Result<AccessIdentity, AccessError> {
        let audiences = match serde_json::from_str(self.aud.get()) {
            Ok(many) => many,
            Err(_) => match serde_json::from_str(self.aud.get()) {
                Ok(one) => vec![one],
                Err(_) => return Err(AccessError::Malformed),
            },
        };
        if self.iss != access.issuer {
            return Err(AccessError::Issuer);
        }
        let environment = access
            .environment_of(&audiences)
            .ok_or(AccessError::Audience)?;
        let now = now.as_secs();
        let has_begun = |at: Option<u64>| at.is_none_or(|at| at <= now + SKEW);
        if self.exp <= now || !has_begun(self.iat) || !has_begun(self.nbf) {
            return Err(AccessError::Time);
        }
        let email = self.email.filter(|email| !email.is_empty());
        Ok(AccessIdentity {
            environment: environment.to_owned(),
            email: email.ok_or(AccessError::NoEmail)?,
        })
    }
}

/// The keys of a team: the JSON at [`AccessSettings::certificates_url`]. What is no RSA key is left out.
#[must_use]
pub fn read_keys(text: &str) -> Option<Vec<AccessKey>> {
    #[derive(Deserialize)]
    struct KeySet<'a> {
        #[serde(borrow)]
        keys: Vec<&'a RawValue>,
    }
    let set: KeySet<'_> = serde_json::from_str(text).ok()?;
    let keys = set.keys.into_iter();
    let keys = keys.filter_map(|raw| serde_json::from_str::<AccessKey>(raw.get()).ok());
    Some(keys.filter(|key| key.kty == "RSA").collect())
}
