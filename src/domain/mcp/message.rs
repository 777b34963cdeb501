//! JSON-RPC 2.0, as MCP uses it: one message a request.
//!
//! Invariant: an error answers the request that it is about, by its id, unless that cannot be read.

use crate::domain::api::excerpt::excerpt_json;
use crate::domain::json::{pick, to_json};
use serde_json::value::RawValue;

/// Longest id, as JSON text, in bytes. It comes back in the response.
const MAX_ID: usize = 1_000;

pub const PARSE_ERROR: i32 = -32_700;
pub const INVALID_REQUEST: i32 = -32_600;
pub const METHOD_NOT_FOUND: i32 = -32_601;
pub const INVALID_PARAMS: i32 = -32_602;
pub const INTERNAL_ERROR: i32 = -32_603;
pub const HEADER_MISMATCH: i32 = -32_020;
pub const MISSING_CAPABILITY: i32 = -32_021;
pub const UNSUPPORTED_VERSION: i32 = -32_022;

const NOT_A_MESSAGE: &str = "The body is not a JSON-RPC message. Use {\"jsonrpc\": \"2.0\", \"id\": …, \
    \"method\": …}.";

/// A message of a client.
#[derive(Debug)]
pub enum Message<'a> {
    Request(Request<'a>),
    /// It wants no answer.
    Notification,
}

/// A request.
#[derive(Debug)]
pub struct Request<'a> {
    /// Its id, as JSON text: a string or an integer.
    pub id: &'a str,
    pub method: String,
    /// As JSON text.
    pub params: Option<&'a str>,
}

/// An error, and the HTTP status that goes with it.
#[derive(Debug, PartialEq, Eq)]
pub struct RpcError {
    /// The id of the request, as JSON text, if it could be read.
    pub id: Option<String>,
    pub status: u16,
    pub code: i32,
    /// A sentence that an agent can act on.
    pub message: String,
    /// More about it, as JSON text.
    pub data: Option<String>,
}

impl RpcError {
    #[must_use]
    pub fn new(status: u16, code: i32, message: impl Into<String>) -> Self {
        Self {
            id: None,
            status,
            code,
            message: message.into(),
            data: None,
        }
    }

    #[must_use]
    pub fn of(self, request: &Request<'_>) -> Self {
        Self {
            id: Some(request.id.to_owned()),
            ..self
        }
    }

    /// The response.
    #[must_use]
    pub fn to_json(&self) -> String {
        let id = self.id.iter().map(|id| format!("\"id\":{id},"));
        let data = self.data.iter().map(|data| format!(",\"data\":{data}"));
        let (id, data) = (id.collect::<String>(), data.collect::<String>());
        let (code, message) = (self.code, to_json(&self.message));
        format!(r#"{{"jsonrpc":"2.0",{id}"error":{{"code":{code},"message":{message}{data}}}}}"#)
    }
}

/// Reads a message.
///
/// # Errors
/// `PARSE_ERROR` or `INVALID_REQUEST`, with 400.
pub fn parse(body: &[u8]) -> Result<Message<'_>, RpcError> {
    let invalid = |message: &str| RpcError::new(400, INVALID_REQUEST, message);
    let text = std::str::from_utf8(body)
        .ok()
        .filter(|text| serde_json::from_str::<&RawValue>(text).is_ok())
        .ok_or_else(|| {
            RpcError::new(
                400,
                PARSE_ERROR,
                "The body is not JSON. Send one JSON-RPC message.",
            )
        })?;
    if text.trim_start().starts_with('[') {
        return Err(invalid(
            "Batches are not supported. Send each message as a request of its own.",
        ));
    }
    let Some([version, id, method, params]) = pick(text, ["jsonrpc", "id", "method", "params"])
    else {
        return Err(invalid(NOT_A_MESSAGE));
    };
    if let Some(id) = id.filter(|id| !is_id(id)) {
        let found = excerpt_json(id);
        return Err(invalid(&format!(
            "{found} is not a valid id. Use a string or an integer of at most {MAX_ID} bytes."
        )));
    }
    let invalid = |message: &str| RpcError {
        id: id.map(str::to_owned),
        ..invalid(message)
    };
    let text_of = |json: Option<&str>| serde_json::from_str::<String>(json?).ok();
    if text_of(version).as_deref() != Some("2.0") {
        return Err(invalid("jsonrpc is not \"2.0\"."));
    }
    if method.is_none_or(|json| json == "null") {
        return Err(invalid(
            "The message has no method. This server sends no requests, so it takes no responses.",
        ));
    }
    let method = text_of(method).ok_or_else(|| invalid("method is not a string."))?;
    Ok(match id {
        None => Message::Notification,
        Some(id) => Message::Request(Request {
            id,
            method,
            params: params.filter(|json| *json != "null"),
        }),
    })
}

fn is_id(json: &str) -> bool {
    let is_integer = || {
        let digits = json.strip_prefix('-').unwrap_or(json);
        digits.bytes().all(|b| b.is_ascii_digit())
    };
    json.len() <= MAX_ID && (json.starts_with('"') || is_integer())
}

/// The response to a request. `result` is JSON text.
#[must_use]
pub fn response(id: &str, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

/// A message as a Server-Sent Event. It is one line, so it has no line breaks outside its strings.
#[must_use]
pub fn event(message: &str) -> String {
    format!("event: message\ndata: {message}\n\n")
}

/// The notice that a request is still being worked on. `token` is its progress token, as JSON text.
#[must_use]
pub fn progress(token: &str, seconds: u64) -> String {
    let message = "Waiting for a person to decide";
    let params =
        format!(r#"{{"progressToken":{token},"progress":{seconds},"message":"{message}"}}"#);
    format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{params}}}"#)
}
