//! Parses the arguments of a call: the token and the options.

use super::js::{concat, configured_settings, get, get_some, invalid_argument, show};
#[cfg(feature = "browser")]
use super::reference::Action;
use super::reference::{CallInput, ReferenceError, Target, is_base_url};
use super::retry::Retry;
use alloc::string::String;
use js_sys::Object;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Url};

/// The validated options of a call.
pub(crate) struct Options {
    access_token: String,
    base_url: String,
    pub(crate) signal: Option<AbortSignal>,
    /// The timeout of each attempt, in milliseconds.
    pub(crate) timeout: f64,
    pub(crate) retry: Retry,
    pub(crate) keepalive: bool,
}

pub(crate) const OPTIONS: [&str; 6] = [
    "accessToken",
    "baseURL",
    "signal",
    "timeoutInMs",
    "retry",
    "keepalive",
];
const RETRY: [&str; 4] = ["maxAttempts", "minTimeoutInMs", "maxTimeoutInMs", "factor"];

impl Options {
    pub(crate) fn read(options: &JsValue) -> Result<Self, JsValue> {
        Self::read_among(options, &OPTIONS)
    }

    /// Reads the options of a call that has others besides; `names` are all of them.
    pub(crate) fn read_among(options: &JsValue, names: &[&str]) -> Result<Self, JsValue> {
        reject_unknown_fields("options", options, names)?;
        let retry = get(options, "retry");
        let is_off = retry.as_bool() == Some(false);
        if !is_off {
            reject_unknown_fields("retry", &retry, &RETRY)?;
        }
        let signal = get_some(options, "signal");
        if let Some(signal) = &signal
            && !get(signal, "addEventListener").is_function()
        {
            return Err(wrong("signal", signal, "an AbortSignal"));
        }
        let base_url = text_field(options, "baseURL")?;
        check_base_url(&base_url)?;
        let max_attempts = number(&retry, "maxAttempts", 5.0)?;
        Ok(Self {
            access_token: text_field(options, "accessToken")?,
            base_url,
            signal: signal.map(JsCast::unchecked_into),
            timeout: number(options, "timeoutInMs", 15_000.0)?,
            retry: Retry {
                max_attempts: if is_off { 1 } else { max_attempts as u32 },
                min: number(&retry, "minTimeoutInMs", 500.0)?,
                max: number(&retry, "maxTimeoutInMs", 8_000.0)?,
                factor: number(&retry, "factor", 2.0)?,
            },
            keepalive: get(options, "keepalive") != false,
        })
    }
}

/// The error for an invalid argument. It quotes the value, so it must not be used for a possible
/// credential.
pub(crate) fn wrong(name: &str, value: &JsValue, expected: &str) -> JsValue {
    invalid_argument(&["`", name, "` is ", &show(value), ". Use ", expected, "."])
}

fn number(object: &JsValue, name: &str, default: f64) -> Result<f64, JsValue> {
    let Some(value) = get_some(object, name) else {
        return Ok(default);
    };
    match value.as_f64() {
        Some(number) if (1.0..2_147_483_648.0).contains(&number) => Ok(number),
        _ => Err(wrong(name, &value, "a number from 1 to 2147483647")),
    }
}

/// Rejects misspelt fields, which would otherwise be ignored.
pub(crate) fn reject_unknown_fields(
    what: &str,
    value: &JsValue,
    names: &[&str],
) -> Result<(), JsValue> {
    if value.is_undefined() || value.is_null() {
        return Ok(());
    }
    if !value.is_object() && !value.is_function() {
        return Err(wrong(what, value, "an object"));
    }
    for name in Object::keys(value.unchecked_ref::<Object>()).iter() {
        let name = name.as_string().unwrap_or_default();
        if !names.contains(&name.as_str()) {
            let mut message = concat(&["`", what, "` has no field `", &name, "`. It has"]);
            for name in names {
                message += " ";
                message += name;
            }
            return Err(invalid_argument(&[&message, "."]));
        }
    }
    Ok(())
}

/// A field that is a string; empty if it is absent.
pub(crate) fn text_field(object: &JsValue, name: &str) -> Result<String, JsValue> {
    get_some(object, name).map_or_else(|| Ok(String::new()), |value| text(name, &value))
}

pub(crate) fn text(name: &str, value: &JsValue) -> Result<String, JsValue> {
    value
        .as_string()
        .ok_or_else(|| wrong(name, value, "a text"))
}

/// Checks a base URL. An empty one is absent.
pub(crate) fn check_base_url(text: &str) -> Result<(), JsValue> {
    if text.is_empty() || (is_base_url(text) && Url::new(text).is_ok()) {
        return Ok(());
    }
    let expected = "an http(s) URL of an origin and perhaps a path, such as `https://example.com`";
    Err(wrong("baseURL", &text.into(), expected))
}

/// The string that names a token: the first of these fields that exists, or the value itself.
pub(crate) fn token_text(token: &JsValue, fields: &[&str]) -> Result<String, JsValue> {
    let named = fields.iter().find_map(|name| get_some(token, name));
    let value = named.as_ref().unwrap_or(token);
    let expected = "a waitpoint token's id, its url, or what createToken returned";
    value
        .as_string()
        .ok_or_else(|| wrong("token", value, expected))
}

/// The destination of a request.
pub(crate) struct Address {
    pub(crate) url: String,
    /// The bearer token; empty if the URL itself is the credential.
    pub(crate) bearer: String,
}

impl Address {
    /// The address for an action on a token.
    #[cfg(feature = "browser")]
    pub(crate) fn of_token(
        action: Action,
        token: &JsValue,
        options: &Options,
    ) -> Result<Self, JsValue> {
        let text = token_text(token, &["url", "id", "href"])?;
        let own = if options.access_token.is_empty() {
            text_field(token, "publicAccessToken")?
        } else {
            String::new()
        };
        Self::find(&text, &own, options, |input| Target::of(action, input))
    }

    /// The address for an action that only the token's owner may take.
    #[cfg(feature = "server")]
    pub(crate) fn of_owned_token(
        action: &str,
        token: &JsValue,
        options: &Options,
    ) -> Result<Self, JsValue> {
        let text = token_text(token, &["url", "id", "href"])?;
        Self::find(&text, "", options, |input| Target::owned(action, input))
    }

    /// The address of all tokens, to create and to list.
    #[cfg(feature = "server")]
    pub(crate) fn of_tokens(options: &Options) -> Result<Self, JsValue> {
        Self::find("", "", options, |input| Target::tokens(input))
    }

    fn find(
        token: &str,
        own_token: &str,
        options: &Options,
        target: impl for<'a> FnOnce(CallInput<'a>) -> Result<Target<'a>, ReferenceError>,
    ) -> Result<Self, JsValue> {
        let settings = configured_settings();
        let input = CallInput {
            token,
            access_token: if options.access_token.is_empty() {
                own_token
            } else {
                &options.access_token
            },
            base_url: &options.base_url,
            configured_access_token: &text_field(&settings, "accessToken")?,
            configured_base_url: &text_field(&settings, "baseURL")?,
        };
        match target(input) {
            Ok(Target { url, bearer }) => Ok(Self {
                url,
                bearer: String::from(bearer),
            }),
            #[cfg(feature = "server")]
            Err(ReferenceError::NoCredential) => Err(invalid_argument(&[
                "There is no secret key. Use `accessToken`, in this call or by `configure`.",
            ])),
            Err(why) => Err(invalid_argument(&[why.sentence()])),
        }
    }
}
