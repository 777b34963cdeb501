//! Reads the bodies of requests, up to a limit.

use crate::domain::api::error::ApiError;
use crate::domain::time::timestamp::Timestamp;
use crate::worker::bindings::{byob_reader, read_at_least, settled};
use crate::worker::events::Aborted;
use crate::worker::http::request::{Head, header};
use crate::worker::now;
use futures_util::future::{Either, select};
use js_sys::Uint8Array;
use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ReadableStream, ReadableStreamReadResult, Request};
use worker::Delay;

/// How many unneeded bytes of a body are read. If a response is sent before its request has been
/// received, the connection breaks, and the client reports that instead of the response.
const MAX_DRAINED: usize = 4 * 1024 * 1024;

/// How long unneeded bytes are awaited. Then the response is sent, whether or not the client reads
/// it.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a client that sends no `content-length` may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// The most bytes of bodies without `content-length`, and of those that are being unpacked, that an
/// isolate holds at once. The clients of the first may never finish them, and the second may be a
/// thousand times as long as what was sent.
const MAX_BUFFERED: usize = 32 * 1024 * 1024;

const TOO_MANY: &str = "too many bodies are being sent";

thread_local! {
    static BUFFERED: RefCell<Vec<Part>> = const { RefCell::new(Vec::new()) };
}

/// The part of one body that is in memory.
struct Part {
    id: u64,
    /// The latest time at which reading it ends. The platform can drop a request whose client has
    /// left without settling its promises; its bytes must not be counted for ever.
    ends_at: Timestamp,
    bytes: usize,
}

/// A body without `content-length`, while it is being read.
pub(crate) struct Buffered {
    id: u64,
}

impl Buffered {
    fn new() -> Self {
        thread_local! {
            static LAST_ID: Cell<u64> = const { Cell::new(0) };
        }
        let now = now();
        let id = LAST_ID.get() + 1;
        LAST_ID.set(id);
        BUFFERED.with_borrow_mut(|parts| {
            parts.retain(|part| part.ends_at > now);
            parts.push(Part {
                id,
                ends_at: now.plus(BODY_TIMEOUT),
                bytes: 0,
            });
        });
        Self { id }
    }

    /// Fails if the isolate already holds too many bytes.
    fn add(&self, bytes: usize) -> Result<(), JsValue> {
        BUFFERED.with_borrow_mut(|parts| {
            let buffered: usize = parts.iter().map(|part| part.bytes).sum();
            if buffered + bytes > MAX_BUFFERED {
                return Err(TOO_MANY.into());
            }
            if let Some(part) = parts.iter_mut().find(|part| part.id == self.id) {
                part.bytes += bytes;
            }
            Ok(())
        })
    }
}

impl Drop for Buffered {
    fn drop(&mut self) {
        BUFFERED.with_borrow_mut(|parts| parts.retain(|part| part.id != self.id));
    }
}

/// The number of bytes per read. The platform's own chunks are 4 KiB, and reading one costs as much
/// as reading this many.
const PIECE: u32 = 64 * 1024;

/// The body, at most `limit` bytes.
///
/// # Errors
/// `BodyTooLarge`, `BodyUnreadable` if the client left or takes too long, or `TooManyBodies`.
pub(crate) async fn body(
    request: &Request,
    head: &Head,
    limit: usize,
) -> Result<Vec<u8>, ApiError> {
    if let Some(size) = head.content_length().filter(|&length| length > limit) {
        return Err(ApiError::BodyTooLarge { limit, size });
    }
    let read = match head.content_length() {
        Some(0) => return Ok(Vec::new()),
        // The platform enforces the length, and reading the body at once costs less than reading it
        // in chunks.
        Some(_) => whole(request).await.map(Ok),
        None => {
            let reading = pin!(read_from(request, limit));
            match select(reading, Delay::from(BODY_TIMEOUT)).await {
                Either::Left((read, _)) => read,
                Either::Right(_) => return Err(ApiError::BodyUnreadable),
            }
        }
    };
    let read = match read.map_err(|why| unread(&why)) {
        Err(ApiError::TooManyBodies) => {
            drain_rest(request).await;
            return Err(ApiError::TooManyBodies);
        }
        read => read?,
    };
    let too_large = |size| ApiError::BodyTooLarge { limit, size };
    let bytes = read.map_err(too_large)?;
    match bytes.len() {
        size if size > limit => Err(too_large(size)),
        _ => Ok(bytes),
    }
}

/// Why a body was not read.
fn unread(why: &JsValue) -> ApiError {
    match why.as_string() {
        Some(why) if why == TOO_MANY => ApiError::TooManyBodies,
        _ => ApiError::BodyUnreadable,
    }
}

/// The whole body of a request whose length is known to be small enough.
pub(crate) async fn whole(request: &Request) -> Result<Vec<u8>, JsValue> {
    let buffer = settled(request.array_buffer()?).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// The bytes of a stream; `None` if there are more than `limit`. At most `limit` bytes are held.
pub(crate) async fn read(
    stream: Option<ReadableStream>,
    limit: usize,
) -> Result<Option<Vec<u8>>, JsValue> {
    read_counted(stream, limit, None).await.map(Result::ok)
}

/// The bytes of a body, or how many were received if there are more than the limit.
type Read = Result<Vec<u8>, usize>;

/// Unpacks a stream. `None` if it cannot be unpacked.
///
/// # Errors
/// `BodyTooLarge`, or `TooManyBodies` while the isolate holds too many bytes.
pub(crate) async fn read_unpacked(
    stream: ReadableStream,
    limit: usize,
) -> Result<Option<Vec<u8>>, ApiError> {
    match read_counted(Some(stream), limit, Some(Buffered::new())).await {
        Ok(Ok(bytes)) => Ok(Some(bytes)),
        Ok(Err(size)) => Err(ApiError::BodyTooLarge { limit, size }),
        Err(why) => match unread(&why) {
            ApiError::BodyUnreadable => Ok(None),
            error => Err(error),
        },
    }
}

/// The body that a client sends. Fails when the client leaves.
async fn read_from(request: &Request, limit: usize) -> Result<Read, JsValue> {
    let left = Aborted::of(request.signal())?;
    let reading = pin!(read_counted(request.body(), limit, Some(Buffered::new())));
    match select(reading, left).await {
        Either::Left((read, _)) => read,
        Either::Right(_) => Err("the client has left".into()),
    }
}

/// Reads a stream to its end, unless it is far too long. `buffered` counts what is held meanwhile.
async fn read_counted(
    stream: Option<ReadableStream>,
    limit: usize,
    mut buffered: Option<Buffered>,
) -> Result<Read, JsValue> {
    let Some(stream) = stream else {
        return Ok(Ok(Vec::new()));
    };
    let reader = byob_reader(&stream)?;
    // Held in JavaScript: wasm's memory never shrinks, and many bodies may be read at the same time.
    let mut pieces = Vec::new();
    let mut size = 0;
    loop {
        // A client may send each byte as a chunk of its own.
        let room = Uint8Array::new_with_length(PIECE);
        let read = settled(read_at_least(&reader, PIECE, &room)?).await?;
        let read: ReadableStreamReadResult = read.unchecked_into();
        if read.get_done() == Some(true) {
            return Ok(joined(&pieces, size, limit));
        }
        let piece: Uint8Array = read.get_value().unchecked_into();
        size += piece.length() as usize;
        if size > limit + MAX_DRAINED {
            settled(reader.cancel()).await?;
            return Ok(Err(size));
        }
        if size <= limit {
            let added = buffered.as_ref().map(|it| it.add(piece.length() as usize));
            if let Some(Err(why)) = added {
                // So that the rest can be drained.
                reader.release_lock();
                return Err(why);
            }
            pieces.push(piece);
        } else {
            buffered = None;
            pieces = Vec::new();
        }
    }
}

fn joined(pieces: &[Uint8Array], size: usize, limit: usize) -> Read {
    if size > limit {
        return Err(size);
    }
    let mut bytes = Vec::with_capacity(size);
    for piece in pieces {
        bytes.extend(piece.to_vec());
    }
    Ok(bytes)
}

/// Reads a body that no route has read, unless it is too long.
pub(crate) async fn drain(request: &Request) {
    let length = header(request, "content-length").parse::<usize>();
    if request.body_used() || length.is_ok_and(|length| length > MAX_DRAINED) {
        return;
    }
    drain_rest(request).await;
}

/// Reads what is left of a body, without holding it.
async fn drain_rest(request: &Request) {
    let reading = pin!(read_from(request, 0));
    // A client that has left needs no response.
    let _ = select(reading, Delay::from(DRAIN_TIMEOUT)).await;
}
