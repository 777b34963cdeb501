//! Which revision of the protocol a client speaks, and what it can do.
//!
//! Invariant: nothing is known of a client but what its request says: there are no sessions.

use super::message::{HEADER_MISMATCH, INVALID_PARAMS, Request, RpcError, UNSUPPORTED_VERSION};
use crate::domain::api::excerpt::excerpt;
use crate::domain::encoding::base64_decode;
use crate::domain::json;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The revision without sessions.
pub const MODERN: &str = "2026-07-28";
/// The newest revision that begins with `initialize`.
pub const LEGACY: &str = "2025-11-25";
/// Revisions whose messages are the same for what this server does.
const LEGACIES: [&str; 3] = [LEGACY, "2025-06-18", "2025-03-26"];

const TASKS: &str = "io.modelcontextprotocol/tasks";

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

#[derive(Default, Deserialize)]
struct Meta<'a> {
    #[serde(rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<String>,
    #[serde(borrow, rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Option<&'a RawValue>,
    #[serde(borrow, rename = "progressToken")]
    progress_token: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct Params<'a> {
    #[serde(borrow, rename = "_meta")]
    meta: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow, rename = "taskId")]
    task_id: Option<&'a RawValue>,
}

impl Client {
    /// Reads what a request says of its client.
    ///
    /// # Errors
    /// With 400: `INVALID_PARAMS`, `HEADER_MISMATCH`, `UNSUPPORTED_VERSION`.
    pub fn of(request: &Request<'_>, headers: McpHeaders<'_>) -> Result<Self, RpcError> {
        let params = request.params.map_or("{}", RawValue::get);
        let params: Params<'_> = json::object(params.as_bytes())
            .ok_or_else(|| RpcError::new(400, INVALID_PARAMS, "params is not an object."))?;
        let meta = params
            .meta
            .map(RawValue::get)
            .filter(|json| *json != "null");
        let meta: Meta<'_> = match meta {
            Some(text) => json::object(text.as_bytes()).ok_or_else(|| {
                RpcError::new(
                    400,
                    INVALID_PARAMS,
                    "params._meta is not an object of this protocol.",
                )
            })?,
            None => Meta::default(),
        };
        let progress_token = meta.progress_token.map(RawValue::get);
        let progress_token = progress_token.filter(|json| is_progress_token(json));
        let client = Self {
            is_modern: false,
            has_tasks: false,
            progress_token: progress_token.map(str::to_owned),
        };
        let is_modern = meta.version.is_some() || headers.version == MODERN;
        if !is_modern || request.method == "initialize" {
            let is_known = headers.version.is_empty() || LEGACIES.contains(&headers.version);
            return match is_known {
                true => Ok(client),
                false => Err(unsupported(headers.version)),
            };
        }
        let version = meta
            .version
            .ok_or_else(|| missing("io.modelcontextprotocol/protocolVersion"))?;
        check("MCP-Protocol-Version", headers.version, &version)?;
        if version != MODERN {
            return Err(unsupported(&version));
        }
        check("Mcp-Method", headers.method, &request.method)?;
        let named = match request.method.as_str() {
            "tools/call" => Some(params.name),
            "tasks/get" | "tasks/update" | "tasks/cancel" => Some(params.task_id),
            _ => None,
        };
        if let Some(named) = named {
            let name = named.and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
            check(
                "Mcp-Name",
                &decoded(headers.name),
                &name.unwrap_or_default(),
            )?;
        }
        let capabilities = meta
            .capabilities
            .map(RawValue::get)
            .filter(|json| json::is_object(json))
            .ok_or_else(|| missing("io.modelcontextprotocol/clientCapabilities"))?;
        Ok(Self {
            is_modern: true,
            has_tasks: has_tasks(capabilities),
            ..client
        })
    }
}

fn has_tasks(capabilities: &str) -> bool {
    #[derive(Deserialize)]
    struct Capabilities<'a> {
        #[serde(borrow)]
        extensions: Option<&'a RawValue>,
    }
    let capabilities: Option<Capabilities<'_>> = json::object(capabilities.as_bytes());
    let extensions = capabilities.and_then(|capabilities| capabilities.extensions);
    let mut has = false;
    json::for_each_entry(extensions.map_or("", RawValue::get), &mut |name, value| {
        has |= name == TASKS && json::is_object(value.get());
    });
    has
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
    let supported = format!(r#"["{MODERN}","{LEGACY}"]"#);
    let requested = serde_json::to_string(version).unwrap_or_default();
    RpcError {
        data: Some(format!(
            r#"{{"supported":{supported},"requested":{requested}}}"#
        )),
        ..RpcError::new(400, UNSUPPORTED_VERSION, "Unsupported protocol version")
    }
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
