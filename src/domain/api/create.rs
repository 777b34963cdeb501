//! Invariants:
//! - A field that cannot be read is an error that names the field; it is never ignored.
//! - An empty idempotency key counts as no key.
//!
//! Create: the bodies of the request and the response. Source of the format: trigger.dev's `api.ts`.

use super::approver_link::ApproverLink;
use super::body::{object, string, unknown_key};
use super::error::ApiError;
use super::excerpt::excerpt;
use super::limits::{MAX_CREATE, MAX_KEY, MAX_TAG, MAX_TAGS};
use crate::domain::approval::schema::Approval;
use crate::domain::json;
use crate::domain::time::duration::{DURATION_FORMS, parse_duration};
use crate::domain::time::timeout::{TimeoutError, future, parse_timeout};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::{DefaultDecision, Key, Output, OutputKind};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

#[derive(Debug, PartialEq, Eq)]
pub struct CreateRequest {
    pub timeout_at: Option<Timestamp>,
    pub tags: Vec<String>,
    /// The idempotency key, and when it expires.
    pub key: Option<Key>,
    /// The question on the approval page: JSON text that [`Approval::parse`] accepts.
    pub approval: Option<String>,
    /// The URL of the token's own webhook. The caller must check whether webhooks may be sent there.
    pub webhook: Option<String>,
    /// The text of the field `callback`. The caller must check it; the npm package leaves that to the
    /// server.
    pub callback: Option<String>,
    /// The decision that is taken at the timeout.
    pub on_timeout: Option<DefaultDecision>,
    /// The texts of the fields `notify` and `reminders`. The caller must check them, as `callback`.
    pub notify: Option<String>,
    pub reminders: Option<String>,
}

/// The keys that the body of create may have.
pub const CREATE_KEYS: [&str; 10] = [
    "timeout",
    "tags",
    "idempotencyKey",
    "idempotencyKeyTTL",
    "approval",
    "webhook",
    "callback",
    "onTimeout",
    "notify",
    "reminders",
];

impl CreateRequest {
    /// Reads the body of create, which may be longer than [`MAX_CREATE`] only if it has an `approval`.
    ///
    /// # Errors
    /// `BodyTooLarge`, and as [`CreateRequest::parse`].
    pub fn parse_bounded(body: &[u8], now: Timestamp) -> Result<Self, ApiError> {
        let size = body.len();
        if size <= MAX_CREATE {
            return Self::parse(body, now);
        }
        let too_large = ApiError::BodyTooLarge {
            limit: MAX_CREATE,
            size,
        };
        // What is no object has no approval.
        if json::object_text(body).is_none() {
            return Err(too_large);
        }
        match Self::parse(body, now)? {
            request if request.approval.is_none() => Err(too_large),
            request => Ok(request),
        }
    }

    /// Reads the body of create.
    ///
    /// # Errors
    /// `BodyEmpty`, `InvalidJson`, `ValidationError` with the field's name, `TooManyTags`.
    pub fn parse(body: &[u8], now: Timestamp) -> Result<Self, ApiError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Fields<'a> {
            #[serde(borrow)]
            timeout: Option<&'a RawValue>,
            #[serde(borrow)]
            tags: Option<&'a RawValue>,
            #[serde(borrow, default, deserialize_with = "present")]
            idempotency_key: Option<&'a RawValue>,
            #[serde(borrow, rename = "idempotencyKeyTTL")]
            key_ttl: Option<&'a RawValue>,
            #[serde(borrow)]
            approval: Option<&'a RawValue>,
            #[serde(borrow)]
            webhook: Option<&'a RawValue>,
            #[serde(borrow)]
            callback: Option<&'a RawValue>,
            #[serde(borrow)]
            on_timeout: Option<&'a RawValue>,
            #[serde(borrow)]
            notify: Option<&'a RawValue>,
            #[serde(borrow)]
            reminders: Option<&'a RawValue>,
        }
        let fields: Fields<'_> = object(body)?;
        let key = fields.idempotency_key.map(key).transpose()?;
        // This is checked without a key as well, because it is a mistake in both cases.
        let expires_at = fields.key_ttl.map(|raw| ttl(raw, now)).transpose()?;
        if let Some(raw) = fields.approval {
            Approval::parse(raw.get())?;
        }
        let timeout_at = fields
            .timeout
            .map(|raw| timeout(raw.get(), now))
            .transpose()?;
        let text = |raw: Option<&RawValue>| raw.map(|raw| raw.get().to_owned());
        Ok(Self {
            approval: fields.approval.map(|raw| raw.get().to_owned()),
            on_timeout: fields
                .on_timeout
                .map(|raw| read_default(raw, timeout_at))
                .transpose()?,
            notify: text(fields.notify),
            reminders: text(fields.reminders),
            timeout_at,
            tags: fields.tags.map(read_tags).transpose()?.unwrap_or_default(),
            key: key
                .filter(|text| !text.is_empty())
                .map(|text| Key { text, expires_at }),
            webhook: fields
                .webhook
                .map(|raw| parse_webhook(raw.get()))
                .transpose()?,
            callback: fields.callback.map(read_callback).transpose()?,
        })
    }
}

fn key(raw: &RawValue) -> Result<String, ApiError> {
    let key = string(raw, "idempotencyKey")?;
    if key.encode_utf16().count() > MAX_KEY {
        return Err(ApiError::ValidationError {
            path: "idempotencyKey",
            message: format!("idempotencyKey is too long. Use at most {MAX_KEY} characters."),
        });
    }
    Ok(key)
}

fn ttl(raw: &RawValue, now: Timestamp) -> Result<Timestamp, ApiError> {
    let text = string(raw, "idempotencyKeyTTL")?;
    let life = parse_duration(&text).ok_or_else(|| ApiError::ValidationError {
        path: "idempotencyKeyTTL",
        message: format!(
            "{} is not a valid duration. Use one such as {DURATION_FORMS}.",
            excerpt(&text)
        ),
    })?;
    Ok(now.plus(life))
}

/// Reads the field `webhook` of create: its URL.
///
/// # Errors
/// `ValidationError`.
pub fn parse_webhook(text: &str) -> Result<String, ApiError> {
    #[derive(Deserialize)]
    struct Webhook {
        url: String,
    }
    json::object(text.as_bytes())
        .map(|webhook: Webhook| webhook.url)
        .ok_or_else(|| ApiError::ValidationError {
            path: "webhook",
            message: format!(
                "{} is not a valid webhook. Use {{\"url\": \"https://…\"}}.",
                excerpt(text)
            ),
        })
}

/// The text of the field `callback`. What is in the object is checked where it is used
/// (`callback/config.rs`), so that the npm package does not include it.
fn read_callback(raw: &RawValue) -> Result<String, ApiError> {
    if json::is_object(raw.get()) {
        return Ok(raw.get().to_owned());
    }
    let given = excerpt(raw.get());
    let message = format!("{given} is not an object. Use one with accept, verify or respond.");
    Err(ApiError::ValidationError {
        path: "callback",
        message,
    })
}

/// Reads the field `onTimeout`: the decision that is taken at the timeout.
fn read_default(
    raw: &RawValue,
    timeout_at: Option<Timestamp>,
) -> Result<DefaultDecision, ApiError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Fields<'a> {
        #[serde(borrow, default, deserialize_with = "present")]
        data: Option<&'a RawValue>,
    }
    let invalid = |message| ApiError::ValidationError {
        path: "onTimeout",
        message,
    };
    let fields = json::object::<Fields<'_>>(raw.get().as_bytes()).ok_or_else(|| {
        let given = excerpt(raw.get());
        invalid(format!(
            "{given} is not a default decision. Use {{\"data\": …}} with any JSON."
        ))
    })?;
    if timeout_at.is_none() {
        let message = "onTimeout needs a timeout, at which it decides. Add timeout.";
        return Err(invalid(message.to_owned()));
    }
    Ok(DefaultDecision {
        output: fields.data.map(|data| Output {
            kind: OutputKind::Json,
            text: data.get().to_owned(),
        }),
    })
}

/// A field that is present, even if it is `null`. A key that is `null` by mistake must be an error,
/// or the create would not be idempotent.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

/// Reads a timeout: a JSON string or a number.
pub(super) fn timeout(raw: &str, now: Timestamp) -> Result<Timestamp, ApiError> {
    if let Ok(text) = serde_json::from_str::<String>(raw) {
        return parse_timeout(&text, now).map_err(|why| ApiError::timeout(&text, why));
    }
    // A number is milliseconds since the epoch, as in JavaScript's `Date`. Some languages serialize
    // it with decimals.
    let whole = raw.trim_end_matches('0').strip_suffix('.').unwrap_or(raw);
    let at = match whole.parse::<u64>() {
        Ok(millis) if millis > Timestamp::MAX.as_millis() => Err(TimeoutError::TooFar),
        Ok(millis) => future(Timestamp::from_millis(millis), now),
        Err(_) => Err(TimeoutError::Unreadable),
    };
    at.map_err(|why| ApiError::timeout(raw, why))
}

/// Reads the field `tags` of create.
///
/// # Errors
/// `ValidationError`, `TooManyTags`.
pub fn read_tags(raw: &RawValue) -> Result<Vec<String>, ApiError> {
    let tags = match serde_json::from_str::<String>(raw.get()) {
        Ok(one) => vec![one],
        Err(_) => serde_json::from_str::<Vec<String>>(raw.get()).map_err(|_| {
            let message = format!(
                "{} is not a tag or a list of tags. Use a string or an array of strings.",
                excerpt(raw.get())
            );
            ApiError::ValidationError {
                path: "tags",
                message,
            }
        })?,
    };
    if tags.iter().any(|tag| tag.encode_utf16().count() > MAX_TAG) {
        let message = "Tags must be less than 128 characters".to_owned();
        return Err(ApiError::ValidationError {
            path: "tags",
            message,
        });
    }
    if tags.len() > MAX_TAGS {
        return Err(ApiError::TooManyTags(tags.len()));
    }
    Ok(tags)
}

/// An unknown key in the body of create, which may be misspelt. This is not part of
/// [`CreateRequest::parse`], so that the npm package does not include it.
#[must_use]
pub fn unknown_key_of_create(body: &[u8]) -> Option<String> {
    unknown_key(body, &CREATE_KEYS)
}

/// The response to create.
#[must_use]
pub fn created_json(
    id: &str,
    is_cached: bool,
    url: &str,
    short_url: &str,
    links: &[ApproverLink],
) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        id: &'a str,
        is_cached: bool,
        url: &'a str,
        short_url: &'a str,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        links: &'a [ApproverLink],
    }
    json::to_json(&Body {
        id,
        is_cached,
        url,
        short_url,
        links,
    })
}
