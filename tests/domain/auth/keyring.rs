//! Environments and their keys.
use super::{
    HEADER, IAT, ID, KEY, OLD, OTHER, VECTOR, claims, env_1, hex, keyring, mac, seconds, sign,
};
use waitpoint::domain::auth::keyring::{Keyring, KeyringError, MIN_KEY};

#[test]
fn an_earlier_key_verifies_and_the_first_one_signs() {
    let rotated = keyring(&format!("env_1={KEY}\nenv_1={OLD}\nenv_2={OTHER}"));
    let old_jwt = sign(OLD, HEADER, &claims(&[]));
    assert!(rotated.verify(&old_jwt, seconds(IAT)).is_ok());
    assert!(rotated.verify(VECTOR, seconds(IAT)).is_ok());
    assert_eq!(rotated.by_secret(OLD).unwrap().id, "env_1");

    let minted = rotated
        .by_secret(OLD)
        .unwrap()
        .mint(ID, seconds(IAT), None, seconds(IAT));
    assert!(env_1().verify(&minted, seconds(IAT)).is_ok());
    let only_old = keyring(&format!("env_1={OLD}"));
    assert!(only_old.verify(&minted, seconds(IAT)).is_err());

    let hash = hex(&mac(OLD, "cabc"));
    assert_eq!(rotated.by_callback_hash("cabc", &hash).unwrap().id, "env_1");
    let (holder, has_expired) = rotated
        .authenticate_link("cabc", &hash, seconds(0))
        .unwrap();
    assert!(holder.allows("write", "cabc") && !holder.allows("read", "cabc") && !has_expired);
}

#[test]
fn environments_never_verify_each_others() {
    let both = keyring(&format!("env_1={KEY}\nenv_2={OTHER}"));
    let as_env_2 = claims(&[("sub", "\"env_2\"")]);
    for (key, payload, environment) in [
        (KEY, claims(&[]), Some("env_1")),
        (OTHER, as_env_2.clone(), Some("env_2")),
        (KEY, as_env_2, None),
        (OTHER, claims(&[]), None),
    ] {
        let jwt = sign(key, HEADER, &payload);
        let found = both.verify(&jwt, seconds(IAT)).ok();
        assert_eq!(
            found.map(|claims| claims.environment.id.as_str()),
            environment
        );
    }
}

#[test]
fn secret_keys_are_read_line_by_line() {
    let base64 = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeA==";
    let base64_one = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";
    let padded = format!("env_1={base64}");
    for (text, key, environment) in [
        (KEY, KEY, "default"),
        (&format!("env_1={KEY}"), KEY, "env_1"),
        (&format!("Prod-EU_2={KEY}"), KEY, "Prod-EU_2"),
        (&format!("{}={KEY}", "e".repeat(64)), KEY, &"e".repeat(64)),
        (&format!("{KEY}\r\nenv_2={OTHER}\r\n"), KEY, "default"),
        (&format!("{KEY}\r\nenv_2={OTHER}\r\n"), OTHER, "env_2"),
        (&format!("\n\n  \n\t{KEY}  \n\n"), KEY, "default"),
        (&format!("{KEY}\n{OLD}"), OLD, "default"),
        (&format!("default={KEY}\n{OLD}"), OLD, "default"),
        (&format!("{KEY}\n{KEY}"), KEY, "default"),
        (base64, base64, "default"),
        (base64_one, base64_one, "default"),
        (&padded, base64, "env_1"),
        (
            "kkkkkkkkkkkkkkkkkkkkkkkk",
            "kkkkkkkkkkkkkkkkkkkkkkkk",
            "default",
        ),
    ] {
        let keyring = Keyring::parse(text)
            .ok()
            .unwrap_or_else(|| panic!("{text:?}"));
        let found = keyring.by_secret(key).map(|found| found.id.as_str());
        assert_eq!(found, Some(environment), "{text:?}");
    }
}

#[test]
fn unusable_secret_keys_are_refused_by_line() {
    let short = "k".repeat(MIN_KEY - 1);
    for (text, expected) in [
        (String::new(), KeyringError::Empty),
        (" \r\n\t\n".to_owned(), KeyringError::Empty),
        (short.clone(), KeyringError::TooShort(1)),
        (format!("\n{KEY}\nenv_1={short}"), KeyringError::TooShort(3)),
        ("env_1=".to_owned(), KeyringError::TooShort(1)),
        ("env_1==".to_owned(), KeyringError::TooShort(1)),
        (format!("a={KEY}\nb={KEY}"), KeyringError::Shared(2)),
        (format!("{KEY}\r\n\r\nb={KEY}"), KeyringError::Shared(3)),
        (
            format!("a={KEY}\nb={OTHER}\nb={KEY}"),
            KeyringError::Shared(3),
        ),
    ] {
        let error = Keyring::parse(&text).err();
        assert_eq!(error, Some(expected), "{text:?}");
        let said = format!("{expected} {expected:?}");
        for key in [KEY, OTHER, short.as_str()] {
            assert!(!said.contains(key), "{said}");
        }
    }
}
