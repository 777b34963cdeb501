//! Request and response bodies, and their limits.
//!
//! Invariant: an output is the exact text that came in. It is checked to be JSON, never parsed
//! into values and written again, so numbers of any size, keys of any name and any depth survive.
//!
//! Source of the shapes: trigger.dev's `api.ts`; `null` in a response breaks its clients, so an
//! absent field is left out.

mod answers;

pub use self::answers::{
    Reader, claims_json, created_json, event, failed_attempt_json, list_json, status, token_json,
    version, webhook_json,
};

use crate::approval::Approval;
use crate::encoding::percent_decode;
use crate::error::{Refusal, excerpt};
use crate::time::{DURATION_FORMS, TimeoutError, Timestamp, future, parse_duration, parse_timeout};
use crate::token::{Key, Output, OutputKind};
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;
use std::io;

/// Largest body of create, in bytes.
pub const MAX_CREATE: usize = 10 * 1024;
/// Largest body of complete and of a callback, in bytes; also the largest output.
pub const MAX_COMPLETE: usize = 3 * 1024 * 1024;
/// Most fields of a form.
pub const MAX_FORM_FIELDS: usize = 1_000;
/// Most tags of a token.
pub const MAX_TAGS: usize = 10;
/// Longest tag, in UTF-16 units.
pub const MAX_TAG: usize = 128;
/// Longest idempotency key, in UTF-16 units.
pub const MAX_KEY: usize = 2_048;

/// The body of create.
#[derive(Debug, PartialEq, Eq)]
pub struct CreateRequest {
    /// When the token times out.
    pub timeout_at: Option<Timestamp>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The idempotency key, and until when it stands for the token. An empty key is none.
    pub key: Option<Key>,
    /// What its page asks: JSON text that [`Approval::parse`] reads.
    pub approval: Option<String>,
    /// Who is told how it ends. Whether webhooks may go there is not looked at here.
    pub webhook: Option<String>,
}

/// The keys that the body of create may have.
pub const CREATE_KEYS: [&str; 6] = [
    "timeout",
    "tags",
    "idempotencyKey",
    "idempotencyKeyTTL",
    "approval",
    "webhook",
];

impl CreateRequest {
    /// Reads the body of create.
    ///
    /// # Errors
    /// `BodyEmpty`, `InvalidJson`, `Invalid` with the field's name, `TooManyTags`.
    pub fn parse(body: &[u8], now: Timestamp) -> Result<Self, Refusal> {
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
        }
        let fields: Fields<'_> = object(body)?;
        let key = fields.idempotency_key.map(key).transpose()?;
        // Also without a key, as a mistake in it is one.
        let expires_at = fields.key_ttl.map(|raw| ttl(raw, now)).transpose()?;
        if let Some(raw) = fields.approval {
            Approval::parse(raw.get())?;
        }
        Ok(Self {
            approval: fields.approval.map(|raw| raw.get().to_owned()),
            timeout_at: fields
                .timeout
                .map(|raw| timeout(raw.get(), now))
                .transpose()?,
            tags: fields.tags.map(read_tags).transpose()?.unwrap_or_default(),
            key: key
                .filter(|text| !text.is_empty())
                .map(|text| Key { text, expires_at }),
            webhook: fields
                .webhook
                .map(|raw| parse_webhook(raw.get()))
                .transpose()?,
        })
    }
}

fn key(raw: &RawValue) -> Result<String, Refusal> {
    let key = string(raw, "idempotencyKey")?;
    if key.encode_utf16().count() > MAX_KEY {
        return Err(Refusal::Invalid {
            path: "idempotencyKey",
            message: format!("idempotencyKey must be {MAX_KEY} characters or less"),
        });
    }
    Ok(key)
}

fn ttl(raw: &RawValue, now: Timestamp) -> Result<Timestamp, Refusal> {
    let text = string(raw, "idempotencyKeyTTL")?;
    let life = parse_duration(&text).ok_or_else(|| Refusal::Invalid {
        path: "idempotencyKeyTTL",
        message: format!("{} is no duration such as {DURATION_FORMS}", excerpt(&text)),
    })?;
    Ok(now.plus(life))
}

/// Reads the field `webhook` of create: its URL.
///
/// # Errors
/// `Invalid`.
pub fn parse_webhook(json: &str) -> Result<String, Refusal> {
    #[derive(Deserialize)]
    struct Webhook {
        url: String,
    }
    let webhook: Option<Webhook> = json
        .starts_with('{')
        .then(|| serde_json::from_str(json).ok())
        .flatten();
    webhook
        .map(|webhook| webhook.url)
        .ok_or_else(|| Refusal::Invalid {
            path: "webhook",
            message: format!(
                "{} is no webhook; give {{\"url\": \"https://…\"}}",
                excerpt(json)
            ),
        })
}

/// What is there, `null` too: no key by mistake would be no idempotency.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

fn timeout(raw: &str, now: Timestamp) -> Result<Timestamp, Refusal> {
    if let Ok(text) = serde_json::from_str::<String>(raw) {
        return parse_timeout(&text, now).map_err(|why| Refusal::timeout(&text, why));
    }
    // A number is milliseconds since the epoch, as for JavaScript's Date; some languages write decimals.
    let whole = raw.trim_end_matches('0').strip_suffix('.').unwrap_or(raw);
    let at = match whole.parse::<u64>() {
        Ok(millis) if millis > Timestamp::MAX.as_millis() => Err(TimeoutError::TooFar),
        Ok(millis) => future(Timestamp::from_millis(millis), now),
        Err(_) => Err(TimeoutError::Unreadable),
    };
    at.map_err(|why| Refusal::timeout(raw, why))
}

/// Reads the field `tags` of create.
///
/// # Errors
/// `Invalid`, `TooManyTags`.
pub fn read_tags(raw: &RawValue) -> Result<Vec<String>, Refusal> {
    let tags = match serde_json::from_str::<String>(raw.get()) {
        Ok(one) => vec![one],
        Err(_) => serde_json::from_str::<Vec<String>>(raw.get()).map_err(|_| {
            let message = format!("{} is no tag or list of tags (strings)", excerpt(raw.get()));
            Refusal::Invalid {
                path: "tags",
                message,
            }
        })?,
    };
    if tags.iter().any(|tag| tag.encode_utf16().count() > MAX_TAG) {
        let message = "Tags must be less than 128 characters".to_owned();
        return Err(Refusal::Invalid {
            path: "tags",
            message,
        });
    }
    if tags.len() > MAX_TAGS {
        return Err(Refusal::TooManyTags(tags.len()));
    }
    Ok(tags)
}

fn string(raw: &RawValue, path: &'static str) -> Result<String, Refusal> {
    serde_json::from_str(raw.get()).map_err(|_| {
        let message = format!("{} is no string", excerpt(raw.get()));
        Refusal::Invalid { path, message }
    })
}

/// The body of complete.
#[derive(Debug, PartialEq, Eq)]
pub struct CompleteRequest {
    /// What `data` held.
    pub output: Option<Output>,
    /// A key of the body that means nothing, perhaps meant as `data`.
    pub unknown_key: Option<String>,
}

impl CompleteRequest {
    /// Reads the body of complete.
    ///
    /// # Errors
    /// `BodyEmpty`, `InvalidJson`, `Invalid`.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let CompleteFields { data, unknown_key } = object(body)?;
        let output = data.map(|raw| Output {
            kind: OutputKind::Json,
            text: raw.get().to_owned(),
        });
        Ok(Self {
            output,
            unknown_key,
        })
    }
}

struct CompleteFields<'a> {
    data: Option<&'a RawValue>,
    unknown_key: Option<String>,
}

impl<'de: 'a, 'a> Deserialize<'de> for CompleteFields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = CompleteFields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = CompleteFields {
                    data: None,
                    unknown_key: None,
                };
                while let Some(key) = map.next_key::<String>()? {
                    if key != "data" {
                        map.next_value::<IgnoredAny>()?;
                        fields.unknown_key.get_or_insert(key);
                    } else if fields.data.replace(map.next_value()?).is_some() {
                        // Which of two would the caller have meant?
                        return Err(A::Error::duplicate_field("data"));
                    }
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// A key of create's body that means nothing, perhaps another misspelt. Apart from
/// [`CreateRequest::parse`], as the package would pay for it too.
#[must_use]
pub fn unknown_key_of_create(body: &[u8]) -> Option<String> {
    struct Keys;
    impl<'de> Visitor<'de> for Keys {
        type Value = Option<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut unknown = None;
            while let Some(key) = map.next_key::<String>()? {
                map.next_value::<IgnoredAny>()?;
                if !CREATE_KEYS.contains(&key.as_str()) {
                    unknown.get_or_insert(key);
                }
            }
            Ok(unknown)
        }
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    reader.deserialize_map(Keys).unwrap_or(None)
}

/// Reads a JSON object. What is wrong with it is found out only when it cannot be read, so that a
/// good body is passed over once.
fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    if body.is_empty() {
        return Err(Refusal::BodyEmpty);
    }
    let text = std::str::from_utf8(body).map_err(|_| Refusal::InvalidJson)?;
    if !text.trim_start().starts_with('{') {
        let raw: &RawValue = serde_json::from_str(text).map_err(|_| Refusal::InvalidJson)?;
        return Err(match raw.get() {
            // trigger.dev takes these for no JSON at all.
            "null" | "false" | "0" | "\"\"" => Refusal::InvalidJson,
            other => Refusal::Invalid {
                path: "",
                message: format!("Expected object, received {}", kind_of(other)),
            },
        });
    }
    serde_json::from_str(text).map_err(|why| {
        if why.is_data() {
            Refusal::Invalid {
                path: "",
                message: why.to_string(),
            }
        } else {
            Refusal::InvalidJson
        }
    })
}

fn kind_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        _ => "number",
    }
}

/// Reads the body of a machine's POST to `token.url` as an output: nothing is `{}`, JSON is kept
/// as it is whatever type it claims to have (as trigger.dev does), a form becomes an object of its
/// fields, other text stays text.
///
/// # Errors
/// `InvalidJson` for what is not UTF-8, `UnsupportedMediaType` for multipart forms,
/// `TooManyFields`, `BodyTooLarge` for a form that outgrows [`MAX_COMPLETE`] as JSON and for text that
/// outgrows twice that.
pub fn parse_callback(content_type: &str, body: &[u8]) -> Result<Output, Refusal> {
    let media_type = media_type(content_type);
    if media_type == "multipart/form-data" {
        return Err(Refusal::UnsupportedMediaType(media_type));
    }
    let json = |text: String| Output {
        kind: OutputKind::Json,
        text,
    };
    let text = std::str::from_utf8(body).map_err(|_| Refusal::InvalidJson)?;
    // A byte order mark is no part of what was meant.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Ok(json("{}".to_owned()));
    }
    // curl -d '{"a":1}' calls itself a form. No form can begin like this: its braces are escaped.
    let is_form = media_type == "application/x-www-form-urlencoded"
        && !text.trim_start().starts_with(['{', '[', '"']);
    if is_form {
        return form_to_json(text).map(json);
    }
    if let Ok(raw) = serde_json::from_str::<&RawValue>(text) {
        return Ok(json(raw.get().to_owned()));
    }
    // Answers hold an output as a JSON string. One of JSON is at most doubled by that.
    if quoted_len(text) > 2 * MAX_COMPLETE {
        return Err(Refusal::BodyTooLarge(MAX_COMPLETE));
    }
    Ok(Output {
        kind: OutputKind::Text,
        text: text.to_owned(),
    })
}

/// How long a text is as a JSON string, in bytes.
#[must_use]
pub fn quoted_len(text: &str) -> usize {
    let escaped = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 2,
        0..0x20 => 6,
        _ => 1,
    };
    2 + text.bytes().map(escaped).sum::<usize>()
}

/// The fields of a form, in order.
pub fn form_fields(form: &str) -> impl Iterator<Item = (String, String)> {
    form.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (form_decode(name), form_decode(value))
    })
}

/// Whether a body calls itself a form of names and values.
#[must_use]
pub fn is_form(content_type: &str) -> bool {
    media_type(content_type) == "application/x-www-form-urlencoded"
}

fn media_type(content_type: &str) -> String {
    let media_type = content_type.split(';').next().unwrap_or("");
    media_type.trim().to_ascii_lowercase()
}

/// A form as a JSON object in the order of first appearance; a name that repeats holds an array.
///
/// # Errors
/// `TooManyFields`, `BodyTooLarge` if the object is longer than [`MAX_COMPLETE`].
fn form_to_json(form: &str) -> Result<String, Refusal> {
    check_field_count(form)?;
    let mut fields: Vec<(String, Vec<String>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (name, value) in form_fields(form) {
        let place = *places.entry(name.clone()).or_insert(fields.len());
        match fields.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => fields.push((name, vec![value])),
        }
    }
    let mut json = BoundedText::new(MAX_COMPLETE);
    let opened = json.push("{");
    let written = fields.iter().enumerate().all(|(index, (name, values))| {
        (index == 0 || json.push(","))
            && json.push_json(name)
            && json.push(":")
            && match values.as_slice() {
                [one] => json.push_json(one),
                many => json.push_json(many),
            }
    });
    if opened && written && json.push("}") {
        Ok(json.text)
    } else {
        Err(Refusal::BodyTooLarge(MAX_COMPLETE))
    }
}

/// Refuses a form of more than [`MAX_FORM_FIELDS`].
///
/// # Errors
/// `TooManyFields`
pub fn check_field_count(form: &str) -> Result<(), Refusal> {
    let fields = form.split('&').filter(|pair| !pair.is_empty());
    if fields.take(MAX_FORM_FIELDS + 1).count() > MAX_FORM_FIELDS {
        return Err(Refusal::TooManyFields(MAX_FORM_FIELDS));
    }
    Ok(())
}

/// A text that stops growing at its limit: escaping can make six bytes of one.
struct BoundedText {
    text: String,
    limit: usize,
}

impl BoundedText {
    fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
        }
    }

    /// Appends a text; false if it does not fit.
    #[must_use]
    fn push(&mut self, text: &str) -> bool {
        let fits = self.text.len() + text.len() <= self.limit;
        if fits {
            self.text.push_str(text);
        }
        fits
    }

    /// Appends a value as JSON; false if it does not fit.
    #[must_use]
    fn push_json<T: Serialize + ?Sized>(&mut self, value: &T) -> bool {
        serde_json::to_writer(self, value).is_ok()
    }
}

impl io::Write for BoundedText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        if self.push(text) {
            Ok(bytes.len())
        } else {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Decodes a name or a value of `application/x-www-form-urlencoded`.
fn form_decode(text: &str) -> String {
    percent_decode(&text.replace('+', " "))
}

/// Text as JSON. Writing a string cannot fail.
fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
