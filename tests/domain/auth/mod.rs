//! Credentials. A keyring, and tokens signed by its keys.

mod access_assertion;
mod access_token;
mod agent_keys;
mod authenticate;
mod caller;
mod forgery;
mod form_nonce;
mod form_origin;
mod inbox_session;
mod inbox_settings;
mod jwt;
mod keyring;
mod mint;
mod short_link;
mod token_id;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use waitpoint::domain::auth::jwt::JwtError;
use waitpoint::domain::auth::keyring::Keyring;
use waitpoint::domain::time::timestamp::Timestamp;

pub(in crate::tests) const KEY: &str = "tr_dev_123456789012345678901234";

const OLD: &str = "tr_dev_old_old_old_old_old_old_";
const OTHER: &str = "tr_prod_99999999999999999999999";

pub(in crate::tests) const EXP: u64 = 1_795_552_215;

pub(in crate::tests) const IAT: u64 = 1_795_465_815;

const DAY: u64 = 86_400;
const ID: &str = "waitpoint_cmabcdefghijklmnopqrstuvw";

/// Verifies with trigger.dev's own code, too.
const VECTOR: &str = "eyJhbGciOiJIUzI1NiJ9.\
    eyJzdWIiOiJlbnZfMSIsInB1YiI6dHJ1ZSwic2NvcGVzIjpbIndyaXRlOndhaXRwb2ludHM6d2FpdHBvaW50X2FiYyJd\
    LCJpc3MiOiJodHRwczovL2lkLnRyaWdnZXIuZGV2IiwiYXVkIjoiaHR0cHM6Ly9hcGkudHJpZ2dlci5kZXYiLCJleHAi\
    OjE3OTU1NTIyMTUsImlhdCI6MTc5NTQ2NTgxNX0.\
    HVawhoYdQq_1v8dsdQYDw2lG6jQFNPxLwPYnPlcOOOA";

pub(in crate::tests) const HEADER: &str = r#"{"alg":"HS256"}"#;

const CLAIMS: [(&str, &str); 7] = [
    ("sub", r#""env_1""#),
    ("pub", "true"),
    ("scopes", r#"["write:waitpoints:waitpoint_abc"]"#),
    ("iss", r#""https://id.trigger.dev""#),
    ("aud", r#""https://api.trigger.dev""#),
    ("exp", "1795552215"),
    ("iat", "1795465815"),
];

pub(in crate::tests) fn seconds(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn keyring(text: &str) -> Keyring {
    Keyring::parse(text).unwrap()
}

pub(in crate::tests) fn env_1() -> Keyring {
    keyring(&format!("env_1={KEY}"))
}

pub(in crate::tests) fn base64url(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let letter = |bits: &[u8]| {
        let sextet = bits.iter().fold(0, |sextet, bit| sextet << 1 | bit);
        char::from(alphabet[usize::from(sextet << (6 - bits.len()))])
    };
    bits.chunks(6).map(letter).collect()
}

fn payload_of(jwt: &str) -> String {
    let bits: Vec<u8> = jwt
        .split('.')
        .nth(1)
        .unwrap()
        .bytes()
        .map(|letter| match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'-' => 62,
            _ => 63,
        })
        .flat_map(|sextet| (0..6).rev().map(move |bit| sextet >> bit & 1))
        .collect();
    let bytes = bits.chunks_exact(8);
    let bytes = bytes.map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit));
    String::from_utf8(bytes.collect()).unwrap()
}

pub(in crate::tests) fn mac(key: &str, message: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

/// A JWT of a header and a payload that are encoded already.
pub(in crate::tests) fn sign_encoded(key: &str, header: &str, payload: &str) -> String {
    let signed = format!("{header}.{payload}");
    let signature = base64url(&mac(key, &signed));
    format!("{signed}.{signature}")
}

pub(in crate::tests) fn sign(key: &str, header: &str, payload: &str) -> String {
    sign_encoded(
        key,
        &base64url(header.as_bytes()),
        &base64url(payload.as_bytes()),
    )
}

/// [`CLAIMS`] with some of them replaced, added, or (by an empty value) left out.
pub(in crate::tests) fn claims(changes: &[(&str, &str)]) -> String {
    let changed = |name| changes.iter().find(|(changed, _)| *changed == name);
    let kept = CLAIMS.iter().map(|claim| changed(claim.0).unwrap_or(claim));
    let added = changes
        .iter()
        .filter(|(name, _)| CLAIMS.iter().all(|claim| claim.0 != *name));
    let fields = kept.chain(added).filter(|(_, value)| !value.is_empty());
    let fields: Vec<_> = fields
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn with_claims(changes: &[(&str, &str)]) -> String {
    sign(KEY, HEADER, &claims(changes))
}

fn error(jwt: &str) -> Option<JwtError> {
    env_1().verify(jwt, seconds(IAT)).err()
}

#[track_caller]
fn assert_invalid(jwt: &str) {
    assert_eq!(error(jwt), Some(JwtError::Invalid), "{jwt:?}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mint(created_at: Timestamp, timeout_at: Option<Timestamp>, now: Timestamp) -> String {
    env_1()
        .by_secret(KEY)
        .unwrap()
        .mint(ID, created_at, timeout_at, now)
}

fn two_environments() -> Keyring {
    keyring(&format!("env_1={KEY}\nenv_1={OLD}\nenv_2={OTHER}"))
}
