//! The field `callback` of create.
use super::fault;
use serde_json::json;
use waitpoint::domain::callback::config::{CallbackConfig, Respond};
use waitpoint::domain::callback::secrets::CallbackSecrets;
use waitpoint::domain::callback::verify::{Encoding, Scheme, Verify};

fn respond(json: serde_json::Value) -> Respond {
    Respond::parse(&json.to_string()).unwrap()
}

#[test]
fn a_callback_is_read_with_all_its_fields() {
    let config = CallbackConfig::parse(
        r#" { "accept": { "pointer": "/status", "in": ["succeeded", "failed"] },
              "verify": { "scheme": "github", "secret": "DEPLOYS" },
              "respond": { "status": 201, "contentType": "text/xml", "body": "<Response/>" } }"#,
    )
    .unwrap();
    assert!(config.accept.unwrap().matches(r#"{"status":"failed"}"#));
    let verify = config.verify.unwrap();
    assert_eq!(
        (verify.scheme, verify.secret.as_str()),
        (Scheme::Github, "DEPLOYS")
    );
    assert_eq!(
        config.respond.unwrap(),
        Respond {
            status: 201,
            content_type: Some("text/xml".to_owned()),
            body: "<Response/>".to_owned(),
        }
    );
    assert_eq!(
        CallbackConfig::parse("{}").unwrap(),
        CallbackConfig::default()
    );
    // A signature that is left out by mistake is an error.
    for field in ["accept", "verify", "respond"] {
        let null = format!(r#"{{"{field}":null}}"#);
        let (path, message) = fault(CallbackConfig::parse(&null));
        assert_eq!(path, format!("callback.{field}"));
        assert!(message.contains("null"), "{message}");
    }
    let decimal = CallbackConfig::parse(r#"{"respond":{"status":202.0}}"#).unwrap();
    assert_eq!(decimal.respond.unwrap().status, 202);
}

#[test]
fn schemes_are_read_by_their_names() {
    for (json, scheme) in [
        (
            r#"{"scheme":"standard-webhooks","secret":"A"}"#,
            Scheme::StandardWebhooks,
        ),
        (r#"{"scheme":"stripe","secret":"A"}"#, Scheme::Stripe),
        (r#"{"scheme":"slack","secret":"A"}"#, Scheme::Slack),
        (r#"{"scheme":"twilio","secret":"A"}"#, Scheme::Twilio),
        (
            r#"{"scheme":"hmac-sha256","secret":"A","header":"X-Sig"}"#,
            Scheme::HmacSha256 {
                header: "x-sig".to_owned(),
                encoding: Encoding::Hex,
                prefix: String::new(),
            },
        ),
        (
            r#"{"scheme":"hmac-sha256","secret":"A","header":"x","encoding":"base64","prefix":"v1="}"#,
            Scheme::HmacSha256 {
                header: "x".to_owned(),
                encoding: Encoding::Base64,
                prefix: "v1=".to_owned(),
            },
        ),
    ] {
        assert_eq!(Verify::parse(json).unwrap().scheme, scheme, "{json}");
    }
}

#[test]
fn errors_name_the_field_and_the_value() {
    for (json, path, named) in [
        ("[]", "callback", r#""[]""#),
        ("null", "callback", r#""null""#),
        (r#"{"accepts":{}}"#, "callback", "\"accepts\""),
        (r#"{"verify":{},"verify":{}}"#, "callback", "twice"),
        (
            r#"{"accept":{"pointer":"x","in":[1]}}"#,
            "callback.accept.pointer",
            "\"x\"",
        ),
        (r#"{"verify":"github"}"#, "callback.verify", "github"),
        (
            r#"{"verify":{"scheme":"github"}}"#,
            "callback.verify.secret",
            "missing",
        ),
        (
            r#"{"verify":{"secret":"A"}}"#,
            "callback.verify.scheme",
            "missing",
        ),
        (
            r#"{"verify":{"scheme":"gitlab","secret":"A"}}"#,
            "callback.verify.scheme",
            "gitlab",
        ),
        (
            r#"{"verify":{"scheme":1,"secret":"A"}}"#,
            "callback.verify.scheme",
            "\"1\"",
        ),
        (
            r#"{"verify":{"scheme":"github","secret":"A","header":"x"}}"#,
            "callback.verify.header",
            "hmac-sha256",
        ),
        (
            r#"{"verify":{"scheme":"stripe","secret":"A","prefix":"x"}}"#,
            "callback.verify.prefix",
            "hmac-sha256",
        ),
        (
            r#"{"verify":{"scheme":"hmac-sha256","secret":"A"}}"#,
            "callback.verify.header",
            "missing",
        ),
        (
            r#"{"verify":{"scheme":"hmac-sha256","secret":"A","header":"a b"}}"#,
            "callback.verify.header",
            "a b",
        ),
        (
            r#"{"verify":{"scheme":"hmac-sha256","secret":"A","header":"a","encoding":"hexa"}}"#,
            "callback.verify.encoding",
            "hexa",
        ),
        (
            r#"{"verify":{"scheme":"hmac-sha256","secret":"A","header":"a","prefix":"\n"}}"#,
            "callback.verify.prefix",
            "\\n",
        ),
        (
            r#"{"verify":{"scheme":"hmac-sha256","secret":"A","header":"a","prefix":" v1="}}"#,
            "callback.verify.prefix",
            " v1=",
        ),
        (
            r#"{"respond":{"status":302}}"#,
            "callback.respond.status",
            "302",
        ),
        (
            r#"{"respond":{"status":199}}"#,
            "callback.respond.status",
            "199",
        ),
        (
            r#"{"respond":{"status":"200"}}"#,
            "callback.respond.status",
            "200",
        ),
        (
            r#"{"respond":{"status":200.5}}"#,
            "callback.respond.status",
            "200.5",
        ),
        (
            r#"{"respond":{"status":204,"body":"x"}}"#,
            "callback.respond.body",
            "204",
        ),
        (
            r#"{"respond":{"status":205,"body":"x"}}"#,
            "callback.respond.body",
            "205",
        ),
        (r#"{"respond":{"body":{}}}"#, "callback.respond.body", "{}"),
        (
            r#"{"respond":{"headers":{}}}"#,
            "callback.respond",
            "headers",
        ),
    ] {
        let (at, message) = fault(CallbackConfig::parse(json));
        assert!(
            at == path && message.contains(named),
            "{json}: {at}: {message}"
        );
        assert!(
            message.ends_with('.') && message.chars().count() < 300,
            "{message}"
        );
    }
    let long = json!({"body": "é".repeat(4_001)}).to_string();
    let (path, message) = fault(Respond::parse(&long));
    assert!(
        path == "callback.respond.body" && message.contains("4001"),
        "{message}"
    );
    assert_eq!(respond(json!({"body": "é".repeat(4_000)})).status, 200);
}

#[test]
fn a_secret_that_stands_where_its_name_should_is_not_quoted() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw+/==";
    let json = json!({"scheme": "github", "secret": secret}).to_string();
    let (path, message) = fault(Verify::parse(&json));
    assert!(
        path == "callback.verify.secret" && !message.contains("MfKQ"),
        "{message}"
    );

    let secrets = CallbackSecrets::parse("A=12345678\nB=whsec_!!!!")
        .ok()
        .unwrap();
    let verify = |scheme: &str, secret: &str| {
        let json = json!({"scheme": scheme, "secret": secret}).to_string();
        Verify::parse(&json).unwrap().check_secret(&secrets)
    };
    assert_eq!(verify("github", "A"), Ok(()));
    let (path, message) = fault(verify("github", "hunter2hunter2"));
    assert!(
        path == "callback.verify.secret" && !message.contains("hunter2"),
        "{message}"
    );
    // Stripe's secrets begin so too, and are the key as they stand.
    assert_eq!(verify("stripe", "B"), Ok(()));
    let (path, message) = fault(verify("standard-webhooks", "B"));
    assert!(
        path == "callback.verify.secret" && message.contains("base64"),
        "{message}"
    );
}

#[test]
fn a_response_has_a_type_that_runs_nowhere() {
    for good in [
        "text/xml",
        "Text/XML",
        "text/xml; charset=utf-8",
        "text/xml;charset=\"UTF-8\"",
        "application/xml",
        "application/json",
        "application/vnd.api+json",
        "application/soap+xml",
        "text/plain",
    ] {
        let parsed = respond(json!({"contentType": good, "body": "x"}));
        assert_eq!(parsed.content_type.as_deref(), Some(good));
    }
    for bad in [
        "",
        "xml",
        "text/html",
        "TEXT/HTML",
        "text/html;charset=utf-8",
        " text/html",
        "application/xhtml+xml",
        "image/svg+xml",
        "application/xslt+xml",
        "text/javascript",
        "application/javascript",
        "text/css",
        "application/pdf",
        "multipart/x-mixed-replace",
        "text/plain; charset=utf-16",
        "text/plain; charset=utf-7",
        "text/plain, text/html",
        "text/plain;\r\nset-cookie: a=b",
        "text/plain\r\n",
        "\ntext/plain",
        "text/plain;\r\ncharset=utf-8",
        "text/plain\u{0}",
        "application/+json",
        "application/a b+json",
        "application/html,+json",
        &format!("application/{}+json", "a".repeat(100)),
    ] {
        let (path, message) = fault(Respond::parse(&json!({"contentType": bad}).to_string()));
        assert_eq!(path, "callback.respond.contentType", "{bad}");
        assert!(!message.contains(['\r', '\n', '\u{0}']), "{message:?}");
    }
    let typed = |body: &str| respond(json!({"body": body})).content_type;
    assert_eq!(typed(""), None);
    assert_eq!(typed("ok").as_deref(), Some("text/plain; charset=utf-8"));
    assert_eq!(
        typed(r#"{"response_action":"clear"}"#).as_deref(),
        Some("application/json")
    );
    let empty = respond(json!({"status": 204}));
    assert_eq!(
        (empty.status, empty.content_type, empty.body.as_str()),
        (204, None, "")
    );
}
