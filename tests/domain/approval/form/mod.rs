//! Forms: their schemas, what is filled in, and what is wrong with that.
mod check;
mod fields;
mod issues;
mod options;
mod properties;
mod schema;
mod values;

use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::approval::form::{FaultReason, Form};

/// The schema of a form with these properties.
fn schema(properties: &str) -> String {
    format!(r#"{{"type":"object","properties":{properties}}}"#)
}

/// A form of one field, `f`.
fn form_of(field: &str) -> Form {
    let schema = schema(&format!(r#"{{"f":{field}}}"#));
    Form::parse(&schema).unwrap_or_else(|why| panic!("{schema}: {why}"))
}

/// A form of one field, `f`, which is required.
fn required(field: &str) -> Form {
    let mut form = form_of(field);
    form.fields[0].is_required = true;
    form
}

/// Why a schema is refused.
fn refusal(json: &str) -> String {
    match Form::parse(json) {
        Err(ApiError::ValidationError {
            path: "approval",
            message,
        }) => message,
        other => panic!("{json}: {other:?}"),
    }
}

/// What is wrong with the fields, by their indexes.
fn faults(form: &Form, fields: &str) -> Vec<(usize, FaultReason)> {
    let faults = form.check(Some(fields)).into_iter();
    faults.map(|fault| (fault.field, fault.why)).collect()
}

/// The pointers and the messages of an output's issues.
fn issues(form: &Form, output: &str) -> Vec<(String, String)> {
    let issues = form.issues(output).into_iter();
    issues.map(|issue| (issue.pointer, issue.message)).collect()
}
