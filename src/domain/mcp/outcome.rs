//! What tools and tasks answer.
//!
//! Invariant: a result's text is the JSON of its structured content.

use super::client::{Client, TASKS_SUPPORT, versions};
use crate::domain::auth::token_id::public_id;
use crate::domain::json::{minify_json, to_json};
use crate::domain::list::page::ListPage;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::{Output, OutputKind, State, Token};
use serde::Serialize;
use serde_json::value::RawValue;
use std::time::Duration;

/// How often a task is to be asked for, in milliseconds.
const POLL_INTERVAL: u64 = 5_000;

/// How long clients may keep what does not change, in milliseconds.
const CACHED: &str = r#""ttlMs":3600000"#;

const SERVER: &str = concat!(
    r#"{"name":"waitpoint","title":"Waitpoint","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#""}"#
);
const INSTRUCTIONS: &str = "Ask a person with ask_human before you do what cannot be undone. The person \
    decides on a web page; you learn the decision from the result, or by check_decision.";

/// The result of `initialize`. `version` is the negotiated one.
#[must_use]
pub fn initialize_result(version: &str) -> String {
    let capabilities = r#"{"tools":{}}"#;
    let about = format!(
        r#""serverInfo":{SERVER},"instructions":{}"#,
        to_json(&INSTRUCTIONS)
    );
    format!(r#"{{"protocolVersion":"{version}","capabilities":{capabilities},{about}}}"#)
}

/// The result of `server/discover`.
#[must_use]
pub fn discover_result() -> String {
    let versions = versions();
    let capabilities = format!(r#"{{"tools":{{}},"extensions":{TASKS_SUPPORT}}}"#);
    let instructions = to_json(&INSTRUCTIONS);
    let about = format!(r#""instructions":{instructions},{CACHED}"#);
    complete(&format!(
        r#""supportedVersions":{versions},"capabilities":{capabilities},{about},"cacheScope":"public""#
    ))
}

/// The result of `tools/list`.
#[must_use]
pub fn list_result(client: &Client, definitions: &str) -> String {
    match client.is_modern {
        // They depend on the key.
        true => complete(&format!(
            r#""tools":{definitions},{CACHED},"cacheScope":"private""#
        )),
        false => format!(r#"{{"tools":{definitions}}}"#),
    }
}

/// The result of a call. `structured` is JSON text.
#[must_use]
pub fn call_result(client: &Client, structured: &str) -> String {
    wrap(client, &result_fields(structured))
}

fn result_fields(structured: &str) -> String {
    let content = content(structured);
    format!(r#"{content},"structuredContent":{structured},"isError":false"#)
}

fn content(text: &str) -> String {
    format!(r#""content":[{{"type":"text","text":{}}}]"#, to_json(&text))
}

/// The result of a call that did nothing, and why.
#[must_use]
pub fn failed_call(client: &Client, why: &str) -> String {
    wrap(client, &format!(r#"{},"isError":true"#, content(why)))
}

fn wrap(client: &Client, fields: &str) -> String {
    match client.is_modern {
        true => complete(fields),
        false => format!("{{{fields}}}"),
    }
}

/// A final result of the modern revision.
#[must_use]
pub fn complete(fields: &str) -> String {
    typed("complete", fields)
}

/// How a token stands, as structured content. `link` is what it is decided by, if the agent may have it.
#[must_use]
pub fn decision_json(id: &str, token: &Token, link: Option<&str>) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Decision<'a> {
        id: &'a str,
        status: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        output: Option<Box<RawValue>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        decided_by: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        link: Option<&'a str>,
        message: &'static str,
    }
    let mut decision = Decision {
        id,
        status: "waiting",
        output: None,
        decided_by: None,
        reason: None,
        link: None,
        message: "Nobody has decided yet. Call check_decision with this id.",
    };
    match &token.state {
        State::Waiting => {
            decision.link = link;
            if link.is_some() {
                decision.message =
                    "Show the person the link. Then call check_decision with this id.";
            }
        }
        State::Completed { decision: by, .. } => {
            decision.status = "completed";
            decision.output = by.output.as_ref().map(output_json);
            decision.decided_by = Some(by.subject.as_deref().unwrap_or(by.by.as_str()));
            decision.message = "It is answered. Read output: it may be a refusal.";
        }
        State::TimedOut => {
            decision.status = "timed_out";
            decision.message =
                "Nobody answered in time: no approval. To ask again, use another idempotencyKey.";
        }
        State::Cancelled { reason, .. } => {
            decision.status = "cancelled";
            decision.reason = reason.as_deref();
            decision.message =
                "It was withdrawn: no approval. To ask again, use another idempotencyKey.";
        }
    }
    to_json(&decision)
}

/// An output as JSON, without line breaks. An output that is not JSON becomes a string.
fn output_json(output: &Output) -> Box<RawValue> {
    let json = match output.kind {
        OutputKind::Json => RawValue::from_string(minify_json(&output.text)).ok(),
        OutputKind::Text | OutputKind::Stored => None,
    };
    let as_text = || RawValue::from_string(to_json(&output.text)).unwrap_or_default();
    json.unwrap_or_else(as_text)
}

/// A page of what waits, as structured content.
#[must_use]
pub fn waiting_json(page: &ListPage) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Page<'a> {
        waiting: Vec<Item<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_cursor: Option<String>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Item<'a> {
        id: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        created_at: Timestamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        timeout_at: Option<Timestamp>,
    }
    let items = page.rows.iter().map(|row| Item {
        id: public_id(&row.id),
        title: row.title.as_deref().filter(|title| !title.is_empty()),
        created_at: row.created_at,
        timeout_at: row.timeout_at,
    });
    to_json(&Page {
        waiting: items.collect(),
        next_cursor: page.next.as_ref().map(|cursor| cursor.to_text()),
    })
}

/// A task: a token that a person decides. `decision` is its structured content.
#[must_use]
pub fn task_fields(id: &str, token: &Token, retention: Duration, decision: &str) -> String {
    let status = match token.state {
        State::Waiting => "working",
        // A question that nobody answered in time has a result: that.
        State::Completed { .. } | State::TimedOut => "completed",
        State::Cancelled { .. } => "cancelled",
    };
    let updated = token.finished_at().unwrap_or(token.created_at);
    let at_timeout = || token.timeout_at.map(|at| at.plus(retention));
    let life = token.purge_at(retention).or_else(at_timeout).map(|at| {
        let kept = at.as_millis();
        kept.saturating_sub(token.created_at.as_millis())
            .to_string()
    });
    let life = life.as_deref().unwrap_or("null");
    let created = token.created_at;
    let mut fields = format!(
        r#""taskId":"{id}","status":"{status}","createdAt":"{created}","lastUpdatedAt":"{updated}""#
    );
    fields += &format!(r#","ttlMs":{life},"pollIntervalMs":{POLL_INTERVAL}"#);
    if let State::Cancelled {
        reason: Some(reason),
        ..
    } = &token.state
    {
        fields += &format!(r#","statusMessage":{}"#, to_json(reason));
    }
    if status == "completed" {
        fields += &format!(r#","result":{{{}}}"#, result_fields(decision));
    }
    fields
}

/// The result of a call that became a task.
#[must_use]
pub fn task_result(fields: &str) -> String {
    typed("task", fields)
}

fn typed(result_type: &str, fields: &str) -> String {
    let comma = if fields.is_empty() { "" } else { "," };
    let meta = format!(r#"{{"io.modelcontextprotocol/serverInfo":{SERVER}}}"#);
    format!(r#"{{"resultType":"{result_type}"{comma}{fields},"_meta":{meta}}}"#)
}
