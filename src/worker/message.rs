//! A command on its way from the Worker to a token's object.

use super::record::{Command, Unreadable, pack, unpack};
use super::view::Viewer;
use js_sys::Uint8Array;

/// A command on its way to an object.
///
/// What is short and ASCII goes in a header, since a body costs as much again. What is not lies outside
/// wasm's memory: that never shrinks, and while the answer is awaited many outputs of megabytes may be under
/// way.
pub(super) struct Message {
    /// All of it as JSON, or nothing.
    line: String,
    body: Option<Uint8Array>,
}

/// In bytes; longer ones go in the body.
const LONGEST_HEADER: usize = 4_000;

impl Message {
    /// To be answered with an [`Answer`].
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
            body: Some(Uint8Array::from(body.as_slice())),
        }
    }

    pub(super) fn into_parts(self) -> (String, Option<Uint8Array>) {
        (self.line, self.body)
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
}
