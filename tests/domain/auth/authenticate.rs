//! From a credential to who calls.
use super::{ID, KEY, OTHER, VECTOR, env_1, keyring};
use waitpoint::domain::auth::keyring::Keyring;

#[test]
fn a_secret_key_is_matched_whole() {
    let both = keyring(&format!("env_1={KEY}\nenv_2={OTHER}"));
    for (key, environment) in [
        (KEY, Some("env_1")),
        (OTHER, Some("env_2")),
        ("", None),
        (&KEY[..KEY.len() - 1], None),
        (&KEY[1..], None),
        (&format!("{KEY}0"), None),
        (&format!("{KEY}\0"), None),
        (&format!("env_1={KEY}"), None),
        (&KEY.to_uppercase(), None),
        (VECTOR, None),
    ] {
        let found = both.by_secret(key).map(|found| found.id.as_str());
        assert_eq!(found, environment, "{key}");
    }
}

#[test]
fn a_callback_hash_is_that_of_trigger_dev() {
    let keyring = env_1();
    let id = "cmabcdefghijklmnopqrstuvw";
    let hash = "6ffdb6bee327ec6fabeadb2ee25ebd56c8bf855c9a46ce6dce7d6a4a38db8d9e";
    for good in [hash, &hash.to_uppercase()] {
        assert_eq!(keyring.by_callback_hash(id, good).unwrap().id, "env_1");
    }
    for (id, hash) in [
        ("cmabcdefghijklmnopqrstuvx", hash),
        (ID, hash),
        ("", hash),
        (id, ""),
        (id, &hash[..63]),
        (id, &hash[..62]),
        (id, &format!("{hash}0")),
        (id, &format!("{hash}00")),
        (id, &hash.replace('6', "g")),
        (id, &"z".repeat(64)),
        (id, &"é".repeat(32)),
        (id, &"0".repeat(64)),
        (id, VECTOR),
    ] {
        assert!(keyring.by_callback_hash(id, hash).is_none(), "{id} {hash}");
    }
    for index in 0..hash.len() {
        let digit = if &hash[index..=index] == "0" {
            "1"
        } else {
            "0"
        };
        let flipped = format!("{}{digit}{}", &hash[..index], &hash[index + 1..]);
        assert!(
            keyring.by_callback_hash(id, &flipped).is_none(),
            "{flipped}"
        );
    }
    let other = Keyring::parse(OTHER).ok().unwrap();
    assert!(other.by_callback_hash(id, hash).is_none());
}
