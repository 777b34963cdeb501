//! Where webhooks may go, as the parser of URLs sees it that the platform's is like.
#![no_main]
use libfuzzer_sys::fuzz_target;
use url::{Host, Url};
use waitpoint::domain::webhook::url::{check_url, is_loopback_origin};

fuzz_target!(|text: &str| {
    if check_url(text, false).is_ok() {
        let url = match Url::parse(text) {
            Ok(url) => url,
            // What a name in punycode stands for is not looked at.
            Err(_) if text.to_ascii_lowercase().contains("xn--") => return,
            Err(why) => panic!("{text}: {why}"),
        };
        assert_eq!(url.scheme(), "https");
        assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
        let Some(Host::Domain(host)) = url.host() else {
            panic!("{text}: an address");
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        assert!(host.contains('.'), "{text}");
        for private in ["localhost", "internal", "local", "arpa", "lan", "home"] {
            assert!(!host.ends_with(&format!(".{private}")), "{text}");
        }
        assert_eq!(check_url(text, true), Ok(()));
    } else if check_url(text, true).is_ok() {
        let url = Url::parse(text).unwrap();
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        assert!(loopback, "{text}");
        assert!(
            is_loopback_origin(&text[..text.len() - rest(text).len()]),
            "{text}"
        );
    }
});

/// What follows scheme and authority.
fn rest(url: &str) -> &str {
    let start = url.find("://").unwrap() + 3;
    let end = url[start..]
        .find(['/', '?'])
        .map_or(url.len(), |at| start + at);
    &url[end..]
}
