//! The settings of e-mail.
use waitpoint::domain::notice::mail_settings::{MailSettings, Sender};

fn settings(from: &str, domains: &str) -> MailSettings {
    MailSettings::parse(from, domains).unwrap_or_else(|why| panic!("{why}"))
}

fn sender(name: &str, address: &str) -> Option<Sender> {
    Some(Sender {
        name: name.to_owned(),
        address: address.to_owned(),
    })
}

#[test]
fn a_sender_is_an_address_perhaps_with_a_name() {
    for (from, sender) in [
        ("", None),
        (" ", None),
        ("a@b.example", sender("", "a@b.example")),
        (
            "Approvals <a@b.example>",
            sender("Approvals", "a@b.example"),
        ),
        (
            "\"Your Team, Inc.\" <a@b.example>",
            sender("Your Team, Inc.", "a@b.example"),
        ),
        ("<a@b.example>", sender("", "a@b.example")),
    ] {
        assert_eq!(settings(from, "").from, sender, "{from}");
    }
    for from in [
        "ann",
        "ann@localhost",
        "@b.example",
        "a@b.example, c@b.example",
        "Name <a@b.example",
        "a@b.example>",
        "Na\u{7}me <a@b.example>",
        "a <b> <a@b.example>",
    ] {
        let why = MailSettings::parse(from, "").unwrap_err().to_string();
        assert!(
            why.contains("in EMAIL_FROM is not a sender. Use"),
            "{from:?}: {why}"
        );
    }
}

#[test]
fn mail_goes_to_the_domains_that_are_listed() {
    let anywhere = settings("", "");
    assert!(anywhere.allows("a@b.example"));
    let listed = settings("", "example.com, *.Example.org\nb.example\n");
    for (address, allowed) in [
        ("a@example.com", true),
        ("a@EXAMPLE.com", true),
        ("a@sub.example.com", false),
        ("a@notexample.com", false),
        ("a@example.com.evil.example", false),
        ("a@x.example.org", true),
        ("a@x.y.example.org", true),
        ("a@example.org", false),
        ("a@notexample.org", false),
        ("a@b.example", true),
        ("example.com", false),
    ] {
        assert_eq!(listed.allows(address), allowed, "{address}");
    }
    for domains in [
        "example",
        "a@example.com",
        "*",
        "*.com.",
        "exa mple.com",
        "https://a.example",
    ] {
        let why = MailSettings::parse("", domains).unwrap_err().to_string();
        assert!(
            why.contains("in NOTIFY_DOMAINS is not a domain. Use"),
            "{domains}: {why}"
        );
    }
}
