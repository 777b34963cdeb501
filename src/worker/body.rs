//! Bodies of requests, read to a limit.

use super::bindings::{read_at_least, settled};
use super::http::{Head, header};
use crate::error::Refusal;
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    ReadableStream, ReadableStreamByobReader, ReadableStreamGetReaderOptions,
    ReadableStreamReadResult, ReadableStreamReaderMode, Request,
};

/// Bytes of a body that are read though they are not wanted. An answer that leaves before its request
/// has come breaks the connection, and the sender hears of that instead of the answer.
const PATIENCE: usize = 4 * 1024 * 1024;

/// The platform's own pieces are of 4 KiB, and each costs as much as one of these.
const PIECE: u32 = 64 * 1024;

/// The body, at most `limit` bytes.
///
/// # Errors
/// `BodyTooLarge`, or `BodyUnreadable` if the client left.
pub(super) async fn body(request: &Request, head: &Head, limit: usize) -> Result<Vec<u8>, Refusal> {
    if head.content_length().is_some_and(|length| length > limit) {
        return Err(Refusal::BodyTooLarge(limit));
    }
    let read = match head.content_length() {
        Some(0) => return Ok(Vec::new()),
        // The platform holds a body to the length that it claims; whole it is read for less than in pieces.
        Some(_) => whole(request).await.map(Some),
        None => read(request.body(), limit).await,
    };
    let bytes = read.map_err(|_| Refusal::BodyUnreadable)?;
    bytes
        .filter(|bytes| bytes.len() <= limit)
        .ok_or(Refusal::BodyTooLarge(limit))
}

/// The whole body, of whoever is trusted or tells its length.
pub(super) async fn whole(request: &Request) -> Result<Vec<u8>, JsValue> {
    let buffer = settled(request.array_buffer()?).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// What a stream holds, or nothing if that is longer than `limit` bytes; no more than that is ever held.
pub(super) async fn read(
    stream: Option<ReadableStream>,
    limit: usize,
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
            bytes.extend(piece.to_vec());
        } else {
            bytes = Vec::new();
        }
        room = Uint8Array::new(&piece.buffer());
    }
}

/// Reads a body that nobody has read, unless it is too long for that. A sender that has left needs no answer.
pub(super) async fn drain(request: &Request) {
    let length = header(request, "content-length").parse::<usize>();
    if request.body_used() || length.is_ok_and(|length| length > PATIENCE) {
        return;
    }
    let _ = read(request.body(), 0).await;
}
