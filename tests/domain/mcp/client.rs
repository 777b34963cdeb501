//! What a request says of its client.
use waitpoint::domain::mcp::client::{Client, LEGACY, MODERN, McpHeaders, negotiated, versions};
use waitpoint::domain::mcp::message::{
    HEADER_MISMATCH, INVALID_PARAMS, MISSING_CAPABILITY, Message, RpcError, UNSUPPORTED_VERSION,
    parse,
};

/// A client that sends this method and these params, and headers: version, method, name.
fn client(method: &str, params: &str, headers: [&str; 3]) -> Result<Client, RpcError> {
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
    let Ok(Message::Request(request)) = parse(body.as_bytes()) else {
        panic!("{body} is no request");
    };
    let [version, method, name] = headers;
    let headers = McpHeaders {
        version,
        method,
        name,
    };
    Client::of(&request, headers)
}

fn meta(version: &str, more: &str) -> String {
    format!(
        r#"{{"name":"cancel","taskId":"waitpoint_x","_meta":{{"io.modelcontextprotocol/protocolVersion":"{version}",
        "io.modelcontextprotocol/clientCapabilities":{{{more}}},"progressToken":7}}}}"#
    )
}

#[test]
fn the_modern_revision_is_known_by_its_meta_and_held_to_its_headers() {
    let tasks = r#""extensions":{"io.modelcontextprotocol/tasks":{}}"#;
    let params = meta(MODERN, tasks);
    let read = client("tools/call", &params, [MODERN, "tools/call", "cancel"]).unwrap();
    assert!(read.is_modern && read.has_tasks);
    assert_eq!(read.progress_token.as_deref(), Some("7"));
    read.require_tasks().unwrap();
    // The name may be in base64, which HTTP can always carry.
    client(
        "tools/call",
        &params,
        [MODERN, "tools/call", "=?base64?Y2FuY2Vs?="],
    )
    .unwrap();
    client("tasks/get", &params, [MODERN, "tasks/get", "waitpoint_x"]).unwrap();
    client("tools/list", &params, [MODERN, "tools/list", ""]).unwrap();
    for headers in [
        ["", "tools/call", "cancel"],
        [LEGACY, "tools/call", "cancel"],
        [MODERN, "", "cancel"],
        [MODERN, "tools/list", "cancel"],
        [MODERN, "tools/call", ""],
        [MODERN, "tools/call", "ask_human"],
        [MODERN, "tools/call", "=?base64?!!?="],
    ] {
        let error = client("tools/call", &params, headers).unwrap_err();
        assert_eq!(
            (error.status, error.code),
            (400, HEADER_MISMATCH),
            "{headers:?}"
        );
    }
    let without = client("tools/list", &meta(MODERN, ""), [MODERN, "tools/list", ""]).unwrap();
    assert_eq!(
        without.require_tasks().unwrap_err().code,
        MISSING_CAPABILITY
    );
    for extensions in ["null", "[]", r#"{"io.modelcontextprotocol/tasks":null}"#] {
        let params = meta(MODERN, &format!(r#""extensions":{extensions}"#));
        assert!(
            !client("ping", &params, [MODERN, "ping", ""])
                .unwrap()
                .has_tasks
        );
    }
}

#[test]
fn a_version_that_is_not_spoken_is_answered_by_those_that_are() {
    let error = client("ping", &meta("2099-01-01", ""), ["2099-01-01", "ping", ""]).unwrap_err();
    assert_eq!((error.status, error.code), (400, UNSUPPORTED_VERSION));
    let data = error.data.unwrap();
    assert!(
        data.contains(&versions()) && data.contains("2099-01-01"),
        "{data}"
    );
    for version in ["2099-01-01", "2025-03-26", "2026"] {
        assert_eq!(
            client("ping", "{}", [version, "", ""]).unwrap_err().code,
            UNSUPPORTED_VERSION
        );
        assert!(!versions().contains(&format!("\"{version}\"")));
        assert_eq!(negotiated(version), LEGACY);
    }
    for version in [LEGACY, "2025-06-18", ""] {
        assert!(!client("ping", "{}", [version, "", ""]).unwrap().is_modern);
        assert!(versions().contains(version));
    }
    assert_eq!(negotiated("2025-06-18"), "2025-06-18");
}

#[test]
fn params_that_cannot_be_read_are_refused() {
    for params in [
        "[]",
        "7",
        r#"{"_meta":[]}"#,
        r#"{"_meta":{},"_meta":{}}"#,
        r#"{"name":"a","name":"b"}"#,
        r#"{"_meta":{"progressToken":1,"progressToken":2}}"#,
    ] {
        assert_eq!(
            client("ping", params, ["", "", ""]).unwrap_err().code,
            INVALID_PARAMS,
            "{params}"
        );
    }
    for meta in [r#"{"_meta":{}}"#, "{}", r#"{"_meta":null}"#] {
        assert_eq!(
            client("ping", meta, [MODERN, "ping", ""]).unwrap_err().code,
            INVALID_PARAMS,
            "{meta}"
        );
    }
    let long = format!(r#"{{"_meta":{{"progressToken":"{}"}}}}"#, "x".repeat(200));
    for params in [
        long.as_str(),
        r#"{"_meta":{"progressToken":{}}}"#,
        r#"{"_meta":{"progressToken":1.5}}"#,
    ] {
        assert_eq!(
            client("ping", params, ["", "", ""]).unwrap().progress_token,
            None,
            "{params}"
        );
    }
}
