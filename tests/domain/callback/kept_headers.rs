//! The headers of a callback that retrieve shows.
use waitpoint::domain::callback::kept_headers::{MAX_HEADER_VALUE, is_kept, kept_headers};

#[test]
fn headers_that_tell_the_event_are_kept() {
    let given = [
        ("accept", "*/*"),
        ("authorization", "Bearer x"),
        ("ce-id", "1"),
        ("ce-partitionkey", "p"),
        ("cookie", "a=b"),
        (
            "x-github-delivery",
            " 72d3162e-cc78-11e3-81ab-4c9367dc0958 ",
        ),
        ("x-github-event", "push"),
        ("x-hub-signature-256", "sha256=00"),
        ("x-shopify-topic", "orders/create"),
        ("webhook-id", "msg_1"),
        ("webhook-signature", "v1,AAAA"),
    ];
    let kept = kept_headers(given);
    let names: Vec<_> = kept.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "ce-id",
            "ce-partitionkey",
            "x-github-delivery",
            "x-github-event",
            "x-shopify-topic",
            "webhook-id",
        ]
    );
    assert_eq!(kept[2].1, "72d3162e-cc78-11e3-81ab-4c9367dc0958");
}

#[test]
fn no_credential_signature_or_cookie_is_kept() {
    for name in [
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "x-trigger-jwt",
        "x-hub-signature",
        "x-hub-signature-256",
        "x-slack-signature",
        "x-twilio-signature",
        "x-shopify-hmac-sha256",
        "x-gitlab-token",
        "x-goog-channel-token",
        "x-hook-secret",
        "stripe-signature",
        "svix-signature",
        "webhook-signature",
        "twitch-eventsub-message-signature",
        "x-wc-webhook-signature",
        "x-xero-signature",
        "ce-authorization",
        "ce-accesstoken",
        "ce-secret",
        "ce-signature",
        "ce-cookie",
        "ce-apikey",
        "ce-",
        "ce-a b",
        "ce-ä",
        "ce",
        "",
        &format!("ce-{}", "a".repeat(100)),
    ] {
        assert!(!is_kept(name), "{name}");
    }
}

#[test]
fn what_is_kept_is_short_printable_and_little() {
    let long = "x".repeat(MAX_HEADER_VALUE + 1);
    let most = "é".repeat(MAX_HEADER_VALUE);
    let given = [
        ("ce-a", long.as_str()),
        ("ce-b", &most),
        ("ce-c", "a\nb"),
        ("ce-d", "a\u{0}"),
        ("ce-e", ""),
    ];
    assert_eq!(
        kept_headers(given),
        [
            ("ce-b".to_owned(), most.clone()),
            ("ce-e".to_owned(), String::new())
        ]
    );
    let names: Vec<_> = (0..100).map(|n| format!("ce-{n}")).collect();
    let kept = kept_headers(names.iter().map(|name| (name.as_str(), "1")));
    assert_eq!(kept.len(), 20);
}
