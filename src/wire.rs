//! Request and response bodies, and their limits.
//!
//! Invariant: an output is the exact text that came in. It is checked to be JSON, never parsed
//! into values and written again, so numbers of any size, keys of any name and any depth survive.
//!
//! Source of the shapes: trigger.dev's `api.ts`; `null` in a response breaks its clients, so an
//! absent field is left out.

use crate::approval::Approval;
use crate::delivery::{Answer, Delivery, Note, Progress, Target};
use crate::error::{Refusal, excerpt};
use crate::time::{DURATION_FORMS, TimeoutError, Timestamp, future, parse_duration, parse_timeout};
use crate::token::{CompletedBy, Key, Output, OutputKind, State, Token};
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
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
            tags: fields.tags.map(tags).transpose()?.unwrap_or_default(),
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

/// Who reads a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The holder of a secret key.
    Owner,
    /// Whom the owner has told by a webhook: all but where else webhooks go.
    Receiver,
    /// Anybody else: neither that nor the idempotency key, which is a back end's own name for what it does.
    Guest,
}

/// The answer to retrieve. `id` is the public one; `url` must grant no more than the caller has.
#[must_use]
pub fn token_json(id: &str, url: &str, token: &Token, reader: Reader) -> String {
    to_json(&TokenBody::of(id, url, token, reader))
}

/// The body of a webhook: how the token ended. It is the same for each attempt.
#[must_use]
pub fn webhook_json(id: &str, url: &str, token: &Token) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "type")]
        kind: &'static str,
        timestamp: String,
        data: TokenBody<'a>,
    }
    to_json(&Body {
        kind: match token.state {
            State::TimedOut => "waitpoint.timed_out",
            State::Completed { .. } | State::Waiting => "waitpoint.completed",
        },
        timestamp: token.finished_at().unwrap_or(token.created_at).to_string(),
        data: TokenBody::of(id, url, token, Reader::Receiver),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenBody<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    url: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<&'a str>,
    user_provided_idempotency_key: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key_expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Cow<'a, str>>,
    output_type: &'static str,
    output_is_error: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<Timestamp>,
    created_at: Timestamp,
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_by_subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deliveries: Vec<DeliveryBody<'a>>,
}

impl<'a> TokenBody<'a> {
    fn of(id: &'a str, url: &'a str, token: &'a Token, reader: Reader) -> Self {
        let (output, by, subject) = match &token.state {
            State::Waiting => (None, None, None),
            State::Completed { decision, .. } => {
                let output = decision.output.as_ref();
                let output = output.map(|o| (Cow::Borrowed(o.text.as_str()), o.kind));
                (output, Some(decision.by), decision.subject.as_deref())
            }
            State::TimedOut => {
                let output = Cow::Owned(timed_out_json(token.timeout_at));
                (Some((output, OutputKind::Json)), None, None)
            }
        };
        let kind = output.as_ref().map_or(OutputKind::Json, |(_, kind)| *kind);
        let deliveries = token.deliveries.iter().filter(|_| reader == Reader::Owner);
        let key = token.key.as_ref().filter(|_| reader != Reader::Guest);
        Self {
            id,
            kind: "MANUAL",
            url,
            status: status(token),
            idempotency_key: key.map(|key| key.text.as_str()),
            user_provided_idempotency_key: token.key.is_some(),
            idempotency_key_expires_at: key.and_then(|key| key.expires_at),
            output: output.map(|(text, _)| text),
            output_type: kind.media_type(),
            output_is_error: token.state == State::TimedOut,
            timeout_at: token.timeout_at,
            completed_after: token.timeout_at,
            completed_at: token.finished_at(),
            created_at: token.created_at,
            tags: &token.tags,
            completed_by: by.map(CompletedBy::as_str),
            completed_by_subject: subject,
            approval: token
                .approval
                .as_deref()
                .and_then(|text| serde_json::from_str(text).ok()),
            deliveries: deliveries.map(|one| DeliveryBody::of(one, token)).collect(),
        }
    }
}

/// How far a webhook has come.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveryBody<'a> {
    target: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    status: &'static str,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_attempt_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<&'static str>,
}

impl<'a> DeliveryBody<'a> {
    fn of(delivery: &Delivery, token: &'a Token) -> Self {
        let (target, url) = match delivery.target {
            Target::Environment => ("environment", None),
            Target::Token => ("token", token.webhook.as_deref()),
            Target::Upstream => ("upstream", None),
        };
        let (last_status, last_error) = match delivery.last.map(|last| last.answer) {
            None => (None, None),
            Some(Answer::Status(status)) => (Some(status), None),
            Some(Answer::None) => (None, Some("not reached, or no answer within 10 seconds")),
            Some(Answer::Impossible) => (None, Some("its URL or its secret cannot be used")),
        };
        Self {
            target,
            url,
            status: match delivery.progress {
                Progress::Pending(_) => "pending",
                Progress::Delivered => "delivered",
                Progress::Failed => "failed",
            },
            attempts: delivery.attempts,
            next_attempt_at: delivery.due_at(),
            last_attempt_at: delivery.last.map(|last| last.at),
            last_status,
            last_error,
            difference: delivery.note.map(|note| match note {
                Note::TimedOutUpstream => "it had timed out upstream",
                Note::DecidedOtherwiseUpstream => {
                    "it had been completed upstream with another output"
                }
            }),
        }
    }
}

/// What the operator is told of the last attempt at a delivery, but for the URL, which may be a credential;
/// `None` if it was received.
#[must_use]
pub fn failed_attempt_json(id: &str, token: &Token, delivery: usize) -> Option<String> {
    #[derive(Serialize)]
    struct Line<'a> {
        event: &'static str,
        token: &'a str,
        delivery: DeliveryBody<'a>,
    }
    let delivery = token.deliveries.get(delivery)?;
    (delivery.progress != Progress::Delivered).then(|| {
        to_json(&Line {
            event: "not delivered",
            token: id,
            delivery: DeliveryBody {
                url: None,
                ..DeliveryBody::of(delivery, token)
            },
        })
    })
}

/// As ISO 8601 text.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
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
            Self::Stored => "application/store",
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
            Self::Upstream => "upstream",
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
