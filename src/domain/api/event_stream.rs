//! Invariant: an event is one line of data, as JSON holds no line break.
//!
//! Server-Sent Events that tell how a token stands.

/// An event that tells a token as JSON. Its id is the token's version.
#[must_use]
pub fn event(version: &str, json: &str) -> String {
    format!("event: token\nid: {version}\ndata: {json}\n\n")
}
