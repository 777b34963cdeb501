//! Reads the bodies of callbacks: unpacks them and decodes their text. Both are the platform's.

use crate::domain::api::error::ApiError;
use crate::domain::api::limits::MAX_COMPLETE;
use crate::domain::callback::charset::{DecodeError, Decoder};
use crate::worker::bindings::DecompressionStream;
use crate::worker::http::body::read_unpacked;
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use web_sys::{ReadableStream, Response, TextDecoder, TextDecoderOptions};

/// The content codings, by what a `Content-Encoding` calls them.
fn coding(name: &str) -> Option<&'static str> {
    match name {
        "gzip" | "x-gzip" => Some("gzip"),
        "deflate" => Some("deflate"),
        _ => None,
    }
}

/// A body as it was before its `Content-Encoding` was applied.
///
/// # Errors
/// `UnsupportedEncoding`, `BodyNotUnpacked`, `BodyTooLarge` if more than [`MAX_COMPLETE`] comes out,
/// `TooManyBodies`.
pub(crate) async fn unpack(body: Vec<u8>, content_encoding: &str) -> Result<Vec<u8>, ApiError> {
    let name = content_encoding.trim().to_ascii_lowercase();
    if name.is_empty() || name == "identity" || body.is_empty() {
        return Ok(body);
    }
    let coding = coding(&name).ok_or(ApiError::UnsupportedEncoding(name))?;
    let format = match (coding, body.first_chunk()) {
        ("gzip", _) => "gzip",
        // Some senders leave out zlib's two bytes, whose checksum is a multiple of 31.
        (_, Some(&[first, second]))
            if first & 15 == 8 && u16::from_be_bytes([first, second]) % 31 == 0 =>
        {
            "deflate"
        }
        _ => "deflate-raw",
    };
    let unpacked = unpack_as(&body, format);
    drop(body);
    let bytes = match unpacked {
        Ok(stream) => read_unpacked(stream, MAX_COMPLETE).await?,
        Err(_) => None,
    };
    bytes.ok_or(ApiError::BodyNotUnpacked(coding))
}

fn unpack_as(body: &[u8], format: &str) -> Result<ReadableStream, JsValue> {
    let packed = Response::new_with_opt_js_u8_array(Some(&Uint8Array::from(body)))?;
    let stream = DecompressionStream::new(format)?;
    let packed = packed.body().ok_or("an empty body")?;
    Ok(packed.pipe_through(&stream))
}

/// `TextDecoder`.
pub(crate) struct Platform;

impl Decoder for Platform {
    fn decode(&self, label: &str, bytes: &[u8]) -> Result<String, DecodeError> {
        let options = TextDecoderOptions::new();
        options.set_fatal(true);
        let decoder = TextDecoder::new_with_label_and_options(label, &options)
            .map_err(|_| DecodeError::UnknownCharset)?;
        decoder
            .decode_with_js_u8_array(&Uint8Array::from(bytes))
            .map_err(|_| DecodeError::Malformed)
    }
}
