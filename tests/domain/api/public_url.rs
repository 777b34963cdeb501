//! The setting `PUBLIC_URL`.
use crate::tests::domain::auth::KEY;
use waitpoint::domain::api::public_url::{PublicUrls, Reason};
use waitpoint::domain::auth::keyring::Keyring;

const OTHER: &str = "tr_prod_99999999999999999999999";

fn public_urls(text: &str) -> PublicUrls {
    PublicUrls::parse(text).unwrap()
}

#[test]
fn environments_have_origins_of_their_own() {
    let none = public_urls(" \n");
    assert_eq!(none.of("default"), None);
    let two = public_urls("https://approve.example.com\nprod=HTTPS://Approve.Example.org:443/\n");
    assert_eq!(two.of("default"), Some("https://approve.example.com"));
    assert_eq!(two.of("prod"), Some("https://approve.example.org"));
    assert_eq!(two.of("dev"), None);
    for origin in [
        "http://localhost:8787",
        "http://127.0.0.1",
        "http://[::1]:1",
        "https://10.0.0.5:8443",
        "https://approve",
        "https://[fd00::1]",
        "https://a_b.xn--bcher-kva.example",
    ] {
        assert_eq!(public_urls(origin).of("default"), Some(origin));
    }
}

#[test]
fn a_bad_value_is_named_with_its_line_and_what_is_wrong() {
    for (bad, reason) in [
        ("approve.example.com", Reason::Malformed),
        ("ftp://a.example", Reason::Malformed),
        ("https://", Reason::Malformed),
        ("https://a b.example", Reason::Malformed),
        ("https://-a.example", Reason::Malformed),
        ("https://a.example:0", Reason::Malformed),
        ("prod=x", Reason::Malformed),
        ("https://bücher.example", Reason::Malformed),
        ("https://a.example/base", Reason::NotAnOrigin),
        ("https://a.example//", Reason::NotAnOrigin),
        ("https://a.example?x=1", Reason::NotAnOrigin),
        ("prod=https://a.example/?x=1", Reason::NotAnOrigin),
        ("https://a.example#x", Reason::NotAnOrigin),
        ("http://a.example", Reason::Insecure),
        ("http://10.0.0.1", Reason::Insecure),
        ("http://localhost.example", Reason::Insecure),
    ] {
        let why = PublicUrls::parse(&format!("\n{bad}")).err().unwrap();
        assert_eq!((why.line, why.reason), (2, reason), "{bad}");
        let sentence = why.to_string();
        let value = bad.strip_prefix("prod=").unwrap_or(bad);
        assert!(
            sentence.starts_with(&format!("\"{value}\" in line 2 of PUBLIC_URL ")),
            "{sentence}"
        );
    }
    let why = PublicUrls::parse("https://a.example\ndefault=https://b.example")
        .err()
        .unwrap();
    assert_eq!((why.line, why.reason), (2, Reason::Second));
    let why = PublicUrls::parse("https://ann:secret@a.example")
        .err()
        .unwrap();
    assert_eq!(why.reason, Reason::UserInfo);
    assert!(!why.to_string().contains("secret"), "{why}");
}

#[test]
fn links_have_the_origin_of_their_environment_or_of_the_request() {
    let request = "http://internal";
    let keyring = |urls: &str| {
        let keyring = Keyring::parse(&format!("{KEY}\nprod={OTHER}")).unwrap();
        keyring.with_public_urls(&public_urls(urls))
    };
    let one = keyring("https://a.example").unwrap();
    assert_eq!(
        one.by_id("default").unwrap().link_origin(request),
        "https://a.example"
    );
    assert_eq!(one.by_id("prod").unwrap().link_origin(request), request);
    assert_eq!(one.link_origin(request), request, "of no known environment");
    let both = keyring("https://a.example\nprod=https://a.example").unwrap();
    assert_eq!(both.link_origin(request), "https://a.example");
    assert_eq!(
        keyring("dev=https://a.example").err(),
        Some("dev".to_owned())
    );
}
