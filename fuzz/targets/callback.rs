//! What a machine posts to `token.url`. The first line is the content type, the rest the body.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use waitpoint::domain::api::callback::parse_callback;
use waitpoint::domain::api::complete::CompleteRequest;
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::api::form::form_fields;
use waitpoint::domain::relay::complete_body::complete_json;
use waitpoint::domain::token::OutputKind;

fuzz_target!(|data: &[u8]| {
    let line = data.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    let (content_type, body) = data.split_at(line);
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    let content_type = String::from_utf8_lossy(content_type);
    let text = std::str::from_utf8(body);
    let output = match parse_callback(&content_type, body) {
        Ok(output) => output,
        Err(ApiError::InvalidJson) => return assert!(text.is_err()),
        Err(ApiError::UnsupportedMediaType(of)) => return assert_eq!(of, "multipart/form-data"),
        Err(error) => panic!("{error}"),
    };
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
