//! Invariants:
//! - Only RS256 is supported, with a key of the team. There is no code path for another algorithm or for a
//!   key in the assertion.
//! - An assertion is read before its signature is verified, and used only afterwards.
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

/// The longest assertion, in bytes. A header has at most twice as many.
const MAX_ASSERTION: usize = 16 * 1024;
/// How much the clocks of machines may differ, in seconds.
const SKEW: u64 = 60;

/// An assertion that may be forged.
#[derive(Debug)]
pub struct Unverified<'a> {
    /// The id of the key that is to verify it.
    pub key_id: String,
    /// What was signed.
    pub signed: &'a str,
    pub signature: Vec<u8>,
    claims: Claims,
}

/// Who signed in, and to which environment.
#[derive(Debug, PartialEq, Eq)]
pub struct AccessIdentity {
    pub environment: String,
    pub email: String,
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
    /// Reads an assertion; `None` if it is malformed or has another algorithm.
    #[must_use]
    pub fn read(assertion: &'a str) -> Option<Self> {
        if assertion.len() > MAX_ASSERTION {
            return None;
        }
        let (signed, signature) = assertion.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let header: Header = json::object(&base64url_decode(header)?)?;
        if header.alg != "RS256" || header.crit.is_some() {
            return None;
        }
        Some(Self {
            key_id: header.kid,
            signed,
            signature: base64url_decode(signature)?,
            claims: json::object(&base64url_decode(payload)?)?,
        })
    }

    /// Who signed in, once the signature was verified; `None` if the assertion is not for this inbox, not
    /// of this team, not valid at this time, or of a service, which has no e-mail address.
    #[must_use]
    pub fn verified(self, access: &AccessSettings, now: Timestamp) -> Option<AccessIdentity> {
        let Claims {
            iss,
            aud,
            exp,
            iat,
            nbf,
            email,
        } = self.claims;
        let audiences = match serde_json::from_str(aud.get()) {
            Ok(many) => many,
            Err(_) => vec![serde_json::from_str::<String>(aud.get()).ok()?],
        };
        let environment = access.environment_of(&audiences)?;
        let now = now.as_secs();
        let has_begun = |at: Option<u64>| at.is_none_or(|at| at <= now + SKEW);
        let is_valid = iss == access.issuer && exp > now && has_begun(iat) && has_begun(nbf);
        let email = email.filter(|email| !email.is_empty())?;
        is_valid.then(|| AccessIdentity {
            environment: environment.to_owned(),
            email,
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
