//! Reads the bodies of callbacks: unpacks them, decodes their text, and takes forms apart. All three
//! are the platform's.

use crate::domain::api::error::ApiError;
use crate::domain::api::form::{Field, FieldValue};
use crate::domain::api::limits::{MAX_COMPLETE, MAX_FORM_FIELDS};
use crate::domain::callback::charset::{DecodeError, Decoder};
use crate::domain::callback::content::{Content, count_parts, own_charset, with_files_of};
use crate::domain::callback::media_type::MediaType;
use crate::worker::bindings::{DecompressionStream, entries_of, settled};
use crate::worker::http::body::read_counted;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    File, FormData, Headers, ReadableStream, Response, ResponseInit, TextDecoder,
    TextDecoderOptions,
};

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
/// `UnsupportedEncoding`, `BodyNotUnpacked`, `BodyTooLarge` if more than [`MAX_COMPLETE`] comes out.
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
    match unpacked {
        Ok(stream) => match read_counted(Some(stream), MAX_COMPLETE, None).await {
            Ok(bytes) => bytes.map_err(|size| ApiError::BodyTooLarge {
                limit: MAX_COMPLETE,
                size,
            }),
            Err(_) => Err(ApiError::BodyNotUnpacked(coding)),
        },
        Err(_) => Err(ApiError::BodyNotUnpacked(coding)),
    }
}

fn unpack_as(body: &[u8], format: &str) -> Result<ReadableStream, JsValue> {
    let packed = Response::new_with_opt_js_u8_array(Some(&Uint8Array::from(body)))?;
    let stream = DecompressionStream::new(format)?;
    let packed = packed.body().ok_or("an empty body")?;
    Ok(packed.pipe_through(&stream))
}

/// The content of an unpacked body.
///
/// # Errors
/// `InvalidJson`, `InvalidForm`, `UnsupportedCharset`, `TooManyFields`.
pub(crate) async fn content(
    media: &MediaType,
    content_type: &str,
    body: Vec<u8>,
) -> Result<Content, ApiError> {
    if !media.is_multipart() {
        return Content::read(media, &body, &Platform);
    }
    // Before the platform makes an object of each.
    let parts = count_parts(&body, media.boundary().ok_or(ApiError::InvalidForm)?);
    // The last boundary ends the form.
    if parts > MAX_FORM_FIELDS + 1 {
        return Err(ApiError::TooManyFields(MAX_FORM_FIELDS));
    }
    let fields = parse_form(&body, content_type).await?;
    // The platform reads every form as UTF-8. Another charset is decoded as a whole, as its
    // boundaries are ASCII, and read once more.
    let own = || own_charset(&fields).filter(|label| Platform.decode(label, b"").is_ok());
    let Some(label) = media.charset().or_else(own) else {
        return Ok(Content::Form(fields));
    };
    let decoded = Platform.decode(label, &body).map_err(|why| match why {
        DecodeError::UnknownCharset => ApiError::UnsupportedCharset(label.to_owned()),
        DecodeError::Malformed => ApiError::InvalidForm,
    })?;
    let decoded = parse_form(decoded.as_bytes(), content_type).await?;
    Ok(Content::Form(with_files_of(decoded, fields)))
}

/// The fields of a multipart form.
async fn parse_form(body: &[u8], content_type: &str) -> Result<Vec<Field>, ApiError> {
    let parsed = async {
        let headers = Headers::new()?;
        headers.set("content-type", content_type)?;
        let init = ResponseInit::new();
        init.set_headers(&headers);
        let body = Uint8Array::from(body);
        let response = Response::new_with_opt_js_u8_array_and_init(Some(&body), &init)?;
        let form: FormData = settled(response.form_data()?).await?.unchecked_into();
        entries_of(&form)
    };
    let pairs = parsed.await.map_err(|_: JsValue| ApiError::InvalidForm)?;
    let fields = pairs.iter().map(|pair| {
        let pair: Array = pair.unchecked_into();
        let (name, value) = (pair.get(0), pair.get(1));
        let name = name.as_string().unwrap_or_default();
        let value = match value.as_string() {
            Some(text) => FieldValue::Text(text),
            None => {
                let file: File = value.unchecked_into();
                FieldValue::File {
                    filename: file.name(),
                    media_type: file.type_(),
                    size: file.size() as u64,
                }
            }
        };
        Field { name, value }
    });
    Ok(fields.collect())
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
