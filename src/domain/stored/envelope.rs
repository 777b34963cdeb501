//! A command on its way from the Worker to a token's object, and for whom the object makes the response.

use super::line::{Unreadable, pack, unpack};
use super::message::CommandMessage;
use serde::{Deserialize, Serialize};

/// A command on its way to an object, in a header or in a body.
///
/// What is short and ASCII goes in a header, since a body costs as much again.
pub struct Envelope<Body> {
    /// All of it as JSON, or nothing.
    header: String,
    body: Option<Body>,
}

/// All of an envelope, as a header has it.
#[derive(Serialize, Deserialize)]
struct Whole<Command, Text> {
    command: Command,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<ResponseContext>,
    /// An output's text.
    text: Text,
}

/// What stands before the text in a body, where that is as it is.
#[derive(Serialize, Deserialize)]
struct Head<Command> {
    command: Command,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<ResponseContext>,
}

/// In bytes; longer ones go in the body.
const LONGEST_HEADER: usize = 4_000;

/// The parts of the client's request that the object needs to make the response.
#[derive(Default, Serialize, Deserialize)]
pub struct ResponseContext {
    /// Scheme, host and port that it called.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub origin: String,
    /// The origin of the page that asks, if that may read the answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub page: String,
    /// Its `If-None-Match`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub etag: String,
    /// Its credential; the owner of all tokens has none that could be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// The seconds of `Prefer: wait` that it was held for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited: Option<u32>,
    /// What its request did not mean, for `waitpoint-hint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl<Body: for<'a> From<&'a [u8]>> Envelope<Body> {
    /// Without a context the object answers with a [`TokenReply`](super::message::TokenReply).
    pub fn new(command: &CommandMessage, context: Option<ResponseContext>, text: &str) -> Self {
        if text.len() > LONGEST_HEADER {
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

    fn in_body(command: &CommandMessage, context: Option<ResponseContext>, text: &str) -> Self {
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

/// As JSON, if a header can hold that.
pub fn header<T: Serialize>(command: &T) -> Option<String> {
    let json = serde_json::to_string(command).unwrap_or_default();
    // JSON leaves DEL as it is, and no header may hold it.
    let fits = |byte: u8| byte.is_ascii() && byte != 0x7f;
    (json.bytes().all(fits) && json.len() <= LONGEST_HEADER).then_some(json)
}

/// The command, the context unless the Worker itself is answered, and the text.
pub fn read(
    header: &str,
    body: &[u8],
) -> Result<(CommandMessage, Option<ResponseContext>, String), Unreadable> {
    // serde would take an array for an object without names.
    let json = if header.is_empty() {
        body
    } else {
        header.as_bytes()
    };
    if !json.starts_with(b"{") {
        return Err(Unreadable);
    }
    if header.is_empty() {
        let (head, text): (Head<CommandMessage>, _) = unpack(body)?;
        return Ok((head.command, head.context, text));
    }
    let whole: Whole<CommandMessage, String> =
        serde_json::from_slice(header.as_bytes()).map_err(|_| Unreadable)?;
    Ok((whole.command, whole.context, whole.text))
}
