//! Bodies of requests, read to a limit.

use crate::domain::api::error::ApiError;
use crate::domain::time::timestamp::Timestamp;
use crate::worker::bindings::{read_at_least, settled};
use crate::worker::http::response::{Head, header};
use crate::worker::http::routes::wait::Heard;
use crate::worker::now;
use futures_util::future::{Either, select};
use js_sys::Uint8Array;
use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    ReadableStream, ReadableStreamByobReader, ReadableStreamGetReaderOptions,
    ReadableStreamReadResult, ReadableStreamReaderMode, Request,
};
use worker::Delay;

/// Bytes of a body that are read though they are not wanted. An answer that leaves before its request
/// has come breaks the connection, and the sender hears of that instead of the answer.
const PATIENCE: usize = 4 * 1024 * 1024;

/// How long a sender that does not tell the length may take.
const SENT_WITHIN: Duration = Duration::from_secs(60);

/// Most bytes of such bodies that an isolate holds at once: they may be left unfinished.
const MOST_HELD: usize = 32 * 1024 * 1024;

thread_local! {
    static HELD: RefCell<Vec<Part>> = const { RefCell::new(Vec::new()) };
}

/// What is held of one body.
struct Part {
    id: u64,
    /// When it is given up at the latest. The platform may let go of a request whose client has left without
    /// another word, and what is counted for it must not be counted for ever.
    ends_at: Timestamp,
    bytes: usize,
}

/// A body of untold length that is being read, as long as this is there.
struct Held {
    id: u64,
}

impl Held {
    fn new() -> Self {
        thread_local! {
            static LAST_ID: Cell<u64> = const { Cell::new(0) };
        }
        let now = now();
        let id = LAST_ID.get() + 1;
        LAST_ID.set(id);
        HELD.with_borrow_mut(|parts| {
            parts.retain(|part| part.ends_at > now);
            parts.push(Part {
                id,
                ends_at: now.plus(SENT_WITHIN),
                bytes: 0,
            });
        });
        Self { id }
    }

    /// Fails if too many bytes are held already.
    fn add(&self, bytes: usize) -> Result<(), JsValue> {
        HELD.with_borrow_mut(|parts| {
            let held: usize = parts.iter().map(|part| part.bytes).sum();
            if held + bytes > MOST_HELD {
                return Err("too many bodies are being sent".into());
            }
            if let Some(part) = parts.iter_mut().find(|part| part.id == self.id) {
                part.bytes += bytes;
            }
            Ok(())
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.with_borrow_mut(|parts| parts.retain(|part| part.id != self.id));
    }
}

/// The platform's own pieces are of 4 KiB, and each costs as much as one of these.
const PIECE: u32 = 64 * 1024;

/// The body, at most `limit` bytes.
///
/// # Errors
/// `BodyTooLarge`, or `BodyUnreadable` if the client left or takes too long.
pub(crate) async fn body(
    request: &Request,
    head: &Head,
    limit: usize,
) -> Result<Vec<u8>, ApiError> {
    if head.content_length().is_some_and(|length| length > limit) {
        return Err(ApiError::BodyTooLarge(limit));
    }
    let read = match head.content_length() {
        Some(0) => return Ok(Vec::new()),
        // The platform holds a body to the length that it claims; whole it is read for less than in pieces.
        Some(_) => whole(request).await.map(Some),
        None => {
            let reading = pin!(read_from(request, limit));
            match select(reading, Delay::from(SENT_WITHIN)).await {
                Either::Left((read, _)) => read,
                Either::Right(_) => return Err(ApiError::BodyUnreadable),
            }
        }
    };
    let bytes = read.map_err(|_| ApiError::BodyUnreadable)?;
    bytes
        .filter(|bytes| bytes.len() <= limit)
        .ok_or(ApiError::BodyTooLarge(limit))
}

/// The whole body, of whoever is trusted or tells its length.
pub(crate) async fn whole(request: &Request) -> Result<Vec<u8>, JsValue> {
    let buffer = settled(request.array_buffer()?).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// What a stream holds, or nothing if that is longer than `limit` bytes; no more than that is ever held.
pub(crate) async fn read(
    stream: Option<ReadableStream>,
    limit: usize,
) -> Result<Option<Vec<u8>>, JsValue> {
    read_counted(stream, limit, None).await
}

/// What a client sends, until it leaves.
async fn read_from(request: &Request, limit: usize) -> Result<Option<Vec<u8>>, JsValue> {
    let left = Heard::of(&request.signal(), &["abort"])?;
    let reading = pin!(read_counted(request.body(), limit, Some(Held::new())));
    match select(reading, left).await {
        Either::Left((read, _)) => read,
        Either::Right(_) => Err("the client has left".into()),
    }
}

async fn read_counted(
    stream: Option<ReadableStream>,
    limit: usize,
    mut held: Option<Held>,
) -> Result<Option<Vec<u8>>, JsValue> {
    let Some(stream) = stream else {
        return Ok(Some(Vec::new()));
    };
    let options = ReadableStreamGetReaderOptions::new();
    options.set_mode(ReadableStreamReaderMode::Byob);
    let reader = stream.get_reader_with_options(&options);
    let reader: ReadableStreamByobReader = reader.unchecked_into();
    let mut bytes = Vec::new();
    let mut size = 0;
    let mut room = Uint8Array::new_with_length(PIECE);
    loop {
        // A sender may make a piece of each byte.
        let read = settled(read_at_least(&reader, PIECE, &room)?).await?;
        let read: ReadableStreamReadResult = read.unchecked_into();
        if read.get_done() == Some(true) {
            return Ok((size <= limit).then_some(bytes));
        }
        let piece: Uint8Array = read.get_value().unchecked_into();
        size += piece.length() as usize;
        if size > limit + PATIENCE {
            settled(reader.cancel()).await?;
            return Ok(None);
        }
        if size <= limit {
            if let Some(held) = &held {
                held.add(piece.length() as usize)?;
            }
            bytes.extend(piece.to_vec());
        } else {
            held = None;
            bytes = Vec::new();
        }
        room = Uint8Array::new(&piece.buffer());
    }
}

/// Reads a body that nobody has read, unless it is too long for that. A sender that has left needs no answer.
pub(crate) async fn drain(request: &Request) {
    let length = header(request, "content-length").parse::<usize>();
    if request.body_used() || length.is_ok_and(|length| length > PATIENCE) {
        return;
    }
    let _ = read_from(request, 0).await;
}
