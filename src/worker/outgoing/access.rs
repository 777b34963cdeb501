//! Verifies what Cloudflare Access says, with the keys of the team.

use super::{fetch, set_timeout};
use crate::domain::auth::access_assertion::{AccessKey, Unverified, read_keys};
use crate::domain::auth::inbox_settings::AccessSettings;
use crate::domain::json::to_json;
use crate::domain::time::timestamp::Timestamp;
use crate::worker::bindings::settled;
use crate::worker::http::body::read;
use js_sys::{Array, JSON, Object};
use serde::Serialize;
use std::cell::RefCell;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CryptoKey, RequestInit, SubtleCrypto, WorkerGlobalScope};

/// How long keys are used without asking anew. Cloudflare changes them every six weeks.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);
/// How often the team is asked for a key that is unknown.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How long a team that did not answer is not asked again. Otherwise each assertion made up by a stranger
/// would cause a request.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// How long the team has to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer, in bytes. It has two keys and their certificates.
const MAX_KEYS: usize = 64 * 1024;

const ALGORITHM: &str = r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256"}"#;

/// The keys of a team.
struct TeamKeys {
    url: String,
    keys: Vec<AccessKey>,
    fetched_at: Timestamp,
}

thread_local! {
    static KEYS: RefCell<Option<TeamKeys>> = const { RefCell::new(None) };
    /// Where keys could not be read last, and when.
    static FAILED: RefCell<Option<(String, Timestamp)>> = const { RefCell::new(None) };
}

/// Whether a key of the team has signed this. Fails if the keys cannot be read.
pub(crate) async fn is_signed(
    access: &AccessSettings,
    assertion: &Unverified<'_>,
    now: Timestamp,
) -> Result<bool, JsValue> {
    let url = access.certificates_url();
    let cached = cached_key(&url, &assertion.key_id, now);
    let key = match cached {
        Cached::Key(key) => Some(key),
        Cached::Unknown => None,
        Cached::AskTeam => {
            if has_just_failed(&url, now) {
                return Err(format!("{url} did not answer a moment ago").into());
            }
            if let Err(why) = fetch_keys(&url, now).await {
                FAILED.set(Some((url, now)));
                return Err(why);
            }
            match cached_key(&url, &assertion.key_id, now) {
                Cached::Key(key) => Some(key),
                Cached::Unknown | Cached::AskTeam => None,
            }
        }
    };
    match key {
        Some(key) => verify(&key, assertion).await,
        None => Ok(false),
    }
}

enum Cached {
    Key(AccessKey),
    /// The team has no such key.
    Unknown,
    AskTeam,
}

fn cached_key(url: &str, id: &str, now: Timestamp) -> Cached {
    KEYS.with_borrow(|cached| {
        let Some(team) = cached.as_ref().filter(|team| team.url == url) else {
            return Cached::AskTeam;
        };
        let is_younger_than = |age| now < team.fetched_at.plus(age);
        match team.keys.iter().find(|key| key.kid == id) {
            Some(key) if is_younger_than(MAX_AGE) => Cached::Key(key.clone()),
            None if is_younger_than(ASK_AGAIN_AFTER) => Cached::Unknown,
            _ => Cached::AskTeam,
        }
    })
}

fn has_just_failed(url: &str, now: Timestamp) -> bool {
    FAILED.with_borrow(|failed| {
        let failed = failed.as_ref().filter(|(team, _)| team == url);
        failed.is_some_and(|(_, at)| now < at.plus(RETRY_AFTER))
    })
}

async fn fetch_keys(url: &str, now: Timestamp) -> Result<(), JsValue> {
    let init = RequestInit::new();
    set_timeout(&init, TIMEOUT);
    let response = fetch(url, &init).await?;
    if response.status() != 200 {
        return Err(format!("{url} answered {}", response.status()).into());
    }
    let body = read(response.body(), MAX_KEYS).await?.unwrap_or_default();
    let keys = read_keys(&String::from_utf8_lossy(&body)).ok_or("they are no JSON Web Key Set")?;
    KEYS.set(Some(TeamKeys {
        url: url.to_owned(),
        keys,
        fetched_at: now,
    }));
    Ok(())
}

async fn verify(key: &AccessKey, assertion: &Unverified<'_>) -> Result<bool, JsValue> {
    #[derive(Serialize)]
    struct Jwk<'a> {
        kty: &'static str,
        alg: &'static str,
        n: &'a str,
        e: &'a str,
    }
    let jwk = Jwk {
        kty: "RSA",
        alg: "RS256",
        n: &key.n,
        e: &key.e,
    };
    let subtle = subtle()?;
    let algorithm = object(ALGORITHM)?;
    let usages = Array::of1(&"verify".into());
    let importing = subtle.import_key_with_object(
        "jwk",
        &object(&to_json(&jwk))?,
        &algorithm,
        false,
        &usages,
    )?;
    let imported: CryptoKey = settled(importing).await?.unchecked_into();
    let verifying = subtle.verify_with_object_and_u8_array_and_u8_array(
        &algorithm,
        &imported,
        &assertion.signature,
        assertion.signed.as_bytes(),
    )?;
    Ok(settled(verifying).await?.is_truthy())
}

fn subtle() -> Result<SubtleCrypto, JsValue> {
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    Ok(scope.crypto()?.subtle())
}

fn object(json: &str) -> Result<Object, JsValue> {
    Ok(JSON::parse(json)?.unchecked_into())
}
