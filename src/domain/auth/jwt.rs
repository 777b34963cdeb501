//! Invariants:
//! - Only HS256 exists here. There is no code path for another algorithm or for a key that comes
//!   with the token.
//! - A claim that is needed and missing, or not of its type, refuses the token. Of `scopes` what is
//!   no list of texts grants nothing, of `act` what has no `sub` names nobody.
//!
//! What a public access token says, and whether it is meant for us. Signatures are verified
//! elsewhere (`access_token.rs`). Source of the format: trigger.dev's `jwt.ts` and `rbac.ts`.

use crate::domain::encoding::{base64url_decode, base64url_encode};
use crate::domain::json;
use crate::domain::time::timestamp::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

const ISSUER: &str = "https://id.trigger.dev";
const AUDIENCE: &str = "https://api.trigger.dev";

/// Why a public access token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwtError {
    /// Malformed, signed by nobody we know, or not meant for us.
    Invalid,
    /// Signed by us, but past its `exp`.
    Expired,
}

/// Reads the header and the claims of a token whose signature is good: its scopes, on whose behalf it
/// speaks, and its `exp`. It must name `environment`, if one is given.
pub(crate) fn read_claims(
    header: &str,
    payload: &str,
    environment: Option<&str>,
    now: Timestamp,
) -> Result<(Vec<String>, Option<String>, u64), JwtError> {
    let payload = decode_payload(header, payload)?;
    let payload: Payload<'_> = json::object(&payload).ok_or(JwtError::Invalid)?;
    payload.check(environment, now)?;
    Ok((payload.scopes(), payload.subject(), payload.exp))
}

/// Header and claims of a token that may write and read the waitpoint `id`, ready to be signed.
/// Times are seconds since the epoch.
pub(crate) fn signing_input(environment: &str, id: &str, iat: u64, exp: u64) -> String {
    let payload = Minted {
        sub: environment,
        public: true,
        scopes: [
            &format!("write:waitpoints:{id}"),
            &format!("read:waitpoints:{id}"),
        ],
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

/// A header may say these; anything else, `crit`, `jwk` or `jku` say, would change how the token is
/// to be verified and is refused, never followed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(rename = "typ")]
    _typ: Option<IgnoredAny>,
    #[serde(rename = "kid")]
    _kid: Option<IgnoredAny>,
}

/// What was signed, whatever it says, if the header says no more than HS256.
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

    /// What is no array of strings grants nothing.
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
    scopes: [&'a str; 2],
    iss: &'static str,
    aud: &'static str,
    exp: u64,
    iat: u64,
}
