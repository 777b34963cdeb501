//! Ids of tokens.
use super::{KEY, OLD, OTHER, keyring, two_environments};
use proptest::prelude::*;
use std::collections::BTreeSet;

#[test]
fn token_ids_differ() {
    let keyring = two_environments();
    let environment = keyring.by_secret(KEY).unwrap();
    let ids: BTreeSet<_> = (0..10_000_u32)
        .map(|key| environment.token_id(&key.to_be_bytes()))
        .collect();
    assert_eq!(ids.len(), 10_000);
}

#[test]
fn an_environment_id_does_not_run_into_the_request_key() {
    let keyring = keyring(&format!("a={KEY}\nab={OTHER}"));
    let (a, ab) = (keyring.by_secret(KEY), keyring.by_secret(OTHER));
    assert_ne!(a.unwrap().token_id(b"bc"), ab.unwrap().token_id(b"c"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_token_id_is_a_cuid(key in proptest::collection::vec(any::<u8>(), 0..99)) {
        let keyring = two_environments();
        let first = keyring.by_secret(KEY).unwrap();
        let id = first.token_id(&key);
        prop_assert_eq!(id.len(), 25);
        prop_assert!(id.starts_with('c'));
        prop_assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
        prop_assert_eq!(&id, &keyring.by_secret(OLD).unwrap().token_id(&key));
        prop_assert_ne!(&id, &keyring.by_secret(OTHER).unwrap().token_id(&key));
    }
}
