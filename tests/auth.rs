//! Secret keys, public access tokens, scopes, callback hashes.
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use sha2::Sha256;
use std::collections::BTreeSet;
use std::time::Duration;
use waitpoint::auth::{Keyring, KeyringError, MAX_JWT, MIN_KEY};
use waitpoint::caller::Claims;
use waitpoint::jwt::JwtError;
use waitpoint::time::Timestamp;

pub(super) const KEY: &str = "tr_dev_123456789012345678901234";
const OLD: &str = "tr_dev_old_old_old_old_old_old_";
const OTHER: &str = "tr_prod_99999999999999999999999";
pub(super) const EXP: u64 = 1_795_552_215;
pub(super) const IAT: u64 = 1_795_465_815;
const DAY: u64 = 86_400;
const ID: &str = "waitpoint_cmabcdefghijklmnopqrstuvw";

/// Verifies with trigger.dev's own code, too.
const VECTOR: &str = "eyJhbGciOiJIUzI1NiJ9.\
    eyJzdWIiOiJlbnZfMSIsInB1YiI6dHJ1ZSwic2NvcGVzIjpbIndyaXRlOndhaXRwb2ludHM6d2FpdHBvaW50X2FiYyJd\
    LCJpc3MiOiJodHRwczovL2lkLnRyaWdnZXIuZGV2IiwiYXVkIjoiaHR0cHM6Ly9hcGkudHJpZ2dlci5kZXYiLCJleHAi\
    OjE3OTU1NTIyMTUsImlhdCI6MTc5NTQ2NTgxNX0.\
    HVawhoYdQq_1v8dsdQYDw2lG6jQFNPxLwPYnPlcOOOA";

pub(super) const HEADER: &str = r#"{"alg":"HS256"}"#;

const CLAIMS: [(&str, &str); 7] = [
    ("sub", r#""env_1""#),
    ("pub", "true"),
    ("scopes", r#"["write:waitpoints:waitpoint_abc"]"#),
    ("iss", r#""https://id.trigger.dev""#),
    ("aud", r#""https://api.trigger.dev""#),
    ("exp", "1795552215"),
    ("iat", "1795465815"),
];

pub(super) fn seconds(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn keyring(text: &str) -> Keyring {
    Keyring::parse(text).unwrap()
}

pub(super) fn env_1() -> Keyring {
    keyring(&format!("env_1={KEY}"))
}

pub(super) fn base64url(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
        .collect();
    let letter = |bits: &[u8]| {
        let sextet = bits.iter().fold(0, |sextet, bit| sextet << 1 | bit);
        char::from(alphabet[usize::from(sextet << (6 - bits.len()))])
    };
    bits.chunks(6).map(letter).collect()
}

fn payload_of(jwt: &str) -> String {
    let bits: Vec<u8> = jwt
        .split('.')
        .nth(1)
        .unwrap()
        .bytes()
        .map(|letter| match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'-' => 62,
            _ => 63,
        })
        .flat_map(|sextet| (0..6).rev().map(move |bit| sextet >> bit & 1))
        .collect();
    let bytes = bits.chunks_exact(8);
    let bytes = bytes.map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit));
    String::from_utf8(bytes.collect()).unwrap()
}

pub(super) fn mac(key: &str, message: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.chain_update(message).finalize().into_bytes().to_vec()
}

/// A JWT of a header and a payload that are encoded already.
pub(super) fn sign_encoded(key: &str, header: &str, payload: &str) -> String {
    let signed = format!("{header}.{payload}");
    let signature = base64url(&mac(key, &signed));
    format!("{signed}.{signature}")
}

pub(super) fn sign(key: &str, header: &str, payload: &str) -> String {
    sign_encoded(
        key,
        &base64url(header.as_bytes()),
        &base64url(payload.as_bytes()),
    )
}

/// [`CLAIMS`] with some of them replaced, added, or (by an empty value) left out.
pub(super) fn claims(changes: &[(&str, &str)]) -> String {
    let changed = |name| changes.iter().find(|(changed, _)| *changed == name);
    let kept = CLAIMS.iter().map(|claim| changed(claim.0).unwrap_or(claim));
    let added = changes
        .iter()
        .filter(|(name, _)| CLAIMS.iter().all(|claim| claim.0 != *name));
    let fields = kept.chain(added).filter(|(_, value)| !value.is_empty());
    let fields: Vec<_> = fields
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn with_claims(changes: &[(&str, &str)]) -> String {
    sign(KEY, HEADER, &claims(changes))
}

fn refusal(jwt: &str) -> Option<JwtError> {
    env_1().verify(jwt, seconds(IAT)).err()
}

#[track_caller]
fn assert_invalid(jwt: &str) {
    assert_eq!(refusal(jwt), Some(JwtError::Invalid), "{jwt:?}");
}

#[test]
fn a_token_of_trigger_dev_verifies() {
    assert_eq!(sign(KEY, HEADER, &claims(&[])), VECTOR);
    let keyring = env_1();
    let claims = keyring.verify(VECTOR, seconds(IAT)).ok().unwrap();
    assert_eq!(claims.environment.id, "env_1");
    assert_eq!(claims.scopes, ["write:waitpoints:waitpoint_abc"]);
    assert_eq!(claims.subject, None);
    assert!(claims.allow("write", "waitpoint_abc"));
    assert!(!claims.allow("read", "waitpoint_abc"));
    assert!(!claims.allow("write", "abc"));
}

#[test]
fn a_token_expires_in_the_second_of_its_exp() {
    for (millis, expected) in [
        (EXP * 1_000 - 1, None),
        (EXP * 1_000, Some(JwtError::Expired)),
        (EXP * 1_000 + 1, Some(JwtError::Expired)),
        (u64::MAX, Some(JwtError::Expired)),
    ] {
        let now = Timestamp::from_millis(millis);
        assert_eq!(env_1().verify(VECTOR, now).err(), expected, "{millis}");
    }
}

#[test]
fn only_what_would_verify_otherwise_is_called_expired() {
    let changes = [
        ("iss", "\"x\""),
        ("aud", "\"x\""),
        ("sub", "\"x\""),
        ("pub", "false"),
    ];
    for change in changes {
        let jwt = with_claims(&[change, ("exp", "1")]);
        assert_invalid(&jwt);
    }
    assert_invalid(&sign(OTHER, HEADER, &claims(&[("exp", "1")])));
    assert_eq!(
        refusal(&with_claims(&[("exp", "1")])),
        Some(JwtError::Expired)
    );
    assert_eq!(
        refusal(&with_claims(&[("exp", "0")])),
        Some(JwtError::Expired)
    );
}

#[test]
fn a_signature_of_another_length_is_noticed() {
    let (signed, _) = VECTOR.rsplit_once('.').unwrap();
    for length in 0..32 {
        let short = base64url(&mac(KEY, signed)[..length]);
        assert_invalid(&format!("{signed}.{short}"));
    }
    let long = base64url(&[mac(KEY, signed), vec![0]].concat());
    assert_invalid(&format!("{signed}.{long}"));
}

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
        assert_eq!(refusal(&jwt), Some(JwtError::Invalid), "{header}");
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
        assert_eq!(refusal(&sign(KEY, header, &claims(&[]))), None, "{header}");
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
        assert_eq!(refusal(&jwt), Some(JwtError::Invalid), "{change:?}");
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
        assert_eq!(refusal(&with_claims(&[change])), None, "{change:?}");
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
fn only_three_parts_of_strict_base64url_are_read() {
    let parts: Vec<_> = VECTOR.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    for jwt in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "é.é.é".to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{VECTOR}."),
        format!(".{VECTOR}"),
        format!("{VECTOR}.{signature}"),
        format!("{header}.{VECTOR}"),
        format!("{VECTOR}="),
        format!(" {VECTOR}"),
        format!("{VECTOR} "),
        format!("{VECTOR}\n"),
        format!("{header}. {payload}.{signature}"),
        VECTOR.replace('_', "/"),
        VECTOR.replace('_', "%5F"),
        format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#),
        format!(
            r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"{signature}"}}]}}"#
        ),
        KEY.to_owned(),
    ] {
        assert_invalid(&jwt);
    }
    // The same, signed as they are.
    for (header, payload) in [
        (format!("{header}="), payload.to_owned()),
        (header.to_owned(), format!("{payload}=")),
        (header.to_owned(), format!("{payload} ")),
        (format!("\n{header}"), payload.to_owned()),
        (header.to_owned(), format!("{payload}.{payload}")),
        (header.to_owned(), format!("{payload}A")),
        (format!("{header}A"), payload.to_owned()),
        (HEADER.to_owned(), payload.to_owned()),
        (header.to_owned(), claims(&[])),
        (String::new(), payload.to_owned()),
        (header.to_owned(), String::new()),
    ] {
        assert_invalid(&sign_encoded(KEY, &header, &payload));
    }
    let unsigned = base64url(br#"{"alg":"none"}"#);
    assert_invalid(&format!("{unsigned}.{payload}."));
    assert_invalid(&format!("{unsigned}.{payload}.{signature}"));
}

/// The last letter with a bit set that stands for no byte.
fn with_trailing_bit(text: &str) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert_ne!(text.len() % 4, 0, "{text} has no bits left over");
    let (head, last) = text.split_at(text.len() - 1);
    let next = alphabet.find(last).unwrap() + 1;
    format!("{head}{}", &alphabet[next..=next])
}

#[test]
fn bits_that_stand_for_no_byte_are_zero() {
    let header = base64url(br#"{"alg":"HS256" }"#);
    for filler in [r#""""#, r#""a""#, r#""aa""#] {
        let payload = base64url(claims(&[("x", filler)]).as_bytes());
        assert_eq!(refusal(&sign_encoded(KEY, &header, &payload)), None);
        if !payload.len().is_multiple_of(4) {
            assert_invalid(&sign_encoded(KEY, &header, &with_trailing_bit(&payload)));
        }
        assert_invalid(&sign_encoded(KEY, &with_trailing_bit(&header), &payload));
    }
    let (signed, signature) = VECTOR.rsplit_once('.').unwrap();
    assert_invalid(&format!("{signed}.{}", with_trailing_bit(signature)));
}

#[test]
fn at_most_4096_bytes_are_looked_at() {
    let empty = claims(&[("x", "\"\"")]).len();
    let of_payload = |bytes: usize| {
        let filler = format!("\"{}\"", "a".repeat(bytes - empty));
        with_claims(&[("x", &filler)])
    };
    let longest = of_payload(3_023);
    assert_eq!(longest.len(), MAX_JWT);
    assert_eq!(refusal(&longest), None);
    let longer = of_payload(3_024);
    assert_eq!(longer.len(), MAX_JWT + 1);
    assert_invalid(&longer);
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
        assert!(!claims.allow("write", "waitpoint_abc"), "{scopes}");
    }
}

fn allows(scope: &str, action: &str, id: &str) -> bool {
    let keyring = env_1();
    let environment = keyring.by_secret(KEY).unwrap();
    let scopes = vec![scope.to_owned()];
    let claims = Claims {
        environment,
        scopes,
        subject: None,
        expires_at: 0,
    };
    claims.allow(action, id)
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
    assert!(claims.allow("read", "a") && claims.allow("write", "b"));
    assert!(!claims.allow("write", "a") && !claims.allow("read", "b"));
}

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
    let (holder, has_expired) = rotated.link_reader("cabc", &hash, seconds(0)).unwrap();
    assert!(holder.may("write", "cabc") && !holder.may("read", "cabc") && !has_expired);
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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

#[test]
fn no_error_about_a_token_repeats_it() {
    let said = format!("{:?} {:?}", JwtError::Invalid, JwtError::Expired);
    assert_eq!(said, "Invalid Expired");
}

fn mint(created_at: Timestamp, timeout_at: Option<Timestamp>, now: Timestamp) -> String {
    env_1()
        .by_secret(KEY)
        .unwrap()
        .mint(ID, created_at, timeout_at, now)
}

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
    assert!(claims.allow("write", ID) && claims.allow("read", ID));
    assert!(!claims.allow("write", "waitpoint_other") && !claims.allow("admin", ID));
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

fn two_environments() -> Keyring {
    keyring(&format!("env_1={KEY}\nenv_1={OLD}\nenv_2={OTHER}"))
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

    #[test]
    fn no_text_panics_or_verifies(
        jwt in prop_oneof![".*", "[A-Za-z0-9_-]{0,9}\\.[A-Za-z0-9_-]{0,9}\\.[A-Za-z0-9_-]{0,43}"],
    ) {
        prop_assert!(env_1().verify(&jwt, seconds(0)).is_err());
        prop_assert!(env_1().by_secret(&jwt).is_none());
        prop_assert!(env_1().by_callback_hash("cabc", &jwt).is_none());
        let _ = Keyring::parse(&jwt);
    }

    #[test]
    fn no_signed_claims_panic(header in ".*", payload in ".*") {
        prop_assert!(env_1().verify(&sign(KEY, &header, &payload), seconds(0)).is_err());
        prop_assert!(env_1().verify(&sign(KEY, HEADER, &payload), seconds(0)).is_err());
    }

    #[test]
    fn no_scope_panics(scope in "(.{0,9}:?){0,4}", id in "(waitpoint_)?[a-z0-9]{0,25}") {
        let granted = allows(&scope, "write", &id);
        prop_assert!(!granted || scope == "admin" || scope.contains(':'));
    }
}

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
