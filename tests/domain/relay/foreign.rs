//! Credentials that no key here verifies.

use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::relay::foreign::{
    Kind, Proof, Scoped, judge_environments, judge_read, judge_write, verdict_key,
};

const ID: &str = "waitpoint_c1";

fn jwt(header: &str, payload: &str) -> String {
    let part = |text: &str| {
        let mut encoded = String::new();
        waitpoint::domain::encoding::base64url_encode(text.as_bytes(), &mut encoded);
        encoded
    };
    format!("{}.{}.c2ln", part(header), part(payload))
}

fn run_token(scopes: &str) -> Kind {
    let payload = format!(r#"{{"aud":"trigger:api","token_use":"run","scopes":{scopes}}}"#);
    Kind::of(&jwt(r#"{"alg":"EdDSA","typ":"run+jwt"}"#, &payload))
}

#[test]
fn upstream_is_asked_whether_a_key_or_a_run_token_may_write() {
    let payload = r#"{"pub":true}"#;
    for credential in [
        "tr_prod_sk_012345678901234567890123",
        "a.b.c",
        "..",
        "",
        &jwt("[]", r#"{"scopes":["write:all"]}"#),
        &jwt("{}", r#"["write:all"]"#),
        &jwt("{}", payload),
        &jwt(r#"{"typ":"run+jwt"}"#, payload),
    ] {
        assert_eq!(Kind::of(credential), Kind::Opaque, "{credential}");
    }
    assert_eq!(Kind::Opaque.proof(ID), Ok(Proof::Ask));
    for scopes in [
        r#"["admin"]"#,
        r#"["read:runs","write:waitpoints"]"#,
        r#"["*:all"]"#,
        r#"["write:waitpoints:waitpoint_c1"]"#,
    ] {
        assert_eq!(run_token(scopes).proof(ID), Ok(Proof::Ask), "{scopes}");
    }
}

#[test]
fn a_run_token_that_may_only_read_is_refused_without_asking() {
    for scopes in [
        "[]",
        r#""admin""#,
        r#"[1,"admin"]"#,
        r#"["read:all"]"#,
        r#"["read:waitpoints:waitpoint_c1"]"#,
        r#"["write:waitpoints:waitpoint_c2"]"#,
        r#"["write:runs","admin:waitpoints","ADMIN"]"#,
    ] {
        let kind = run_token(scopes);
        assert_eq!(kind.proof(ID), Err(ApiError::InsufficientScope), "{scopes}");
    }
}

#[test]
fn a_public_tokens_scopes_count_as_they_stand() {
    let payload = r#"{"scopes":["read:waitpoints:waitpoint_c1"],"exp":7}"#;
    let kind = Kind::of(&jwt(r#"{"alg":"HS256"}"#, payload));
    let scoped = Scoped {
        scopes: vec!["read:waitpoints:waitpoint_c1".into()],
        expires_at: 7,
    };
    assert_eq!(kind, Kind::PublicToken(scoped));
    assert_eq!(kind.proof(ID), Ok(Proof::Scopes));
    let kind = Kind::of(&jwt("{}", r#"{"scopes":"admin","exp":7}"#));
    let Kind::PublicToken(scoped) = kind else {
        panic!("{kind:?}")
    };
    assert_eq!(scoped.scopes, [""; 0]);
}

#[test]
fn only_a_read_that_succeeds_lets_a_credential_in() {
    let refused = || ApiError::InvalidPublicToken;
    assert_eq!(judge_read(200, refused()), Ok(()));
    for (status, error) in [
        (401, ApiError::InvalidPublicToken),
        (403, ApiError::InsufficientScope),
        (404, ApiError::TokenNotFound),
        // trigger.dev's answer for a token that it does not know, and that of an outage.
        (500, ApiError::UpstreamUnavailable),
        (204, ApiError::UpstreamUnavailable),
        (302, ApiError::UpstreamUnavailable),
        (429, ApiError::UpstreamUnavailable),
        (503, ApiError::UpstreamUnavailable),
    ] {
        assert_eq!(judge_read(status, refused()), Err(error), "{status}");
    }
}

#[test]
fn only_not_found_proves_a_right_to_write() {
    let refused = || ApiError::InvalidApiKey;
    assert_eq!(judge_write(404, refused()), Ok(()));
    for (status, error) in [
        (401, ApiError::InvalidApiKey),
        (403, ApiError::InsufficientScope),
        (200, ApiError::UpstreamUnavailable),
        (400, ApiError::UpstreamUnavailable),
        (500, ApiError::UpstreamUnavailable),
        (429, ApiError::UpstreamUnavailable),
    ] {
        assert_eq!(judge_write(status, refused()), Err(error), "{status}");
    }
}

#[test]
fn a_token_that_no_key_reads_is_refused_unless_a_key_got_no_answer() {
    let judge = |statuses: &[Option<u16>]| judge_environments(statuses, ApiError::InvalidApiKey);
    for nowhere in [&[Some(500)][..], &[Some(404), Some(401), Some(500)], &[]] {
        assert_eq!(judge(nowhere), ApiError::InvalidApiKey, "{nowhere:?}");
    }
    for unknown in [&[None][..], &[Some(500), Some(503)], &[Some(429)]] {
        assert_eq!(judge(unknown), ApiError::UpstreamUnavailable, "{unknown:?}");
    }
}

#[test]
fn a_verdict_is_of_one_credential_and_one_token() {
    let key = verdict_key("tr_prod_secret", ID);
    assert_eq!(key.len(), 43);
    assert!(!key.contains("secret"));
    for (credential, id) in [
        ("tr_prod_secre", "waitpoint_c1t"),
        ("tr_prod_secret", "c1"),
        ("tr_prod_secret2", ID),
    ] {
        assert_ne!(verdict_key(credential, id), key);
    }
}
