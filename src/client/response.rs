//! Validates responses and converts them into tokens and claims.

use super::js::{get, get_some, invalid_response, parse_json, set, undecided};
use super::reference::is_url;
use js_sys::{Array, Date, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// The fields that must be strings if they exist, besides the times, in a token and in the entries
/// of its lists. Other fields are passed on unchanged.
const TEXTS: [&str; 5] = [
    "output",
    "outputType",
    "completedBy",
    "completedBySubject",
    "idempotencyKey",
];
const TIMES: [&str; 12] = [
    "at",
    "nextAttemptAt",
    "lastAttemptAt",
    "cancelledAt",
    "createdAt",
    "completedAt",
    "timeoutAt",
    "idempotencyKeyExpiresAt",
    "createdAfter",
    "completedAfter",
    "timeoutAfter",
    "idempotencyKeyExpiresAfter",
];

/// Converts a token for callers: times become dates, and the output is parsed.
///
/// # Errors
/// `invalid_response` with the field that is invalid.
pub(crate) fn parse_token(token: JsValue) -> Result<JsValue, JsValue> {
    let url = get(&token, "url").as_string().unwrap_or_default();
    let tags = get(&token, "tags");
    let missing = if !get(&token, "id").is_string() {
        "id"
    } else if !is_url(&url) {
        "url"
    } else if status(&token).is_none() {
        "status"
    } else if !is_list_of_texts(&tags) {
        "tags"
    } else if !get(&token, "createdAt").is_string() {
        "createdAt"
    } else {
        ""
    };
    if !missing.is_empty() {
        return Err(invalid_response(missing));
    }
    read_fields(&token)?;
    for name in ["history", "deliveries"] {
        if let Some(entries) = get(&token, name).dyn_ref::<Array>() {
            for entry in entries.iter() {
                read_fields(&entry)?;
            }
        }
    }
    read_output(&token)?;
    Ok(token)
}

fn read_fields(object: &JsValue) -> Result<(), JsValue> {
    for name in TEXTS.iter().chain(&TIMES) {
        let value = get(object, name);
        if value.is_undefined() || value.is_null() {
            continue;
        }
        let mut is_valid = value.is_string();
        if is_valid && !TEXTS.contains(name) {
            let date = Date::new(&value);
            is_valid = date.get_time() > 0.0;
            set(object, name, &date);
        }
        if !is_valid {
            return Err(invalid_response(name));
        }
    }
    Ok(())
}

pub(crate) fn is_list_of_texts(value: &JsValue) -> bool {
    let list = value.dyn_ref::<Array>();
    list.is_some_and(|list| list.iter().all(|item| item.is_string()))
}

fn read_output(token: &JsValue) -> Result<(), JsValue> {
    let [output, kind, is_error] = ["output", "outputType", "outputIsError"].map(|name| {
        let value = get(token, name);
        let _ = Reflect::delete_property(token.unchecked_ref::<Object>(), &name.into());
        value
    });
    if is_error == true {
        let message = get(&parse_json(&output), "message").as_string();
        let message = message.as_deref().unwrap_or("The token timed out.");
        let code = if get_some(token, "cancelledAt").is_some() {
            "cancelled"
        } else {
            "timed_out"
        };
        set(token, "error", &undecided(message, code));
        return Ok(());
    }
    if !is_error.is_undefined() && is_error != false {
        return Err(invalid_response("outputIsError"));
    }
    if output.is_undefined() {
        return Ok(());
    }
    let kind = kind.as_string().unwrap_or_default();
    let mut value = output;
    if contains(&kind, "json") {
        value = parse_json(&value);
    }
    // trigger.dev uses SuperJSON. Its metadata is dropped.
    if contains(&kind, "super") {
        value = get(&value, "json");
    }
    if value.is_undefined() {
        return Err(invalid_response("output"));
    }
    set(token, "output", &value);
    Ok(())
}

fn contains(text: &str, part: &str) -> bool {
    let mut windows = text.as_bytes().windows(part.len());
    windows.any(|window| window == part.as_bytes())
}

/// The status of a token, if it is a known one, and whether it is final.
fn status(token: &JsValue) -> Option<bool> {
    match get(token, "status").as_string()?.as_str() {
        "WAITING" => Some(false),
        "COMPLETED" | "TIMED_OUT" => Some(true),
        _ => None,
    }
}

#[cfg(feature = "browser")]
pub(crate) fn is_finished(token: &JsValue) -> bool {
    status(token) == Some(true)
}

/// Converts the claims of a JWT for callers; `None` if it is not a public access token.
#[cfg(feature = "browser")]
pub(crate) fn describe_claims(claims: &[u8]) -> Option<JsValue> {
    let claims = parse_json(&core::str::from_utf8(claims).ok()?.into());
    let expires = get(&claims, "exp").as_f64()?;
    let expires_at = Date::new(&(expires * 1_000.0).into());
    let [environment, scopes] = ["sub", "scopes"].map(|name| get(&claims, name));
    let subject = get_some(&get(&claims, "act"), "sub").unwrap_or_default();
    let are_texts = environment.is_string()
        && is_list_of_texts(&scopes)
        && (subject.is_undefined() || subject.is_string());
    // An invalid Date is NaN.
    let is_expiry = expires_at.get_time() > 0.0;
    if !are_texts || !is_expiry {
        return None;
    }
    let id = scopes.unchecked_ref::<Array>().iter().find_map(|scope| {
        let scope = scope.as_string()?;
        Some(JsValue::from_str(waitpoint_of(&scope)?))
    });
    let described: JsValue = Object::new().into();
    for (name, value) in [
        ("id", id.as_ref().unwrap_or(&JsValue::UNDEFINED)),
        ("environment", &environment),
        ("scopes", &scopes),
        ("expiresAt", &expires_at),
        ("subject", &subject),
    ] {
        set(&described, name, value);
    }
    Some(described)
}

/// The id in a scope such as `read:waitpoints:<id>`.
#[cfg(feature = "browser")]
fn waitpoint_of(scope: &str) -> Option<&str> {
    let at = scope.bytes().position(|byte| byte == b':')?;
    let id = scope.get(at..)?.strip_prefix(":waitpoints:")?;
    (!id.is_empty()).then_some(id)
}
