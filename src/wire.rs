//! Request and response bodies, and their limits.
//!
//! Invariant: an output is the exact text that came in. It is checked to be JSON, never parsed
//! into values and written again, so numbers of any size, keys of any name and any depth survive.
//!
//! Source of the shapes: trigger.dev's `api.ts`; `null` in a response breaks its clients, so an
//! absent field is left out.

use crate::approval::Approval;
use crate::error::{Refusal, excerpt};
use crate::time::{TimeoutError, Timestamp, future, parse_timeout};
use crate::token::{CompletedBy, Output, OutputKind, State, Token};
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// Largest body of create, in bytes.
pub const MAX_CREATE: usize = 10 * 1024;
/// Largest body of complete and of a callback, in bytes; also the largest output.
pub const MAX_COMPLETE: usize = 3 * 1024 * 1024;
/// Most tags of a token.
pub const MAX_TAGS: usize = 10;
/// Longest tag, in UTF-16 units.
pub const MAX_TAG: usize = 128;

/// The body of create.
#[derive(Debug, PartialEq, Eq)]
pub struct CreateRequest {
    /// When the token times out.
    pub timeout_at: Option<Timestamp>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether an idempotency key was given.
    pub has_idempotency_key: bool,
    /// What its page asks: JSON text that [`Approval::parse`] reads.
    pub approval: Option<String>,
}

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
            #[serde(borrow)]
            approval: Option<&'a RawValue>,
        }
        let fields: Fields<'_> = object(body)?;
        let key = fields
            .idempotency_key
            .map(|raw| string(raw, "idempotencyKey"))
            .transpose()?;
        if key
            .as_ref()
            .is_some_and(|key| key.encode_utf16().count() > 2048)
        {
            let message = "idempotencyKey must be 2048 characters or less".to_owned();
            return Err(Refusal::Invalid {
                path: "idempotencyKey",
                message,
            });
        }
        if let Some(raw) = fields.approval {
            Approval::parse(raw.get())?;
        }
        Ok(Self {
            approval: fields.approval.map(|raw| raw.get().to_owned()),
            timeout_at: fields
                .timeout
                .map(|raw| timeout(raw.get(), now))
                .transpose()?,
            tags: fields.tags.map(tags).transpose()?.unwrap_or_default(),
            // An empty key is no key.
            has_idempotency_key: key.is_some_and(|key| !key.is_empty()),
        })
    }
}

/// What is there, `null` too: no key by mistake would be no idempotency.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

fn timeout(raw: &str, now: Timestamp) -> Result<Timestamp, Refusal> {
    if let Ok(text) = serde_json::from_str::<String>(raw) {
        return parse_timeout(&text, now).map_err(|why| Refusal::timeout(&text, why));
    }
    // A number is milliseconds since the epoch, as for JavaScript's Date.
    let at = match raw.parse::<u64>() {
        Ok(millis) if millis > Timestamp::MAX.as_millis() => Err(TimeoutError::TooFar),
        Ok(millis) => future(Timestamp::from_millis(millis), now),
        Err(_) => Err(TimeoutError::Unreadable),
    };
    at.map_err(|why| Refusal::timeout(raw, why))
}

fn tags(raw: &RawValue) -> Result<Vec<String>, Refusal> {
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
/// `BodyTooLarge` for a form that outgrows [`MAX_COMPLETE`] as JSON.
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
        let object = form_to_json(text);
        return if object.len() > MAX_COMPLETE {
            Err(Refusal::BodyTooLarge(MAX_COMPLETE))
        } else {
            Ok(json(object))
        };
    }
    Ok(match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => json(raw.get().to_owned()),
        Err(_) => Output {
            kind: OutputKind::Text,
            text: text.to_owned(),
        },
    })
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
fn form_to_json(form: &str) -> String {
    let mut fields: Vec<(String, Vec<String>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (name, value) in form_fields(form) {
        let place = *places.entry(name.clone()).or_insert(fields.len());
        match fields.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => fields.push((name, vec![value])),
        }
    }
    let mut json = String::from("{");
    for (name, values) in &fields {
        if json.len() > 1 {
            json.push(',');
        }
        json += &to_json(name);
        json.push(':');
        json += &match values.as_slice() {
            [one] => to_json(one),
            many => to_json(many),
        };
    }
    json.push('}');
    json
}

/// Percent-decoding of `application/x-www-form-urlencoded`; what is not UTF-8 becomes U+FFFD.
fn form_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let escaped = match (byte, tail) {
            (b'%', [high, low, after @ ..]) => hex_pair(*high, *low).map(|byte| (byte, after)),
            _ => None,
        };
        match escaped {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => bytes.push(if byte == b'+' { b' ' } else { byte }),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let digit = |byte| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// Text as JSON. Writing a string cannot fail.
fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The answer to create.
#[must_use]
pub fn created_json(id: &str, is_cached: bool, url: &str) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        id: &'a str,
        is_cached: bool,
        url: &'a str,
    }
    to_json(&Body { id, is_cached, url })
}

/// What `auth.createPublicToken` asks for before it signs a token itself.
#[must_use]
pub fn claims_json(environment: &str) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        sub: &'a str,
        #[serde(rename = "pub")]
        public: bool,
    }
    to_json(&Body {
        sub: environment,
        public: true,
    })
}

/// The answer to retrieve. `id` is the public one; `url` must grant no more than the caller has.
#[must_use]
pub fn token_json(id: &str, url: &str, token: &Token) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        id: &'a str,
        #[serde(rename = "type")]
        kind: &'static str,
        url: &'a str,
        status: &'static str,
        user_provided_idempotency_key: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        output: Option<&'a str>,
        output_type: &'static str,
        output_is_error: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        timeout_at: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        completed_after: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        completed_at: Option<&'a str>,
        created_at: &'a str,
        tags: &'a [String],
        #[serde(skip_serializing_if = "Option::is_none")]
        completed_by: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        completed_by_subject: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        approval: Option<&'a RawValue>,
    }
    let timeout_at = token.timeout_at.map(|at| at.to_string());
    let timed_out;
    let (output, by, subject) = match &token.state {
        State::Waiting => (None, None, None),
        State::Completed { decision, .. } => {
            let output = decision.output.as_ref().map(|o| (o.text.as_str(), o.kind));
            (output, Some(decision.by), decision.subject.as_deref())
        }
        State::TimedOut => {
            timed_out = timed_out_json(token.timeout_at);
            (Some((timed_out.as_str(), OutputKind::Json)), None, None)
        }
    };
    to_json(&Body {
        id,
        kind: "MANUAL",
        url,
        status: status(token),
        user_provided_idempotency_key: false,
        output: output.map(|(text, _)| text),
        output_type: output
            .map_or(OutputKind::Json, |(_, kind)| kind)
            .media_type(),
        output_is_error: token.state == State::TimedOut,
        timeout_at: timeout_at.as_deref(),
        completed_after: timeout_at.as_deref(),
        completed_at: token.finished_at().map(|at| at.to_string()).as_deref(),
        created_at: &token.created_at.to_string(),
        tags: &token.tags,
        completed_by: by.map(CompletedBy::as_str),
        completed_by_subject: subject,
        approval: token
            .approval
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok()),
    })
}

/// Where a token stands, as `status` names it.
#[must_use]
pub fn status(token: &Token) -> &'static str {
    match &token.state {
        State::Waiting => "WAITING",
        State::Completed { .. } => "COMPLETED",
        State::TimedOut => "TIMED_OUT",
    }
}

/// The output of a token that timed out; trigger.dev's clients read its `message`.
fn timed_out_json(at: Option<Timestamp>) -> String {
    let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
    format!(r#"{{"code":"TRIGGER_WAITPOINT_TIMEOUT","message":"Waitpoint timed out{at}"}}"#)
}

impl OutputKind {
    /// The media type, as `outputType` names it.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Text => "text/plain",
        }
    }
}

impl CompletedBy {
    /// As `completedBy` names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Callback => "callback",
            Self::Page => "page",
        }
    }
}

/// The answer to list. `url` says what a row's URL is; an item has no output.
#[must_use]
pub fn list_json(
    page: &crate::list::Page,
    now: Timestamp,
    url: impl Fn(&crate::list::Row) -> String,
) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        data: Vec<Item<'a>>,
        pagination: Pagination,
    }
    #[derive(Serialize)]
    struct Pagination {
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        previous: Option<String>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Item<'a> {
        id: String,
        url: String,
        status: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        completed_at: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        timeout_at: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        completed_after: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        idempotency_key: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        idempotency_key_expires_at: Option<String>,
        tags: Vec<&'a str>,
        created_at: String,
    }
    let iso = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let mut data = Vec::with_capacity(page.rows.len());
    for row in &page.rows {
        let mut tags = Vec::with_capacity(row.tags.len());
        for tag in &row.tags {
            crate::list::insert(&mut tags, tag.as_str());
        }
        data.push(Item {
            id: format!("waitpoint_{}", row.id),
            url: url(row),
            status: row.status(now).as_str(),
            completed_at: iso(row.finished_at(now)),
            timeout_at: iso(row.timeout_at),
            completed_after: iso(row.timeout_at),
            idempotency_key: row.idempotency_key.as_deref(),
            idempotency_key_expires_at: iso(row.key_expires_at),
            tags,
            created_at: row.created_at.to_string(),
        });
    }
    to_json(&Body {
        data,
        pagination: Pagination {
            next: page.next.as_ref().map(crate::list::Cursor::to_text),
            previous: page.previous.as_ref().map(crate::list::Cursor::to_text),
        },
    })
}
