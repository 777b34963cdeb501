//! The secret `CHANNELS`.
use waitpoint::domain::notice::channels::{Channels, ChannelsError};
use waitpoint::domain::webhook::url::WebhookUrlError;

#[test]
fn a_channel_is_found_by_its_name() {
    let text = "deploys=https://hooks.slack.com/services/T0/B0/x=y\n\n  ops = https://a.example \n";
    let channels = Channels::parse(text).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(
        channels.url("deploys"),
        Some("https://hooks.slack.com/services/T0/B0/x=y")
    );
    assert_eq!(channels.url("ops"), Some("https://a.example"));
    assert_eq!(channels.url("Ops"), None);
    let none = Channels::parse("").unwrap_or_default();
    assert_eq!(none.url("ops"), None);
}

#[test]
fn a_bad_line_is_named_and_never_quoted() {
    for (text, why) in [
        ("\nhttps://a.example", ChannelsError::Malformed(2)),
        ("=https://a.example", ChannelsError::Malformed(1)),
        ("a b=https://a.example", ChannelsError::Malformed(1)),
        ("a=", ChannelsError::Url(1, WebhookUrlError::Scheme)),
        (
            "a=http://a.example",
            ChannelsError::Url(1, WebhookUrlError::Scheme),
        ),
        (
            "a=https://10.0.0.1/x",
            ChannelsError::Url(1, WebhookUrlError::Address),
        ),
        (
            "a=https://a.example\na=https://b.example",
            ChannelsError::Second(2),
        ),
    ] {
        let found = Channels::parse(text).err();
        assert_eq!(found, Some(why), "{text:?}");
        let told = why.to_string();
        assert!(
            told.contains("CHANNELS") && !told.contains("a.example"),
            "{told}"
        );
    }
    let long = format!("{}=https://a.example", "a".repeat(65));
    assert_eq!(
        Channels::parse(&long).err(),
        Some(ChannelsError::Malformed(1))
    );
}
