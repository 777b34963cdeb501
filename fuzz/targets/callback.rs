//! What a machine posts to `token.url`. The first line is the content type, the rest the body.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use waitpoint::domain::api::complete::CompleteRequest;
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::api::form::form_fields;
use waitpoint::domain::callback::charset::{DecodeError, Decoder};
use waitpoint::domain::callback::content::Content;
use waitpoint::domain::callback::media_type::MediaType;
use waitpoint::domain::relay::complete_body::complete_json;
use waitpoint::domain::token::OutputKind;

/// Knows no charset but UTF-8, which needs no decoder.
struct Utf8;

impl Decoder for Utf8 {
    fn decode(&self, _: &str, _: &[u8]) -> Result<String, DecodeError> {
        Err(DecodeError::UnknownCharset)
    }
}

fuzz_target!(|data: &[u8]| {
    let line = data.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    let (content_type, body) = data.split_at(line);
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    let content_type = String::from_utf8_lossy(content_type);
    let text = std::str::from_utf8(body);
    let media = MediaType::parse(&content_type);
    let content = Content::read(&media, body, &Utf8);
    let output = match content.and_then(|content| content.into_output(&media)) {
        Ok((output, _)) => output,
        Err(ApiError::InvalidJson) => return assert!(text.is_err()),
        Err(ApiError::InvalidForm) => return assert!(media.is_multipart()),
        Err(ApiError::UnsupportedCharset(_) | ApiError::TooManyFields(_)) => return,
        Err(error) => panic!("{error}"),
    };
    if media.is_multipart() && !body.is_empty() {
        let json: &RawValue = serde_json::from_str(&output.text).unwrap();
        return assert_eq!((output.kind, json.get()), (OutputKind::Json, &*output.text));
    }
    let text = text.unwrap();
    match output.kind {
        OutputKind::Json => {
            let json: &RawValue = serde_json::from_str(&output.text).unwrap();
            assert_eq!(json.get(), output.text);
        }
        OutputKind::Text => {
            assert_eq!(output.text, text.strip_prefix('\u{feff}').unwrap_or(text));
            assert!(serde_json::from_str::<&RawValue>(&output.text).is_err());
        }
        OutputKind::Stored => panic!("{output:?}"),
    }
    // As it goes upstream.
    let relayed = CompleteRequest::parse(complete_json(Some(&output)).as_bytes());
    assert!(relayed.unwrap().output.is_some());

    let fields: Vec<_> = form_fields(text).collect();
    let expected: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
    assert_eq!(fields, expected);
});
