//! The fields of create: declared in `create.rs`, documented in `www/openapi.json`, and typed in
//! `pkg/server.d.ts`. The three must agree.
use super::{NOW, at, create};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use waitpoint::domain::api::create::CREATE_KEYS;
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::api::notify::{parse_notify, parse_reminders};
use waitpoint::domain::api::openapi;
use waitpoint::domain::token::notify::Recipient;

fn declared() -> BTreeSet<String> {
    CREATE_KEYS.map(str::to_owned).into()
}

#[test]
fn the_document_has_the_fields_of_create() {
    let document: Value = serde_json::from_str(openapi::document()).unwrap();
    let create = &document["components"]["schemas"]["Create"];
    let documented = create["properties"].as_object().unwrap();
    assert_eq!(
        documented.keys().cloned().collect::<BTreeSet<_>>(),
        declared()
    );
    assert_eq!(create.get("required"), None, "every field may be left out");
}

#[test]
fn the_package_s_types_have_the_fields_of_create_and_each_may_be_left_out() {
    let types = include_str!("../../../pkg/server.d.ts");
    let fields = types
        .split_once("interface CreateTokenOptions {")
        .unwrap()
        .1;
    let fields = fields.split_once("\n}").unwrap().0.lines();
    // Two spaces, and no comment: `  tags?: string | string[];`
    let is_field = |line: &&str| {
        let rest = line.strip_prefix("  ");
        rest.is_some_and(|rest| rest.starts_with(char::is_alphabetic))
    };
    let typed = fields
        .filter(is_field)
        .map(|line| line.trim().split_once("?:").unwrap().0.to_owned());
    assert_eq!(typed.collect::<BTreeSet<_>>(), declared());
}

#[test]
fn each_field_of_create_is_read_and_no_other() {
    // None of the fields takes an array of numbers.
    let body = |key: &str| json!({ key: [1] }).to_string();
    let read = |key: &str| {
        let request = create(body(key))?;
        // Read by whoever creates, as they depend on more than the body.
        parse_notify(request.notify.as_deref())?;
        let somebody = [Recipient::Slack("ops".to_owned())];
        let reminders = request.reminders.as_deref();
        parse_reminders(reminders, &somebody, at(NOW), request.timeout_at)?;
        Ok(())
    };
    for key in CREATE_KEYS {
        let Err(ApiError::ValidationError { path, .. }) = read(key) else {
            panic!("{key} is not read");
        };
        let is_named = path == key || path.starts_with(&format!("{key}."));
        assert!(is_named, "the error of {key} names {path:?}");
    }
    assert!(create(body("other")).is_ok());

    // A field that is read is declared, or `waitpoint-hint` would report it as unknown.
    let source = include_str!("../../../src/domain/api/create.rs");
    let fields = source.split_once("struct Fields<'a> {").unwrap().1;
    let fields = fields.split_once("\n        }").unwrap().0;
    assert_eq!(
        fields.matches("Option<&'a RawValue>").count(),
        CREATE_KEYS.len()
    );
}
