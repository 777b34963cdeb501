//! The settings of webhooks.
use super::{OTHER, SECRET, settings_error, webhooks};
use proptest::prelude::*;
use waitpoint::domain::webhook::settings::{SettingsError, Webhooks};
use waitpoint::domain::webhook::url::WebhookUrlError;

#[test]
fn each_environment_has_a_url_of_its_own() {
    let none = webhooks("", " \n\n");
    assert_eq!(none.url("default"), None);
    assert!(!none.can_sign("default"));

    let some = webhooks(
        "https://a.example/?b=c\n\nprod=https://b.example/?prod=https://x.example/&y=\n\
         dev=http://localhost:9000/",
        &format!("{SECRET}\nprod={SECRET}\ndev={OTHER}"),
    );
    assert_eq!(some.url("default"), Some("https://a.example/?b=c"));
    let prod = "https://b.example/?prod=https://x.example/&y=";
    assert_eq!(some.url("prod"), Some(prod));
    assert_eq!(some.url("dev"), Some("http://localhost:9000/"));
    assert_eq!(some.url("staging"), None);
}

#[test]
fn a_url_whose_webhooks_nothing_would_sign_names_its_line() {
    let urls = "https://a.example\nprod=https://b.example";
    assert_eq!(
        settings_error(urls, SECRET),
        Some(SettingsError::Unsigned(2))
    );
    assert_eq!(settings_error(urls, ""), Some(SettingsError::Unsigned(1)));
}

#[test]
fn a_bad_url_setting_names_its_line() {
    for (urls, expected) in [
        (
            "http://a.example",
            SettingsError::Url(1, WebhookUrlError::Scheme),
        ),
        (
            "\nprod=https://10.0.0.1",
            SettingsError::Url(2, WebhookUrlError::Address),
        ),
        (
            "https://a.example\ndefault=https://b.example",
            SettingsError::SecondUrl(2),
        ),
        ("prod=", SettingsError::Url(1, WebhookUrlError::Scheme)),
        (
            "bad.env=https://a.example",
            SettingsError::Url(1, WebhookUrlError::Scheme),
        ),
        (
            "# https://a.example",
            SettingsError::Url(1, WebhookUrlError::Character),
        ),
    ] {
        assert_eq!(settings_error(urls, ""), Some(expected), "{urls}");
    }
    let why = settings_error("https://u:hunter2@a.example", "").unwrap();
    assert!(why.to_string().contains("line 1 of WEBHOOK_URL"));
    assert!(!why.to_string().contains("hunter2"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_setting_panics_or_is_repeated(urls in "(.|\n){0,80}", secrets in "(whsec_.{9,40}\n?){0,3}") {
        if let Err(why) = Webhooks::parse(&urls, &secrets, "") {
            let why = why.to_string();
            prop_assert!(why.contains("WEBHOOK_"));
            for secret in secrets.lines().filter_map(|line| line.strip_prefix("whsec_")) {
                prop_assert!(!why.contains(secret));
            }
        }
    }
}
