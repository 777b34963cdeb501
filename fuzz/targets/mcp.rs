//! A message to `/mcp`: the first line is the headers, with tabs between; the rest is the body.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::value::RawValue;
use waitpoint::domain::mcp::ask::{AGENT_TAG, Question, check_not_of_agent};
use waitpoint::domain::mcp::client::{Client, McpHeaders, negotiated};
use waitpoint::domain::mcp::message::{self, Message, Request, RpcError};
use waitpoint::domain::mcp::outcome;
use waitpoint::domain::mcp::rights::Rights;
use waitpoint::domain::mcp::tools::{self, ToolCall, ToolError};
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::notify::Recipient;

fuzz_target!(|text: &str| {
    let (headers, body) = text.split_once('\n').unwrap_or(("", text));
    let mut headers = headers.split('\t');
    let mut next = || headers.next().unwrap_or("");
    let headers = McpHeaders {
        version: next(),
        method: next(),
        name: next(),
    };
    match message::parse(body.as_bytes()) {
        Ok(Message::Request(request)) => answer(&request, headers),
        Ok(Message::Notification) => {}
        Err(error) => check_error(&error),
    }
});

fn answer(request: &Request<'_>, headers: McpHeaders<'_>) {
    let client = match Client::of(request, headers) {
        Ok(client) => client,
        Err(error) => return check_error(&error.of(request)),
    };
    let params: Value = request
        .params
        .and_then(|raw| serde_json::from_str(raw).ok())
        .unwrap_or_default();
    let asked = params["protocolVersion"].as_str().unwrap_or_default();
    check_result(request, &outcome::initialize_result(negotiated(asked)));
    if let Some(token) = &client.progress_token {
        check_json(&message::progress(token, 5));
    }
    let arguments = params["arguments"].to_string();
    match tools::parse(params["name"].as_str().unwrap_or_default(), &arguments) {
        Ok(ToolCall::AskHuman(arguments)) => ask(&client, request, &arguments),
        Ok(_) => {}
        Err(ToolError::Unknown(why) | ToolError::Arguments(why)) => {
            check_failed(&client, request, &why);
        }
    }
}

/// What may be asked without the link may be asked with it.
fn ask(client: &Client, request: &Request<'_>, arguments: &str) {
    let now = Timestamp::from_millis(1_800_000_000_000);
    let rights = |has| Rights {
        links: has,
        mail: true,
    };
    match Question::parse(arguments, rights(false), now) {
        Ok(question) => {
            assert!(!question.returns_link && !question.recipients.is_empty());
            let all = Question::parse(arguments, rights(true), now);
            assert_eq!(all.as_ref(), Ok(&question));
            assert_eq!(question.request.tags, [AGENT_TAG]);
            assert!(check_not_of_agent(&question.request).is_err());
            let is_webhook = |to: &Recipient| matches!(to, Recipient::Webhook(_));
            assert!(!question.recipients.iter().any(is_webhook));
        }
        Err(why) => check_failed(client, request, &why),
    }
}

fn check_failed(client: &Client, request: &Request<'_>, why: &str) {
    assert!(why.ends_with('.') && why.len() < 1_000, "{why}");
    check_result(request, &outcome::failed_call(client, why));
}

fn check_result(request: &Request<'_>, result: &str) {
    check_json(result);
    let response = message::response(request.id, result);
    check_json(&response);
    let start = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{"#, request.id);
    assert!(response.starts_with(&start), "{response}");
}

fn check_error(error: &RpcError) {
    let json = error.to_json();
    check_json(&json);
    assert!(json.contains(&error.code.to_string()), "{json}");
    assert!((400..500).contains(&error.status));
}

fn check_json(json: &str) {
    let read = serde_json::from_str::<&RawValue>(json);
    assert!(read.is_ok(), "{json}");
}
