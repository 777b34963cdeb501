//! The relay: environments whose tokens live at another API, which trigger.dev's is. Decisions are taken
//! here, everything else is asked there.
//!
//! Invariant: what upstream says of a token is read, never trusted over a decision that stands here.
//!
//! Source of the formats: trigger.dev's `ApiWaitpointPresenter` and `waitpointCompletionPacket`.

use crate::approval::Approval;
use crate::delivery::Note;
use crate::entry;
use crate::error::Refusal;
use crate::fingerprint::Fingerprint;
use crate::list::MAX_SIZE;
use crate::time::Timestamp;
use crate::token::{CompletedBy, Decision, Key, Output, OutputKind, State, Token};
use crate::webhook::{has_host_and_port, is_loopback_origin};
use crate::wire::{MAX_CREATE, quoted_len, read_tags};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;

/// What precedes a token's id in every URL of its API.
const TOKENS: &str = "/api/v1/waitpoints/tokens/";

/// Where the environments' tokens live that do not live here, as the setting `UPSTREAM` lists them.
#[derive(Default)]
pub struct Upstreams {
    /// Environment and API origin, perhaps with a path, without a slash at its end.
    entries: Vec<(String, String)>,
}

/// Why `UPSTREAM` cannot be used. Lines count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamError {
    /// This line is no `[environment=]URL`.
    Malformed(usize),
    /// The environment of this line has an upstream already.
    Second(usize),
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(line) => write!(
                f,
                "line {line} of UPSTREAM is no [environment=]URL; give the origin of an API, such as \
                 https://api.trigger.dev (http:// for a loopback address alone)"
            ),
            Self::Second(line) => write!(
                f,
                "line {line} of UPSTREAM is a second upstream of its environment; give one"
            ),
        }
    }
}

impl Upstreams {
    /// Reads `UPSTREAM`: one entry a line, `[environment id=]URL`; a URL alone is that of `default`.
    ///
    /// # Errors
    /// See [`UpstreamError`].
    pub fn parse(text: &str) -> Result<Self, UpstreamError> {
        let mut upstreams = Self::default();
        for (number, line) in entry::lines(text) {
            let (id, url) = entry::split(line).ok_or(UpstreamError::Malformed(number))?;
            let url = url.trim_end_matches('/');
            if !is_api(url) {
                return Err(UpstreamError::Malformed(number));
            }
            if upstreams.of(id).is_some() {
                return Err(UpstreamError::Second(number));
            }
            upstreams.entries.push((id.to_owned(), url.to_owned()));
        }
        Ok(upstreams)
    }

    /// The environments whose tokens live elsewhere.
    pub fn environments(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(id, _)| id.as_str())
    }

    /// Whether all tokens live here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where an environment's tokens live, if not here.
    #[must_use]
    pub fn of(&self, environment: &str) -> Option<&str> {
        let mut entries = self.entries.iter();
        entries
            .find(|(id, _)| id == environment)
            .map(|(_, url)| url.as_str())
    }

    /// The upstream, if all environments that have one have the same: where what names no environment goes.
    #[must_use]
    pub fn sole(&self) -> Option<&str> {
        let (_, first) = self.entries.first()?;
        self.entries
            .iter()
            .all(|(_, url)| url == first)
            .then_some(first)
    }
}

/// Whether a URL can be that of an API: a scheme, a host, perhaps a path, and nothing else.
fn is_api(url: &str) -> bool {
    let host = |rest: &str| {
        let plain = |b: u8| b.is_ascii_graphic() && !b"@\\?#\"%".contains(&b);
        let authority = rest.split('/').next().unwrap_or("");
        rest.bytes().all(plain) && has_host_and_port(authority) && !rest.contains("//")
    };
    let origin = |url: &str| match url.match_indices('/').nth(2) {
        Some((at, _)) => url.get(..at).unwrap_or(url).to_owned(),
        None => url.to_owned(),
    };
    match url.strip_prefix("https://") {
        Some(rest) => host(rest),
        None => url.strip_prefix("http://").is_some_and(host) && is_loopback_origin(&origin(url)),
    }
}

/// A body of upstream's with the URLs of its tokens leading here, to `origin`: that of the token, or those of
/// the items of a list. Everything else stays as it is, and so does what is no such body.
#[must_use]
pub fn rewrite_urls(json: &str, origin: &str) -> String {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        url: Option<&'a RawValue>,
        #[serde(borrow)]
        data: Option<&'a RawValue>,
    }
    let Ok(Body { url, data }) = serde_json::from_str(json) else {
        return json.to_owned();
    };
    let items = data.and_then(|data| serde_json::from_str::<UrlsOfItems<'_>>(data.get()).ok());
    let mut urls = items.map_or(Vec::new(), |UrlsOfItems(urls)| urls);
    if let Some(url) = url.map(RawValue::get) {
        let after = |other: &&str| other.as_ptr() < url.as_ptr();
        urls.insert(urls.partition_point(after), url);
    }
    let mut out = String::with_capacity(json.len());
    let mut copied = 0;
    for url in urls {
        let path = url.find(TOKENS).and_then(|at| url.get(at..));
        // A URL is a part of `json`, so its address tells its place there.
        let start = url.as_ptr() as usize - json.as_ptr() as usize;
        if let Some((before, path)) = json.get(copied..start).zip(path) {
            for part in [before, "\"", origin, path] {
                out += part;
            }
            copied = start + url.len();
        }
    }
    out + json.get(copied..).unwrap_or_default()
}

/// The URLs of a list's items, of as many as a page can have.
struct UrlsOfItems<'a>(Vec<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for UrlsOfItems<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Item<'a> {
            #[serde(borrow)]
            url: Option<&'a RawValue>,
        }
        struct Items;
        impl<'de> Visitor<'de> for Items {
            type Value = Vec<&'de str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of objects")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut urls = Vec::new();
                while let Some(Item { url }) = items.next_element()? {
                    if urls.len() == MAX_SIZE {
                        return Err(A::Error::custom("more items than a page has"));
                    }
                    urls.extend(url.map(RawValue::get));
                }
                Ok(urls)
            }
        }
        deserializer.deserialize_seq(Items).map(UrlsOfItems)
    }
}

/// The id in the answer to a create, without its prefix.
#[must_use]
pub fn created_id(json: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Created {
        id: String,
    }
    let created: Created = serde_json::from_str(json).ok()?;
    crate::route::internal_id(&created.id).map(str::to_owned)
}

/// What create asks of the edge alone: the fields that upstream does not know.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// The text that `approval` holds.
    pub approval: Option<String>,
    /// The text that `webhook` holds.
    pub webhook: Option<String>,
}

impl Extras {
    /// Looks for them in the body of a create; what is no JSON object has none, and upstream refuses it.
    ///
    /// # Errors
    /// `Invalid` for an object that says one of them twice: upstream would take it, and nobody would ask.
    pub fn of(body: &[u8]) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(borrow)]
            approval: Option<&'a RawValue>,
            #[serde(borrow)]
            webhook: Option<&'a RawValue>,
        }
        let text = |raw: Option<&RawValue>| raw.map(|raw| raw.get().to_owned());
        // Not from bytes: a text that nobody reads need not be UTF-8 then.
        let body = std::str::from_utf8(body).unwrap_or_default();
        // Upstream takes no byte order mark for a part of the text.
        let body = body.strip_prefix('\u{feff}').unwrap_or(body);
        if !body.trim_ascii_start().starts_with('{') {
            return Ok(Self::default());
        }
        match serde_json::from_str::<Fields<'_>>(body) {
            Ok(fields) => Ok(Self {
                approval: text(fields.approval),
                webhook: text(fields.webhook),
            }),
            Err(why) if why.is_data() => Err(Refusal::Invalid {
                path: "",
                message: why.to_string(),
            }),
            Err(_) => Ok(Self::default()),
        }
    }
}

/// A token as upstream's retrieve tells it; `None` if that cannot be read. `origin` is ours.
#[must_use]
pub fn read_token(json: &str, origin: &str) -> Option<Token> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Fields<'a> {
        status: &'a str,
        created_at: &'a str,
        timeout_at: Option<&'a str>,
        completed_at: Option<&'a str>,
        output: Option<String>,
        output_type: Option<&'a str>,
        #[serde(borrow)]
        tags: Option<&'a RawValue>,
        idempotency_key: Option<String>,
        user_provided_idempotency_key: Option<bool>,
        idempotency_key_expires_at: Option<&'a str>,
        #[serde(borrow)]
        approval: Option<&'a RawValue>,
    }
    let fields: Fields<'_> = serde_json::from_str(json).ok()?;
    let moment = |text: Option<&str>| text.and_then(Timestamp::parse_iso);
    let created_at = Timestamp::parse_iso(fields.created_at)?;
    let timeout_at = moment(fields.timeout_at);
    let ended_at = moment(fields.completed_at).unwrap_or(created_at);
    let key = fields.idempotency_key;
    Some(Token {
        state: match fields.status {
            "WAITING" => State::Waiting,
            "TIMED_OUT" => State::TimedOut,
            "COMPLETED" => State::Completed {
                at: ended_at,
                decision: Decision {
                    output: fields.output.map(|text| {
                        read_output(text, fields.output_type.unwrap_or("application/json"))
                    }),
                    by: CompletedBy::Upstream,
                    subject: None,
                },
            },
            _ => return None,
        },
        approval: fields
            .approval
            .map(RawValue::get)
            .filter(|text| text.len() <= MAX_CREATE && Approval::parse(text).is_ok())
            .map(str::to_owned),
        origin: origin.to_owned(),
        key: key
            .filter(|_| fields.user_provided_idempotency_key == Some(true))
            .map(|text| Key {
                text,
                expires_at: moment(fields.idempotency_key_expires_at),
            }),
        is_upstream: true,
        // What timed out did so at some moment.
        ..Token::new(
            created_at,
            match fields.status {
                "TIMED_OUT" => timeout_at.or(Some(ended_at)),
                _ => timeout_at,
            },
            // As many and as long as create takes: they would multiply here.
            fields
                .tags
                .filter(|raw| raw.get().len() <= MAX_CREATE)
                .and_then(|raw| read_tags(raw).ok())
                .unwrap_or_default(),
        )
    })
}

/// An output as it is kept here. In trigger.dev's superjson the value stands under `json`.
fn read_output(text: String, media_type: &str) -> Output {
    #[derive(Deserialize)]
    struct SuperJson<'a> {
        #[serde(borrow)]
        json: &'a RawValue,
    }
    let json = |text: String| Output {
        kind: OutputKind::Json,
        text,
    };
    match media_type {
        "application/json" => json(text),
        "application/super+json" => match serde_json::from_str::<SuperJson<'_>>(&text) {
            Ok(plain) => json(plain.json.get().to_owned()),
            Err(_) => json(text),
        },
        "application/store" => Output {
            kind: OutputKind::Stored,
            text,
        },
        _ => Output {
            kind: OutputKind::Text,
            text,
        },
    }
}

/// The body of the request that completes a token upstream.
#[must_use]
pub fn complete_json(output: Option<&Output>) -> String {
    match output {
        None => "{}".to_owned(),
        Some(output) => format!("{{\"data\":{}}}", as_json(output)),
    }
}

/// How long that body is, in bytes; it is not made for this.
#[must_use]
pub fn complete_json_len(output: Option<&Output>) -> usize {
    let text = output.map_or(0, |output| match output.kind {
        OutputKind::Json => output.text.len(),
        OutputKind::Text | OutputKind::Stored => quoted_len(&output.text),
    });
    match output {
        None => "{}".len(),
        Some(_) => "{\"data\":}".len() + text,
    }
}

/// A token that is kept here because of what was asked or decided here, as it stands seen from both sides.
#[must_use]
pub fn merge(ours: Token, theirs: Token) -> Token {
    let is_ours = match ours.state {
        State::Completed { .. } => true,
        // Only our clock says so; somebody may have been in time there.
        State::TimedOut => theirs.state == State::Waiting,
        State::Waiting => false,
    };
    Token {
        approval: ours.approval.or(theirs.approval),
        origin: ours.origin,
        webhook: ours.webhook,
        deliveries: ours.deliveries,
        timeout_at: theirs.timeout_at.or(ours.timeout_at),
        state: if is_ours { ours.state } else { theirs.state },
        ..theirs
    }
}

/// What stands upstream in place of the decision that stands here, if that can be told. The outputs may be
/// megabytes, so their values are never built.
#[must_use]
pub fn difference(ours: &Token, theirs: &Token) -> Option<Note> {
    match theirs.state {
        State::Waiting => None,
        State::TimedOut => Some(Note::TimedOutUpstream),
        State::Completed { .. } => {
            let (ours, theirs) = (meaning(ours)?, meaning(theirs)?);
            // Upstream keeps no empty text.
            let is_same =
                ours == theirs || (theirs.is_none() && ours == Some(Fingerprint::of_string("")));
            (!is_same).then_some(Note::DecidedOtherwiseUpstream)
        }
    }
}

/// What a completed token's output means, `Some(None)` if it has none. Nothing if that cannot be told: it
/// lies elsewhere, or in a form that is not JSON's alone.
fn meaning(token: &Token) -> Option<Option<Fingerprint>> {
    let State::Completed { decision, .. } = &token.state else {
        return None;
    };
    let Some(output) = &decision.output else {
        return Some(None);
    };
    match output.kind {
        OutputKind::Stored => None,
        OutputKind::Json => Fingerprint::of_json(&output.text).map(Some),
        OutputKind::Text => Some(Some(Fingerprint::of_string(&output.text))),
    }
}

fn as_json(output: &Output) -> String {
    match output.kind {
        OutputKind::Json => output.text.clone(),
        OutputKind::Text | OutputKind::Stored => {
            serde_json::to_string(&output.text).unwrap_or_default()
        }
    }
}
