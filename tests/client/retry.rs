//! When a request is sent again.
use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use waitpoint::client::retry::{
    LONGEST_PAUSE, RECONNECT, Retry, RetryHint, Transport, UNLIMITED, send,
};

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
    type Attempt = u16;

    async fn send(&self) -> u16 {
        self.sent.set(self.sent.get() + 1);
        self.answers.borrow_mut().remove(0)
    }

    fn hint(&self, answer: &u16) -> RetryHint {
        if *answer == ABORTED {
            hint(0, Some(false), None)
        } else {
            answered(*answer)
        }
    }

    fn sleep(&self, millis: f64) -> impl Future {
        self.slept.borrow_mut().push(millis);
        std::future::ready(())
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
