//! `callback.accept`. The first line is its JSON, the rest a body, which is compared with what serde_json
//! finds at the pointer.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde_json::{Number, Value};
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::callback::accept::Accept;
use waitpoint::domain::callback::config::CallbackConfig;

fuzz_target!(|text: &str| {
    let (json, body) = text.split_once('\n').unwrap_or((text, ""));
    let _ = CallbackConfig::parse(json);
    let accept = match Accept::parse(json) {
        Ok(accept) => accept,
        Err(ApiError::ValidationError { path, message }) => {
            return assert!(path.starts_with("callback.accept") && message.ends_with('.'));
        }
        Err(error) => panic!("{error}"),
    };
    let is_listed = accept.matches(body);
    let Ok(document) = serde_json::from_str::<Value>(body) else {
        // What serde_json cannot hold may stand beside the value: a lone surrogate, a number too large.
        return;
    };
    let config: Value = serde_json::from_str(json).unwrap();
    let found = document.pointer(config["pointer"].as_str().unwrap());
    let values = config["in"].as_array().unwrap();
    let expected = found.is_some_and(|found| values.iter().any(|value| is_same(value, found)));
    assert_eq!(is_listed, expected);
});

fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => is_same_number(a, b),
        (Value::Array(_) | Value::Object(_), _) => false,
        _ => a == b,
    }
}

fn is_same_number(a: &Number, b: &Number) -> bool {
    let integer = |n: &Number| n.as_i128().or_else(|| n.as_f64().and_then(whole));
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a.as_f64() == b.as_f64(),
        _ => false,
    }
}

/// A float that is an integer, as that.
fn whole(float: f64) -> Option<i128> {
    let fits = float.fract() == 0.0 && float.abs() < 1e38;
    fits.then_some(float as i128)
}
