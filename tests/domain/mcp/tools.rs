//! The tools.
use super::{ALL, NONE};
use serde_json::Value;
use waitpoint::domain::mcp::tools::{ToolCall, ToolError, definitions, parse};

#[test]
fn an_agent_is_offered_what_it_may_do() {
    let all: Value = serde_json::from_str(&definitions(ALL)).unwrap();
    let few: Value = serde_json::from_str(&definitions(NONE)).unwrap();
    let asks = |tools: &Value| tools[0]["inputSchema"]["properties"].clone();
    let (mut all_asks, few_asks) = (asks(&all), asks(&few));
    assert_eq!(all_asks["returnLink"]["type"], "boolean");
    assert!(few_asks["returnLink"].is_null());
    assert!(few_asks["notify"]["items"]["properties"]["webhook"].is_null());
    // Nothing else is left out.
    all_asks.as_object_mut().unwrap().remove("returnLink");
    let recipients = &mut all_asks["notify"]["items"]["properties"];
    assert!(
        recipients
            .as_object_mut()
            .unwrap()
            .remove("webhook")
            .is_some()
    );
    assert_eq!(all_asks, few_asks);
    assert_eq!(all[3], few[3]);
    for tool in all.as_array().unwrap() {
        assert_eq!(tool["outputSchema"]["type"], "object");
        assert!(tool["description"].as_str().unwrap().ends_with('.'));
        let name = tool["name"].as_str().unwrap();
        assert!(
            !matches!(parse(name, "{}"), Err(ToolError::Unknown(_))),
            "{name}"
        );
    }
    assert!(!definitions(ALL).contains('\n'));
}

#[test]
fn a_call_is_read_or_told_what_is_wrong() {
    let id = "waitpoint_x".to_owned();
    assert_eq!(
        parse("cancel", r#"{"id":"waitpoint_x","reason":null}"#),
        Ok(ToolCall::Cancel {
            id: id.clone(),
            reason: None
        })
    );
    assert_eq!(
        parse("check_decision", r#"{"id":"waitpoint_x"}"#),
        Ok(ToolCall::CheckDecision { id })
    );
    assert_eq!(
        parse("list_waiting", "{}"),
        Ok(ToolCall::ListWaiting { cursor: None })
    );
    assert!(
        matches!(parse("approve", "{}"), Err(ToolError::Unknown(why)) if why.contains("ask_human"))
    );
    for (name, arguments, told) in [
        ("cancel", "[]", "not an object"),
        ("cancel", "{}", "id is missing"),
        ("cancel", r#"{"id":null}"#, "id is missing"),
        ("cancel", r#"{"id":7}"#, "id is 7. Use a string."),
        ("cancel", r#"{"id":"a","id":"b"}"#, "\"id\" is given twice"),
        (
            "cancel",
            r#"{"id":"a","why":"b"}"#,
            "\"why\" is not an argument of this tool. Use id, reason.",
        ),
        (
            "list_waiting",
            r#"{"cursor":1}"#,
            "cursor is 1. Use a string.",
        ),
    ] {
        let Err(ToolError::Arguments(why)) = parse(name, arguments) else {
            panic!("{name} takes {arguments}");
        };
        assert!(why.contains(told), "{why}");
    }
}
