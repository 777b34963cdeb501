//! Invariant: a `respond` that parses can be sent, and no browser runs anything of it.
//!
//! The field `callback` of create: which callbacks decide, how they are signed, and what a machine
//! hears.

use super::accept::Accept;
use super::fields::{Fields, invalid};
use super::verify::Verify;
use crate::domain::api::error::ApiError;
use crate::domain::api::excerpt::excerpt;
use serde::de::IgnoredAny;

/// Longest body of a response, in characters.
pub const MAX_RESPONSE: usize = 4_000;
/// Longest content type, in bytes.
pub const MAX_CONTENT_TYPE: usize = 100;

const CALLBACK: &str = "callback";
const RESPOND: &str = "callback.respond";
const STATUS: &str = "callback.respond.status";
const CONTENT_TYPE: &str = "callback.respond.contentType";
const BODY: &str = "callback.respond.body";
const EXAMPLE: &str = r#"{"accept": {"pointer": "/status", "in": ["succeeded"]}}"#;
const RESPOND_EXAMPLE: &str =
    r#"{"status": 200, "contentType": "text/xml", "body": "<Response/>"}"#;

/// Media types that a browser shows as they are. What ends in `+json` is JSON and may be sent too.
const MEDIA_TYPES: [&str; 7] = [
    "application/json",
    "application/octet-stream",
    "application/soap+xml",
    "application/x-www-form-urlencoded",
    "application/xml",
    "text/plain",
    "text/xml",
];

/// The field `callback` of create.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallbackConfig {
    /// Which bodies complete the token. Without it all do.
    pub accept: Option<Accept>,
    /// Which signature a callback must have.
    pub verify: Option<Verify>,
    /// What a machine hears on success.
    pub respond: Option<Respond>,
}

/// What a machine hears on success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Respond {
    /// 200 to 299
    pub status: u16,
    /// `None` if the body is empty and no type was given.
    pub content_type: Option<String>,
    pub body: String,
}

impl CallbackConfig {
    /// Reads the JSON text of the field `callback`.
    ///
    /// # Errors
    /// `ValidationError` with the field and the value.
    pub fn parse(json: &str) -> Result<Self, ApiError> {
        let fields = Fields::parse(json, CALLBACK, EXAMPLE, &["accept", "verify", "respond"])?;
        Ok(Self {
            accept: fields.get("accept").map(Accept::parse).transpose()?,
            verify: fields.get("verify").map(Verify::parse).transpose()?,
            respond: fields.get("respond").map(Respond::parse).transpose()?,
        })
    }
}

/// The JSON text of `callback.verify`, of the text of a `callback` that was checked.
#[must_use]
pub fn verify_json(callback: &str) -> Option<&str> {
    #[derive(serde::Deserialize)]
    struct Only<'a> {
        #[serde(borrow)]
        verify: Option<&'a serde_json::value::RawValue>,
    }
    let only: Only<'_> = crate::domain::json::object(callback.as_bytes())?;
    only.verify.map(serde_json::value::RawValue::get)
}

impl Respond {
    /// Reads the JSON text of `callback.respond`.
    ///
    /// # Errors
    /// `ValidationError` with the field and the value.
    pub fn parse(json: &str) -> Result<Self, ApiError> {
        let known = ["status", "contentType", "body"];
        let fields = Fields::parse(json, RESPOND, RESPOND_EXAMPLE, &known)?;
        let status = fields.get("status").map_or(Ok(200), parse_status)?;
        let like = format!("a text of at most {MAX_RESPONSE} characters");
        let body = fields.string("body", BODY, &like)?.unwrap_or_default();
        let length = body.chars().count();
        if length > MAX_RESPONSE {
            let message = format!("a body of {length} characters is too long. Use {like}.");
            return Err(invalid(BODY, message));
        }
        if matches!(status, 204 | 205) && !body.is_empty() {
            let message =
                format!("a response with status {status} has no body. Use 200, or no body.");
            return Err(invalid(BODY, message));
        }
        let like = "a media type such as \"text/xml\"";
        let given = fields.string("contentType", CONTENT_TYPE, like)?;
        let content_type = match given {
            Some(given) => Some(parse_content_type(given)?),
            None if body.is_empty() => None,
            None if serde_json::from_str::<IgnoredAny>(&body).is_ok() => {
                Some("application/json".to_owned())
            }
            None => Some("text/plain; charset=utf-8".to_owned()),
        };
        Ok(Self {
            status,
            content_type,
            body,
        })
    }
}

fn parse_status(json: &str) -> Result<u16, ApiError> {
    // Some languages write an integer with decimals.
    let whole = json.trim_end_matches('0').strip_suffix('.').unwrap_or(json);
    let status = whole.parse().ok();
    status
        .filter(|status| (200..=299).contains(status))
        .ok_or_else(|| {
            let text = excerpt(json);
            let message =
                format!("{text} is not a status of success. Use a number from 200 to 299.");
            invalid(STATUS, message)
        })
}

/// Checks a content type: one of [`MEDIA_TYPES`], perhaps with the charset that is sent.
fn parse_content_type(given: String) -> Result<String, ApiError> {
    let shown = excerpt(&given);
    let mut parts = given.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or("").to_ascii_lowercase();
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-.+_".contains(&b);
    let is_json = media_type
        .strip_prefix("application/")
        .and_then(|rest| rest.strip_suffix("+json"))
        .is_some_and(|name| !name.is_empty() && name.bytes().all(fits));
    let is_known = is_json || MEDIA_TYPES.contains(&media_type.as_str());
    // Trimming above passes over line breaks, which would end the header.
    let is_printable = given.bytes().all(|b| (b' '..=b'~').contains(&b));
    if given.len() > MAX_CONTENT_TYPE || !is_printable || !is_known {
        let known = MEDIA_TYPES.join(", ");
        let message = format!(
            "{shown} is not a media type that can be sent. Use {known}, or application/…+json."
        );
        return Err(invalid(CONTENT_TYPE, message));
    }
    let is_utf_8 = |parameter: &str| {
        let parameter = parameter.to_ascii_lowercase();
        parameter == "charset=utf-8" || parameter == "charset=\"utf-8\""
    };
    if !parts.all(is_utf_8) {
        let message = format!(
            "{shown} has a parameter other than charset=utf-8, which is what is sent. Leave it out."
        );
        return Err(invalid(CONTENT_TYPE, message));
    }
    Ok(given)
}
