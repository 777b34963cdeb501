//! What is a handshake, and what only looks like one.
use super::headers;
use proptest::prelude::*;
use std::cell::Cell;
use waitpoint::domain::callback::handshake::{Handshake, Incoming, MAX_CHALLENGE, handshake};

/// A request to the link of a token.
#[derive(Clone)]
pub(super) struct Sent {
    method: &'static str,
    query: String,
    headers: Vec<(String, String)>,
    pub(super) body: String,
    fields: Option<Vec<(String, String)>>,
}

impl Sent {
    fn post(body: &str) -> Self {
        Self {
            body: body.to_owned(),
            ..Self::method("POST")
        }
    }

    pub(super) fn method(method: &'static str) -> Self {
        Self {
            method,
            query: String::new(),
            headers: Vec::new(),
            body: String::new(),
            fields: None,
        }
    }

    pub(super) fn json(body: &str) -> Self {
        Self::post(body)
    }

    pub(super) fn text(body: &str) -> Self {
        Self::post(body)
    }

    pub(super) fn form(fields: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            fields: Some(fields.iter().map(owned).collect()),
            ..Self::post("a form")
        }
    }

    pub(super) fn get(query: &str) -> Self {
        Self::method("GET").query(query)
    }

    pub(super) fn query(self, query: &str) -> Self {
        Self {
            query: query.to_owned(),
            ..self
        }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn answered(&self, secrets: &[Vec<u8>], asked: &Cell<usize>) -> Option<Handshake> {
        let given: Vec<_> = self
            .headers
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        let find = headers(&given);
        let counted = |name: &str| {
            asked.set(asked.get() + 1);
            find(name)
        };
        let request = Incoming {
            method: self.method,
            query: &self.query,
            headers: &counted,
            body: &self.body,
            fields: self.fields.as_deref(),
        };
        handshake(&request, secrets)
    }
}

pub(super) fn answered(sent: &Sent) -> Option<Handshake> {
    sent.answered(&[], &Cell::new(0))
}

#[test]
fn a_body_that_only_looks_like_a_handshake_decides() {
    let no_ping = r#"{"zen":"x","hook_id":1}"#;
    let monday = "a".repeat(52);
    let validation = r#"{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent",
        "data":{"validationCode":"x"}}"#;
    for sent in [
        Sent::json(no_ping),
        Sent::json(no_ping).header("X-GitHub-Event", "push"),
        Sent::json(r#"{"test":true}"#),
        Sent::json(r#"{"a":true}"#).header("X-Event-Key", "diagnostics:ping"),
        Sent::json(r#"{"type":"url_verification"}"#),
        Sent::json(r#"{"type":"url_verification","challenge":""}"#),
        Sent::json(r#"{"type":"url_verification","challenge":5}"#),
        Sent::json(r#"{"type":["url_verification"],"challenge":"x"}"#),
        Sent::json(r#"{"data":{"type":"url_verification","challenge":"x"}}"#),
        Sent::json(r#"{"type":"event","type":"url_verification","challenge":"x"}"#),
        Sent::json(r#"{"type":"event_callback","challenge":"x"}"#),
        Sent::json(r#"[{"type":"url_verification","challenge":"x"}]"#),
        Sent::json(r#"{"type":"url_verification","challenge":"x"} "#.repeat(2).as_str()),
        Sent::text("url_verification challenge"),
        Sent::json(r#""url_verification""#),
        Sent::json(r#"{"challenge":"x"}"#),
        Sent::json(r#"{"challenge":"approve this, or do not approve it"}"#),
        Sent::json(&format!(r#"{{"challenge":"{monday}","ok":true}}"#)),
        Sent::form(&[("ssl_check", "0")]),
        Sent::form(&[("ssl_check", "")]),
        Sent::form(&[("ssl_check", "1"), ("ssl_check", "1")]),
        Sent::form(&[("ssl_check", "1"), ("command", "/approve")]),
        Sent::form(&[]),
        Sent::text(
            r#"{"Type":"Notification","TopicArn":"arn","Message":"SubscriptionConfirmation"}"#,
        ),
        Sent::text(r#"{"Type":"SubscriptionConfirmation"}"#),
        Sent::text(r#"{"type":"SubscriptionConfirmation","TopicArn":"arn"}"#),
        Sent::json(&format!("[{validation},{validation}]")),
        Sent::json(&format!(
            r#"[{validation},{{"eventType":"Done","data":{{}}}}]"#
        )),
        Sent::json("[]"),
        Sent::json(
            r#"[{"eventType":"Microsoft.Storage.BlobCreated","data":{"validationCode":"x"}}]"#,
        ),
        Sent::json(
            r#"[{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{}}]"#,
        ),
        Sent::json(r#"{"value":[]}"#).query("validationToken=x"),
        Sent::text("").query("validationToken="),
        Sent::text("").query("xvalidationToken=x"),
        Sent::json(r#"{"event":"endpoint.url_validation","payload":{}}"#),
        Sent::json(r#"{"event":"meeting.ended","payload":{"plainToken":"x"}}"#),
        // Others send a secret of this name with each event.
        Sent::json(r#"{"approved":true}"#).header("X-Hook-Secret", "s"),
        Sent::json("{}")
            .header("X-Hook-Secret", "s")
            .header("X-Hook-Signature", "t"),
        Sent::json(r#"{"requestType":"WebHook secret verification"}"#).header("X-Hook-Secret", "s"),
        Sent::json(r#"{"event":"x"}"#).header("Validation-Token", "hello-world"),
        Sent::text("").header("X-Goog-Resource-State", "exists"),
        Sent::form(&[("mandrill_events", r#"[{"event":"send"}]"#)]),
        Sent::form(&[("mandrill_events", "[]"), ("a", "1")]),
        Sent::form(&[(
            "json",
            r#"{"event":{"event_type":"signature_request_signed"}}"#,
        )]),
        Sent::form(&[("json", "callback_test")]),
        Sent::json(r#"{"challenge":"x","subscription":{}}"#)
            .header("Twitch-Eventsub-Message-Type", "notification"),
        Sent::json(r#"{"newWebhookStatus":"ENABLED"}"#).header("Smartsheet-Hook-Challenge", "x"),
        Sent::json(r#"{"type":"inbound"}"#).header("x-front-challenge", "x"),
        Sent::json(r#"{"type":"sync"}"#),
        Sent::json(r#"{"verification_token":"x"}"#),
        Sent::json(r#"{"verification_token":"secret_x","type":"page.created"}"#),
        Sent::json(r#"{"events":[{}],"entropy":"x"}"#).header("x-xero-signature", "x"),
        Sent::json(r#"{"events":[],"entropy":"x"}"#),
        Sent::json(r#"{"event":{"event_type":"incident.resolved"}}"#),
        Sent::json(r#"{"event_type":"PING"}"#),
        Sent::json(r#"{"event_type":"FILE_UPDATE","passcode":"p","webhook_id":"1"}"#),
        Sent::json(r#"{"event":"ping"}"#),
        Sent::json(r#"{"event":"build.finished"}"#).header("X-Buildkite-Event", "build.finished"),
        Sent::json(r#"{"webhookId":1}"#),
        Sent::json(r#"{"destination":"U","events":[{}]}"#).header("x-line-signature", "x"),
        Sent::json(r#"{"event":"webhook"}"#),
        Sent::json(
            r#"{"notification_configuration_id":"nc","notifications":[{"trigger":"run:completed"}]}"#,
        ),
        Sent::json(r#"[{"msys":{"message_event":{}}}]"#),
        Sent::json(r#"[{"msys":{}},{"msys":{}}]"#),
        Sent::json(r#"{"type":"notification_event","topic":"conversation.user.created"}"#),
        Sent::form(&[("webhook_id", "17")]),
        Sent::form(&[("webhook_id", "17"), ("ok", "1")]).header("User-Agent", "WooCommerce/9"),
        Sent::form(&[("type", "item.update"), ("hook_id", "1"), ("code", "c")]),
        Sent::get(""),
        Sent::get("hub.challenge=x"),
        Sent::get("hub.mode=publish&hub.challenge=x"),
        Sent::get("hub.mode=subscribe"),
        Sent::get("challenge=x").header("Sec-Fetch-Mode", "navigate"),
        Sent::get("challenge=x").header("Accept", "text/html,*/*;q=0.8"),
        Sent::get("challenge="),
        Sent::method("OPTIONS"),
        Sent::method("OPTIONS").header("Origin", "https://example.com"),
        Sent::method("HEAD").header("X-GitHub-Event", "ping"),
        Sent::method("PUT").header("X-GitHub-Event", "ping"),
        Sent::json("{}"),
        Sent::json(""),
        Sent::json(r#"{"status":"succeeded"}"#),
        Sent::json("{"),
        Sent::json("null"),
    ] {
        let answer = answered(&sent);
        let Sent {
            method,
            query,
            body,
            headers,
            fields,
            ..
        } = &sent;
        assert_eq!(
            answer, None,
            "{method} {query} {body} {headers:?} {fields:?}"
        );
    }
}

#[test]
fn only_a_url_of_amazon_sns_is_confirmed() {
    let confirm = |kind: &str, url: &str| {
        let body =
            serde_json::json!({"Type": kind, "TopicArn": "arn:aws:sns:x", "SubscribeURL": url});
        answered(&Sent::text(&body.to_string())).unwrap().confirm
    };
    let query = "/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-west-2:1:T&Token=2336412f37";
    for host in [
        "sns.us-west-2.amazonaws.com",
        "sns.us-gov-west-1.amazonaws.com",
        "sns.cn-north-1.amazonaws.com.cn",
    ] {
        let url = format!("https://{host}{query}");
        assert_eq!(confirm("SubscriptionConfirmation", &url), Some(url.clone()));
        // It would subscribe again.
        assert_eq!(confirm("UnsubscribeConfirmation", &url), None);
    }
    for url in [
        format!("http://sns.us-west-2.amazonaws.com{query}"),
        format!("HTTPS://sns.us-west-2.amazonaws.com{query}"),
        format!("https://sns.amazonaws.com{query}"),
        format!("https://sns.s3.amazonaws.com{query}"),
        format!("https://sns.s3-us-west-2.amazonaws.com{query}"),
        format!("https://sns.elb-amazonaws.amazonaws.com{query}"),
        format!("https://sns..amazonaws.com{query}"),
        format!("https://sns.us-west-2.amazonaws.com.evil.example{query}"),
        format!("https://sns.us-west-2.amazonaws.com.cn.cn{query}"),
        format!("https://sns.evil.example/.amazonaws.com{query}"),
        format!("https://sns.evil.example#.amazonaws.com{query}"),
        format!("https://sns.evil.example\\.amazonaws.com{query}"),
        format!("https://sns.a.b.amazonaws.com{query}"),
        format!("https://sqs.us-west-2.amazonaws.com{query}"),
        format!("https://xsns.us-west-2.amazonaws.com{query}"),
        format!("https://user@sns.us-west-2.amazonaws.com{query}"),
        format!("https://a:b@sns.us-west-2.amazonaws.com{query}"),
        format!("https://sns.us-west-2.amazonaws.com:443{query}"),
        format!("https://sns.us-west-2.amazonaws.com.{query}"),
        format!("https://SNS.us-west-2.amazonaws.com{query}"),
        format!("https://sns.us-west-2%2eamazonaws.com{query}"),
        format!(" https://sns.us-west-2.amazonaws.com{query}"),
        format!("https://sns.us-west-2.amazonaws.com{query}\r\nx: y"),
        format!("https://sns.us-west-2.amazonaws.com{query}#x"),
        format!("https://sns.us-west-2.amazonaws.com{query}é"),
        format!(
            "https://sns.us-west-2.amazonaws.com{query}{}",
            "a".repeat(2_000)
        ),
        "https://sns.us-west-2.amazonaws.com/?Action=DeleteTopic&TopicArn=arn".to_owned(),
        "https://sns.us-west-2.amazonaws.com/x?Action=ConfirmSubscription".to_owned(),
        "https://sns.us-west-2.amazonaws.com".to_owned(),
        String::new(),
    ] {
        assert_eq!(confirm("SubscriptionConfirmation", &url), None, "{url}");
    }
}

#[test]
fn what_is_echoed_is_short_and_cannot_end_a_header() {
    let slack = |challenge: &str| {
        let body = serde_json::json!({"type": "url_verification", "challenge": challenge});
        answered(&Sent::json(&body.to_string()))
    };
    assert!(slack(&"é".repeat(MAX_CHALLENGE)).is_some());
    assert!(slack(&"x".repeat(MAX_CHALLENGE + 1)).is_none());
    assert!(slack("a\nb").is_none() && slack("a\u{0}b").is_none());
    assert_eq!(slack("<b>\"").unwrap().body, r#"{"challenge":"<b>\""}"#);
    for value in [
        "",
        " ",
        "a\r\nset-cookie: b",
        "a\nb",
        "a\u{7f}",
        "é",
        &"x".repeat(1_001),
    ] {
        for sent in [
            Sent::json("").header("X-Hook-Secret", value),
            Sent::json("").header("Validation-Token", value),
            Sent::json(r#"{"challenge":"x"}"#).header("Smartsheet-Hook-Challenge", value),
            Sent::method("OPTIONS").header("WebHook-Request-Origin", value),
        ] {
            assert_eq!(answered(&sent), None, "{value:?}");
        }
    }
    let graph = |token: &str| answered(&Sent::text("").query(&format!("validationToken={token}")));
    assert!(graph("a%0Ab").is_none() && graph("%00").is_none());
    let html = graph("%3Cscript%3E").unwrap();
    assert_eq!(html.content_type, Some("text/plain; charset=utf-8"));
}

#[test]
fn zoom_gets_an_encrypted_token_only_for_a_request_that_it_signed() {
    let body =
        r#"{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"#;
    let secrets = [b"another-secret".to_vec(), b"zoom-secret-token".to_vec()];
    let sign = |signature: &str| {
        let sent = Sent::json(body)
            .header("x-zm-request-timestamp", "1654503849")
            .header("x-zm-signature", signature);
        sent.answered(&secrets, &Cell::new(0)).unwrap().body
    };
    // Both computed by Python's hmac: of "v0:1654503849:" and the body, and of the token.
    let signature = "v0=1df3a633524083b6fc29bb71eb2c178279ba895b038a155b16d4faa0778b6cdd";
    let encrypted = "d9e0d764a78494688ba3f2d5c0ed4ca311394b4834d959759213424d2df961e3";
    assert_eq!(
        sign(signature),
        format!(r#"{{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"{encrypted}"}}"#)
    );
    let plain = r#"{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}"#;
    for forged in [
        "",
        "v0=",
        signature.trim_start_matches("v0="),
        &signature.replace('1', "2"),
    ] {
        assert_eq!(sign(forged), plain);
    }
    // Else anybody could have a body signed, and send it with that signature.
    let wanted = Sent::json(
        r#"{"event":"endpoint.url_validation","payload":{"plainToken":"{\"status\":\"succeeded\"}"}}"#,
    );
    let answer = wanted.answered(&secrets, &Cell::new(0)).unwrap();
    assert!(!answer.body.contains("encryptedToken"));
}

#[test]
fn xero_hears_200_only_for_a_right_signature() {
    let body =
        r#"{"events":[],"lastEventSequence":0,"firstEventSequence":0,"entropy":"S0m3r4N0m3t3xt"}"#;
    let secrets = [b"xero-webhook-key".to_vec()];
    // Computed by Python's hmac.
    let signature = "6n4Naiz2zSnTskBJ9vfVXL6ohjYBqzSpEK737r0g5Uw=";
    let sign = |signature: &str| {
        let sent = Sent::json(body).header("x-xero-signature", signature);
        sent.answered(&secrets, &Cell::new(0))
    };
    assert_eq!(sign(signature).unwrap().service, "Xero");
    assert_eq!(sign(&signature.to_lowercase()), None);
    assert_eq!(sign(""), None);
}

#[test]
fn an_ordinary_callback_costs_one_header() {
    let large = format!(
        r#"{{"type":"url_verification","challenge":"x","a":"{}"}}"#,
        "y".repeat(3_000_000)
    );
    for sent in [
        Sent::json(r#"{"status":"succeeded","id":"1","output":["x"]}"#),
        Sent::form(&[("MessageStatus", "delivered"), ("MessageSid", "SM1")]),
        Sent::text("approved"),
        Sent::json(&large),
    ] {
        let asked = Cell::new(0);
        assert_eq!(sent.answered(&[], &asked), None);
        assert_eq!(
            asked.get(),
            1,
            "{}",
            sent.body.get(..40).unwrap_or(&sent.body)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_text_panics_or_is_echoed_unbounded(body in any::<String>(), query in any::<String>()) {
        for sent in [Sent::json(&body), Sent::get(&query), Sent::text("").query(&query)] {
            if let Some(answer) = answered(&sent) {
                prop_assert!(answer.body.chars().count() < 7 * MAX_CHALLENGE);
                prop_assert!(!answer.body.chars().any(char::is_control));
            }
        }
    }
}
