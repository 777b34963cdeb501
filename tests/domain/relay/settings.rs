//! The setting `UPSTREAM`.
use super::upstreams;
use waitpoint::domain::relay::settings::{UpstreamError, Upstreams};

#[test]
fn environments_have_upstreams_of_their_own() {
    let none = upstreams(" \n");
    assert!(none.is_empty());
    assert_eq!(none.sole(), None);

    let one = upstreams("https://api.trigger.dev/");
    assert_eq!(one.of("default"), Some("https://api.trigger.dev"));
    assert_eq!(one.of("prod"), None);
    assert_eq!(one.sole(), Some("https://api.trigger.dev"));

    let two = upstreams("prod=https://a.example/base\ndev=http://127.0.0.1:3030");
    assert_eq!(two.of("prod"), Some("https://a.example/base"));
    assert_eq!(two.of("dev"), Some("http://127.0.0.1:3030"));
    assert_eq!(two.sole(), None);
    for host in [
        "10.0.0.5",
        "[fd00::1]:3000",
        "trigger",
        "a_b.internal.",
        "xn--bcher-kva.example",
    ] {
        let url = format!("https://{host}/base");
        assert_eq!(upstreams(&url).sole(), Some(url.as_str()));
    }
    assert_eq!(
        upstreams("a=https://x.example\nb=https://x.example/").sole(),
        Some("https://x.example")
    );
}

#[test]
fn what_is_no_upstream_names_its_line() {
    for bad in [
        "api.trigger.dev",
        "http://api.trigger.dev",
        "ftp://a.example",
        "https://",
        "https:///path",
        "https://user@a.example",
        "https://a.example?x",
        "https://a.example#x",
        "https://a]b.example",
        "https://-a.example",
        "https://a..example",
        "https://a,b.example",
        "https://[fd00::1",
        "https://[fd00::x]",
        "prod=",
        "p r=https://a.example",
    ] {
        let why = Upstreams::parse(&format!("\n{bad}")).err();
        assert_eq!(why, Some(UpstreamError::Malformed(2)), "{bad}");
    }
    let twice = "https://a.example\ndefault=https://b.example";
    assert_eq!(
        Upstreams::parse(twice).err(),
        Some(UpstreamError::Second(2))
    );
}
