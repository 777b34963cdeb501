//! The credential of a short link.
use super::{DAY, EXP, IAT, ID, KEY, OLD, OTHER, env_1, keyring, mint, seconds, two_environments};
use proptest::prelude::*;
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::auth::access_token::Lifetime;
use waitpoint::domain::auth::caller::{Caller, SignedCallbacks};
use waitpoint::domain::auth::form_nonce::NoncePurpose;
use waitpoint::domain::auth::keyring::Keyring;
use waitpoint::domain::auth::short_link::{LinkPurpose, short_url};
use waitpoint::domain::token::votes::Quorum;

const INTERNAL: &str = "cmabcdefghijklmnopqrstuvw";

fn lifetime(expires_at: u64) -> Lifetime {
    Lifetime {
        issued_at: IAT,
        expires_at,
    }
}

fn link_of(keyring: &Keyring, key: &str, id: &str, expires_at: u64) -> String {
    let environment = keyring.by_secret(key).unwrap();
    environment.short_link(LinkPurpose::Decide, id, lifetime(expires_at))
}

fn link() -> String {
    link_of(&env_1(), KEY, INTERNAL, EXP)
}

#[track_caller]
fn assert_forged(id: &str, credential: &str) {
    let keyring = two_environments();
    assert_eq!(
        keyring
            .authenticate_short_link(id, credential, seconds(IAT))
            .err(),
        Some(ApiError::InvalidCallbackHash),
        "{id} {credential:?}"
    );
}

#[test]
fn a_short_link_may_write_and_read_its_token_and_no_other() {
    let keyring = env_1();
    let (caller, expired) = keyring
        .authenticate_short_link(INTERNAL, &link(), seconds(IAT))
        .ok()
        .unwrap();
    assert!(!expired && matches!(caller, Caller::Public(_)));
    assert_eq!(caller.environment().id, "env_1");
    assert!(caller.allows("write", INTERNAL) && caller.allows("read", INTERNAL));
    assert!(!caller.allows("write", "cother") && !caller.allows("admin", INTERNAL));
    assert_eq!(caller.subject(), None);
}

#[test]
fn it_expires_when_the_jwt_does() {
    let keyring = env_1();
    let environment = keyring.by_secret(KEY).unwrap();
    for (timeout, life) in [(None, 30 * DAY), (Some(seconds(IAT + 2 * DAY)), 2 * DAY)] {
        let lifetime = Lifetime::of(seconds(IAT), timeout, seconds(IAT));
        let link = environment.short_link(LinkPurpose::Decide, INTERNAL, lifetime);
        let jwt = mint(seconds(IAT), timeout, seconds(IAT));
        for (at, expired) in [(IAT + life - 1, false), (IAT + life, true)] {
            let now = seconds(at);
            let verified = keyring.authenticate_short_link(INTERNAL, &link, now);
            assert_eq!(verified.ok().unwrap().1, expired);
            let verified = keyring.authenticate_link(ID, &jwt, now);
            assert_eq!(verified.ok().unwrap().1, expired);
        }
    }
}

#[test]
fn every_key_of_its_environment_verifies_it_and_no_key_of_another() {
    let old = link_of(&keyring(&format!("env_1={OLD}")), OLD, INTERNAL, EXP);
    let rotated = two_environments();
    for credential in [&old, &link()] {
        let verified = rotated.authenticate_short_link(INTERNAL, credential, seconds(IAT));
        assert_eq!(verified.ok().unwrap().0.environment().id, "env_1");
    }
    assert!(
        env_1()
            .authenticate_short_link(INTERNAL, &old, seconds(IAT))
            .is_err(),
        "the key was removed"
    );
    let other = link_of(&rotated, OTHER, INTERNAL, EXP);
    let verified = rotated.authenticate_short_link(INTERNAL, &other, seconds(IAT));
    assert_eq!(verified.ok().unwrap().0.environment().id, "env_2");
    // The same key in an environment of another name.
    let renamed = keyring(&format!("env_9={KEY}"));
    assert!(
        renamed
            .authenticate_short_link(INTERNAL, &link(), seconds(IAT))
            .is_err()
    );
}

#[test]
fn a_changed_link_is_forged() {
    let link = link();
    for at in 0..link.len() {
        for bit in 0..7 {
            let mut bad = link.clone().into_bytes();
            bad[at] ^= 1 << bit;
            assert_forged(INTERNAL, &String::from_utf8(bad).unwrap());
        }
        assert_forged(INTERNAL, &link[..at]);
        assert_forged(INTERNAL, &link[at + 1..]);
        let (before, after) = link.split_at(at);
        for letter in ["0", "A", "-", ".", "%", "é"] {
            assert_forged(INTERNAL, &format!("{before}{letter}{after}"));
        }
    }
    for end in ["=", "==", "A", "Q", "\n", " "] {
        assert_forged(INTERNAL, &format!("{link}{end}"));
    }
    let (expiry, mac) = link.split_at(link.len() - 22);
    assert_forged(INTERNAL, &format!("{}{mac}", expiry.to_uppercase()));
    assert_forged(INTERNAL, &format!("{expiry}{}", mac.to_uppercase()));
    assert_forged(INTERNAL, &format!("+{expiry}{mac}"));
    assert_forged(INTERNAL, &format!("zzzzzz{mac}"));
    for id in [
        "",
        "cother",
        ID,
        "CMABCDEFGHIJKLMNOPQRSTUVW",
        "cmabcdefghijklmnopqrstuv",
        "cmabcdefghijklmnopqrstuvw\n",
    ] {
        assert_forged(id, &link);
    }
}

#[test]
fn the_other_credentials_of_the_same_key_are_no_short_links() {
    let environments = env_1();
    let environment = environments.by_secret(KEY).unwrap();
    let jwt = mint(seconds(IAT), None, seconds(IAT));
    let nonce = environment.form_nonce(NoncePurpose::ApprovalPage(INTERNAL), seconds(IAT));
    let mac = |text: &str| super::base64url(&super::mac(KEY, text)[..16]);
    let expiry = &link()[..6];
    for credential in [
        jwt,
        nonce,
        format!("{expiry}{}", mac(INTERNAL)),
        // Of other texts, or of texts that run into each other.
        format!(
            "{expiry}{}",
            mac(&format!("waitpoint page\nenv_1\n{INTERNAL}\n{expiry}"))
        ),
        format!(
            "{expiry}{}",
            mac(&format!(
                "waitpoint link\ndecide\nenv_2\n{INTERNAL}\n{expiry}"
            ))
        ),
        "0".repeat(64),
        KEY.to_owned(),
    ] {
        assert_forged(INTERNAL, &credential);
    }
    let signed = format!("waitpoint link\ndecide\nenv_1\n{INTERNAL}\n{expiry}");
    assert_eq!(link(), format!("{expiry}{}", mac(&signed)));
    assert!(
        environments
            .authenticate_link(ID, &link(), seconds(IAT))
            .is_err(),
        "no credential of a token.url"
    );
    assert!(environments.authenticate(&link(), seconds(IAT)).is_err());
}

#[test]
fn a_link_for_signed_callbacks_may_only_read() {
    let keyring = env_1();
    let environment = keyring.by_id("env_1").unwrap();
    let lifetime = Lifetime::of(seconds(IAT), None, seconds(IAT));
    let credential = environment.short_link(LinkPurpose::Callback, INTERNAL, lifetime);
    assert!(
        keyring
            .verify_short_link(LinkPurpose::Decide, INTERNAL, &credential)
            .is_none()
    );
    let (caller, expired) = keyring
        .authenticate_short_link(INTERNAL, &credential, seconds(IAT))
        .unwrap();
    assert!(!expired && caller.allows("read", INTERNAL) && !caller.allows("write", INTERNAL));
    assert_eq!(
        caller.signed_callbacks(),
        Some(&SignedCallbacks::AsRecorded)
    );

    // The JWT in `url` says itself how they are signed.
    let verify = r#"{"scheme":"github","secret":"DEPLOYS"}"#;
    let jwt = environment.mint_link(ID, Some(verify), None, lifetime);
    let (caller, _) = keyring.authenticate_link(ID, &jwt, seconds(IAT)).unwrap();
    assert!(caller.allows("read", ID) && !caller.allows("write", ID));
    assert_eq!(
        caller.signed_callbacks(),
        Some(&SignedCallbacks::As(verify.to_owned()))
    );
    let other = keyring.authenticate_link("waitpoint_other", &jwt, seconds(IAT));
    assert!(matches!(other, Err(ApiError::InsufficientScope)));
}

#[test]
fn a_short_url_has_at_most_110_characters() {
    let origin = "https://waitpoint.a-company-of-some-name.workers.dev";
    let expires_at = seconds(IAT)
        .plus(std::time::Duration::from_secs(30 * DAY))
        .as_secs();
    let credential = link_of(&env_1(), KEY, INTERNAL, expires_at);
    let url = short_url(origin, INTERNAL, &credential);
    assert!(url.len() <= 110, "{} characters: {url}", url.len());
    assert!(url.starts_with(&format!("{origin}/t/{INTERNAL}/")));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_link_of_any_time_verifies_until_then(expires_at in 0..300_000_000_000_u64, id in "[A-Za-z0-9]{1,64}") {
        let keyring = env_1();
        let credential = link_of(&keyring, KEY, &id, expires_at);
        let claims = keyring.verify_short_link(LinkPurpose::Decide, &id, &credential).unwrap();
        prop_assert_eq!(claims.expires_at, expires_at);
    }

    #[test]
    fn no_other_text_is_a_link(id in "[a-z0-9]{1,30}|\\PC*", text in "[a-z0-9]{6}[A-Za-z0-9_-]{22}|\\PC*") {
        prop_assert!(two_environments().verify_short_link(LinkPurpose::Decide, &id, &text).is_none());
    }
}

#[test]
fn the_link_of_an_approver_is_of_that_approver_and_has_one_spelling() {
    let keyring = env_1();
    let environment = keyring.by_secret(KEY).unwrap();
    let link =
        |approver| environment.short_link(LinkPurpose::Vote(approver), INTERNAL, lifetime(EXP));
    for approver in [0, 1, 9, 10, 19] {
        let credential = link(approver);
        let (caller, _) = keyring
            .authenticate_short_link(INTERNAL, &credential, seconds(IAT))
            .ok()
            .unwrap();
        assert!(caller.allows("write", INTERNAL));
        let quorum = Quorum {
            approvers: (0..20).map(|one| format!("p{one}")).collect(),
            required: 1,
        };
        assert_eq!(caller.approver_of(&quorum), Some(approver));
        let few = Quorum {
            approvers: Vec::new(),
            ..quorum
        };
        assert_eq!(caller.approver_of(&few), None);
        let (_, rest) = credential.split_once('-').unwrap();
        for forged in [
            rest.to_owned(),
            format!("{}-{rest}", approver + 1),
            format!("0{credential}"),
            format!("+{credential}"),
            format!("-{credential}"),
            format!("{approver}-{credential}"),
        ] {
            assert_forged(INTERNAL, &forged);
        }
    }
}
