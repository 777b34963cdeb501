//! What is remembered of earlier requests.

use super::auth::seconds;
use waitpoint::domain::cache::DirectMappedCache;

#[test]
fn what_is_put_is_known_until_its_end() {
    let mut recent = DirectMappedCache::new(8);
    recent.put("a text", 1, seconds(100));
    assert_eq!(recent.get("a text", seconds(0)), Some(&1));
    assert_eq!(recent.get("a text", seconds(99)), Some(&1));
    assert_eq!(recent.get("a text", seconds(100)), None);
    recent.put("a text", 2, seconds(300));
    assert_eq!(recent.get("a text", seconds(100)), Some(&2));
}

#[test]
fn a_text_is_known_as_a_whole() {
    // One place, so that all of them meet there.
    let mut recent = DirectMappedCache::new(1);
    recent.put("token.1", (), seconds(1));
    for other in [
        "",
        "token.2",
        "xoken.1",
        "token.",
        "token.1 ",
        "oken.1",
        "token.1token.1",
    ] {
        assert!(recent.get(other, seconds(0)).is_none(), "{other}");
    }
    recent.put("token.2", (), seconds(1));
    assert!(recent.get("token.1", seconds(0)).is_none());
    assert!(recent.get("token.2", seconds(0)).is_some());
}

#[test]
fn no_more_is_held_than_there_are_places_and_nothing_long() {
    let mut recent = DirectMappedCache::new(16);
    for n in 0..1_000 {
        recent.put(&n.to_string(), n, seconds(1));
    }
    let known = (0..1_000).filter(|n| recent.get(&n.to_string(), seconds(0)) == Some(n));
    assert!((1..=16).contains(&known.count()));
    for (length, is_held) in [(1_000, true), (1_001, false)] {
        let text = "x".repeat(length);
        recent.put(&text, 0, seconds(1));
        assert_eq!(recent.get(&text, seconds(0)).is_some(), is_held, "{length}");
    }
    let mut none = DirectMappedCache::new(0);
    none.put("", 0, seconds(1));
    assert!(none.get("", seconds(0)).is_none());
}
