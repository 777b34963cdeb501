//! What rate limits count together, and when they are asked.

use waitpoint::domain::api::rate_limit::{LocalAllowance, PERIOD, RateLimitKey, network};
use waitpoint::domain::time::timestamp::Timestamp;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

#[test]
fn no_share_is_counted_with_another() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
    let keys = [
        RateLimitKey::Environment("a"),
        RateLimitKey::Environment("b"),
        RateLimitKey::Reader(jwt),
        RateLimitKey::Reader("another"),
        RateLimitKey::Page("a", "c1"),
        RateLimitKey::Page("a", "c2"),
        RateLimitKey::ExpiredPage("a", "c1"),
        RateLimitKey::Decisions("a", "c1"),
        RateLimitKey::Decisions("b", "c1"),
    ]
    .map(|share| share.key());
    for (at, key) in keys.iter().enumerate() {
        assert!(!keys[..at].contains(key), "{key}");
        assert!(jwt.split('.').all(|part| !key.contains(part)), "{key}");
    }
}

#[test]
fn a_reader_has_one_share_however_its_header_is_spelled() {
    let key = |authorization: &str| RateLimitKey::Reader(authorization).key();
    for other in [
        "Bearer a.b.c",
        "bearer a.b.c",
        "BEARER  a.b.c ",
        " a.b.c",
        "a.b.c\t",
    ] {
        assert_eq!(key(other), key("a.b.c"), "{other:?}");
    }
    for another in [
        "",
        "Bearer",
        "Bearer a.b.C",
        "Basic a.b.c",
        "Bearer Bearer a.b.c",
    ] {
        assert_ne!(key(another), key("a.b.c"), "{another:?}");
    }
}

#[test]
fn the_platform_is_asked_after_the_first_hundred_of_a_period() {
    let mut unasked = LocalAllowance::default();
    let passed = (0..1000).filter(|_| unasked.allows("a", NOW)).count();
    assert_eq!(passed, 100);
    assert!(unasked.allows("b", NOW), "another has its own");
    let end = PERIOD - std::time::Duration::from_millis(1);
    assert!(!unasked.allows("a", NOW.plus(end)));
    assert!(unasked.allows("a", NOW.plus(PERIOD)));
}

#[test]
fn an_address_is_known_by_its_network() {
    for (address, expected) in [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2"),
        ("2001:db8:1:2::6", "2001:db8:1:2"),
        ("2001:db8::a:b:c:d", "2001:db8"),
        ("2001:db8::1", "2001:db8"),
        ("::1", ""),
        ("", ""),
    ] {
        assert_eq!(network(address), expected, "{address}");
    }
}
