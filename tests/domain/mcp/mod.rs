//! The MCP server.

mod ask;
mod message;
