//! A command that the Worker sends to a token's object, and the client's data that the object needs
//! to build the response.

use super::line::{Unreadable, pack, unpack};
use super::message::CommandMessage;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;

/// A command on its way to an object, in a header or in a body.
///
/// A short ASCII command is sent in a header, because a body would double the cost.
pub struct Envelope<Body> {
    /// The whole envelope as JSON, or `""` if it is in the body.
    header: String,
    body: Option<Body>,
}

/// The JSON of an envelope in a header.
#[derive(Serialize, Deserialize)]
struct Whole<'a, Command, Text> {
    command: Command,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    context: Option<ResponseContext<'a>>,
    /// The text of an output.
    text: Text,
}

/// The JSON of an envelope in a body. The output's text follows it, unchanged.
#[derive(Serialize, Deserialize)]
struct Head<'a, Command> {
    command: Command,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    context: Option<ResponseContext<'a>>,
}

/// In bytes. A longer envelope is sent in the body.
const MAX_HEADER: usize = 4_000;

/// The parts of the client's request that the object needs to build the response. They are borrowed,
/// from the request and from the envelope's JSON, because most are as long as a credential.
#[derive(Default, Serialize, Deserialize)]
pub struct ResponseContext<'a> {
    /// Scheme, host and port of the request.
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub origin: Cow<'a, str>,
    /// The origin of the web page that sent the request, if it may read the response.
    #[serde(
        borrow,
        rename = "page",
        default,
        skip_serializing_if = "str::is_empty"
    )]
    pub cors_origin: Cow<'a, str>,
    /// The `If-None-Match` header.
    #[serde(borrow, default, skip_serializing_if = "str::is_empty")]
    pub etag: Cow<'a, str>,
    /// The client's credential; `None` for a secret key, which must not be shown.
    #[serde(
        borrow,
        default,
        deserialize_with = "borrowed",
        skip_serializing_if = "Option::is_none"
    )]
    pub credential: Option<Cow<'a, str>>,
    /// How many seconds of `Prefer: wait` the request was held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited: Option<u32>,
    /// The header `waitpoint-hint` of the response: what was odd about the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// serde itself borrows a `Cow`, but not one in an `Option`.
fn borrowed<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    #[derive(Deserialize)]
    struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);
    Ok(Option::<Borrowed<'a>>::deserialize(from)?.map(|one| one.0))
}

impl<Body: for<'a> From<&'a [u8]>> Envelope<Body> {
    /// Without a context the object answers with a [`TokenReply`](super::message::TokenReply).
    pub fn new(command: &CommandMessage, context: Option<ResponseContext<'_>>, text: &str) -> Self {
        if text.len() > MAX_HEADER {
            return Self::in_body(command, context, text);
        }
        let whole = Whole {
            command,
            context,
            text,
        };
        match header(&whole) {
            Some(header) => Self { header, body: None },
            None => Self::in_body(command, whole.context, text),
        }
    }

    fn in_body(command: &CommandMessage, context: Option<ResponseContext<'_>>, text: &str) -> Self {
        let body = pack(&Head { command, context }, text);
        Self {
            header: String::new(),
            body: Some(Body::from(body.as_slice())),
        }
    }

    pub fn into_parts(self) -> (String, Option<Body>) {
        (self.header, self.body)
    }
}

/// The JSON, if it fits in a header.
pub fn header<T: Serialize>(command: &T) -> Option<String> {
    let json = serde_json::to_string(command).unwrap_or_default();
    // JSON does not escape DEL, but a header must not contain it.
    let fits = |byte: u8| byte.is_ascii() && byte != 0x7f;
    (json.bytes().all(fits) && json.len() <= MAX_HEADER).then_some(json)
}

/// Parses an envelope: the command, the context unless the Worker itself reads the reply, and the
/// text.
pub fn read<'a>(
    header: &'a str,
    body: &'a [u8],
) -> Result<(CommandMessage, Option<ResponseContext<'a>>, String), Unreadable> {
    // serde would also accept an array of the fields.
    let json = if header.is_empty() {
        body
    } else {
        header.as_bytes()
    };
    if !json.starts_with(b"{") {
        return Err(Unreadable);
    }
    if header.is_empty() {
        let (head, text): (Head<'_, CommandMessage>, _) = unpack(body)?;
        return Ok((head.command, head.context, text));
    }
    let whole: Whole<'_, CommandMessage, String> =
        serde_json::from_str(header).map_err(|_| Unreadable)?;
    Ok((whole.command, whole.context, whole.text))
}
