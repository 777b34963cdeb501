//! Links that were damaged on their way.
use proptest::prelude::*;
use waitpoint::domain::api::link_repair::repair_link;
use waitpoint::domain::api::route::Endpoint;

const URL: &str = "/api/v1/waitpoints/tokens/waitpoint_cmabc/callback/";
const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJ-_wPQ.Ab-_cdE";
const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const SHORT: &str = "/t/cmabc/t9x0pq0123456789abcdef-_AQ";

/// What follows links in mails, chats, documents and code, as a server gets it.
const SUFFIXES: &[&str] = &[
    ".",
    "..",
    "...",
    ",",
    ")",
    ").",
    ">",
    "]",
    "](",
    "*",
    "**",
    "=",
    "'",
    "\"",
    ";",
    "!",
    ":",
    "|",
    "}",
    "})",
    "@",
    "$",
    "+",
    "~",
    "`",
    "^",
    "_",
    "__",
    "-",
    "\\",
    "&",
    "&utm_source=mail",
    "&utm_source=mail&utm_medium=a.b",
    "&amp;",
    "&amp;utm_source=x",
    "&gt;",
    "&lt;br",
    "&quot;",
    "&nbsp;",
    "%20",
    "%20and%20more.",
    "%20/%20or",
    "%09",
    "%0A",
    "%0D%0A",
    "%0a%0aThanks",
    "%22",
    "%27",
    "%28",
    "%29",
    "%2A",
    "%2C",
    "%2E",
    "%2e",
    "%3A",
    "%3B",
    "%3C",
    "%3D",
    "%3E",
    "%3E.",
    "%3Fa=b",
    "%5B",
    "%5D",
    "%5D%28https://a.example/%29",
    "%5C",
    "%5E",
    "%5F",
    "%60",
    "%7B",
    "%7C",
    "%7D",
    "%7E",
    "%26amp;",
    "=3D",
    "=",
    "%C2%A0",
    "%c2%ab",
    "%C2%BB",
    "%C2%AD",
    "%E2%80%8B",
    "%E2%80%9D",
    "%E2%80%99",
    "%E2%80%A6",
    "%E3%80%82",
    "%EF%BC%89",
    "%EF%BB%BF",
    "%",
    "%2",
    "%zz",
    "](https://w.example/t/cmabc/t9x0pq)",
    ">.https://w.example/t/",
    ".Thanks",
    ".Then.more",
    "<https://w.example/>",
    "%00",
    "%FF",
];

fn links() -> [String; 3] {
    [
        format!("{URL}{JWT}"),
        format!("{URL}{HASH}"),
        SHORT.to_owned(),
    ]
}

#[test]
fn what_follows_a_link_is_removed() {
    for link in links() {
        assert_eq!(repair_link(&link), None);
        for suffix in SUFFIXES {
            for more in ["", ".", ")", "%20"] {
                let damaged = format!("{link}{suffix}{more}");
                assert_eq!(repair_link(&damaged).as_ref(), Some(&link), "{damaged}");
            }
        }
    }
}

#[test]
fn escapes_of_unreserved_characters_are_decoded() {
    let link = format!("{URL}{JWT}");
    for (from, to) in [
        (".", "%2E"),
        (".", "%2e"),
        ("_", "%5F"),
        ("-", "%2D"),
        ("waitpoint_", "%77aitpoint%5f"),
        ("callback", "%63allback"),
        ("api", "%61p%69"),
        ("eyJhb", "%65%79J%68b"),
        ("NiJ9", "%4EiJ%39"),
    ] {
        assert_eq!(
            repair_link(&link.replace(from, to)).as_ref(),
            Some(&link),
            "{from}"
        );
    }
    let escaped: String = link
        .bytes()
        .map(|byte| match byte {
            b'/' => "/".to_owned(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    assert_eq!(repair_link(&escaped), Some(link));
    assert_eq!(
        repair_link(&SHORT.replace('_', "%5F").replace("/t/", "/%74/")).as_deref(),
        Some(SHORT)
    );
}

#[test]
fn invisible_characters_are_removed_wherever_they_are() {
    for link in links() {
        for escape in [
            "%C2%AD",
            "%c2%ad",
            "%E2%80%8B",
            "%E2%80%8D",
            "%E2%81%A0",
            "%EF%BB%BF",
        ] {
            for at in 1..=link.len() {
                let (before, after) = link.split_at(at);
                let damaged = format!("{before}{escape}{after}");
                assert_eq!(repair_link(&damaged).as_ref(), Some(&link), "{damaged}");
            }
        }
    }
}

#[test]
fn nothing_else_changes() {
    for path in [
        "",
        "/",
        "/openapi.json",
        "/openapi.json.",
        "/healthz.",
        "/%68ealthz",
        "/t/",
        "/t/cabc",
        "/t/cabc/",
        "/t/cabc/.",
        "/t/cabc/%20",
        "/t//abc.",
        "/t/cabc/abc/",
        "/t/cabc/abc/)",
        "/t/cabc%2Fabc.",
        "/api/v1/waitpoints/tokens.",
        "/api/v1/waitpoints/tokens/%77aitpoint_x",
        "/api/v1/waitpoints/tokens/waitpoint_x.",
        "/api/v1/waitpoints/tokens/waitpoint_x/complete.",
        "/api/v1/waitpoints/tokens/waitpoint_x/%63omplete",
        "/api/v1/waitpoints/tokens/waitpoint_x/wait%20",
        "/api/v1/waitpoints/tokens/waitpoint_x/callback",
        "/api/v1/waitpoints/tokens/waitpoint_x/callback/",
        "/api/v1/waitpoints/tokens/waitpoint_x/callback/...",
        "/api/v1/waitpoints/tokens/waitpoint_x/callback/a.b.c/",
        "/api/v1/waitpoints/tokens/waitpoint_x/callback/a/b.",
        "/api/v1/waitpoints/tokens/a/b/callback/abc.",
        "/API/v1/waitpoints/tokens/waitpoint_x/callback/abc.",
        "//api/v1/waitpoints/tokens/waitpoint_x/callback/abc.",
        "/api/v1/runs/t/callback/abc.",
    ] {
        assert_eq!(repair_link(path), None, "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_sequence_of_suffixes_leads_to_the_same_credential(
        link in 0..3_usize,
        suffixes in prop::collection::vec(prop::sample::select(SUFFIXES), 1..5),
    ) {
        let link = &links()[link];
        let damaged = format!("{link}{}", suffixes.concat());
        let repaired = repair_link(&damaged);
        prop_assert_eq!(repaired.as_ref(), Some(link), "{}", damaged);
    }

    #[test]
    fn a_repaired_path_is_a_whole_link(path in "(/t/|/api/v1/waitpoints/tokens/)?\\PC*(/callback/)?\\PC*") {
        if let Some(repaired) = repair_link(&path) {
            prop_assert_eq!(repair_link(&repaired), None);
            let endpoint = Endpoint::of(&repaired);
            let is_link = matches!(endpoint, Some(Endpoint::Callback { .. } | Endpoint::ShortLink { .. }));
            prop_assert!(is_link);
        }
    }

    #[test]
    fn a_whole_link_is_left_as_it_is(credential in "eyJ[A-Za-z0-9_-]{0,9}\\.[A-Za-z0-9_-]{0,9}\\.[A-Za-z0-9_-]{0,9}[A-Za-z0-9]|[0-9a-zA-Z]{1,64}") {
        let url = format!("{URL}{credential}");
        let short = format!("/t/cabc/{credential}");
        prop_assert_eq!(repair_link(&url), None);
        prop_assert!(repair_link(&short).is_none() || credential.contains('.'));
    }
}
