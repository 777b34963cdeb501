//! The body of complete: an output is taken as it stands there.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use waitpoint::domain::api::complete::CompleteRequest;
use waitpoint::domain::relay::complete_body::complete_json;

fuzz_target!(|body: &[u8]| {
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
