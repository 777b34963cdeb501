//! Scopes.
use super::{IAT, KEY, env_1, seconds, with_claims};
use proptest::prelude::*;
use waitpoint::domain::auth::caller::Claims;

fn allows(scope: &str, action: &str, id: &str) -> bool {
    let keyring = env_1();
    let environment = keyring.by_secret(KEY).unwrap();
    let scopes = vec![scope.to_owned()];
    let claims = Claims {
        signed_callbacks: None,
        environment,
        scopes,
        subject: None,
        expires_at: 0,
        approver: None,
    };
    claims.allows(action, id)
}

#[test]
fn a_scope_allows_an_action_on_a_token() {
    for (scope, write, read, write_other) in [
        ("write:waitpoints:waitpoint_x", true, false, false),
        ("write:waitpoints", true, false, true),
        ("write:all", true, false, true),
        ("*:all", true, true, true),
        ("*:waitpoints", true, true, true),
        ("*:waitpoints:waitpoint_x", true, true, false),
        ("write:all:waitpoint_x", true, false, false),
        ("admin", true, true, true),
        ("read:waitpoints", false, true, false),
        ("read:waitpoints:waitpoint_x", false, true, false),
        ("read:all", false, true, false),
        ("write:waitpoints:", false, false, false),
        ("write:all:", false, false, false),
        ("*:waitpoints:", false, false, false),
        ("write:waitpoints:*", false, false, false),
        ("write:waitpoints:waitpoint_x:", false, false, false),
        ("write:waitpoints:waitpoint_x ", false, false, false),
        ("write:waitpoints:WAITPOINT_X", false, false, false),
        ("write:waitpoints:x", false, false, false),
        ("admin:waitpoints", false, false, false),
        ("admin:", false, false, false),
        ("admin ", false, false, false),
        ("ADMIN", false, false, false),
        ("write", false, false, false),
        ("write:", false, false, false),
        ("write::waitpoint_x", false, false, false),
        ("write:*", false, false, false),
        ("*", false, false, false),
        ("*:*", false, false, false),
        ("write:runs", false, false, false),
        ("write:runs:waitpoint_x", false, false, false),
        ("write:waitpoint", false, false, false),
        ("WRITE:waitpoints", false, false, false),
        ("write:Waitpoints", false, false, false),
        (" write:waitpoints", false, false, false),
        (":waitpoints", false, false, false),
        ("", false, false, false),
        (":", false, false, false),
    ] {
        assert_eq!(allows(scope, "write", "waitpoint_x"), write, "{scope:?}");
        assert_eq!(allows(scope, "read", "waitpoint_x"), read, "{scope:?}");
        assert_eq!(
            allows(scope, "write", "waitpoint_y"),
            write_other,
            "{scope:?}"
        );
    }
    assert!(allows("write:waitpoints:a:b:c", "write", "a:b:c"));
    assert!(!allows("write:waitpoints:", "write", ""));
}

#[test]
fn one_of_several_scopes_is_enough() {
    let keyring = env_1();
    let scopes = r#"["read:runs","read:waitpoints:a","write:waitpoints:b"]"#;
    let jwt = with_claims(&[("scopes", scopes)]);
    let claims = keyring.verify(&jwt, seconds(IAT)).ok().unwrap();
    assert!(claims.allows("read", "a") && claims.allows("write", "b"));
    assert!(!claims.allows("write", "a") && !claims.allows("read", "b"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_scope_panics(scope in "(.{0,9}:?){0,4}", id in "(waitpoint_)?[a-z0-9]{0,25}") {
        let granted = allows(&scope, "write", &id);
        prop_assert!(!granted || scope == "admin" || scope.contains(':'));
    }
}
