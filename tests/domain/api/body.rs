//! JSON bodies.
use super::{FORM, JSON, NO_JSON, NO_OBJECTS, complete, create};
use crate::tests::domain::callback::content::parse_callback;
use proptest::collection::vec;
use proptest::prelude::*;
use waitpoint::domain::api::error::ApiError;

#[test]
fn a_body_that_is_no_object_is_refused() {
    for (body, kind) in NO_OBJECTS {
        let message = format!("Expected object, received {kind}");
        let expected = ApiError::ValidationError { path: "", message };
        assert_eq!(create(body), Err(expected.clone()), "{body}");
        assert_eq!(complete(body), Err(expected.clone()), "{body}");
        let sentence = format!("Validation error: Expected object, received {kind}");
        assert_eq!(expected.to_string(), sentence);
    }
}

#[test]
fn a_body_that_is_no_json_is_refused() {
    for body in NO_JSON {
        let shown = String::from_utf8_lossy(body);
        assert_eq!(create(body), Err(ApiError::InvalidJson), "{shown}");
        assert_eq!(complete(body), Err(ApiError::InvalidJson), "{shown}");
    }
    assert_eq!(create(""), Err(ApiError::BodyEmpty));
    assert_eq!(complete(""), Err(ApiError::BodyEmpty));
}

#[test]
fn a_byte_order_mark_is_no_json() {
    let body = "\u{feff}{\"data\":1}";
    assert_eq!(complete(body), Err(ApiError::InvalidJson));
    assert_eq!(create(body), Err(ApiError::InvalidJson));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_bytes_panic(
        body in prop_oneof![
            vec(any::<u8>(), 0..200),
            ".*".prop_map(String::into_bytes),
            r#"\{("(data|timeout|tags|x)":[\[\]{}"0-9,:a-z.\\-]{0,9},?){0,4}\}"#
                .prop_map(String::into_bytes),
        ],
        content_type in prop_oneof![Just(FORM.to_owned()), Just(JSON.to_owned()), ".*"],
    ) {
        let _ = create(&body).map_err(|error| error.to_json());
        let _ = complete(&body).map_err(|error| error.to_json());
        let _ = parse_callback(&content_type, &body).map_err(|error| error.to_json());
    }
}
