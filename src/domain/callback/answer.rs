//! Invariant: what is echoed is short and printable, and never HTML.
//!
//! What a handshake is answered.

use crate::domain::json::to_json;

/// Longest text that is echoed, in characters.
pub const MAX_CHALLENGE: usize = 1_000;

/// What to answer to a handshake.
#[derive(Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The service that sends it.
    pub service: &'static str,
    pub status: u16,
    /// `None` if the body is empty.
    pub content_type: Option<&'static str>,
    pub body: String,
    /// Further headers, with names in lower case. Values are printable ASCII.
    pub headers: Vec<(&'static str, String)>,
    /// A URL of Amazon SNS that must be called once, without following redirects.
    pub confirm: Option<String>,
}

/// 200 without a body.
pub(super) fn ok() -> Handshake {
    Handshake {
        service: "",
        status: 200,
        content_type: None,
        body: String::new(),
        headers: Vec::new(),
        confirm: None,
    }
}

/// Whether a text is short and has no control characters.
pub(super) fn is_plain(text: &str) -> bool {
    let length = text.chars().take(MAX_CHALLENGE + 1).count();
    (1..=MAX_CHALLENGE).contains(&length) && !text.chars().any(char::is_control)
}

pub(super) fn text(echo: &str) -> Option<Handshake> {
    is_plain(echo).then(|| Handshake {
        content_type: Some("text/plain; charset=utf-8"),
        body: echo.to_owned(),
        ..ok()
    })
}

pub(super) fn challenge_json(challenge: &str) -> Option<Handshake> {
    json_of("challenge", challenge)
}

/// An object of one field.
pub(super) fn json_of(key: &str, echo: &str) -> Option<Handshake> {
    is_plain(echo).then(|| json_answer(format!("{{\"{key}\":{}}}", to_json(echo))))
}

pub(super) fn json_answer(body: String) -> Handshake {
    Handshake {
        content_type: Some("application/json"),
        body,
        ..ok()
    }
}

/// Echoes a value as a header: printable ASCII only, so that it cannot end the header.
pub(super) fn echo_header(name: &'static str, value: &str) -> Option<Handshake> {
    let is_printable = value.bytes().all(|b| (b' '..=b'~').contains(&b));
    (is_plain(value) && is_printable).then(|| {
        let mut answer = ok();
        answer.headers.push((name, value.to_owned()));
        answer
    })
}
