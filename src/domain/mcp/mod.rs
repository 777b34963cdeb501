//! The MCP server at `/mcp`: agents ask people. Source: modelcontextprotocol.io, revisions 2026-07-28 and
//! 2025-11-25, and the extension `io.modelcontextprotocol/tasks`.
//!
//! Invariant: an agent cannot approve what it asks for. No result has a link to decide by, unless the
//! agent asks for it, and a key of `AGENT_KEYS` opens nothing else.

pub mod ask;
pub mod client;
pub mod message;
pub mod outcome;
pub mod rights;
pub mod tools;
