//! Validates responses and converts them into tokens and claims.

use super::js::{get, get_some, invalid_response, parse_json, set, undecided};
use super::reference::{is_url, split_once};
use js_sys::{Array, Date, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
#[cfg(feature = "browser")]
use {
    alloc::string::String,
    js_sys::{JsString, decode_uri_component},
};

/// The fields that must be strings if they exist, in a token and in the entries of its lists; from
/// [`TIMES_FROM`] on they are times. Other fields are passed on unchanged.
const TEXTS: [&str; 17] = [
    "output",
    "outputType",
    "completedBy",
    "completedBySubject",
    "idempotencyKey",
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
const TIMES_FROM: usize = 5;

/// Converts a token for callers: times become dates, and the output is parsed.
///
/// # Errors
/// `invalid_response` with the field that is invalid.
pub(crate) fn parse_token(token: JsValue) -> Result<JsValue, JsValue> {
    let url = get(&token, "url").as_string().unwrap_or_default();
    let missing = if !get(&token, "id").is_string() {
        "id"
    } else if !is_url(&url) {
        "url"
    } else if status(&token).is_none() {
        "status"
    } else if !is_list_of_texts(&get(&token, "tags")) {
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
    for name in ["votes", "history", "deliveries"] {
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
    for (index, name) in TEXTS.iter().enumerate() {
        let Some(value) = get_some(object, name) else {
            continue;
        };
        let mut is_valid = value.is_string();
        if is_valid && index >= TIMES_FROM {
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

/// Takes a field out of a token.
fn take(token: &JsValue, name: &str) -> JsValue {
    let value = get(token, name);
    let _ = Reflect::delete_property(token.unchecked_ref::<Object>(), &name.into());
    value
}

fn read_output(token: &JsValue) -> Result<(), JsValue> {
    let output = take(token, "output");
    let kind = take(token, "outputType");
    let is_error = take(token, "outputIsError");
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
    if split_once(&kind, "json").is_some() {
        value = parse_json(&value);
    }
    // trigger.dev uses SuperJSON. Its metadata is dropped.
    if split_once(&kind, "super").is_some() {
        value = get(&value, "json");
    }
    if value.is_undefined() {
        return Err(invalid_response("output"));
    }
    set(token, "output", &value);
    Ok(())
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

/// The text that UTF-8 encodes, by JavaScript: the code of `core::str::from_utf8` is large.
#[cfg(feature = "browser")]
fn utf8_text(bytes: &[u8]) -> Option<JsString> {
    let mut encoded = String::new();
    for byte in bytes {
        encoded.push('%');
        for digit in [byte >> 4, byte & 15] {
            let zero = if digit < 10 { b'0' } else { b'a' - 10 };
            encoded.push(char::from(zero + digit));
        }
    }
    decode_uri_component(&encoded).ok()
}

/// Converts the claims of a JWT for callers; `None` if it is not a public access token.
#[cfg(feature = "browser")]
pub(crate) fn describe_claims(claims: &[u8]) -> Option<JsValue> {
    let text = utf8_text(claims)?;
    let claims = parse_json(&text);
    let expires = get(&claims, "exp").as_f64()?;
    let expires_at = Date::new(&(expires * 1_000.0).into());
    let environment = get(&claims, "sub");
    let scopes = get(&claims, "scopes");
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
    set(&described, "id", &id.unwrap_or_default());
    set(&described, "environment", &environment);
    set(&described, "scopes", &scopes);
    set(&described, "expiresAt", &expires_at);
    set(&described, "subject", &subject);
    Some(described)
}

/// The id in a scope such as `read:waitpoints:<id>`.
#[cfg(feature = "browser")]
fn waitpoint_of(scope: &str) -> Option<&str> {
    let (action, id) = split_once(scope, ":waitpoints:")?;
    (split_once(action, ":").is_none() && !id.is_empty()).then_some(id)
}
