//! Public access tokens verified: the signature, the three parts, the time.
use super::{
    EXP, HEADER, IAT, KEY, OTHER, VECTOR, assert_invalid, base64url, claims, env_1, error, mac,
    seconds, sign, sign_encoded, with_claims,
};
use proptest::prelude::*;
use waitpoint::domain::auth::access_token::MAX_JWT;
use waitpoint::domain::auth::jwt::JwtError;
use waitpoint::domain::auth::keyring::Keyring;
use waitpoint::domain::time::timestamp::Timestamp;

#[test]
fn a_token_of_trigger_dev_verifies() {
    assert_eq!(sign(KEY, HEADER, &claims(&[])), VECTOR);
    let keyring = env_1();
    let claims = keyring.verify(VECTOR, seconds(IAT)).ok().unwrap();
    assert_eq!(claims.environment.id, "env_1");
    assert_eq!(claims.scopes, ["write:waitpoints:waitpoint_abc"]);
    assert_eq!(claims.subject, None);
    assert!(claims.allows("write", "waitpoint_abc"));
    assert!(!claims.allows("read", "waitpoint_abc"));
    assert!(!claims.allows("write", "abc"));
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
        error(&with_claims(&[("exp", "1")])),
        Some(JwtError::Expired)
    );
    assert_eq!(
        error(&with_claims(&[("exp", "0")])),
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
        assert_eq!(error(&sign_encoded(KEY, &header, &payload)), None);
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
    assert_eq!(error(&longest), None);
    let longer = of_payload(3_024);
    assert_eq!(longer.len(), MAX_JWT + 1);
    assert_invalid(&longer);
}

#[test]
fn no_error_about_a_token_repeats_it() {
    let said = format!("{:?} {:?}", JwtError::Invalid, JwtError::Expired);
    assert_eq!(said, "Invalid Expired");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

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
}
