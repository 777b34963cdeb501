//! A command on its way from the Worker to a token's object, and whom the object answers.

use super::record::{Command, Unreadable, pack, unpack};
use serde::{Deserialize, Serialize};

/// A command on its way to an object, in a header or in a body.
///
/// What is short and ASCII goes in a header, since a body costs as much again.
pub(super) struct Message<Body> {
    /// All of it as JSON, or nothing.
    line: String,
    body: Option<Body>,
}

/// In bytes; longer ones go in the body.
const LONGEST_HEADER: usize = 4_000;

/// Who is told, by way of which request; of that, what the answer depends on.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Viewer {
    /// Scheme, host and port that it called.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) origin: String,
    /// The origin of the page that asks, if that may read the answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) page: String,
    /// Its `If-None-Match`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) etag: String,
    /// Its credential; the owner of all tokens has none that could be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) credential: Option<String>,
    /// What its request did not mean, for `waitpoint-hint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
}

impl<Body: for<'a> From<&'a [u8]>> Message<Body> {
    /// To be answered with an [`Answer`](super::record::Answer).
    pub(super) fn new(command: &Command, text: &str) -> Self {
        Self::of(command, None, text)
    }

    /// To be answered with what the viewer is told.
    pub(super) fn to_tell(command: &Command, viewer: Viewer, text: &str) -> Self {
        Self::of(command, Some(viewer), text)
    }

    fn of(command: &Command, viewer: Option<Viewer>, text: &str) -> Self {
        if text.len() <= LONGEST_HEADER {
            let line = serde_json::to_string(&(command, &viewer, text)).unwrap_or_default();
            // JSON leaves DEL as it is, and no header may hold it.
            let fits = |byte: u8| byte.is_ascii() && byte != 0x7f;
            if line.bytes().all(fits) && line.len() <= LONGEST_HEADER {
                return Self { line, body: None };
            }
        }
        let body = pack(&(command, viewer), text);
        Self {
            line: String::new(),
            body: Some(Body::from(body.as_slice())),
        }
    }

    pub(super) fn into_parts(self) -> (String, Option<Body>) {
        (self.line, self.body)
    }
}

/// What was asked, whom to answer if not the Worker, and the text.
pub(super) fn read(
    line: &str,
    body: &[u8],
) -> Result<(Command, Option<Viewer>, String), Unreadable> {
    if !line.is_empty() {
        return serde_json::from_str(line).map_err(|_| Unreadable);
    }
    let ((command, viewer), text) = unpack(body)?;
    Ok((command, viewer, text))
}
