//! What stands in the header and the claims of a public access token.
use super::{
    CLAIMS, EXP, HEADER, IAT, KEY, assert_invalid, base64url, claims, env_1, error, seconds, sign,
    sign_encoded, with_claims,
};
use waitpoint::domain::auth::jwt::JwtError;

#[test]
fn another_algorithm_or_key_in_the_header_is_refused() {
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":"NONE"}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"HS256 "}"#,
        r#"{"alg":"HS384"}"#,
        r#"{"alg":"HS512"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"ES256"}"#,
        r#"{"alg":""}"#,
        r#"{"alg":null}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":"HS256","crit":["exp"]}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","b64":true}"#,
        r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#,
        r#"{"alg":"HS256","zip":"DEF"}"#,
        r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}"#,
        r#"{"alg":"HS256","jku":"https://example.com/jwks.json"}"#,
        r#"{"alg":"HS256","x5u":"https://example.com/x.pem"}"#,
        r#"{"alg":"HS256","x5c":["AAAA"]}"#,
        r#"{"alg":"HS256","x5\u0063":["AAAA"]}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"HS256"} x"#,
        r#"{"alg":"HS256""#,
        r#""HS256""#,
        "{}",
        "[]",
        "null",
        "",
        "\u{feff}{\"alg\":\"HS256\"}",
    ] {
        let jwt = sign(KEY, header, &claims(&[]));
        assert_eq!(error(&jwt), Some(JwtError::Invalid), "{header}");
    }
}

#[test]
fn a_critical_header_of_null_is_refused() {
    let header = r#"{"alg":"HS256","crit":null}"#;
    assert_invalid(&sign(KEY, header, &claims(&[])));
}

#[test]
fn an_array_is_no_header() {
    let header = r#"["HS256",null,null,null,null,null,null,null]"#;
    assert_invalid(&sign(KEY, header, &claims(&[])));
}

#[test]
fn an_array_is_no_claims() {
    let (iss, aud) = ("https://id.trigger.dev", "https://api.trigger.dev");
    let values = format!(r#"["env_1",true,"{iss}","{aud}",{EXP},null,["admin"],null]"#);
    assert_invalid(&sign(KEY, HEADER, &values));
}

#[test]
fn a_header_may_hold_what_does_not_matter() {
    for header in [
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"typ":"whatever","kid":"1","alg":"HS256"}"#,
        r#" { "alg" : "HS256" } "#,
    ] {
        assert_eq!(error(&sign(KEY, header, &claims(&[]))), None, "{header}");
    }
}

#[test]
fn wrong_claims_are_refused() {
    for change in [
        ("iss", ""),
        ("iss", "null"),
        ("iss", r#""https://id.trigger.dev/""#),
        ("iss", r#""http://id.trigger.dev""#),
        ("iss", r#"["https://id.trigger.dev"]"#),
        ("aud", ""),
        ("aud", "null"),
        ("aud", r#""https://api.trigger.dev/""#),
        ("aud", r#""https://id.trigger.dev""#),
        ("aud", "[]"),
        ("aud", r#"["https://example.com"]"#),
        ("aud", r#"["https://api.trigger.dev",1]"#),
        ("aud", r#"[["https://api.trigger.dev"]]"#),
        ("aud", r#"{"0":"https://api.trigger.dev"}"#),
        ("sub", ""),
        ("sub", "null"),
        ("sub", r#""""#),
        ("sub", r#""env_2""#),
        ("sub", r#""ENV_1""#),
        ("sub", r#""env_1 ""#),
        ("sub", r#"["env_1"]"#),
        ("pub", ""),
        ("pub", "false"),
        ("pub", "null"),
        ("pub", "1"),
        ("pub", r#""true""#),
        ("exp", ""),
        ("exp", "null"),
        ("exp", "-1"),
        ("exp", "1795552215.0"),
        ("exp", "1795552215.5"),
        ("exp", "1.795552215e9"),
        ("exp", r#""1795552215""#),
        ("exp", "true"),
        ("exp", "[1795552215]"),
        ("exp", "99999999999999999999"),
        ("nbf", "1795465816"),
        ("nbf", "99999999999999999999"),
        ("nbf", "-1"),
        ("nbf", "1795465815.0"),
        ("nbf", r#""1795465815""#),
    ] {
        let jwt = with_claims(&[change]);
        assert_eq!(error(&jwt), Some(JwtError::Invalid), "{change:?}");
    }
}

#[test]
fn right_claims_are_accepted() {
    for change in [
        ("aud", r#"["https://api.trigger.dev"]"#),
        ("aud", r#"["x","https://api.trigger.dev"]"#),
        ("exp", "1795465816"),
        ("exp", "18446744073709551615"),
        ("nbf", "1795465815"),
        ("nbf", "0"),
        ("iat", "99999999999"),
        ("iat", ""),
        ("scopes", ""),
        ("otu", "true"),
        ("realtime", "{}"),
        ("sub", r#""env\u005f1""#),
    ] {
        assert_eq!(error(&with_claims(&[change])), None, "{change:?}");
    }
}

#[test]
fn a_claim_that_stands_twice_is_refused() {
    let twice = [("nbf", "0"), ("act", r#"{"sub":"x"}"#)];
    for (name, value) in CLAIMS.iter().chain(&twice) {
        if *name == "iat" {
            continue; // not read
        }
        let once = claims(&[(*name, *value)]);
        for again in [name.to_string(), name.replacen('s', "\\u0073", 1)] {
            let payload = once.replacen('{', &format!("{{\"{again}\":{value},"), 1);
            assert_invalid(&sign(KEY, HEADER, &payload));
        }
    }
}

#[test]
fn what_is_no_object_of_claims_is_refused() {
    for payload in [
        "",
        "null",
        "[]",
        "1",
        "\"\"",
        "{}",
        "{\"sub\":",
        "\u{feff}{}",
    ] {
        assert_invalid(&sign(KEY, HEADER, payload));
    }
    assert_invalid(&sign(KEY, HEADER, &(claims(&[]) + "}")));
    assert_invalid(&sign_encoded(
        KEY,
        &base64url(HEADER.as_bytes()),
        &base64url(b"{\"sub\":\"\xff\"}"),
    ));
    let deep = "[".repeat(1_000);
    assert_invalid(&sign(KEY, HEADER, &claims(&[("x", &deep)])));
}

#[test]
fn the_subject_is_that_of_act() {
    for (act, subject) in [
        ("", None),
        ("null", None),
        ("{}", None),
        (r#""user_1""#, None),
        (r#"{"sub":1}"#, None),
        (r#"{"sub":null}"#, None),
        (r#"{"sub":"user_1"}"#, Some("user_1")),
        (r#"{"x":{},"sub":"É \u00e9"}"#, Some("É é")),
    ] {
        let keyring = env_1();
        let jwt = with_claims(&[("act", act)]);
        let claims = keyring.verify(&jwt, seconds(IAT)).ok().unwrap();
        assert_eq!(claims.subject.as_deref(), subject, "{act}");
    }
}

#[test]
fn scopes_that_are_no_list_of_texts_grant_nothing() {
    for scopes in [
        "",
        "null",
        "[]",
        r#""admin""#,
        r#"{"0":"admin"}"#,
        r#"["admin",1]"#,
        r#"["admin",null]"#,
        r#"[["admin"]]"#,
    ] {
        let keyring = env_1();
        let jwt = with_claims(&[("scopes", scopes)]);
        let claims = keyring.verify(&jwt, seconds(IAT)).ok().unwrap();
        assert!(!claims.allows("write", "waitpoint_abc"), "{scopes}");
    }
}
