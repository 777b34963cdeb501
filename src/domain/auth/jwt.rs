//! Invariants:
//! - Only HS256 is supported. There is no code path for another algorithm or for a key in the token.
//! - A token is invalid if a required claim is missing or has the wrong type. If `scopes` is not a
//!   list of texts it grants nothing; if `act` has no `sub` it names nobody.
//!
//! Parses the claims of a public access token and checks that it is meant for this API.
//! `access_token.rs` verifies signatures. Source of the format: trigger.dev's `jwt.ts` and `rbac.ts`.

use crate::domain::encoding::{base64url_decode, base64url_encode};
use crate::domain::json;
use crate::domain::time::timestamp::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

const ISSUER: &str = "https://id.trigger.dev";
const AUDIENCE: &str = "https://api.trigger.dev";

/// Why a public access token is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwtError {
    /// Malformed, not signed by a known key, or for another audience.
    Invalid,
    /// Signed by us, but past its `exp`.
    Expired,
}

/// The claims that are used.
pub(crate) struct VerifiedClaims {
    pub(crate) scopes: Vec<String>,
    /// `act.sub`
    pub(crate) subject: Option<String>,
    /// `exp`
    pub(crate) expires_at: u64,
    /// The `callback.verify` of a link that takes signed callbacks, in JSON.
    pub(crate) verify: Option<String>,
}

/// Parses the header and the claims of a token whose signature is valid. If `environment` is given,
/// the token must name it.
pub(crate) fn read_claims(
    header: &str,
    payload: &str,
    environment: Option<&str>,
    now: Timestamp,
) -> Result<VerifiedClaims, JwtError> {
    let payload = decode_payload(header, payload)?;
    let payload: Payload<'_> = json::object(&payload).ok_or(JwtError::Invalid)?;
    payload.check(environment, now)?;
    Ok(VerifiedClaims {
        scopes: payload.scopes(),
        subject: payload.subject(),
        expires_at: payload.exp,
        verify: payload.verify.map(|raw| raw.get().to_owned()),
    })
}

/// The header and claims of a token that may write and read the waitpoint `id`, to be signed. Times
/// are seconds since the epoch. With `verify` (JSON) it may only read, and callbacks so signed decide.
/// With a `subject` it is for the approver with this id.
pub(crate) fn signing_input(
    environment: &str,
    id: &str,
    iat: u64,
    exp: u64,
    verify: Option<&str>,
    subject: Option<&str>,
) -> String {
    let read = format!("read:waitpoints:{id}");
    let mut scopes = vec![read];
    if verify.is_none() {
        scopes.insert(0, format!("write:waitpoints:{id}"));
    }
    let payload = Minted {
        sub: environment,
        public: true,
        scopes: &scopes,
        verify: verify.and_then(|text| serde_json::from_str(text).ok()),
        act: subject.map(|sub| Actor { sub }),
        iss: ISSUER,
        aud: AUDIENCE,
        exp,
        iat,
    };
    // {"alg":"HS256"}
    let mut jwt = String::from("eyJhbGciOiJIUzI1NiJ9.");
    base64url_encode(&serde_json::to_vec(&payload).unwrap_or_default(), &mut jwt);
    jwt
}

/// The accepted fields of a header. Any other field, such as `crit`, `jwk` or `jku`, would change how
/// the token must be verified, so the token is rejected.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(rename = "typ")]
    _typ: Option<IgnoredAny>,
    #[serde(rename = "kid")]
    _kid: Option<IgnoredAny>,
}

/// The encoded payload, if the header says HS256 and nothing else.
pub(crate) fn decode_payload(header: &str, payload: &str) -> Result<Vec<u8>, JwtError> {
    let header = base64url_decode(header).ok_or(JwtError::Invalid)?;
    let header: Header = json::object(&header).ok_or(JwtError::Invalid)?;
    if header.alg == "HS256" {
        base64url_decode(payload).ok_or(JwtError::Invalid)
    } else {
        Err(JwtError::Invalid)
    }
}

#[derive(Deserialize)]
struct Payload<'a> {
    sub: String,
    #[serde(rename = "pub")]
    public: bool,
    iss: String,
    #[serde(borrow)]
    aud: &'a RawValue,
    exp: u64,
    nbf: Option<u64>,
    #[serde(borrow)]
    scopes: Option<&'a RawValue>,
    #[serde(borrow)]
    act: Option<&'a RawValue>,
    #[serde(borrow)]
    verify: Option<&'a RawValue>,
}

impl Payload<'_> {
    fn check(&self, environment: Option<&str>, now: Timestamp) -> Result<(), JwtError> {
        let audience = self.aud.get();
        let for_us = serde_json::from_str(audience).is_ok_and(|one: String| one == AUDIENCE)
            || serde_json::from_str(audience)
                .is_ok_and(|many: Vec<String>| many.iter().any(|one| one == AUDIENCE));
        let named = environment.is_none_or(|environment| self.sub == environment);
        let begun = self.nbf.is_none_or(|nbf| nbf <= now.as_secs());
        if self.public && self.iss == ISSUER && for_us && named && begun {
            Ok(())
        } else {
            Err(JwtError::Invalid)
        }
    }

    /// Anything but an array of strings grants nothing.
    fn scopes(&self) -> Vec<String> {
        self.scopes
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .unwrap_or_default()
    }

    fn subject(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Actor {
            sub: String,
        }
        let actor: Actor = json::object(self.act?.get().as_bytes())?;
        Some(actor.sub)
    }
}

#[derive(Serialize)]
struct Minted<'a> {
    sub: &'a str,
    #[serde(rename = "pub")]
    public: bool,
    scopes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    verify: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Actor<'a>>,
    iss: &'static str,
    aud: &'static str,
    exp: u64,
    iat: u64,
}

/// On whose behalf a token acts.
#[derive(Serialize)]
struct Actor<'a> {
    sub: &'a str,
}
