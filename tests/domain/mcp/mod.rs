//! The MCP server.

mod ask;
mod client;
mod message;
mod outcome;
mod tools;

use waitpoint::domain::mcp::rights::Rights;
use waitpoint::domain::time::timestamp::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const ALL: Rights = Rights {
    links: true,
    mail: true,
};
const NONE: Rights = Rights {
    links: false,
    mail: false,
};
