//! Who sent a form of the inbox.
use waitpoint::domain::auth::form_origin::is_own_form;

#[test]
fn a_form_is_taken_from_a_page_of_the_inbox_only() {
    let own = ["http://127.0.0.1:8787", "https://waitpoint.example"];
    for (origin, fetch_site, is_own) in [
        // As Chromium, Firefox and Safari send it, the first with `referrer-policy: no-referrer`.
        ("null", "same-origin", true),
        ("https://waitpoint.example", "same-origin", true),
        ("http://127.0.0.1:8787", "same-origin", true),
        ("", "same-origin", true),
        // A browser without `Sec-Fetch-Site`.
        ("https://waitpoint.example", "", true),
        // Without either, nobody says where it is from.
        ("", "", false),
        ("null", "", false),
        ("null", "none", false),
        ("null", "same-site", false),
        ("null", "cross-site", false),
        ("", "none", false),
        ("", "same-site", false),
        ("", "cross-site", false),
        ("https://waitpoint.example", "same-site", false),
        ("https://waitpoint.example", "cross-site", false),
        ("https://waitpoint.example", "none", false),
        ("https://evil.example", "", false),
        ("https://evil.example", "same-origin", false),
        ("https://evil.example", "cross-site", false),
        ("https://waitpoint.example.evil.example", "", false),
        ("https://waitpoint.example:8443", "", false),
        ("http://waitpoint.example", "", false),
        ("https://waitpoint.example/", "", false),
        ("HTTPS://WAITPOINT.EXAMPLE", "", false),
        ("https://waitpoint.example", "Same-Origin", false),
        ("null", "same-origin, same-origin", false),
    ] {
        let found = is_own_form(origin, fetch_site, own);
        assert_eq!(found, is_own, "{origin:?} {fetch_site:?}");
    }
}
