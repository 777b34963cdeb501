//! The table of handshakes: what each service sends, and what it is answered.
use super::handshake::{Sent, answered};

const ASANA: &str = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81";
const MONDAY: &str = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P";

/// What a service sends, and what it hears: the service, the content type (`""` for none) and the
/// body.
#[test]
fn each_service_hears_what_it_wants() {
    let rows: Vec<(Sent, [&str; 3])> = vec![
        (
            Sent::json(r#"{"zen":"Design for failure.","hook_id":1,"hook":{}}"#)
                .header("X-GitHub-Event", "ping"),
            ["GitHub", "", ""],
        ),
        (
            Sent::form(&[("payload", r#"{"zen":"x"}"#)])
                .header("X-GitHub-Event", "ping")
                .header("X-Gitea-Event", "ping"),
            ["GitHub", "", ""],
        ),
        (
            Sent::json(r#"{"test": true}"#).header("X-Event-Key", "diagnostics:ping"),
            ["Bitbucket", "", ""],
        ),
        (
            Sent::json(r#"{"token":"Jhj5","challenge":"3eZbrw1a","type":"url_verification"}"#),
            ["Slack or Lark", "application/json", r#"{"challenge":"3eZbrw1a"}"#],
        ),
        (
            Sent::form(&[("ssl_check", "1"), ("token", "x")]),
            ["Slack", "", ""],
        ),
        (
            Sent::text(
                r#"{"Type":"SubscriptionConfirmation","MessageId":"1","Token":"2","TopicArn":"arn:aws:sns:x"}"#,
            ),
            ["Amazon SNS", "", ""],
        ),
        (
            Sent::text(r#"{"Type":"UnsubscribeConfirmation","TopicArn":"arn:aws:sns:x"}"#),
            ["Amazon SNS", "", ""],
        ),
        (
            Sent::json(
                r#"[{"id":"1","topic":"t","subject":"","data":{"validationCode":"512D38B6",
                "validationUrl":"https://rp-eastus2.eventgrid.azure.net:553/x"},
                "eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","dataVersion":"1"}]"#,
            )
            .header("aeg-event-type", "SubscriptionValidation"),
            ["Azure Event Grid", "application/json", r#"{"validationResponse":"512D38B6"}"#],
        ),
        (
            Sent::text("").query("validationToken=Validation%3a+Testing%20client%2B"),
            ["Microsoft Graph", "text/plain; charset=utf-8", "Validation: Testing client+"],
        ),
        (
            Sent::text("").query("a=1&validationtoken=72e1c1f2"),
            ["Microsoft Graph", "text/plain; charset=utf-8", "72e1c1f2"],
        ),
        (
            Sent::json(r#"{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZ"}}"#),
            ["Zoom", "application/json", r#"{"plainToken":"qgg8vlvZ"}"#],
        ),
        (Sent::json("{}").header("X-Hook-Secret", ASANA), ["Asana", "", ""]),
        (
            Sent::json("").header("Validation-Token", "d6e5a2c0-46ee"),
            ["RingCentral", "", ""],
        ),
        (
            Sent::text("")
                .header("X-Goog-Channel-ID", "1")
                .header("X-Goog-Resource-State", "sync"),
            ["Google", "", ""],
        ),
        (Sent::form(&[("mandrill_events", "[]")]), ["Mandrill", "", ""]),
        (
            Sent::form(&[("json", r#"{"event":{"event_type":"callback_test","event_time":"1"}}"#)]),
            ["Dropbox Sign", "text/plain; charset=utf-8", "Hello API Event Received"],
        ),
        (
            Sent::json(r#"{"challenge":"pogchamp-kappa-360noscope","subscription":{}}"#)
                .header("Twitch-Eventsub-Message-Type", "webhook_callback_verification"),
            ["Twitch", "text/plain; charset=utf-8", "pogchamp-kappa-360noscope"],
        ),
        (
            Sent::json(r#"{"challenge":"d78dd1d3","webhookId":1}"#)
                .header("Smartsheet-Hook-Challenge", "d78dd1d3"),
            ["Smartsheet", "application/json", r#"{"smartsheetHookResponse":"d78dd1d3"}"#],
        ),
        (
            Sent::json(r#"{"type":"sync","authorization":{"id":"cmp_abc"}}"#)
                .header("x-front-challenge", "r4nd0m"),
            ["Front", "text/plain; charset=utf-8", "r4nd0m"],
        ),
        (
            Sent::json(&format!(r#"{{"challenge":"{MONDAY}"}}"#)),
            [
                "monday.com",
                "application/json",
                r#"{"challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}"#,
            ],
        ),
        (
            Sent::json(r#"{"verification_token":"secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0"}"#),
            ["Notion", "", ""],
        ),
        (
            Sent::json(
                r#"{"events":[],"lastEventSequence":0,"firstEventSequence":0,"entropy":"S0m3r4N0m"}"#,
            )
            .header("x-xero-signature", "anything"),
            ["Xero", "", ""],
        ),
        (
            Sent::json(r#"{"event":{"id":"1","event_type":"pagey.ping","data":{}}}"#),
            ["PagerDuty", "", ""],
        ),
        (
            Sent::json(r#"{"event_type":"PING","passcode":"p","timestamp":"t","webhook_id":"22"}"#),
            ["Figma", "", ""],
        ),
        (
            Sent::json(r#"{"event":"ping","service":{},"organization":{},"sender":{}}"#)
                .header("X-Buildkite-Event", "ping"),
            ["Buildkite", "", ""],
        ),
        (
            Sent::json(r#"{"webhookId":"d3cf26b3-2d77"}"#).header("X-Snyk-Event", "ping/v0"),
            ["Snyk", "", ""],
        ),
        (
            Sent::json(r#"{"destination":"U1","events":[]}"#).header("x-line-signature", "x"),
            ["LINE", "", ""],
        ),
        (
            Sent::json(r#"{"event":"webhook","timestamp":1457764197627,"message_token":241256543}"#),
            ["Viber", "", ""],
        ),
        (
            Sent::json(
                r#"{"payload_version":1,"notification_configuration_id":"nc-1","run_id":null,
                "notifications":[{"message":"Verification of Webhook","trigger":"verification"}]}"#,
            ),
            ["Terraform", "", ""],
        ),
        (Sent::json(r#"[{"msys":{}}]"#), ["SparkPost", "", ""]),
        (
            Sent::json(r#"{"type":"notification_event","topic":"ping","data":{}}"#),
            ["Intercom", "", ""],
        ),
        (
            Sent::form(&[("webhook_id", "17")])
                .header("User-Agent", "WooCommerce/9.0 Hookshot (WordPress/6.5)"),
            ["WooCommerce", "", ""],
        ),
        (
            Sent::form(&[("type", "hook.verify"), ("hook_id", "1"), ("code", "c")]),
            ["Podio", "", ""],
        ),
        (
            Sent::get("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meaty"),
            ["Meta or WebSub", "text/plain; charset=utf-8", "1158201444"],
        ),
        (
            Sent::get("hub.topic=https%3A%2F%2Fx.org&hub.challenge=a%2Fb&hub.mode=unsubscribe"),
            ["Meta or WebSub", "text/plain; charset=utf-8", "a/b"],
        ),
        (
            Sent::get(
                "hub.verify_token=S&hub.challenge=15f7d1a91c1f40f8a748fd134752feb3&hub.mode=subscribe",
            ),
            [
                "Strava",
                "application/json",
                r#"{"hub.challenge":"15f7d1a91c1f40f8a748fd134752feb3"}"#,
            ],
        ),
        (
            Sent::get("").header("X-Okta-Verification-Challenge", "my-value"),
            ["Okta", "application/json", r#"{"verification":"my-value"}"#],
        ),
        (
            Sent::get("challenge=abc123"),
            ["Dropbox, Nylas or Adobe", "text/plain; charset=utf-8", "abc123"],
        ),
        (
            Sent::method("OPTIONS").header("WebHook-Request-Origin", "eventemitter.example.com"),
            ["CloudEvents", "", ""],
        ),
    ];
    for (sent, [service, content_type, body]) in rows {
        let answer = answered(&sent).unwrap_or_else(|| panic!("{service}: {}", sent.body));
        assert_eq!(answer.service, service, "{}", sent.body);
        assert_eq!(answer.status, 200, "{service}");
        assert_eq!(answer.content_type.unwrap_or(""), content_type, "{service}");
        assert_eq!(answer.body, body, "{service}");
        assert_eq!(answer.confirm, None, "{service}");
    }
}

#[test]
fn some_services_want_headers() {
    let header = |sent: &Sent, wanted: &str| {
        let headers = answered(sent).unwrap().headers;
        let found = headers.into_iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| value)
    };
    let asana = Sent::json("").header("X-Hook-Secret", ASANA);
    assert_eq!(header(&asana, "x-hook-secret").as_deref(), Some(ASANA));
    let ring = Sent::json("").header("Validation-Token", "d6e5");
    assert_eq!(header(&ring, "validation-token").as_deref(), Some("d6e5"));
    let sheet = Sent::json(r#"{"challenge":"x"}"#).header("Smartsheet-Hook-Challenge", "d78d");
    let sheet = header(&sheet, "smartsheet-hook-response");
    assert_eq!(sheet.as_deref(), Some("d78d"));
    let events = Sent::method("OPTIONS")
        .header("WebHook-Request-Origin", "eventemitter.example.com")
        .header("WebHook-Request-Rate", "120");
    let origin = header(&events, "webhook-allowed-origin");
    assert_eq!(origin.as_deref(), Some("eventemitter.example.com"));
    assert_eq!(
        header(&events, "webhook-allowed-rate").as_deref(),
        Some("*")
    );
    assert_eq!(header(&events, "allow").as_deref(), Some("POST"));
}
