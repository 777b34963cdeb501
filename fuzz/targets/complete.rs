//! The bodies of complete, where an output is taken as it stands, of cancel and of extend.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use waitpoint::domain::api::complete::CompleteRequest;
use waitpoint::domain::api::life::{parse_cancel, parse_extend};
use waitpoint::domain::relay::complete_body::complete_json;
use waitpoint::domain::time::timestamp::Timestamp;

fuzz_target!(|body: &[u8]| {
    match parse_cancel(body) {
        Ok(reason) => assert!(reason.is_none_or(|text| (1..=500).contains(&text.chars().count()))),
        Err(error) => assert_eq!(error.status(), 400),
    }
    let now = Timestamp::from_millis(1_790_380_800_000);
    match parse_extend(body, now) {
        Ok(timeout_at) => assert!(timeout_at >= now),
        Err(error) => assert_eq!(error.status(), 400),
    }
    match CompleteRequest::parse(body) {
        Ok(request) => {
            let body = std::str::from_utf8(body).unwrap();
            if let Some(output) = &request.output {
                assert!(body.contains(&output.text));
            }
            let again = CompleteRequest::parse(complete_json(request.output.as_ref()).as_bytes());
            assert_eq!(again.unwrap().output, request.output);
        }
        Err(error) => {
            // The one thing that is wrong with an object is that it says `data` twice.
            let twice = error.to_string().contains("duplicate");
            assert!(twice || serde_json::from_slice::<Map<String, Value>>(body).is_err());
            assert_eq!(error.status(), 400);
        }
    }
});
