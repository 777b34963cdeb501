//! Which request a caller's words lead to, and when it is sent again.
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use waitpoint::client::reference::{
    Action, CallInput, DEFAULT_BASE_URL, Reference, ReferenceError, Target, claims, is_base_url,
};
use waitpoint::client::retry::{
    LONGEST_PAUSE, RECONNECT, Retry, RetryHint, Transport, UNLIMITED, send,
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

const RETRY: Retry = Retry {
    max_attempts: 5,
    min: 500.0,
    max: 8_000.0,
    factor: 2.0,
};

fn hint(status: u16, should_retry: Option<bool>, pause: Option<f64>) -> RetryHint {
    RetryHint {
        status,
        should_retry,
        pause,
    }
}

fn answered(status: u16) -> RetryHint {
    RetryHint::of_status(status)
}

#[test]
fn what_may_succeed_later_is_tried_again_unless_the_server_says_otherwise() {
    for status in [0, RECONNECT, 408, 429, 500, 502, 503, 504, 599] {
        assert!(answered(status).is_retryable(), "{status}");
        assert!(!hint(status, Some(false), None).is_retryable(), "{status}");
    }
    for status in [200, 204, 299] {
        assert!(!hint(status, Some(true), None).is_retryable(), "{status}");
    }
    for status in [301, 400, 401, 403, 404, 409, 410, 413, 422, 499] {
        assert!(!answered(status).is_retryable(), "{status}");
        assert!(hint(status, Some(true), None).is_retryable(), "{status}");
    }
}

#[test]
fn the_ceiling_of_the_delay_doubles_up_to_its_limit() {
    let retry = Retry {
        max_attempts: 9,
        ..RETRY
    };
    let ceilings: Vec<f64> = (1..=7)
        .filter_map(|n| retry.delay(n, answered(503), 1.0))
        .collect();
    assert_eq!(
        ceilings,
        [500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 8_000.0, 8_000.0]
    );
    assert_eq!(retry.delay(3, answered(503), 0.0), Some(0.0));
    assert_eq!(retry.delay(9, answered(503), 0.5), None);
    assert_eq!(
        Retry {
            max_attempts: 0,
            ..RETRY
        }
        .delay(1, answered(503), 0.5),
        None
    );
}

#[test]
fn a_pause_that_the_server_asks_for_is_kept_but_not_for_ever() {
    let asked = |pause| RETRY.delay(1, hint(429, None, Some(pause)), 0.5);
    assert_eq!(asked(3_000.0), Some(3_250.0));
    assert_eq!(asked(LONGEST_PAUSE), Some(LONGEST_PAUSE + 250.0));
    assert_eq!(asked(LONGEST_PAUSE + 1.0), None);
    assert_eq!(asked(f64::INFINITY), None);
    for past in [0.0, -5_000.0, f64::NEG_INFINITY, f64::NAN] {
        assert_eq!(asked(past), Some(250.0));
    }
}

#[test]
fn who_tries_for_ever_waits_out_every_pause_but_never_more_than_the_longest_at_once() {
    let endless = Retry {
        max_attempts: UNLIMITED,
        ..RETRY
    };
    assert_eq!(endless.delay(10_000, answered(0), 0.5), Some(4_000.0));
    assert_eq!(endless.delay(1, answered(403), 0.5), None);
    for pause in [LONGEST_PAUSE, 3_600_000.0, f64::INFINITY] {
        let delay = endless.delay(1, hint(503, None, Some(pause)), 0.5);
        assert_eq!(delay, Some(LONGEST_PAUSE + 250.0));
    }
}

proptest! {
    #[test]
    fn no_delay_is_endless_or_negative(
        attempt in 0_u32..50, status: u16, should: Option<bool>, pause: f64, random in 0.0..1.0,
        max_attempts in prop_oneof![any::<u32>(), Just(UNLIMITED)], min in 0.0..1e9, max in 0.0..1e9, factor in 0.0..1e9,
    ) {
        let retry = Retry { max_attempts, min, max, factor };
        if let Some(delay) = retry.delay(attempt, hint(status, should, Some(pause)), random) {
            prop_assert!((0.0..=max + LONGEST_PAUSE).contains(&delay), "{delay}");
        }
    }

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

/// Answers as scripted, and writes down what happens.
struct Script {
    answers: RefCell<Vec<u16>>,
    slept: RefCell<Vec<f64>>,
    sent: Cell<u32>,
}

/// The caller gives up.
const ABORTED: u16 = 1;

impl Transport for Script {
    type Answer = u16;

    async fn send(&self) -> u16 {
        self.sent.set(self.sent.get() + 1);
        self.answers.borrow_mut().remove(0)
    }

    fn hint(&self, answer: &u16) -> Option<RetryHint> {
        (*answer != ABORTED).then(|| answered(*answer))
    }

    async fn sleep(&self, millis: f64) {
        self.slept.borrow_mut().push(millis);
    }

    fn random(&self) -> f64 {
        0.5
    }
}

fn run(answers: &[u16]) -> (u16, u32, Vec<f64>) {
    run_with(&RETRY, answers)
}

fn run_with(retry: &Retry, answers: &[u16]) -> (u16, u32, Vec<f64>) {
    let script = Script {
        answers: RefCell::new(answers.to_vec()),
        slept: RefCell::default(),
        sent: Cell::default(),
    };
    let Poll::Ready(answer) =
        pin!(send(&script, retry)).poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!("nothing in the script waits");
    };
    (answer, script.sent.get(), script.slept.take())
}

#[test]
fn a_request_is_sent_until_its_answer_is_final() {
    assert_eq!(run(&[200]), (200, 1, vec![]));
    assert_eq!(run(&[503, 0, 200]), (200, 3, vec![250.0, 500.0]));
    assert_eq!(run(&[503, 404]), (404, 2, vec![250.0]));
    assert_eq!(run(&[503, ABORTED]), (ABORTED, 2, vec![250.0]));
    assert_eq!(
        run(&[500; 5]),
        (500, 5, vec![250.0, 500.0, 1_000.0, 2_000.0])
    );
}

#[test]
fn a_connection_that_held_and_broke_begins_anew() {
    let endless = Retry {
        max_attempts: UNLIMITED,
        ..RETRY
    };
    assert_eq!(
        run_with(&endless, &[0, 0, RECONNECT, 0, RECONNECT, RECONNECT, 200]),
        (200, 7, vec![250.0, 500.0, 250.0, 500.0, 250.0, 250.0])
    );
    assert_eq!(run_with(&endless, &[RECONNECT, 404]).0, 404);
    let mut answers = vec![0; 50];
    answers.push(200);
    assert_eq!(run_with(&endless, &answers).1, 51);
}
