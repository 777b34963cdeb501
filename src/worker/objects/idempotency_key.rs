//! The Durable Object of one idempotency key in one environment. It stores which token the key stands
//! for.
//!
//! Invariant: a key stands for one token at a time. Only the token's own object knows whether the
//! token exists. The request that claims a key creates the token next. If that create is lost, the
//! next create with the same key gets the same id and stores the token.

use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::Key;
use crate::worker::guard;
use crate::worker::http::rate_limit::Permit;
use crate::worker::http::response;
use crate::worker::now;
use crate::worker::objects::call::{ObjectRef, read_json};
use crate::worker::objects::storage::Stored;
use crate::worker::objects::{Namespace, ObjectName};
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;
use worker::{DurableObject, Env, Request, Response, State, durable_object};

/// The storage key of the claim.
const CLAIM: &str = "claim";

/// The commands of this object.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Command {
    /// Makes the key stand for this token, unless it already stands for another.
    Claim(Claim),
    /// The token with this internal id is being deleted: the key no longer stands for it.
    Release(String),
}

/// The token that a key stands for. This is the stored form, version 1.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Claim {
    /// Its internal id.
    id: String,
    /// Milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
}

/// Claims `key` for the token `id`. Returns the id of the token that the key stands for.
pub(crate) async fn claim(
    _: &Permit,
    env: &Env,
    environment: &str,
    key: &Key,
    id: &str,
) -> Result<String, JsValue> {
    let claim = Claim {
        id: id.to_owned(),
        expires_at: key.expires_at.map(Timestamp::as_millis),
    };
    call(env, environment, &key.text, &Command::Claim(claim)).await
}

/// Releases the key of a token that is about to be deleted.
pub(crate) async fn release(
    env: &Env,
    environment: &str,
    key: &str,
    id: &str,
) -> Result<(), JsValue> {
    let command = Command::Release(id.to_owned());
    call(env, environment, key, &command).await.map(drop)
}

async fn call(
    env: &Env,
    environment: &str,
    key: &str,
    command: &Command,
) -> Result<String, JsValue> {
    let name = ObjectName::of_key(environment, key);
    let object = ObjectRef::new(env, Namespace::Keys, &name);
    object.call_json(command).await
}

/// The object of one key.
#[durable_object(fetch)]
pub struct KeyObject {
    stored: Stored,
}

impl DurableObject for KeyObject {
    fn new(state: State, _env: Env) -> Self {
        guard::log_panics();
        Self {
            stored: Stored::of(&state),
        }
    }

    /// Answers a claim with the id of the token that the key stands for.
    async fn fetch(&self, request: Request) -> worker::Result<Response> {
        let answering = async {
            let result = match read_json(&request).await {
                Ok(command) => answer(&self.stored, command).await,
                Err(why) => Err(why),
            };
            let json = result.map(|id| serde_json::to_vec(&id).unwrap_or_default());
            Ok(response::respond("a key's storage failed", json)?.into())
        };
        guard::watch(&guard::request_key(&request), answering).await
    }
}

async fn answer(stored: &Stored, command: Command) -> Result<String, JsValue> {
    let claim = stored.get_text(CLAIM)?;
    let claimed: Option<Claim> = claim
        .map(|text| serde_json::from_str(&text).map_err(|_| unreadable()))
        .transpose()?;
    match command {
        Command::Release(id) => {
            if claimed.is_some_and(|claim| claim.id == id) {
                stored.delete_all().await?;
            }
            Ok(id)
        }
        Command::Claim(claim) => {
            let now = now().as_millis();
            let stands = |claim: &Claim| claim.expires_at.is_none_or(|at| now <= at);
            if let Some(claimed) = claimed.filter(stands) {
                return Ok(claimed.id);
            }
            let text = serde_json::to_string(&claim).unwrap_or_default();
            stored.put_text(CLAIM, &text)?;
            Ok(claim.id)
        }
    }
}

fn unreadable() -> JsValue {
    JsValue::from_str("a key's claim cannot be read")
}
