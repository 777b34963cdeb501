//! What a caller gets: tokens and claims, made of answers that are checked.

use super::js::{get, invalid_response, parse_json, set, timed_out};
use js_sys::{Date, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// A token as people want it: dates are dates, the output is what it was completed with.
///
/// # Errors
/// `invalid_response`, naming the first field that is not what it must be.
pub(crate) fn parse_token(token: JsValue) -> Result<JsValue, JsValue> {
    for name in ["id", "status"] {
        if !get(&token, name).is_string() {
            return Err(invalid_response(name));
        }
    }
    if status(&token).is_none() {
        return Err(invalid_response("status"));
    }
    for key in Object::keys(token.unchecked_ref::<Object>()).iter() {
        let name = key.as_string().unwrap_or_default();
        let value = get(&token, &name);
        let is_valid = match name.as_str() {
            "url" | "outputType" | "idempotencyKey" | "completedBy" | "completedBySubject" => {
                value.is_string() || value.is_null()
            }
            "tags" => js_sys::Array::is_array(&value),
            name if name.ends_with("At") || name.ends_with("After") => {
                value.is_null() || into_date(&token, name, &value)
            }
            _ => true,
        };
        if !is_valid {
            return Err(invalid_response(&name));
        }
    }
    read_output(&token)?;
    Ok(token)
}

/// Replaces a field's text by its date; false if it says none.
fn into_date(token: &JsValue, name: &str, value: &JsValue) -> bool {
    // Anything else could throw.
    if !value.is_string() {
        return false;
    }
    let date = Date::new(value);
    set(token, name, &date);
    !date.get_time().is_nan()
}

fn read_output(token: &JsValue) -> Result<(), JsValue> {
    let [output, kind, is_error] = ["output", "outputType", "outputIsError"].map(|name| {
        let value = get(token, name);
        let _ = Reflect::delete_property(token.unchecked_ref::<Object>(), &name.into());
        value
    });
    if output.is_undefined() && !is_error.is_truthy() {
        return Ok(());
    }
    let kind = kind.as_string().unwrap_or_default();
    if is_error.is_truthy() {
        let message = get(&parse_json(&output), "message").as_string();
        let message = message.as_deref().unwrap_or("The token timed out.");
        set(token, "error", &timed_out(message));
        return Ok(());
    }
    let mut value = output;
    if contains(&kind, "json") {
        if !value.is_string() {
            return Err(invalid_response("output"));
        }
        value = parse_json(&value);
    }
    // trigger.dev's SuperJSON: what it adds to JSON is left out.
    if contains(&kind, "super") {
        value = get(&value, "json");
    }
    set(token, "output", &value);
    Ok(())
}

fn contains(text: &str, part: &str) -> bool {
    let mut windows = text.as_bytes().windows(part.len());
    windows.any(|window| window == part.as_bytes())
}

/// The status of a token, if it is one that there is; and whether it is final.
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

/// What the claims of a JWT say, for people; `None` if they are not a public access token's.
#[cfg(feature = "browser")]
pub(crate) fn describe_claims(claims: &[u8]) -> Option<JsValue> {
    let claims = parse_json(&core::str::from_utf8(claims).ok()?.into());
    let expires = get(&claims, "exp").as_f64().filter(|&exp| exp > 0.0)?;
    let scopes = get(&claims, "scopes").dyn_into::<js_sys::Array>().ok()?;
    let id = scopes.iter().find_map(|scope| {
        let scope = scope.as_string()?;
        Some(JsValue::from_str(waitpoint_of(&scope)?))
    });
    let described: JsValue = Object::new().into();
    set(&described, "id", &id.unwrap_or_default());
    set(&described, "environment", &get(&claims, "sub"));
    set(&described, "scopes", &scopes);
    set(
        &described,
        "expiresAt",
        &Date::new(&(expires * 1_000.0).into()),
    );
    set(&described, "subject", &get(&get(&claims, "act"), "sub"));
    Some(described)
}

/// The id in a scope such as `read:waitpoints:<id>`.
#[cfg(feature = "browser")]
fn waitpoint_of(scope: &str) -> Option<&str> {
    let at = scope.bytes().position(|byte| byte == b':')?;
    let id = scope.get(at..)?.strip_prefix(":waitpoints:")?;
    (!id.is_empty()).then_some(id)
}
