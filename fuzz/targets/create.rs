//! The body of create: what is read here, and what is looked for in it on its way upstream.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use waitpoint::approval::Approval;
use waitpoint::time::Timestamp;
use waitpoint::upstream::Extras;
use waitpoint::wire::{CreateRequest, MAX_TAGS, parse_webhook};

fuzz_target!(|body: &[u8]| {
    let now = Timestamp::from_millis(1_790_380_800_000);
    match CreateRequest::parse(body, now) {
        Ok(request) => {
            assert!(request.timeout_at.is_none_or(|at| at >= now));
            assert!(request.tags.len() <= MAX_TAGS);
            assert!(request.key.as_ref().is_none_or(|key| !key.text.is_empty()));
            let approval = request.approval.as_deref();
            assert!(approval.is_none_or(|json| Approval::parse(json).is_ok()));
            let extras = Extras::of(body).unwrap();
            assert_eq!(extras.approval, request.approval);
            let webhook = extras.webhook.map(|json| parse_webhook(&json).ok());
            assert_eq!(webhook, request.webhook.map(Some));
        }
        Err(refusal) => {
            assert!([400, 422].contains(&refusal.status()));
            assert!(serde_json::from_str::<Value>(&refusal.to_json()).is_ok());
        }
    }
});
