//! Where webhooks may go.
use proptest::prelude::*;
use std::net::IpAddr;
use waitpoint::domain::webhook::url::{MAX_URL, WebhookUrlError, check_url, is_loopback_origin};

#[test]
fn public_hosts_are_taken() {
    for url in [
        "https://example.com",
        "https://example.com/",
        "HTTPS://Example.com",
        "https://example.com.",
        "https://example.com./hook",
        "https://hooks.example.com/a/b?c=d&e=%20",
        "https://example.com?a=b",
        "https://example.com:443",
        "https://example.com:1/",
        "https://example.com:65535/",
        "https://example.com:0443/",
        "https://a.b",
        "https://1.2.3.4.example.com/",
        "https://0x7f.example.com/",
        "https://127.0.0.1.example.com/",
        "https://xn--bcher-kva.example/",
        "https://my_hook.example.com/",
        "https://a-b--c.example.com/",
        "https://localhost.example.com/",
        "https://internal.example.com/",
        "https://local.dev/",
        "https://mylocal.locale/",
        "https://example.com/@handle",
        "https://example.com/?to=user@example.org",
        "https://example.com//127.0.0.1/",
        "https://example.com/https://localhost/",
        "https://example.com/a:b",
        "https://example.com/[::1]",
        "https://example.com/|\"<>^`{}",
    ] {
        assert_eq!(check_url(url, false), Ok(()), "{url}");
        assert_eq!(check_url(url, true), Ok(()), "{url}");
    }
}

#[test]
fn everything_else_is_refused() {
    use WebhookUrlError::{Address, Character, Host, Port, Private, Scheme, UserInfo};
    for (url, fault) in [
        ("", Scheme),
        ("example.com", Scheme),
        ("//example.com", Scheme),
        ("https:example.com", Scheme),
        ("https:/example.com", Scheme),
        ("http://example.com", Scheme),
        ("http://127.0.0.1", Scheme),
        ("ftp://example.com", Scheme),
        ("file:///etc/passwd", Scheme),
        ("data:text/html,hi", Scheme),
        ("javascript://example.com/%0aalert(1)", Scheme),
        ("wss://example.com", Scheme),
        ("gopher://example.com:70/_", Scheme),
        ("blob:https://example.com/1", Scheme),
        ("view-source:https://example.com", Scheme),
        ("xhttps://example.com", Scheme),
        ("https", Scheme),
        ("https://", Host),
        ("https:///", Host),
        ("https:///example.com", Host),
        ("https:////example.com", Host),
        ("https://?example.com", Host),
        ("https://.", Host),
        ("https://..", Host),
        ("https://.com", Host),
        ("https://example..com", Host),
        ("https://example.com..", Host),
        ("https://.example.com", Host),
        ("https://-", Host),
        ("https://-.com", Host),
        ("https://-a.com", Host),
        ("https://a-.com", Host),
        ("https://a.-com", Host),
        ("https://a._com", Host),
        ("https://exa%6dple.com", Host),
        ("https://%31%32%37.0.0.1", Host),
        ("https://example.com%00.evil.com", Host),
        ("https://example.com%2f@evil.com", UserInfo),
        ("https://exa$mple.com", Host),
        ("https://exa*mple.com", Host),
        ("https://a,b.com", Host),
        ("https://{a}.com", Host),
        ("https://::1", Host),
        ("https://a:b:c.com", Host),
        ("https://example.com:80:90", Host),
        ("https://x[::1]", Host),
        ("https://[", Address),
        ("https://[::1]", Address),
        ("https://[::1]:443/", Address),
        ("https://[::]", Address),
        ("https://[::ffff:127.0.0.1]", Address),
        ("https://[::ffff:7f00:1]", Address),
        ("https://[fd00::1]", Address),
        ("https://[fe80::1%25eth0]", Address),
        ("https://[64:ff9b::7f00:1]", Address),
        ("https://[v1.x]", Address),
        ("https://127.0.0.1", Address),
        ("https://127.0.0.1.", Address),
        ("https://127.0.0.1:8787", Address),
        ("https://127.1", Address),
        ("https://127.0.1", Address),
        ("https://0", Address),
        ("https://0.0.0.0", Address),
        ("https://2130706433", Address),
        ("https://2130706433.", Address),
        ("https://4294967295", Address),
        ("https://0x7f000001", Address),
        ("https://0x7f.1", Address),
        ("https://0x7f.0x0.0x0.0x1", Address),
        ("https://0X7F.0.0.1", Address),
        ("https://0x", Address),
        ("https://017700000001", Address),
        ("https://0177.0.0.1", Address),
        ("https://0177.0x0.1", Address),
        ("https://00000127.0.0.1", Address),
        ("https://10.0.0.1", Address),
        ("https://172.16.0.1", Address),
        ("https://192.168.1.1", Address),
        ("https://169.254.169.254/latest/meta-data/", Address),
        ("https://100.100.100.200", Address),
        ("https://8.8.8.8", Address),
        ("https://1.2.3.4.5", Address),
        ("https://999.999.999.999", Address),
        ("https://example.0", Address),
        ("https://example.0x1", Address),
        ("https://example.1com", Address),
        ("https://localhost", Private),
        ("https://localhost/", Private),
        ("https://LOCALHOST:443", Private),
        ("https://localhost.", Private),
        ("https://foo.localhost.", Private),
        ("https://foo.LocalHost", Private),
        ("https://localhost.localdomain", Private),
        ("https://metadata", Private),
        ("https://com", Private),
        ("https://com.", Private),
        ("https://printer.local", Private),
        ("https://printer.LOCAL.", Private),
        (
            "https://metadata.google.internal/computeMetadata/v1/",
            Private,
        ),
        ("https://wiki.intranet", Private),
        ("https://router.lan", Private),
        ("https://router.home", Private),
        ("https://router.home.arpa", Private),
        ("https://mail.corp", Private),
        ("https://1.0.0.127.in-addr.arpa", Private),
        ("https://1.ip6.arpa", Private),
        ("https://abcdefghijklmnop.onion", Private),
        ("https://user:pw@example.com", UserInfo),
        ("https://user@example.com", UserInfo),
        ("https://@example.com", UserInfo),
        ("https://:@example.com", UserInfo),
        ("https://example.com@127.0.0.1", UserInfo),
        ("https://example.com:443@evil.com", UserInfo),
        ("https://a@b@c.com", UserInfo),
        ("https://example.com\\@evil.com", Character),
        ("https:\\\\example.com", Character),
        ("https://example.com/\\evil", Character),
        ("https://example.com#@evil.com", Character),
        ("https://example.com/#top", Character),
        (" https://example.com", Character),
        ("https://example.com ", Character),
        ("https://exam ple.com", Character),
        ("https://example.com/a b", Character),
        ("https://exam\tple.com", Character),
        ("https://example.com\n", Character),
        ("https://example.com/\r\nhost: evil", Character),
        ("ht\ntps://example.com", Character),
        ("\0https://example.com", Character),
        ("https://example.com/\u{7f}", Character),
        ("https://ⓔxample.com", Character),
        ("https://bücher.example", Character),
        ("https://127。0。0。1", Character),
        ("https://１２７.0.0.1", Character),
        ("https://example.com／evil", Character),
        ("https://ex\u{ad}ample.com", Character),
        ("https://example.com\u{a0}", Character),
        ("https://example.com/é", Character),
        ("\u{feff}https://example.com", Character),
        ("https://example.com:", Port),
        ("https://example.com:/", Port),
        ("https://example.com:0", Port),
        ("https://example.com:65536", Port),
        ("https://example.com:99999999999", Port),
        ("https://example.com:+443", Port),
        ("https://example.com:-1", Port),
        ("https://example.com:443x", Port),
        ("https://example.com:0x1bb", Port),
    ] {
        assert_eq!(check_url(url, false), Err(fault), "{url:?}");
    }
}

#[test]
fn a_url_has_at_most_2048_bytes_and_a_name_253() {
    let url = |length: usize| {
        let start = "https://example.com/";
        start.to_owned() + &"a".repeat(length - start.len())
    };
    assert_eq!(check_url(&url(MAX_URL), false), Ok(()));
    assert_eq!(
        check_url(&url(MAX_URL + 1), false),
        Err(WebhookUrlError::TooLong)
    );

    let named = |labels: usize, last: usize| {
        let label = "a".repeat(49) + ".";
        format!("https://{}{}", label.repeat(labels), "b".repeat(last))
    };
    assert_eq!(check_url(&named(5, 3), false), Ok(()));
    assert_eq!(check_url(&named(5, 4), false), Err(WebhookUrlError::Host));
    assert_eq!(check_url(&named(1, 63), false), Ok(()));
    assert_eq!(check_url(&named(1, 64), false), Err(WebhookUrlError::Host));
}

#[test]
fn loopback_is_for_those_who_live_there() {
    for url in [
        "http://localhost",
        "http://localhost:9000/hook?a=b",
        "https://LOCALHOST:9000",
        "http://127.0.0.1:9000/",
        "HTTP://127.255.0.9",
        "http://[::1]",
        "https://[::1]:9000/hook",
    ] {
        assert_eq!(check_url(url, true), Ok(()), "{url}");
        assert!(check_url(url, false).is_err(), "{url}");
    }
    use WebhookUrlError::{Address, Host, Port, Private, Scheme, UserInfo};
    for (url, fault) in [
        ("http://example.com", Scheme),
        ("http://127.0.0.1.example.com", Scheme),
        ("http://localhost.example.com", Scheme),
        ("http://127.0.1", Scheme),
        ("http://128.0.0.1", Scheme),
        ("http://10.0.0.1", Scheme),
        ("http://[::2]", Scheme),
        ("http://[::1", Scheme),
        ("ftp://localhost", Scheme),
        ("https://127.0.0.256", Address),
        ("https://127.0.0.01", Address),
        ("https://127.0.0.1.1", Address),
        ("https://127.0..1", Host),
        ("https://[::ffff:127.0.0.1]", Address),
        ("https://foo.localhost", Private),
        ("https://printer.local", Private),
        ("http://localhost:0", Port),
        ("http://localhost:", Port),
        ("http://[::1]:65536", Port),
        ("http://user@localhost", UserInfo),
    ] {
        assert_eq!(check_url(url, true), Err(fault), "{url}");
    }
}

#[test]
fn an_origin_is_loopback_or_not() {
    for origin in [
        "http://localhost",
        "http://localhost:8787",
        "https://localhost:8787",
        "http://127.0.0.1:8787",
        "http://[::1]:8787",
    ] {
        assert!(is_loopback_origin(origin), "{origin}");
    }
    for origin in [
        "",
        "null",
        "localhost",
        "localhost:8787",
        "http://localhost/",
        "http://localhost:8787/x",
        "http://localhost:x",
        "http://localhost.example.com",
        "http://localhost@example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com:80",
        "https://waitpoint.example.com",
        "ws://localhost",
    ] {
        assert!(!is_loopback_origin(origin), "{origin}");
    }
}

#[test]
fn a_fault_names_the_url_but_no_password() {
    let sentence = |url: &str| check_url(url, false).unwrap_err().sentence(url);
    assert_eq!(
        sentence("http://example.com/a"),
        "\"http://example.com/a\" does not begin with https://. Use an https:// URL of a public \
         host name, such as \"https://hooks.example.com/waitpoint\"."
    );
    assert!(sentence("https://bücher.example").contains("punycode"));
    for url in [
        "https://user:hunter2@example.com/",
        "http://user:hunter2@example.com/",
        "https://user:hunter2@",
        "https://user:hunter2@a@example.com",
        "https://user:hunter2/x@example.com",
        "https://hunter2\\@example.com",
    ] {
        assert!(!sentence(url).contains("hunter2"), "{url}");
    }
    assert!(sentence(&"é".repeat(2_000)).len() < 400);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_taken_holds_no_address(
        url in prop_oneof![
            ".*",
            "https?://.*",
            "https://[0-9a-fA-FxX.:\\[\\]@%]{1,24}(:[0-9]{0,6})?(/.*)?",
            "https://([0-9]{1,3}\\.){3}[0-9]{1,3}\\.?",
            "https://([a-zA-Z0-9_-]{1,5}\\.){0,3}[a-zA-Z0-9]{1,5}\\.?(:[0-9]{1,5})?(/[!-~]{0,9})?",
        ],
        loopback: bool,
    ) {
        let _ = is_loopback_origin(&url);
        match check_url(&url, loopback) {
            Err(fault) => prop_assert!(!fault.sentence(&url).is_empty()),
            Ok(()) if !loopback => {
                let rest = url.get("https://".len()..).unwrap();
                let host = rest.split(['/', '?', ':']).next().unwrap();
                let host = host.strip_suffix('.').unwrap_or(host);
                let last = host.rsplit('.').next().unwrap();
                prop_assert!(url.get(..8).unwrap().eq_ignore_ascii_case("https://"));
                prop_assert!(host.parse::<IpAddr>().is_err());
                prop_assert!(host.contains('.'));
                prop_assert!(last.starts_with(|c: char| c.is_ascii_alphabetic()));
            }
            Ok(()) => {}
        }
    }
}
