//! Invariants:
//! - A handshake is recognised by what its service alone sends. A body that merely holds such a word
//!   is a decision.
//! - What is echoed is short and printable, and never HTML.
//! - A secret signs nothing that the sender of a forged handshake could choose.
//!
//! What services send to find out whether an address is real: one table, a row a service. A handshake
//! is answered and decides nothing.

pub use super::answer::{Handshake, MAX_CHALLENGE};
use super::answer::{challenge_json, echo_header, is_plain, json_answer, json_of, ok, text};
pub use super::incoming::{Incoming, MAX_HANDSHAKE};
use super::incoming::{Object, only_element};
use super::signature::{hmac_sha256, to_base64, to_hex};
use super::sns::is_confirmation_url;
use crate::domain::auth::constant_time::constant_time_eq;
use crate::domain::json::to_json;
use serde::Serialize;

/// A row of the table: a service, and what it is answered if it sent the request.
struct Row(&'static str, fn(&Seen<'_>) -> Option<Handshake>);

/// A request, and what several rows want to know of it.
struct Seen<'a> {
    request: &'a Incoming<'a>,
    /// The body, if it is a JSON object.
    json: Option<Object<'a>>,
    secrets: &'a [Vec<u8>],
}

/// The handshakes that are sent with POST.
const POST: &[Row] = &[
    // docs.github.com "ping"; Gitea and Forgejo send GitHub's header too.
    Row("GitHub", |it| {
        it.header_is("x-github-event", "ping").then(ok)
    }),
    // confluence.atlassian.com/bitbucketserver "Test connection"
    Row("Bitbucket", |it| {
        (it.has(&["test"]) && it.header_is("x-event-key", "diagnostics:ping")).then(ok)
    }),
    // docs.slack.dev "url_verification", open.feishu.cn "challenge": both take this JSON.
    Row("Slack or Lark", |it| {
        let json = it.object_of("type", "url_verification")?;
        challenge_json(&json.text("challenge")?)
    }),
    // docs.slack.dev "ssl_check"
    Row("Slack", |it| {
        let value = it
            .request
            .field_among("ssl_check", &["ssl_check", "token"])?;
        (value == "1").then(ok)
    }),
    Row("Amazon SNS", |it| sns(it.json.as_ref()?, it.request)),
    // learn.microsoft.com/azure/event-grid "Webhook event delivery"
    Row("Azure Event Grid", |it| {
        let event = Object::parse(only_element(it.request.body)?)?;
        let is_validation = event.is(
            "eventType",
            "Microsoft.EventGrid.SubscriptionValidationEvent",
        );
        let code = event.object("data")?.text("validationCode")?;
        is_validation.then(|| json_of("validationResponse", &code))?
    }),
    // learn.microsoft.com/graph "Change notifications"; SharePoint writes it in lower case.
    Row("Microsoft Graph", |it| {
        let names = ["validationToken", "validationtoken"];
        let blank = it.request.body.trim().is_empty();
        let mut values = names.iter().filter_map(|name| it.request.parameter(name));
        blank.then(|| text(&values.next()?))?
    }),
    Row("Zoom", zoom),
    // developers.asana.com "Webhooks": events have a signature instead of the secret.
    Row("Asana", |it| {
        let secret = it.bodiless_header("x-hook-secret")?;
        let is_event = it.request.header("x-hook-signature").is_some();
        (!is_event).then(|| echo_header("x-hook-secret", &secret))?
    }),
    // developers.ringcentral.com "Creating webhooks"
    Row("RingCentral", |it| {
        echo_header("validation-token", &it.bodiless_header("validation-token")?)
    }),
    // developers.google.com/calendar "Push notifications", "sync message"
    Row("Google", |it| {
        (it.bodiless_header("x-goog-resource-state")? == "sync").then(ok)
    }),
    // mailchimp.com/developer/transactional "Webhooks"
    Row("Mandrill", |it| {
        let events = it
            .request
            .field_among("mandrill_events", &["mandrill_events"])?;
        (events.trim() == "[]").then(ok)
    }),
    // developers.hellosign.com "Events", "callback_test"
    Row("Dropbox Sign", |it| {
        let event = Object::parse(it.request.field_among("json", &["json"])?)?;
        let is_test = event.object("event")?.is("event_type", "callback_test");
        is_test.then(|| text("Hello API Event Received"))?
    }),
    // dev.twitch.tv/docs/eventsub "Responding to a challenge request"
    Row("Twitch", |it| {
        let challenge = it.json.as_ref()?.text("challenge")?;
        it.header_is(
            "twitch-eventsub-message-type",
            "webhook_callback_verification",
        )
        .then(|| text(&challenge))?
    }),
    // developers.smartsheet.com "Webhook verification"
    Row("Smartsheet", |it| {
        it.json.as_ref()?.get("challenge")?;
        let challenge = it.request.header("smartsheet-hook-challenge")?;
        let echo = echo_header("smartsheet-hook-response", &challenge)?;
        let answer = json_of("smartsheetHookResponse", &challenge)?;
        Some(Handshake {
            headers: echo.headers,
            ..answer
        })
    }),
    // dev.frontapp.com "Application webhook validation"
    Row("Front", |it| {
        it.object_of("type", "sync")?;
        text(&it.request.header("x-front-challenge")?)
    }),
    // developer.monday.com "URL verification": nothing but a challenge, of 52 letters and digits.
    Row("monday.com", |it| {
        let json = it.json.as_ref().filter(|json| json.has_only("challenge"))?;
        let challenge = json.text("challenge")?;
        let is_random =
            challenge.len() >= 32 && challenge.bytes().all(|b| b.is_ascii_alphanumeric());
        is_random.then(|| challenge_json(&challenge))?
    }),
    // developers.notion.com "Webhooks"
    Row("Notion", |it| {
        let only = it.json.as_ref()?.has_only("verification_token");
        let token = it.json.as_ref()?.text("verification_token")?;
        (only && token.starts_with("secret_")).then(ok)
    }),
    Row("Xero", xero),
    // support.pagerduty.com "Webhooks", "pagey.ping"
    Row("PagerDuty", |it| {
        let event = it.json.as_ref()?.object("event")?;
        event.is("event_type", "pagey.ping").then(ok)
    }),
    // developers.figma.com "Webhooks V2", "PING"
    Row("Figma", |it| {
        let json = it.object_of("event_type", "PING")?;
        json.has_all(&["passcode", "webhook_id"]).then(ok)
    }),
    // buildkite.com/docs/apis/webhooks "ping"
    Row("Buildkite", |it| {
        it.object_of("event", "ping")?;
        it.header_is("x-buildkite-event", "ping").then(ok)
    }),
    // docs.snyk.io "Webhook events and payloads"
    Row("Snyk", |it| {
        it.json.as_ref()?.get("webhookId")?;
        it.header_is("x-snyk-event", "ping/v0").then(ok)
    }),
    // developers.line.biz "Verify webhook URL"
    Row("LINE", |it| {
        let json = it
            .json
            .as_ref()
            .filter(|json| json.has_all(&["destination"]))?;
        let is_empty = json.get("events") == Some("[]");
        (is_empty && it.request.header("x-line-signature").is_some()).then(ok)
    }),
    // developers.viber.com "Setting a webhook"
    Row("Viber", |it| {
        let json = it.object_of("event", "webhook")?;
        json.has_all(&["timestamp", "message_token"]).then(ok)
    }),
    // developer.hashicorp.com/terraform "Notification verification"
    Row("Terraform", |it| {
        let json = it.json.as_ref()?;
        json.get("notification_configuration_id")?;
        let notice = Object::parse(only_element(json.get("notifications")?)?)?;
        notice.is("trigger", "verification").then(ok)
    }),
    // developers.sparkpost.com "Webhooks": its test event is empty.
    Row("SparkPost", |it| {
        let event = Object::parse(only_element(it.request.body)?)?;
        let is_test = event.has_only("msys") && event.get("msys") == Some("{}");
        is_test.then(ok)
    }),
    // developers.intercom.com "Webhook notifications", "ping"
    Row("Intercom", |it| {
        let json = it.object_of("type", "notification_event")?;
        json.is("topic", "ping").then(ok)
    }),
    // woocommerce.github.io: the ping of a new webhook is a form with its number.
    Row("WooCommerce", |it| {
        let id = it.request.field_among("webhook_id", &["webhook_id"])?;
        let is_number = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
        let agent = it.request.header("user-agent")?;
        (is_number && agent.starts_with("WooCommerce/")).then(ok)
    }),
    // developers.podio.com "hook.verify"
    Row("Podio", |it| {
        let known = ["type", "code", "hook_id"];
        let is_verification = it.request.field_among("type", &known)? == "hook.verify";
        let has_code = it.request.field_among("code", &known).is_some();
        (is_verification && has_code).then(ok)
    }),
];

/// The handshakes that are sent with GET, which decides nothing anyway.
const GET: &[Row] = &[
    // developers.strava.com "Webhook events": like Meta's, but hexadecimal and answered as JSON.
    Row("Strava", |it| {
        let challenge = it.hub_challenge()?;
        it.request.parameter("hub.verify_token")?;
        let is_hex = challenge.len() == 32 && challenge.bytes().all(|b| b.is_ascii_hexdigit());
        let has_letter = challenge.bytes().any(|b| b.is_ascii_alphabetic());
        (is_hex && has_letter).then(|| json_of("hub.challenge", &challenge))?
    }),
    // developers.facebook.com "Webhooks" (WhatsApp, Instagram), w3.org/TR/websub (YouTube)
    Row("Meta or WebSub", |it| text(&it.hub_challenge()?)),
    // developer.okta.com "Event hook verification"
    Row("Okta", |it| {
        let challenge = it.request.header("x-okta-verification-challenge")?;
        json_of("verification", &challenge)
    }),
    // dropbox.com/developers "Webhooks", developer.nylas.com, developer.adobe.com "I/O Events"
    Row("Dropbox, Nylas or Adobe", |it| {
        let challenge = it.request.parameter("challenge")?;
        let is_html = it
            .request
            .header("accept")
            .is_some_and(|accept| accept.contains("html"));
        let is_browser = is_html || it.request.header("sec-fetch-mode").is_some();
        (!is_browser).then(|| text(&challenge))?
    }),
];

/// github.com/cloudevents/spec "HTTP 1.1 Web Hooks for Event Delivery"
const OPTIONS: &[Row] = &[Row("CloudEvents", |it| {
    let origin = it.request.header("webhook-request-origin")?;
    let mut answer = echo_header("webhook-allowed-origin", &origin)?;
    answer
        .headers
        .push(("webhook-allowed-rate", "*".to_owned()));
    answer.headers.push(("allow", "POST".to_owned()));
    Some(answer)
})];

/// What to answer if a request is a handshake. `secrets` are those of the token's `verify`.
#[must_use]
pub fn handshake(request: &Incoming<'_>, secrets: &[Vec<u8>]) -> Option<Handshake> {
    let rows = match request.method {
        "POST" => POST,
        "GET" => GET,
        "OPTIONS" => OPTIONS,
        _ => return None,
    };
    let seen = Seen {
        request,
        json: Object::parse(request.body),
        secrets,
    };
    rows.iter().find_map(|Row(service, answer)| {
        let answer = answer(&seen)?;
        Some(Handshake { service, ..answer })
    })
}

impl Seen<'_> {
    fn header_is(&self, name: &str, value: &str) -> bool {
        self.request.header_is(name, value)
    }

    /// A header of a request without a body.
    fn bodiless_header(&self, name: &str) -> Option<String> {
        let bodiless = self.request.is_bodiless();
        bodiless.then(|| self.request.header(name)).flatten()
    }

    fn has(&self, keys: &[&str]) -> bool {
        self.json.as_ref().is_some_and(|json| json.has_all(keys))
    }

    /// The body, if it is an object with this value.
    fn object_of(&self, key: &str, value: &str) -> Option<&Object<'_>> {
        self.json.as_ref().filter(|json| json.is(key, value))
    }

    fn hub_challenge(&self) -> Option<String> {
        let mode = self.request.parameter("hub.mode")?;
        let asks = mode == "subscribe" || mode == "unsubscribe";
        asks.then(|| self.request.parameter("hub.challenge"))
            .flatten()
    }
}

/// docs.aws.amazon.com/sns "HTTP/HTTPS subscription confirmation JSON format". The URL of an
/// unsubscription would subscribe again, so it is not called.
fn sns(json: &Object<'_>, request: &Incoming<'_>) -> Option<Handshake> {
    let kind = json.text("Type")?;
    let subscribes = kind == "SubscriptionConfirmation";
    if !subscribes && kind != "UnsubscribeConfirmation" {
        return None;
    }
    let is_by_sns = json.has_all(&["TopicArn"])
        || json.has_all(&["SubscribeURL"])
        || request.header_is("x-amz-sns-message-type", &kind);
    let url = json.text("SubscribeURL");
    let confirm = url.filter(|url| subscribes && is_confirmation_url(url));
    is_by_sns.then(|| Handshake { confirm, ..ok() })
}

/// developers.zoom.us "Validate your webhook endpoint". Zoom signs this request as any other, so only
/// it gets a token that is encrypted. Otherwise anybody could have any text signed with the secret.
fn zoom(it: &Seen<'_>) -> Option<Handshake> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        plain_token: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        encrypted_token: Option<String>,
    }
    let json = it.object_of("event", "endpoint.url_validation")?;
    let token = json.object("payload")?.text("plainToken")?;
    let time = it
        .request
        .header("x-zm-request-timestamp")
        .unwrap_or_default();
    let given = it.request.header("x-zm-signature").unwrap_or_default();
    let head: [&[u8]; 3] = [b"v0:", time.as_bytes(), b":"];
    let has_signed = |secret: &&Vec<u8>| {
        let made = hmac_sha256(secret, &head, it.request.body.as_bytes());
        made.is_some_and(|made| {
            let made = format!("v0={}", to_hex(&made));
            constant_time_eq(made.as_bytes(), given.as_bytes())
        })
    };
    let secret = it.secrets.iter().find(has_signed);
    let encrypted = secret.and_then(|secret| hmac_sha256(secret, &[], token.as_bytes()));
    let answer = Answer {
        plain_token: &token,
        encrypted_token: encrypted.map(|bytes| to_hex(&bytes)),
    };
    is_plain(&token).then(|| json_answer(to_json(&answer)))
}

/// developer.xero.com "Intent to receive". Some of its requests are signed wrongly on purpose and must
/// not be answered with 200: with `verify` they are left to its check.
fn xero(it: &Seen<'_>) -> Option<Handshake> {
    let json = it
        .json
        .as_ref()
        .filter(|json| json.get("events") == Some("[]"))?;
    json.get("entropy")?;
    let given = it.request.header("x-xero-signature")?;
    let has_signed = |secret: &Vec<u8>| {
        let made = hmac_sha256(secret, &[], it.request.body.as_bytes());
        made.is_some_and(|made| constant_time_eq(to_base64(&made).as_bytes(), given.as_bytes()))
    };
    (it.secrets.is_empty() || it.secrets.iter().any(has_signed)).then(ok)
}
