//! Credentials. The whole text is an `Authorization` header, a callback hash, a nonce; and its first line is
//! the header of a JWT, the rest the claims, with a good signature over them.
#![no_main]
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use waitpoint::domain::auth::authenticate::bearer;
use waitpoint::domain::auth::form_nonce::NoncePurpose;
use waitpoint::domain::auth::jwt::JwtError;
use waitpoint::domain::auth::keyring::Keyring;
use waitpoint::domain::time::timestamp::Timestamp;

const KEY: &str = "tr_dev_123456789012345678901234";
const ID: &str = "cmabcdefghijklmnopqrstuvw";

static KEYRING: LazyLock<Keyring> = LazyLock::new(|| Keyring::parse(KEY).ok().unwrap());

fuzz_target!(|text: &str| {
    let now = Timestamp::from_millis(1_790_380_800_000);
    let environment = KEYRING.by_id("default").unwrap();
    assert_eq!(
        KEYRING.authenticate(text, now).is_ok(),
        bearer(text) == Some(KEY)
    );
    assert!(KEYRING.authenticate_link(ID, text, now).is_err());
    assert!(
        environment
            .open_form_nonce(NoncePurpose::ApprovalPage(ID), text, now)
            .is_none()
    );

    let (header, payload) = text
        .split_once('\n')
        .unwrap_or(("{\"alg\":\"HS256\"}", text));
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let signed = format!("{}.{}", encode(header), encode(payload));
    let mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    let signature = mac.chain_update(&signed).finalize().into_bytes();
    let token = format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature));
    let claims = match KEYRING.verify(&token, now) {
        Ok(claims) => claims,
        Err(why) => {
            assert!(KEYRING.authenticate(&token, now).is_err());
            let opens = KEYRING
                .authenticate_link(ID, &token, now)
                .is_ok_and(|(_, expired)| !expired);
            assert!(!opens, "{why:?}");
            return assert!(matches!(why, JwtError::Invalid | JwtError::Expired));
        }
    };
    assert_eq!(field(header, "alg"), "HS256");
    assert_eq!(field(payload, "iss"), "https://id.trigger.dev");
    assert_eq!(field(payload, "sub"), "default");
    assert_eq!(field(payload, "pub"), true);
    assert!(field(payload, "exp").as_u64().unwrap() > now.as_secs());
    // What is no list of texts grants nothing.
    let scopes: Vec<String> = serde_json::from_value(field(payload, "scopes")).unwrap_or_default();
    assert_eq!(claims.scopes, scopes);
    let kinds = ["write:waitpoints", "*:waitpoints", "write:all", "*:all"];
    let grants = |scope: &String| {
        let whole = |kind: &str| scope == kind || *scope == format!("{kind}:{ID}");
        scope == "admin" || kinds.into_iter().any(whole)
    };
    assert_eq!(claims.allows("write", ID), scopes.iter().any(grants));
});

/// A field of an object of which the others may be what no value can hold, such as 1e999.
fn field(json: &str, name: &str) -> Value {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap();
    let value = fields.get(name).map(|raw| raw.get());
    value
        .and_then(|raw| serde_json::from_str(raw).ok())
        .unwrap_or_default()
}
