//! What Cloudflare Access says, as far as it is read without its keys. The signature is verified in
//! tests/inbox/access.test.mjs.
use super::{IAT, base64url, seconds};
use waitpoint::domain::auth::access_assertion::{
    AccessError, AccessIdentity, Unverified, read_keys,
};
use waitpoint::domain::auth::inbox_settings::{AccessSettings, SignInBy};

const ISSUER: &str = "https://example.cloudflareaccess.com";
const HEADER: &str = r#"{"alg":"RS256","kid":"one","typ":"JWT"}"#;

/// What a real assertion of a person holds, by Cloudflare's documentation.
const CLAIMS: [(&str, &str); 10] = [
    ("aud", r#"["tag-default"]"#),
    ("email", r#""ann@example.com""#),
    ("exp", "1795465875"),
    ("iat", "1795465815"),
    ("nbf", "1795465815"),
    ("iss", r#""https://example.cloudflareaccess.com""#),
    ("type", r#""app""#),
    ("identity_nonce", r#""6ei69kawdKzMIAPF""#),
    ("sub", r#""7335d417-61da-459d-899c-0a01c76a2f94""#),
    ("country", r#""US""#),
];

/// What a real assertion of a service token holds.
const SERVICE: &str = r#"{"type":"app","aud":["tag-default"],"exp":1795465875,"iat":1795465815,
    "iss":"https://example.cloudflareaccess.com","common_name":"e367826f93b8d71185e03fe518aff3b4.access",
    "sub":""}"#;

/// Reads an assertion at the time of [`IAT`].
fn read(text: &str) -> Result<Unverified<'_>, AccessError> {
    Unverified::read(text, &access(), seconds(IAT))
}

fn access() -> AccessSettings {
    let tags = "tag-default\nprod=tag-prod\nprod=tag-prod-2";
    match SignInBy::parse("on", ISSUER, tags) {
        Ok(Some(SignInBy::Access(access))) => access,
        other => panic!("{other:?}"),
    }
}

fn assertion(header: &str, payload: &str) -> String {
    let [header, payload] = [header, payload].map(|part| base64url(part.as_bytes()));
    format!("{header}.{payload}.{}", base64url(b"signature"))
}

/// The claims with some replaced or added, or, by an empty value, left out.
fn claims(changes: &[(&str, &str)]) -> String {
    let changed = |name| changes.iter().find(|(one, _)| *one == name);
    let kept = CLAIMS.iter().map(|one| changed(one.0).unwrap_or(one));
    let is_known = |name| CLAIMS.iter().any(|(one, _)| *one == name);
    let added = changes.iter().filter(|(name, _)| !is_known(*name));
    let fields = kept.chain(added).filter(|(_, value)| !value.is_empty());
    let fields: Vec<_> = fields
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn identity(payload: &str) -> Option<AccessIdentity> {
    let text = assertion(HEADER, payload);
    read(&text).ok().map(Unverified::into_identity)
}

fn environment(changes: &[(&str, &str)]) -> Option<String> {
    identity(&claims(changes)).map(|found| found.environment)
}

#[test]
fn an_assertion_says_who_signed_in() {
    let text = assertion(HEADER, &claims(&[]));
    let read = read(&text).unwrap();
    assert_eq!(read.key_id, "one");
    assert_eq!(read.signed, text.rsplit_once('.').unwrap().0);
    assert_eq!(read.signature, b"signature");
    let expected = AccessIdentity {
        environment: "default".to_owned(),
        email: "ann@example.com".to_owned(),
    };
    assert_eq!(read.into_identity(), expected);
    // Without the claims that are not compared.
    let names = ["iat", "nbf", "type", "identity_nonce", "sub", "country"];
    for name in names {
        let found = environment(&[(name, "")]);
        assert_eq!(found.as_deref(), Some("default"), "{name}");
    }
    let custom = ("custom", r#"{"groups":["a",{"b":[]}]}"#);
    assert!(environment(&[custom]).is_some());
    assert_eq!(
        identity(SERVICE),
        None,
        "a service token has no e-mail address"
    );
}

#[test]
fn an_audience_is_that_of_an_environment() {
    for (aud, expected) in [
        (r#""tag-default""#, Some("default")),
        (r#"["tag-prod"]"#, Some("prod")),
        (r#"["tag-prod-2"]"#, Some("prod")),
        (r#"["another","tag-prod"]"#, Some("prod")),
        (r#""tag-prod""#, Some("prod")),
        ("[]", None),
        (r#""""#, None),
        (r#"[""]"#, None),
        (r#""another""#, None),
        (r#"["TAG-DEFAULT"]"#, None),
        (r#""tag-default ""#, None),
        (r#""tag""#, None),
        (r#"["default","prod"]"#, None),
        (r#"[["tag-default"]]"#, None),
        (r#"["tag-default",1]"#, None),
        (r#"{"tag-default":"tag-default"}"#, None),
        ("null", None),
        ("1", None),
        ("", None),
    ] {
        let found = environment(&[("aud", aud)]);
        assert_eq!(found.as_deref(), expected, "{aud}");
    }
}

#[test]
fn an_assertion_of_another_team_or_time_is_refused() {
    let at = |seconds: u64| seconds.to_string();
    let quoted = format!("\"{}\"", IAT + 60);
    for (name, value, is_valid) in [
        ("iss", r#""https://evil.cloudflareaccess.com""#, false),
        ("iss", r#""https://example.cloudflareaccess.com/""#, false),
        ("iss", r#""http://example.cloudflareaccess.com""#, false),
        ("iss", r#""example.cloudflareaccess.com""#, false),
        ("iss", r#"["https://example.cloudflareaccess.com"]"#, false),
        ("iss", "", false),
        ("exp", &at(IAT + 1), true),
        ("exp", &at(IAT), false),
        ("exp", &at(IAT - 1), false),
        ("exp", "0", false),
        ("exp", "-1", false),
        ("exp", "1e30", false),
        ("exp", "1795465875.5", false),
        ("exp", &quoted, false),
        ("exp", "null", false),
        ("exp", "", false),
        ("nbf", &at(IAT + 60), true),
        ("nbf", &at(IAT + 61), false),
        ("nbf", &at(u64::MAX), false),
        ("nbf", "\"0\"", false),
        ("iat", &at(IAT + 60), true),
        ("iat", &at(IAT + 61), false),
        ("iat", "-1", false),
    ] {
        let found = environment(&[(name, value)]);
        assert_eq!(found.is_some(), is_valid, "{name} {value}");
    }
}

#[test]
fn a_person_has_an_email_address() {
    for email in ["", "null", r#""""#, "1", r#"["ann@example.com"]"#, "true"] {
        assert_eq!(environment(&[("email", email)]), None, "{email}");
    }
    // A service token cannot give itself one by another name.
    for name in ["Email", "EMAIL", "e-mail", "user", "sub"] {
        let changes = [("email", ""), (name, r#""ann@example.com""#)];
        assert_eq!(environment(&changes), None, "{name}");
    }
}

#[test]
fn only_rs256_is_read() {
    let is_read = |header: &str| read(&assertion(header, &claims(&[]))).is_ok();
    for header in [
        HEADER,
        r#"{"alg":"RS256","kid":"one"}"#,
        r#"{"kid":"one","alg":"RS256"}"#,
        // A key in the header is ignored: it is the team's that verifies.
        r#"{"alg":"RS256","kid":"one","jwk":{"kty":"RSA","n":"AQAB","e":"AQAB"}}"#,
        r#"{"alg":"RS256","kid":"one","jku":"https://evil.example"}"#,
        r#"{"alg":"RS256","kid":"one","x5c":["MII"],"x5u":"https://evil.example","new":1}"#,
    ] {
        assert!(is_read(header), "{header}");
    }
    for alg in [
        "none", "None", "NONE", "", "HS256", "RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256",
        "RS256 ", "RSA",
    ] {
        let header = format!(r#"{{"alg":"{alg}","kid":"one","typ":"JWT"}}"#);
        assert!(!is_read(&header), "{header}");
    }
    for header in [
        r#"{"kid":"one"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"RS256","kid":1}"#,
        r#"{"alg":["RS256"],"kid":"one"}"#,
        r#"{"alg":null,"kid":"one"}"#,
        // What must not be ignored.
        r#"{"alg":"RS256","kid":"one","crit":["b64"],"b64":false}"#,
        r#"{"alg":"RS256","kid":"one","crit":[]}"#,
        // Readers disagree on which of two counts.
        r#"{"alg":"none","alg":"RS256","kid":"one"}"#,
        r#"{"alg":"RS256","alg":"none","kid":"one"}"#,
        r#"{"alg":"RS256","kid":"one","kid":"two"}"#,
        r#"["RS256","one",null]"#,
        r#"{"alg":"RS256","kid":"one"} "#,
        r#"{"alg":"RS256","kid":"one"}{}"#,
        "",
        "null",
    ] {
        let is_refused = !is_read(header);
        // White space around JSON changes nothing.
        assert_eq!(is_refused, !header.ends_with("} "), "{header}");
    }
}

#[test]
fn a_claim_that_stands_twice_is_refused() {
    for name in ["aud", "iss", "exp", "iat", "nbf", "email"] {
        let (_, value) = CLAIMS.iter().find(|(one, _)| *one == name).unwrap();
        let payload = claims(&[]);
        let twice = payload.replacen('{', &format!("{{\"{name}\":{value},"), 1);
        assert!(identity(&payload).is_some());
        assert_eq!(identity(&twice), None, "{name}");
    }
}

#[test]
fn what_is_no_assertion_is_refused() {
    let good = assertion(HEADER, &claims(&[]));
    let parts: Vec<_> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("{good}");
    };
    for text in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        header.to_owned(),
        format!("{header}.{payload}"),
        format!("{good}.{signature}"),
        format!("{good}="),
        format!(" {good}"),
        format!("{good}\n"),
        format!("Bearer {good}"),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}.{signature}!"),
        assertion(HEADER, "[]"),
        assertion(HEADER, "null"),
        assertion(HEADER, "{}"),
        assertion(HEADER, &claims(&[]).replace('}', "")),
        assertion(HEADER, &format!("{}1", claims(&[]))),
    ] {
        assert!(read(&text).is_err(), "{text}");
    }
    let not_utf8 = format!("{header}.{}.{signature}", base64url(b"{\"iss\":\"\xff\"}"));
    assert!(read(&not_utf8).is_err());
    // Nothing that ends early is one, and none is longer than a header may be.
    for end in 0..good.len() - signature.len() {
        assert!(read(&good[..end]).is_err(), "{end}");
    }
    let of_size = |size: usize| {
        let text = assertion(HEADER, &claims(&[("x", "\"\"")]));
        let more = "x".repeat((size - text.len()) / 4 * 3);
        assertion(HEADER, &claims(&[("x", &format!("\"{more}\""))]))
    };
    assert!(read(&of_size(15_000)).is_ok());
    assert!(read(&of_size(17_000)).is_err());
    let nested = format!("{}{}", "[".repeat(6_000), "]".repeat(6_000));
    let deep = assertion(HEADER, &claims(&[("x", &nested)]));
    assert!(read(&deep).is_err());
}

#[test]
fn the_keys_of_a_team_are_the_rsa_keys_of_its_set() {
    let keys = |text: &str| {
        let keys = read_keys(text)?;
        Some(keys.into_iter().map(|key| key.kid).collect::<Vec<_>>())
    };
    // As Cloudflare's documentation shows it.
    let set = r#"{"keys":[
        {"kid":"1a","kty":"RSA","alg":"RS256","use":"sig","e":"AQAB","n":"5PKw"},
        {"kid":"2b","kty":"RSA","alg":"RS256","use":"sig","e":"AQAB","n":"pwVn"}],
        "public_cert":{"kid":"1a","cert":"-----BEGIN CERTIFICATE-----\nMII"},
        "public_certs":[{"kid":"1a","cert":"-----BEGIN"},{"kid":"2b","cert":"-----BEGIN"}]}"#;
    assert_eq!(keys(set).unwrap(), ["1a", "2b"]);
    let mixed = r#"{"keys":[{"kid":"ec","kty":"EC","crv":"P-256","x":"a","y":"b"},
        {"kid":"oct","kty":"oct","k":"c2VjcmV0","n":"a","e":"b"},
        {"kty":"RSA","n":"a","e":"b"},{"kid":"no n","kty":"RSA","e":"b"},null,1,[],
        {"kid":"good","kty":"RSA","n":"a","e":"b"}]}"#;
    assert_eq!(keys(mixed).unwrap(), ["good"]);
    assert_eq!(keys(r#"{"keys":[]}"#).unwrap(), [""; 0]);
    for text in [
        "",
        "{}",
        "null",
        "<html>",
        r#"{"keys":null}"#,
        r#"{"keys":{}}"#,
        r#"{"keys":[{]}"#,
        r#"{"keys":[]"#,
    ] {
        assert_eq!(keys(text), None, "{text}");
    }
}
