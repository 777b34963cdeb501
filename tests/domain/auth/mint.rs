//! Public access tokens that are made here.
use super::{DAY, HEADER, IAT, ID, KEY, env_1, mint, payload_of, seconds, sign};
use proptest::prelude::*;
use std::time::Duration;
use waitpoint::domain::time::timestamp::Timestamp;

#[test]
fn a_minted_token_has_the_claims_of_trigger_dev_in_their_order() {
    let jwt = mint(seconds(IAT), None, seconds(IAT));
    let exp = IAT + 30 * DAY;
    assert_eq!(
        payload_of(&jwt),
        format!(
            r#"{{"sub":"env_1","pub":true,"scopes":["write:waitpoints:{ID}","read:waitpoints:{ID}"],"iss":"https://id.trigger.dev","aud":"https://api.trigger.dev","exp":{exp},"iat":{IAT}}}"#
        )
    );
    assert_eq!(jwt, sign(KEY, HEADER, &payload_of(&jwt)));

    let keyring = env_1();
    let claims = keyring.verify(&jwt, seconds(IAT)).ok().unwrap();
    assert!(claims.allows("write", ID) && claims.allows("read", ID));
    assert!(!claims.allows("write", "waitpoint_other") && !claims.allows("admin", ID));
}

fn times_of(jwt: &str) -> (u64, u64) {
    let payload: serde_json::Value = serde_json::from_str(&payload_of(jwt)).unwrap();
    (
        payload["iat"].as_u64().unwrap(),
        payload["exp"].as_u64().unwrap(),
    )
}

#[test]
fn a_minted_token_lives_until_the_timeout_within_a_day_and_a_month() {
    let after = |life| Some(seconds(IAT + life));
    for (timeout, life) in [
        (None, 30 * DAY),
        (after(0), DAY),
        (after(600), DAY),
        (after(DAY), DAY),
        (after(DAY + 1), DAY + 1),
        (after(3 * DAY), 3 * DAY),
        (after(30 * DAY), 30 * DAY),
        (after(30 * DAY + 1), 30 * DAY),
        (Some(Timestamp::MAX), 30 * DAY),
        (Some(seconds(0)), DAY),
    ] {
        let jwt = mint(seconds(IAT), timeout, seconds(IAT));
        assert_eq!(times_of(&jwt), (IAT, IAT + life), "{timeout:?}");
        let later = mint(seconds(IAT), timeout, seconds(IAT + life - 1));
        assert_eq!(later, jwt, "the same while it lives");
        let renewed = mint(seconds(IAT), timeout, seconds(IAT + life));
        assert_eq!(times_of(&renewed), (IAT + life, IAT + 2 * life));
    }
}

#[test]
fn a_token_minted_in_the_last_moment_of_an_earlier_one_verifies() {
    let created_at = Timestamp::from_millis(IAT * 1_000 + 900);
    let now = created_at.plus(Duration::from_millis(30 * DAY * 1_000 - 1));
    let jwt = mint(created_at, None, now);
    assert_eq!(env_1().verify(&jwt, now).err(), None);
}

#[test]
fn a_minted_token_outlives_the_milliseconds_of_the_timeout() {
    let timeout_at = Timestamp::from_millis((IAT + 2 * DAY) * 1_000 + 999);
    let jwt = mint(seconds(IAT), Some(timeout_at), seconds(IAT));
    let last = Timestamp::from_millis(timeout_at.as_millis() - 1);
    assert_eq!(env_1().verify(&jwt, last).err(), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_minted_verifies(
        created in 0..4_000_000_000_u64,
        timeout in proptest::option::of(0..5_000_000_u64),
        passed in 0..9_000_000_u64,
    ) {
        let timeout = timeout.map(|after| seconds(created + after));
        let now = seconds(created + passed);
        let jwt = mint(seconds(created), timeout, now);
        let (iat, exp) = times_of(&jwt);
        prop_assert!(iat <= now.as_secs() && now.as_secs() < exp);
        prop_assert!((DAY..=30 * DAY).contains(&(exp - iat)));
        prop_assert_eq!(env_1().verify(&jwt, now).err(), None);
    }
}
