//! Which revision of the protocol a client speaks, and what it can do.
//!
//! Invariant: nothing is known of a client but what its request says: there are no sessions.

use super::message::{
    HEADER_MISMATCH, INVALID_PARAMS, MISSING_CAPABILITY, Request, RpcError, UNSUPPORTED_VERSION,
};
use crate::domain::api::excerpt::excerpt;
use crate::domain::encoding::base64_decode;
use crate::domain::json::{is_object, pick, to_json};

/// The revision without sessions.
pub const MODERN: &str = "2026-07-28";
/// The newest revision that begins with `initialize`.
pub const LEGACY: &str = "2025-11-25";
/// Revisions whose messages are the same for what this server does.
const LEGACIES: [&str; 2] = [LEGACY, "2025-06-18"];

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const TASKS: &str = "io.modelcontextprotocol/tasks";
/// The extension as servers and errors name it, with [`TASKS`].
pub(super) const TASKS_SUPPORT: &str = r#"{"io.modelcontextprotocol/tasks":{}}"#;

/// What a request says of its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Whether it speaks [`MODERN`].
    pub is_modern: bool,
    /// Whether it takes a task for a result.
    pub has_tasks: bool,
    /// What its notices of progress are called, as JSON text.
    pub progress_token: Option<String>,
}

/// The headers that repeat what the body says; `""` if they are missing.
#[derive(Clone, Copy, Debug)]
pub struct McpHeaders<'a> {
    pub version: &'a str,
    pub method: &'a str,
    pub name: &'a str,
}

impl Client {
    /// Reads what a request says of its client.
    ///
    /// # Errors
    /// With 400: `INVALID_PARAMS`, `HEADER_MISMATCH`, `UNSUPPORTED_VERSION`.
    pub fn of(request: &Request<'_>, headers: McpHeaders<'_>) -> Result<Self, RpcError> {
        let params = request.params.unwrap_or("{}");
        let [meta, name, task_id] = pick(params, ["_meta", "name", "taskId"])
            .ok_or_else(|| RpcError::new(400, INVALID_PARAMS, "params is not an object."))?;
        let meta = meta.filter(|json| *json != "null").unwrap_or("{}");
        let [version, capabilities, progress_token] =
            pick(meta, [VERSION, CAPABILITIES, "progressToken"]).ok_or_else(|| {
                let message = "params._meta is not an object of this protocol.";
                RpcError::new(400, INVALID_PARAMS, message)
            })?;
        let progress_token = progress_token.filter(|json| is_progress_token(json));
        let client = Self {
            is_modern: false,
            has_tasks: false,
            progress_token: progress_token.map(str::to_owned),
        };
        let is_modern = version.is_some() || headers.version == MODERN;
        if !is_modern {
            let is_known = headers.version.is_empty() || LEGACIES.contains(&headers.version);
            return match is_known {
                true => Ok(client),
                false => Err(unsupported(headers.version)),
            };
        }
        let version = version.and_then(text).ok_or_else(|| missing(VERSION))?;
        check("MCP-Protocol-Version", headers.version, &version)?;
        if version != MODERN {
            return Err(unsupported(&version));
        }
        check("Mcp-Method", headers.method, &request.method)?;
        let named = match request.method.as_str() {
            "tools/call" => Some(name),
            "tasks/get" | "tasks/update" | "tasks/cancel" => Some(task_id),
            _ => None,
        };
        if let Some(named) = named {
            let name = named.and_then(text).unwrap_or_default();
            check("Mcp-Name", &decoded(headers.name), &name)?;
        }
        let capabilities = capabilities
            .filter(|json| is_object(json))
            .ok_or_else(|| missing(CAPABILITIES))?;
        Ok(Self {
            is_modern: true,
            has_tasks: has_tasks(capabilities),
            ..client
        })
    }

    /// Refuses a client that does not know what a task is.
    ///
    /// # Errors
    /// With 400: `MISSING_CAPABILITY`.
    pub fn require_tasks(&self) -> Result<(), RpcError> {
        if self.has_tasks {
            return Ok(());
        }
        let data = format!(r#"{{"requiredCapabilities":{{"extensions":{TASKS_SUPPORT}}}}}"#);
        Err(RpcError {
            data: Some(data),
            ..RpcError::new(
                400,
                MISSING_CAPABILITY,
                "Missing required client capability",
            )
        })
    }
}

fn has_tasks(capabilities: &str) -> bool {
    let extensions = pick(capabilities, ["extensions"]).and_then(|[extensions]| extensions);
    let tasks = extensions.and_then(|extensions| pick(extensions, [TASKS]));
    matches!(tasks, Some([Some(json)]) if is_object(json))
}

/// A string.
fn text(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

fn check(header: &str, found: &str, expected: &str) -> Result<(), RpcError> {
    if found == expected && !found.is_empty() {
        return Ok(());
    }
    let message = format!(
        "Header mismatch: {header} is {}, and the body says {}.",
        excerpt(found),
        excerpt(expected)
    );
    Err(RpcError::new(400, HEADER_MISMATCH, message))
}

fn missing(key: &str) -> RpcError {
    let message = format!("params._meta has no valid {key}.");
    RpcError::new(400, INVALID_PARAMS, message)
}

fn unsupported(version: &str) -> RpcError {
    let supported = versions();
    let requested = to_json(version);
    RpcError {
        data: Some(format!(
            r#"{{"supported":{supported},"requested":{requested}}}"#
        )),
        ..RpcError::new(400, UNSUPPORTED_VERSION, "Unsupported protocol version")
    }
}

/// The revisions that this server speaks, as a JSON list.
#[must_use]
pub fn versions() -> String {
    to_json(&[&[MODERN], &LEGACIES[..]].concat())
}

/// The value of `Mcp-Name`, which is in base64 if HTTP could not carry it.
fn decoded(header: &str) -> String {
    let encoded = header
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="));
    let decoded = encoded.and_then(base64_decode);
    decoded
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_else(|| header.to_owned())
}

/// Whether this is a string or an integer that may come back with each notice.
fn is_progress_token(json: &str) -> bool {
    let is_number = json.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    json.len() <= 200 && (json.starts_with('"') || is_number)
}

/// The revision that answers `initialize`: the one that is asked for, if it is known.
#[must_use]
pub fn negotiated(asked: &str) -> &'static str {
    LEGACIES
        .into_iter()
        .find(|known| *known == asked)
        .unwrap_or(LEGACY)
}
