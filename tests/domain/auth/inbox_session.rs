//! Sessions of the inbox and the links that begin one.
use super::{IAT, KEY, OLD, OTHER, base64url, keyring, mac, seconds, two_environments};
use std::time::Duration;
use waitpoint::domain::auth::form_nonce::{NONCE_LIFE, NoncePurpose};
use waitpoint::domain::auth::inbox_session::{
    COOKIE, LINK_LIFE, SESSION_LIFE, cookie_of, set_cookie,
};

const RANDOM: &str = "2b1d8f4e-7a53-4c0e-9d54-0f1a6c3e9b27";

/// What somebody with a key makes by hand, as `npm start` makes its link.
fn signed(key: &str, kind: &str, environment: &str, expires: &str, random: &str) -> String {
    let message = format!("waitpoint inbox {kind}\n{environment}\n{expires}\n{random}");
    let signature = base64url(&mac(key, &message));
    format!("v1.{environment}.{expires}.{random}.{signature}")
}

fn begun(key: &str) -> String {
    let session = two_environments().begin_session(key, RANDOM, seconds(IAT));
    session.unwrap()
}

fn link(expires_in: Duration) -> String {
    let expires = (IAT + expires_in.as_secs()).to_string();
    signed(KEY, "link", "env_1", &expires, RANDOM)
}

/// The environment of a session, if it is one at this time.
fn opened(keys: &str, cookie: &str, at: u64) -> Option<String> {
    let keyring = keyring(keys);
    let session = keyring.open_session(cookie, seconds(at))?;
    Some(session.environment.id.clone())
}

#[test]
fn a_key_begins_a_session_of_its_environment_for_twelve_hours() {
    let all = format!("env_1={KEY}\nenv_1={OLD}\nenv_2={OTHER}");
    let life = SESSION_LIFE.as_secs();
    assert_eq!(life, 12 * 60 * 60);
    for (key, environment) in [(KEY, "env_1"), (OLD, "env_1"), (OTHER, "env_2")] {
        let session = begun(key);
        let at = |at| opened(&all, &session, at);
        assert_eq!(at(IAT).as_deref(), Some(environment));
        assert_eq!(at(IAT + life - 1).as_deref(), Some(environment));
        assert_eq!(at(IAT + life), None, "expired");
        assert!(!session.contains(key), "a session holds no key");
        let expires = (IAT + life).to_string();
        let same = signed(key, "session", environment, &expires, RANDOM);
        assert_eq!(session, same, "the format that is documented");
    }
    let keyring = two_environments();
    for wrong in ["", "tr_dev", &KEY[1..], &format!("{KEY} "), RANDOM] {
        let session = keyring.begin_session(wrong, RANDOM, seconds(IAT));
        assert_eq!(session, None, "{wrong:?}");
    }
}

#[test]
fn a_session_ends_with_the_key_that_began_it_and_with_no_other() {
    let [first, old, other] = [KEY, OLD, OTHER].map(begun);
    let is_open = |keys: &str, session: &str| opened(keys, session, IAT).is_some();
    let statuses = |keys: &str| [&first, &old, &other].map(|session| is_open(keys, session));
    let second = "tr_dev_second_second_second_se";
    for (keys, expected) in [
        (format!("env_1={KEY}\nenv_2={OTHER}"), [true, false, true]),
        (format!("env_1={OLD}\nenv_2={OTHER}"), [false, true, true]),
        (
            format!("env_1={second}\nenv_1={KEY}\nenv_1={OLD}"),
            [true, true, false],
        ),
        (format!("env_1={second}\nenv_2={second}x"), [false; 3]),
        // A key that moves to another environment takes no session along.
        (format!("env_2={KEY}\nenv_1={OTHER}"), [false; 3]),
    ] {
        assert_eq!(statuses(&keys), expected, "{}", keys.replace(KEY, "KEY"));
    }
}

#[test]
fn a_session_of_one_environment_is_none_of_another() {
    let all = format!("env_1={KEY}\nenv_2={OTHER}");
    let expires = (IAT + 60).to_string();
    for (key, environment, expected) in [
        (KEY, "env_1", Some("env_1")),
        (OTHER, "env_2", Some("env_2")),
        (KEY, "env_2", None),
        (OTHER, "env_1", None),
        (KEY, "env_3", None),
        (KEY, "", None),
    ] {
        let session = signed(key, "session", environment, &expires, RANDOM);
        let found = opened(&all, &session, IAT);
        assert_eq!(found.as_deref(), expected, "{environment}");
    }
    // Signed for one environment, and its name exchanged.
    let renamed = begun(KEY).replace("env_1", "env_2");
    assert_eq!(opened(&all, &renamed, IAT), None);
}

#[test]
fn nobody_makes_a_session_that_lasts_longer_or_looks_different() {
    let all = format!("env_1={KEY}");
    let life = SESSION_LIFE.as_secs();
    let made = |expires: &str, random: &str| {
        let session = signed(KEY, "session", "env_1", expires, random);
        opened(&all, &session, IAT).is_some()
    };
    for (expires, is_valid) in [
        (IAT + 1, true),
        (IAT + life + 60, true),
        (IAT + life + 61, false),
        (IAT + 10 * life, false),
        (IAT, false),
        (IAT - 1, false),
        (0, false),
        (u64::MAX / 1_000, false),
        (u64::MAX, false),
    ] {
        assert_eq!(made(&expires.to_string(), RANDOM), is_valid, "{expires}");
    }
    let soon = (IAT + 60).to_string();
    for expires in [
        String::new(),
        format!("+{soon}"),
        format!("-{soon}"),
        format!(" {soon}"),
        format!("{soon}.0"),
        format!("{soon}\n"),
        format!("0x{soon}"),
        "99999999999999999999999".to_owned(),
    ] {
        assert!(!made(&expires, RANDOM), "{expires:?}");
    }
    for (random, is_valid) in [
        ("a".repeat(16), true),
        ("a".repeat(64), true),
        ("a".repeat(15), false),
        ("a".repeat(65), false),
        (String::new(), false),
        (format!("{RANDOM}\n"), false),
        (format!("{RANDOM};"), false),
        (format!("{RANDOM}.x"), false),
        (format!("{RANDOM}é"), false),
    ] {
        assert_eq!(made(&soon, &random), is_valid, "{random:?}");
    }
    let session = begun(KEY);
    for other in [
        session.replacen("v1.", "v2.", 1),
        session.replacen("v1.", "V1.", 1),
        format!("{session}."),
        format!("{session}="),
        format!(" {session}"),
        format!("{session}.{session}"),
        session.to_uppercase(),
        String::new(),
        "....".to_owned(),
        "v1....".to_owned(),
    ] {
        assert_eq!(opened(&all, &other, IAT), None, "{other}");
    }
}

#[test]
fn a_link_begins_a_session_for_a_quarter_of_an_hour() {
    let keyring = two_environments();
    assert_eq!(LINK_LIFE.as_secs(), 15 * 60);
    let open = |credential: &str, at| {
        let link = keyring.open_sign_in_link(credential, seconds(at));
        link.map(|link| (link.environment().id.clone(), link.id, link.expires_at))
    };
    let credential = link(LINK_LIFE);
    let until = IAT + LINK_LIFE.as_secs();
    let found = ("env_1".to_owned(), RANDOM.to_owned(), seconds(until));
    assert_eq!(open(&credential, IAT), Some(found.clone()));
    assert_eq!(open(&credential, until - 1), Some(found));
    assert_eq!(open(&credential, until), None, "expired");
    let longer = |more| open(&link(LINK_LIFE + Duration::from_secs(more)), IAT);
    assert!(longer(60).is_some(), "the clocks of machines differ");
    assert_eq!(longer(61), None, "nobody makes one that lasts longer");

    // The session is one of the key that made the link.
    let expires = (IAT + 60).to_string();
    let old = signed(OLD, "link", "env_1", &expires, RANDOM);
    let old = keyring.open_sign_in_link(&old, seconds(IAT)).unwrap();
    let session = old.begin_session("another-random-part", seconds(IAT));
    let life = SESSION_LIFE.as_secs();
    let opened = |keys: &str, at| opened(keys, &session, at).is_some();
    assert!(opened(&format!("env_1={KEY}\nenv_1={OLD}"), IAT + life - 1));
    assert!(!opened(&format!("env_1={KEY}\nenv_1={OLD}"), IAT + life));
    assert!(!opened(&format!("env_1={KEY}"), IAT), "its key was removed");
}

#[test]
fn what_is_signed_for_one_purpose_serves_no_other() {
    let keyring = two_environments();
    let environment = keyring.by_id("env_1").unwrap();
    let now = seconds(IAT);
    let session = begun(KEY);
    let link = link(Duration::from_secs(60));
    assert!(keyring.open_session(&session, now).is_some());
    assert!(keyring.open_sign_in_link(&link, now).is_some());
    assert!(keyring.open_session(&link, now).is_none());
    assert!(keyring.open_sign_in_link(&session, now).is_none());
    let purposes = [
        NoncePurpose::SignIn,
        NoncePurpose::Inbox("session a"),
        NoncePurpose::Inbox("session b"),
        NoncePurpose::Inbox(""),
        NoncePurpose::ApprovalPage("a"),
        NoncePurpose::ApprovalPage(""),
    ];
    for purpose in purposes {
        let nonce = environment.form_nonce(purpose, now);
        assert!(keyring.open_session(&nonce, now).is_none(), "{purpose:?}");
        assert!(keyring.open_sign_in_link(&nonce, now).is_none());
        for credential in [&session, &link] {
            let opened = environment.open_form_nonce(purpose, credential, now);
            assert_eq!(opened, None, "{purpose:?}");
        }
        for other in purposes {
            let opened = environment.open_form_nonce(other, &nonce, now);
            let expected = (purpose == other).then_some(now);
            assert_eq!(opened, expected, "{purpose:?} as {other:?}");
        }
        let elsewhere = keyring.by_id("env_2").unwrap();
        assert_eq!(elsewhere.open_form_nonce(purpose, &nonce, now), None);
        let later = now.plus(NONCE_LIFE + Duration::from_secs(61));
        assert_eq!(environment.open_form_nonce(purpose, &nonce, later), None);
    }
}

#[test]
fn the_cookie_is_found_by_its_whole_name() {
    let cookie = format!("{COOKIE}=value");
    for (header, expected) in [
        (cookie.clone(), Some("value")),
        (format!("a=b; {cookie}; c=d"), Some("value")),
        (format!("a=b;{cookie}"), Some("value")),
        (format!("{cookie}; {COOKIE}=second"), Some("value")),
        (format!("{COOKIE}="), Some("")),
        (format!("{COOKIE}=a=b"), Some("a=b")),
        (String::new(), None),
        (COOKIE.to_owned(), None),
        (format!("x{cookie}"), None),
        (format!("{COOKIE}2=value"), None),
        (format!("a={cookie}"), None),
        ("waitpoint_inbox=value".to_owned(), None),
        ("__host-waitpoint_inbox=value".to_owned(), None),
        (";;=;= ;".to_owned(), None),
    ] {
        assert_eq!(cookie_of(&header), expected, "{header:?}");
    }
}

#[test]
fn the_cookie_is_kept_from_scripts_other_sites_and_plain_http() {
    let attributes = |set: &str| {
        let mut parts: Vec<_> = set.split("; ").map(str::to_owned).collect();
        let first = parts.remove(0);
        parts.sort_unstable();
        (first, parts.join("; "))
    };
    let begun = attributes(&set_cookie(Some("v1.a.b")));
    assert_eq!(begun.0, "__Host-waitpoint_inbox=v1.a.b");
    // A name with `__Host-` needs `Secure`, `Path=/` and no `Domain`.
    let common = "Path=/; SameSite=Strict; Secure";
    assert_eq!(begun.1, format!("HttpOnly; Max-Age=43200; {common}"));
    let ended = attributes(&set_cookie(None));
    assert_eq!(ended.0, "__Host-waitpoint_inbox=");
    assert_eq!(ended.1, format!("HttpOnly; Max-Age=0; {common}"));
    let session = self::begun(KEY);
    let set = set_cookie(Some(&session));
    let sent = set.split(';').next().unwrap();
    assert_eq!(cookie_of(sent), Some(session.as_str()));
}
