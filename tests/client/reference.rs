//! Which request a call leads to.
use proptest::prelude::*;
use waitpoint::client::reference::{
    Action, CallInput, DEFAULT_BASE_URL, Reference, ReferenceError, Target, claims, is_base_url,
};

const URL: &str =
    "http://localhost:8787/api/v1/waitpoints/tokens/waitpoint_c1/callback/eyJh.eyJz.c2ln";
const HASH_URL: &str =
    "https://api.trigger.dev/api/v1/waitpoints/tokens/waitpoint_c1/callback/00ff";

fn reference<'a>(base_url: &'a str, id: &'a str, credential: &'a str) -> Option<Reference<'a>> {
    Some(Reference {
        base_url,
        id,
        credential,
    })
}

#[test]
fn a_token_is_named_by_its_id_or_its_url() {
    assert_eq!(
        Reference::parse("waitpoint_c1"),
        reference("", "waitpoint_c1", "")
    );
    let parts = reference("http://localhost:8787", "waitpoint_c1", "eyJh.eyJz.c2ln");
    assert_eq!(Reference::parse(URL), parts);
    for tail in ["?lang=de", "#top", "?a#b", "#b?a", "?"] {
        assert_eq!(Reference::parse(&format!("{URL}{tail}")), parts);
    }
    let prefixed = "https://a.b/c/api/v1/waitpoints/tokens/w1/callback/x";
    assert_eq!(
        Reference::parse(prefixed),
        reference("https://a.b/c", "w1", "x")
    );
}

#[test]
fn what_is_neither_names_none() {
    for text in [
        "",
        " ",
        "waitpoint_c1 ",
        "waitpoint c1",
        "é",
        "../secret",
        "eyJh.eyJz.c2ln",
        "https://example.com",
        "https://example.com/api/v1/waitpoints/tokens",
        "https://example.com/api/v1/waitpoints/tokens/w1",
        "https://example.com/api/v1/waitpoints/tokens/w1/callback/",
        "https://example.com/api/v1/waitpoints/tokens//callback/x",
        "https://example.com/api/v1/waitpoints/tokens/w1/callback/x/y",
        "https://example.com/api/v1/waitpoints/tokens/w1/callback/é",
        "ftp://example.com/api/v1/waitpoints/tokens/w1/callback/x",
    ] {
        assert_eq!(Reference::parse(text), None, "{text:?}");
    }
    assert_eq!(Reference::parse(&"a".repeat(101)), None);
}

fn target(action: Action, input: CallInput<'_>) -> Result<(String, &str), ReferenceError> {
    Target::of(action, input).map(|Target { url, bearer }| (url, bearer))
}

#[test]
fn the_nearest_word_on_base_url_and_credential_counts() {
    let all = CallInput {
        token: URL,
        access_token: "given",
        base_url: "https://given/",
        configured_access_token: "configured",
        configured_base_url: "https://configured",
    };
    let complete = |base: &str| format!("{base}/api/v1/waitpoints/tokens/waitpoint_c1/complete");
    let cases = [
        (all, "https://given", "given"),
        (
            CallInput {
                base_url: "",
                ..all
            },
            "http://localhost:8787",
            "given",
        ),
        (
            CallInput {
                access_token: "",
                ..all
            },
            "https://given",
            "eyJh.eyJz.c2ln",
        ),
        (
            CallInput {
                token: "waitpoint_c1",
                base_url: "",
                ..all
            },
            "https://configured",
            "given",
        ),
        (
            CallInput {
                token: "waitpoint_c1",
                access_token: "",
                ..all
            },
            "https://given",
            "configured",
        ),
        (
            CallInput {
                token: "waitpoint_c1",
                access_token: "given",
                ..CallInput::default()
            },
            DEFAULT_BASE_URL,
            "given",
        ),
    ];
    for (given, base, bearer) in cases {
        assert_eq!(
            target(Action::Complete, given),
            Ok((complete(base), bearer)),
            "{given:?}"
        );
    }
    let read = "https://given/api/v1/waitpoints/tokens/waitpoint_c1";
    assert_eq!(target(Action::Retrieve, all).unwrap().0, read);
    assert_eq!(target(Action::Wait, all).unwrap().0, format!("{read}/wait"));
}

#[test]
fn an_owners_action_takes_a_key_and_never_the_tokens_own_credential() {
    let owned = |given| Target::owned("cancel", given).map(|Target { url, bearer }| (url, bearer));
    let cancel = |base: &str| format!("{base}/api/v1/waitpoints/tokens/waitpoint_c1/cancel");
    let configured = CallInput {
        token: URL,
        configured_access_token: "configured",
        configured_base_url: "https://configured",
        ..CallInput::default()
    };
    // A configured key goes only where it is configured for, or where the call says.
    assert_eq!(
        owned(configured),
        Ok((cancel("https://configured"), "configured"))
    );
    assert_eq!(
        owned(CallInput {
            base_url: "https://given/",
            ..configured
        }),
        Ok((cancel("https://given"), "configured"))
    );
    // A key that the call was given goes to the token's own URL.
    assert_eq!(
        owned(CallInput {
            access_token: "given",
            ..configured
        }),
        Ok((cancel("http://localhost:8787"), "given"))
    );
    assert_eq!(
        owned(CallInput {
            token: "waitpoint_c1",
            access_token: "given",
            ..CallInput::default()
        }),
        Ok((cancel(DEFAULT_BASE_URL), "given"))
    );
    for token in [URL, HASH_URL, "waitpoint_c1"] {
        let given = CallInput {
            token,
            ..CallInput::default()
        };
        assert_eq!(owned(given), Err(ReferenceError::NoCredential));
    }
    let given = CallInput {
        token: "../x",
        ..configured
    };
    assert_eq!(owned(given), Err(ReferenceError::NoToken));
}

#[test]
fn a_hash_completes_by_the_callback_and_cannot_read() {
    let given = CallInput {
        token: HASH_URL,
        ..CallInput::default()
    };
    assert_eq!(
        target(Action::Complete, given),
        Ok((HASH_URL.to_owned(), ""))
    );
    for action in [Action::Retrieve, Action::Wait] {
        assert_eq!(target(action, given), Err(ReferenceError::CannotRead));
    }
    // A configured key reads where it is configured for, and goes nowhere else.
    let key = CallInput {
        configured_access_token: "key",
        ..given
    };
    assert_eq!(target(Action::Retrieve, key).unwrap().1, "key");
    let elsewhere = CallInput {
        configured_base_url: "https://mine.example",
        ..key
    };
    assert_eq!(
        target(Action::Retrieve, elsewhere),
        Err(ReferenceError::CannotRead)
    );
    assert_eq!(target(Action::Complete, key), Ok((HASH_URL.to_owned(), "")));
    // A better credential goes first.
    let given = CallInput {
        access_token: "a.b.c",
        ..given
    };
    assert!(
        target(Action::Complete, given)
            .unwrap()
            .0
            .ends_with("/waitpoint_c1/complete")
    );
    assert!(target(Action::Retrieve, given).is_ok());
}

#[test]
fn tokens_are_created_and_listed_where_it_is_configured_unless_told_otherwise() {
    let create = |given| Target::tokens(given).map(|Target { url, bearer }| (url, bearer));
    let configured = CallInput {
        configured_access_token: "key",
        configured_base_url: "https://mine.example/",
        ..CallInput::default()
    };
    let url = |base: &str| format!("{base}/api/v1/waitpoints/tokens");
    assert_eq!(create(configured), Ok((url("https://mine.example"), "key")));
    let given = CallInput {
        access_token: "other",
        base_url: "https://other.example",
        ..configured
    };
    assert_eq!(create(given), Ok((url("https://other.example"), "other")));
    assert_eq!(
        create(CallInput::default()),
        Err(ReferenceError::NoCredential)
    );
    assert_eq!(
        create(CallInput {
            access_token: "✓",
            ..configured
        }),
        Err(ReferenceError::BadCredential)
    );
    assert_eq!(
        create(CallInput {
            base_url: "example.com",
            ..configured
        }),
        Err(ReferenceError::NoBaseUrl)
    );
}

#[test]
fn a_call_that_cannot_be_made_says_why() {
    let id = CallInput {
        token: "waitpoint_c1",
        ..CallInput::default()
    };
    for (given, why) in [
        (CallInput::default(), ReferenceError::NoToken),
        (id, ReferenceError::NoCredential),
        (
            CallInput {
                access_token: "a b",
                ..id
            },
            ReferenceError::BadCredential,
        ),
        (
            CallInput {
                access_token: "é",
                ..id
            },
            ReferenceError::BadCredential,
        ),
        (
            CallInput {
                access_token: "x",
                base_url: "localhost:8787",
                ..id
            },
            ReferenceError::NoBaseUrl,
        ),
    ] {
        assert_eq!(target(Action::Complete, given), Err(why));
        assert!(!why.sentence().is_empty());
    }
}

#[test]
fn a_base_url_is_an_origin_and_perhaps_a_path() {
    for text in [
        "https://example.com",
        "http://localhost:8787/",
        "https://a.b/c/d",
    ] {
        assert!(is_base_url(text), "{text}");
    }
    for text in [
        "",
        "example.com",
        "ftp://example.com",
        "https://",
        "https:///path",
        "https://user@example.com",
        "https://example.com?a",
        "https://example.com#a",
        "https://example.com/a b",
        "https://example.com\\\\a",
        "https://é.example",
    ] {
        assert!(!is_base_url(text), "{text}");
    }
}

#[test]
fn claims_are_read_from_a_jwt_or_the_url_that_holds_it() {
    for text in ["eyJh.e30.c2ln", &URL.replace("eyJz", "e30")] {
        assert_eq!(claims(text).as_deref(), Some(b"{}".as_slice()), "{text}");
    }
    for text in [
        "",
        "e30",
        "a.e30",
        "a.e30.b.c",
        "a.!.b",
        HASH_URL,
        "waitpoint_c1",
    ] {
        assert_eq!(claims(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in ".{0,60}", tail in "[a-z/.?#é]{0,40}") {
        for text in [&text, &format!("{URL}{tail}"), &format!("https://x/api/v1/waitpoints/tokens/{tail}")] {
            let _ = claims(text);
            if let Ok(target) = Target::of(Action::Complete, CallInput { token: text, ..CallInput::default() }) {
                prop_assert!(target.url.starts_with("http"));
            }
        }
    }
}
