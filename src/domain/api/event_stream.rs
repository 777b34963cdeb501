//! Invariant: an event is one line of data, since JSON contains no line break.
//!
//! Server-Sent Events that carry a token.

/// The event that carries a token as JSON. Its id is the token's version.
#[must_use]
pub fn event(version: &str, json: &str) -> String {
    format!("event: token\nid: {version}\ndata: {json}\n\n")
}
