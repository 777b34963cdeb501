//! The OpenAPI document, held against the router and the refusals.
use serde_json::Value;
use std::collections::BTreeSet;
use waitpoint::domain::api::error::{ApiError, QueryIssue};
use waitpoint::domain::api::openapi::{self, start_page};
use waitpoint::domain::api::route::Endpoint;

fn document() -> Value {
    serde_json::from_str(openapi::document()).unwrap()
}

/// The path by which the document names an endpoint.
fn template(endpoint: Endpoint<'_>) -> &'static str {
    match endpoint {
        Endpoint::Start => "/",
        Endpoint::OpenApi => "/openapi.json",
        Endpoint::Health => "/healthz",
        Endpoint::Tokens => "/api/v1/waitpoints/tokens",
        Endpoint::Token { .. } => "/api/v1/waitpoints/tokens/{id}",
        Endpoint::Complete { .. } => "/api/v1/waitpoints/tokens/{id}/complete",
        Endpoint::Wait { .. } => "/api/v1/waitpoints/tokens/{id}/wait",
        Endpoint::Cancel { .. } => "/api/v1/waitpoints/tokens/{id}/cancel",
        Endpoint::Extend { .. } => "/api/v1/waitpoints/tokens/{id}/extend",
        Endpoint::Callback { .. } => "/api/v1/waitpoints/tokens/{id}/callback/{credential}",
        Endpoint::ShortLink { .. } => "/t/{shortId}/{shortCredential}",
        Endpoint::RunWait { .. } => "/engine/v1/runs/{run}/waitpoints/tokens/{id}/wait",
        Endpoint::Claims => "/api/v1/auth/jwt/claims",
        // Pages for people, of which the document says nothing.
        Endpoint::Inbox(_) => "/inbox",
        // Of the Model Context Protocol, which describes itself.
        Endpoint::Mcp => "/mcp",
    }
}

#[test]
fn each_endpoint_is_a_path_of_the_document_with_its_methods() {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    // As many as there are variants, so none is left out.
    let source = include_str!("../../../src/domain/api/route.rs");
    let variants = source.split("pub enum Endpoint").nth(1).unwrap();
    let variants = variants.split("\n}").next().unwrap().lines();
    let is_variant = |line: &&str| {
        let rest = line.strip_prefix("    ");
        rest.is_some_and(|rest| rest.starts_with(char::is_uppercase))
    };
    let undescribed = 2;
    assert_eq!(
        paths.len() + undescribed,
        variants.filter(is_variant).count()
    );
    for (path, item) in paths {
        let named = path.replace("{run}", "run_1");
        let endpoint = Endpoint::of(&named).unwrap_or_else(|| panic!("{path} is no path"));
        assert_eq!(template(endpoint), path);
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"];
        for method in methods {
            let is_told = item.get(method.to_lowercase()).is_some();
            assert_eq!(endpoint.allows(method), is_told, "{method} {path}");
        }
    }
}

#[test]
fn each_code_and_each_field_of_a_refusal_is_in_the_document() {
    let document = document();
    let error = &document["components"]["schemas"]["Error"]["properties"];
    let told: BTreeSet<&str> = error["code"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .map(|code| code.as_str().unwrap())
        .collect();
    // `(401, "missing_authorization")` and the like.
    let source = include_str!("../../../src/domain/api/error.rs");
    let pairs = source.split(" => (").skip(1);
    let mut codes: BTreeSet<&str> = pairs.filter_map(|pair| pair.split('"').nth(1)).collect();
    assert!(codes.contains(ApiError::StorageUnavailable.code()));
    // What is answered to a request that panicked.
    let panicked = include_str!("../../../src/worker/http/failure.rs").split(r#""code":""#);
    codes.extend(panicked.skip(1).filter_map(|code| code.split('"').next()));
    assert!(codes.contains("internal_error"));
    assert_eq!(told, codes);
    let issue = QueryIssue {
        name: "page[size]",
        message: String::new(),
    };
    for refused in [
        ApiError::InsufficientScope,
        ApiError::InvalidQuery(vec![issue]),
        ApiError::InvalidFields(Vec::new()),
    ] {
        let body: Value = serde_json::from_str(&refused.to_json()).unwrap();
        for name in body.as_object().unwrap().keys() {
            assert!(error.get(name).is_some(), "{name} of {refused:?}");
        }
    }
}

#[test]
fn its_version_is_the_package_s() {
    assert_eq!(document()["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn every_reference_leads_somewhere_and_everything_named_is_referred_to() {
    let document = document();
    let mut told = BTreeSet::new();
    for kind in ["parameters", "headers", "responses", "schemas"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            told.insert(format!("#/components/{kind}/{name}"));
        }
    }
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    assert_eq!(told, used);
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(
                fields
                    .get("$ref")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn the_start_page_shows_each_operation_and_needs_no_script() {
    let page = start_page();
    let document = document();
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "post"] {
            let Some(operation) = item.get(method) else {
                continue;
            };
            operations += 1;
            let (name, summary) = (
                method.to_uppercase(),
                operation["summary"].as_str().unwrap(),
            );
            let path = path.replace('/', "<wbr>/");
            let shown =
                format!("<b class={method}>{name}</b> <code>{path}</code> <span>{summary}</span>");
            assert_eq!(page.matches(&shown).count(), 1, "{shown}");
        }
    }
    assert_eq!(page.matches("<details>").count(), operations);
    assert!(page.contains("Waitpoint is running"));
    assert!(!page.contains("<script") && !page.contains("style="));
}
