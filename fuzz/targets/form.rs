//! The form of an approval. The first line is its JSON Schema, the second an output of the API; then a line
//! for each field: what its controls send, with tabs between.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::approval::form::check::MAX_ISSUES;
use waitpoint::domain::approval::form::{FieldKind, Form};
use waitpoint::domain::approval::schema::minify_json;

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let (schema, output) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    let sent: Vec<Vec<&str>> = lines.map(|line| line.split('\t').collect()).collect();
    let stored = Form::read(schema);
    match Form::parse(schema) {
        Ok(form) => {
            assert_eq!(form, stored);
            for field in &form.fields {
                assert!(!field.label().is_empty());
            }
            send_defaults(&form);
            agree(&form, output, &sent);
        }
        Err(ApiError::ValidationError { path, message }) => {
            assert_eq!(path, "approval");
            assert!(
                message.starts_with("/form") && message.ends_with('.'),
                "{message}"
            );
            // A form that is no longer accepted is shown and checked all the same.
            agree(&stored, output, &sent);
        }
        Err(error) => panic!("{error}"),
    }
});

/// Sends a form as it is first shown: nothing can be wrong but what is missing.
fn send_defaults(form: &Form) {
    let mut defaults = Vec::new();
    for field in &form.fields {
        defaults.push(match &field.kind {
            FieldKind::Text { default, .. }
            | FieldKind::Number { default, .. }
            | FieldKind::One { default, .. } => default.iter().map(String::as_str).collect(),
            FieldKind::Boolean { default } => {
                if *default {
                    vec!["true"]
                } else {
                    vec![]
                }
            }
            FieldKind::Many { default, .. } => default.iter().map(String::as_str).collect(),
        });
    }
    let is_empty = |index: usize| defaults[index].iter().all(|text: &&str| text.is_empty());
    match form.fields_json(&|index| defaults[index].clone()) {
        Ok(json) => accept(form, &json),
        Err(faults) => {
            for fault in faults {
                assert!(
                    form.fields[fault.field].is_required && is_empty(fault.field),
                    "{fault:?}"
                );
            }
        }
    }
}

/// What the page makes is accepted everywhere, and what the API is told agrees with the checker.
fn agree(form: &Form, output: &str, sent: &[Vec<&str>]) {
    match form.fields_json(&|index| sent.get(index).cloned().unwrap_or_default()) {
        Ok(json) => accept(form, &json),
        Err(faults) => {
            assert!(!faults.is_empty() && faults.is_sorted_by_key(|fault| fault.field));
            assert!(faults.iter().all(|fault| fault.field < form.fields.len()));
        }
    }
    let issues = form.issues(output);
    assert!(issues.len() <= MAX_ISSUES);
    for issue in &issues {
        assert!(issue.pointer.is_empty() || issue.pointer.starts_with("/fields"));
        assert!(issue.message.ends_with('.') && issue.message.len() < 4_000);
    }
    if let Ok(Value::Object(output)) = serde_json::from_str(output) {
        let fields = output.get("fields").map(Value::to_string);
        let faults = form.check(fields.as_deref());
        assert!(faults.is_empty() || !issues.is_empty(), "{faults:?}");
    }
}

/// These fields are what the form asks for.
fn accept(form: &Form, json: &str) {
    assert!(
        serde_json::from_str::<&serde_json::value::RawValue>(json).is_ok(),
        "{json}"
    );
    assert_eq!(minify_json(json), json);
    assert_eq!(form.check(Some(json)), []);
    assert_eq!(form.issues(&format!("{{\"fields\":{json}}}")), []);
}
