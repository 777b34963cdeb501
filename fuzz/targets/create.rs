//! The body of create: what is read here, and what is looked for in it on its way upstream.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use waitpoint::domain::api::create::{CreateRequest, parse_webhook};
use waitpoint::domain::api::limits::MAX_TAGS;
use waitpoint::domain::approval::schema::Approval;
use waitpoint::domain::relay::edge_fields::EdgeFields;
use waitpoint::domain::time::timestamp::Timestamp;

fuzz_target!(|body: &[u8]| {
    let now = Timestamp::from_millis(1_790_380_800_000);
    match CreateRequest::parse(body, now) {
        Ok(request) => {
            assert!(request.timeout_at.is_none_or(|at| at >= now));
            assert!(request.tags.len() <= MAX_TAGS);
            assert!(request.key.as_ref().is_none_or(|key| !key.text.is_empty()));
            let approval = request.approval.as_deref();
            assert!(approval.is_none_or(|json| Approval::parse(json).is_ok()));
            let extras = EdgeFields::of(body).unwrap();
            assert_eq!(extras.approval, request.approval);
            let webhook = extras.webhook.map(|json| parse_webhook(&json).ok());
            assert_eq!(webhook, request.webhook.map(Some));
        }
        Err(error) => {
            assert!([400, 422].contains(&error.status()));
            assert!(serde_json::from_str::<Value>(&error.to_json()).is_ok());
        }
    }
});
