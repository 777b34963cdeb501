//! JSON-RPC messages.
use waitpoint::domain::mcp::message::{INVALID_REQUEST, Message, PARSE_ERROR, RpcError, parse};

fn error_of(body: &str) -> RpcError {
    parse(body.as_bytes()).unwrap_err()
}

#[test]
fn a_message_with_an_id_is_a_request_and_without_one_a_notification() {
    for id in [
        "0",
        "-7",
        "123456789012345678901234567890",
        "\"\"",
        "\"é\\n\"",
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let Ok(Message::Request(request)) = parse(body.as_bytes()) else {
            panic!("{id} is refused");
        };
        assert_eq!((request.id, request.method.as_str()), (id, "ping"));
        assert!(request.params.is_none());
    }
    let notification = br#"{"jsonrpc":"2.0","method":"notifications/initialized","params":{}}"#;
    assert!(matches!(parse(notification), Ok(Message::Notification)));
}

#[test]
fn an_id_that_cannot_come_back_is_refused_and_quoted_as_it_was_sent() {
    let long = format!("\"{}\"", "x".repeat(1_000));
    for (id, quoted) in [
        ("null", "null"),
        ("true", "true"),
        ("1.5", "1.5"),
        ("1e3", "1e3"),
        ("-", ""),
        ("{}", "{}"),
        ("[1]", "[1]"),
        (long.as_str(), "\"xxx"),
    ] {
        let error = error_of(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#));
        let code = if id == "-" {
            PARSE_ERROR
        } else {
            INVALID_REQUEST
        };
        assert_eq!((error.status, error.code), (400, code), "{id}");
        assert!(error.message.starts_with(quoted), "{}", error.message);
        assert!(error.message.len() < 200 && error.id.is_none());
    }
}

#[test]
fn what_is_no_message_is_refused() {
    for (body, code) in [
        ("", PARSE_ERROR),
        ("{", PARSE_ERROR),
        (
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
            INVALID_REQUEST,
        ),
        (" []", INVALID_REQUEST),
        ("null", INVALID_REQUEST),
        ("{}", INVALID_REQUEST),
        (
            r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
            INVALID_REQUEST,
        ),
        (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, INVALID_REQUEST),
        (
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
            INVALID_REQUEST,
        ),
    ] {
        assert_eq!(error_of(body).code, code, "{body}");
    }
    assert_eq!(parse(b"\"\xff\"").unwrap_err().code, PARSE_ERROR);
}
