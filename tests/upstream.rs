//! The relay: settings, what upstream says, and what is said to it.
use proptest::prelude::*;
use waitpoint::delivery::{
    Answer, Delivery, Listed, MAX_UPSTREAM_ATTEMPTS, Note, Progress, Target,
};
use waitpoint::time::Timestamp;
use waitpoint::token::{
    Ask, CompletedBy, Decision, Outcome, Output, OutputKind, Reply, State, Token, answer,
};
use waitpoint::upstream::{
    Extras, UpstreamError, Upstreams, complete_json, complete_json_len, created_id, difference,
    merge, read_token, rewrite_urls,
};

const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn upstreams(text: &str) -> Upstreams {
    Upstreams::parse(text).unwrap_or_else(|why| panic!("{why}"))
}

fn output(kind: OutputKind, text: &str) -> Option<Output> {
    Some(Output {
        kind,
        text: text.to_owned(),
    })
}

fn completed(output: Option<Output>) -> Token {
    Token {
        state: State::Completed {
            at: at(5),
            decision: Decision {
                output,
                by: CompletedBy::Api,
                subject: None,
            },
        },
        is_upstream: true,
        ..Token::new(at(0), None, Vec::new())
    }
}

#[test]
fn environments_have_upstreams_of_their_own() {
    let none = upstreams(" \n");
    assert!(none.is_empty());
    assert_eq!(none.sole(), None);

    let one = upstreams("https://api.trigger.dev/");
    assert_eq!(one.of("default"), Some("https://api.trigger.dev"));
    assert_eq!(one.of("prod"), None);
    assert_eq!(one.sole(), Some("https://api.trigger.dev"));

    let two = upstreams("prod=https://a.example/base\ndev=http://127.0.0.1:3030");
    assert_eq!(two.of("prod"), Some("https://a.example/base"));
    assert_eq!(two.of("dev"), Some("http://127.0.0.1:3030"));
    assert_eq!(two.sole(), None);
    for host in [
        "10.0.0.5",
        "[fd00::1]:3000",
        "trigger",
        "a_b.internal.",
        "xn--bcher-kva.example",
    ] {
        let url = format!("https://{host}/base");
        assert_eq!(upstreams(&url).sole(), Some(url.as_str()));
    }
    assert_eq!(
        upstreams("a=https://x.example\nb=https://x.example/").sole(),
        Some("https://x.example")
    );
}

#[test]
fn what_is_no_upstream_names_its_line() {
    for bad in [
        "api.trigger.dev",
        "http://api.trigger.dev",
        "ftp://a.example",
        "https://",
        "https:///path",
        "https://user@a.example",
        "https://a.example?x",
        "https://a.example#x",
        "https://a]b.example",
        "https://-a.example",
        "https://a..example",
        "https://a,b.example",
        "https://[fd00::1",
        "https://[fd00::x]",
        "prod=",
        "p r=https://a.example",
    ] {
        let why = Upstreams::parse(&format!("\n{bad}")).err();
        assert_eq!(why, Some(UpstreamError::Malformed(2)), "{bad}");
    }
    let twice = "https://a.example\ndefault=https://b.example";
    assert_eq!(
        Upstreams::parse(twice).err(),
        Some(UpstreamError::Second(2))
    );
}

#[test]
fn urls_of_tokens_lead_here_and_nothing_else_changes() {
    let edge = "https://edge.example";
    for (theirs, ours) in [
        (
            r#"{"id":"waitpoint_c1","isCached":false,"url":"https://api.trigger.dev/api/v1/waitpoints/tokens/waitpoint_c1/callback/ab"}"#,
            r#"{"id":"waitpoint_c1","isCached":false,"url":"https://edge.example/api/v1/waitpoints/tokens/waitpoint_c1/callback/ab"}"#,
        ),
        (
            r#"{"data":[{"url": "http://x/p/api/v1/waitpoints/tokens/a"},{"url":"u"}]}"#,
            r#"{"data":[{"url": "https://edge.example/api/v1/waitpoints/tokens/a"},{"url":"u"}]}"#,
        ),
        (
            r#"{"output":"{\"url\":\"https://x/api/v1/waitpoints/tokens/a\"}","url":5}"#,
            r#"{"output":"{\"url\":\"https://x/api/v1/waitpoints/tokens/a\"}","url":5}"#,
        ),
        (r#"{"url":null,"url":""}"#, r#"{"url":null,"url":""}"#),
        (
            r#"{"data":[{"url":"x/api/v1/waitpoints/tokens/a","n":{"url":"x/api/v1/waitpoints/tokens/b"}}],"url":"x/api/v1/waitpoints/tokens/c"}"#,
            r#"{"data":[{"url":"https://edge.example/api/v1/waitpoints/tokens/a","n":{"url":"x/api/v1/waitpoints/tokens/b"}}],"url":"https://edge.example/api/v1/waitpoints/tokens/c"}"#,
        ),
        (
            r#"{"approval":{"data":{"url":"x/api/v1/waitpoints/tokens/a"}},"url":"x/api/v1/waitpoints/tokens/b","data":[]}"#,
            r#"{"approval":{"data":{"url":"x/api/v1/waitpoints/tokens/a"}},"url":"https://edge.example/api/v1/waitpoints/tokens/b","data":[]}"#,
        ),
        (r#"{"url":"#, r#"{"url":"#),
        ("", ""),
    ] {
        assert_eq!(rewrite_urls(theirs, edge), ours);
    }
}

#[test]
fn what_the_edge_alone_knows_is_found_in_a_create() {
    let marked =
        "\u{feff} {\"timeout\":\"1h\",\"approval\":{\"title\":\"?\"},\"webhook\":{\"url\":\"u\"}}";
    let extras = Extras::of(marked.as_bytes()).unwrap();
    assert_eq!(extras.approval.as_deref(), Some(r#"{"title":"?"}"#));
    assert_eq!(extras.webhook.as_deref(), Some(r#"{"url":"u"}"#));
    for body in [
        "",
        "{}",
        "[]",
        "null",
        "{",
        r#"["a","b"]"#,
        r#"{"approval":null}"#,
    ] {
        assert_eq!(Extras::of(body.as_bytes()), Ok(Extras::default()), "{body}");
    }
    // Upstream would take the second, and nobody would be asked either.
    for body in [
        r#"{"approval":{},"approval":{}}"#,
        r#"{"webhook":1,"x":2,"webhook":1}"#,
    ] {
        assert!(Extras::of(body.as_bytes()).is_err(), "{body}");
    }
    assert_eq!(
        created_id(r#"{"id":"waitpoint_c1","x":1}"#),
        Some("c1".into())
    );
    for body in ["", "{}", r#"{"id":"waitpoint_a_b"}"#, r#"{"id":5}"#] {
        assert_eq!(created_id(body), None, "{body}");
    }
}

#[test]
fn what_upstream_says_of_a_token_is_bounded_as_a_create_is() {
    let token = |field: &str| {
        let json = format!(
            r#"{{"id":"waitpoint_c1","status":"WAITING","createdAt":"2026-01-01T00:00:00.000Z",{field}}}"#
        );
        read_token(&json, "").unwrap()
    };
    assert_eq!(token(r#""tags":["a","b"]"#).tags, ["a", "b"]);
    assert!(token(r#""approval":{"title":"?"}"#).approval.is_some());
    for field in [
        format!(r#""tags":[{}""]"#, "\"\",".repeat(1_000_000)),
        format!(r#""tags":[{}""]"#, "\"\",".repeat(11)),
        r#""tags":"a","approval":{"titel":1}"#.replace("\"a\"", "5"),
        format!(r#""approval":{{"title":"{}"}}"#, "‹".repeat(2_000_000)),
        format!(
            r#""approval":{{"choices":[{}{{"label":"x"}}]}}"#,
            r#"{"label":"y"},"#.repeat(300_000)
        ),
    ] {
        let read = token(&field);
        assert_eq!((read.tags.len(), read.approval), (0, None));
    }
    let items = format!(
        "{{\"data\":[{}{{}}]}}",
        r#"{"url":"x/api/v1/waitpoints/tokens/a"},"#.repeat(100)
    );
    assert_eq!(
        rewrite_urls(&items, "https://e.example"),
        items,
        "more than a page"
    );
}

#[test]
fn a_token_is_read_as_trigger_dev_tells_it() {
    let told = r#"{"id":"waitpoint_c1","type":"MANUAL","url":"u","status":"COMPLETED",
        "idempotencyKey":"random","userProvidedIdempotencyKey":false,
        "output":"{\"json\":{\"a\":1},\"meta\":{}}","outputType":"application/super+json","outputIsError":false,
        "timeoutAt":"2030-01-01T00:00:00.000Z","completedAt":"2026-01-02T00:00:00.000Z",
        "createdAt":"2026-01-01T00:00:00.000Z","tags":["b","a"]}"#;
    let token = read_token(told, "https://edge.example").unwrap();
    assert_eq!(
        token.created_at,
        Timestamp::parse_iso("2026-01-01").unwrap()
    );
    assert_eq!(token.timeout_at, Timestamp::parse_iso("2030-01-01"));
    assert_eq!(token.tags, ["b", "a"]);
    assert_eq!(token.key, None, "a random one is nobody's");
    assert!(token.is_upstream);
    let State::Completed { at, decision } = &token.state else {
        panic!("{:?}", token.state)
    };
    assert_eq!(Some(*at), Timestamp::parse_iso("2026-01-02"));
    assert_eq!(decision.output, output(OutputKind::Json, r#"{"a":1}"#));
    assert_eq!(decision.by, CompletedBy::Upstream);

    let late = told
        .replace("COMPLETED", "TIMED_OUT")
        .replace("2030-01-01", "2026-01-02");
    let late = read_token(&late, "").unwrap();
    assert_eq!(late.state, State::TimedOut);
    assert_eq!(late.finished_at(), Timestamp::parse_iso("2026-01-02"));
    for bad in [
        "",
        "{}",
        "[]",
        &told.replace("COMPLETED", "LOST"),
        &told.replace("2026-01-01T", "T"),
    ] {
        assert_eq!(read_token(bad, ""), None, "{bad}");
    }
}

#[test]
fn an_output_is_handed_on_as_it_is() {
    for (given, body) in [
        (None, "{}"),
        (
            output(OutputKind::Json, r#"{"a": 1e400}"#),
            r#"{"data":{"a": 1e400}}"#,
        ),
        (output(OutputKind::Json, "null"), r#"{"data":null}"#),
        (output(OutputKind::Text, "a\"b"), r#"{"data":"a\"b"}"#),
    ] {
        assert_eq!(complete_json(given.as_ref()), body);
        assert_eq!(complete_json_len(given.as_ref()), body.len());
    }
}

#[test]
fn what_stands_upstream_in_place_of_ours_is_noted() {
    let ours = completed(output(OutputKind::Json, r#"{"a": [1, 2]}"#));
    let note = |theirs: &Token| difference(&ours, theirs);
    assert_eq!(
        note(&completed(output(OutputKind::Json, r#"{"a":[1,2]}"#))),
        None
    );
    let other = completed(output(OutputKind::Json, "2"));
    assert_eq!(note(&other), Some(Note::DecidedOtherwiseUpstream));
    assert_eq!(note(&completed(None)), Some(Note::DecidedOtherwiseUpstream));
    let waiting = Token::new(at(0), None, Vec::new());
    assert_eq!(note(&waiting), None);
    let late = Token {
        state: State::TimedOut,
        ..Token::new(at(0), Some(at(3)), Vec::new())
    };
    assert_eq!(note(&late), Some(Note::TimedOutUpstream));
    // It writes them anew, and large ones it keeps elsewhere.
    let same = |a: &str, b: &str| {
        let ours = completed(output(OutputKind::Json, a));
        difference(&ours, &completed(output(OutputKind::Json, b))).is_none()
    };
    assert!(same(r#""caf\u00e9""#, "\"café\""));
    assert!(same(r#"{"b":1.0,"1":[2e0]}"#, r#"{"1":[2],"b":1}"#));
    assert!(!same(r#"{"a":1}"#, r#"{"a":1,"b":null}"#));
    assert!(!same("[1,2]", "[2,1]"));
    let stored = completed(output(OutputKind::Stored, "waitpoint_c1/token.json"));
    assert_eq!(note(&stored), None);
    // Texts are the same as JSON strings, and trigger.dev keeps no empty ones.
    let text = completed(output(OutputKind::Text, "x"));
    assert_eq!(
        difference(&text, &completed(output(OutputKind::Json, "\"x\""))),
        None
    );
    assert_eq!(
        difference(
            &completed(output(OutputKind::Json, "\"\"")),
            &completed(None)
        ),
        None
    );
}

#[test]
fn a_decision_here_goes_before_what_upstream_says_and_our_clock_does_not() {
    let ours = Token {
        approval: Some("{}".into()),
        ..completed(output(OutputKind::Json, "1"))
    };
    let theirs = Token {
        tags: vec!["t".into()],
        ..completed(output(OutputKind::Json, "2"))
    };
    let both = merge(ours.clone(), theirs.clone());
    assert_eq!((&both.state, &both.tags), (&ours.state, &theirs.tags));
    assert_eq!(both.approval, ours.approval);

    let late = Token {
        state: State::TimedOut,
        ..Token::new(at(0), Some(at(3)), Vec::new())
    };
    assert_eq!(merge(late.clone(), theirs.clone()).state, theirs.state);
    let waiting = Token::new(at(0), None, Vec::new());
    let both = merge(late, waiting.clone());
    assert_eq!(
        (both.state, both.timeout_at),
        (State::TimedOut, Some(at(3)))
    );
    assert_eq!(merge(waiting, theirs.clone()).state, theirs.state);
}

#[test]
fn a_decision_is_kept_and_owed_upstream_also_when_nothing_was_known() {
    let decide = |record: &mut Option<Token>, text: &str| {
        let unseen = Token {
            is_upstream: true,
            ..Token::new(at(9), None, Vec::new())
        };
        let State::Completed { decision, .. } = completed(output(OutputKind::Json, text)).state
        else {
            panic!("it is completed")
        };
        answer(
            record,
            Ask::Relay(Box::new(unseen), decision),
            DAY,
            at(9),
            &[],
            false,
        )
    };
    let mut record = None;
    assert_eq!(
        decide(&mut record, "1"),
        (Reply::Decided(Outcome::Completed), true)
    );
    let first = record.clone();
    assert_eq!(
        decide(&mut record, "2"),
        (Reply::Decided(Outcome::AlreadyCompleted), false)
    );
    assert_eq!(record, first);
    let owed: Vec<_> = first
        .iter()
        .flat_map(|token| &token.deliveries)
        .map(|one| one.target)
        .collect();
    assert_eq!(owed, [Target::Upstream]);
}

#[test]
fn what_was_decided_here_is_decided_for_good() {
    let mut record = Some(completed(output(OutputKind::Json, "1")));
    let decide = |record: &mut Option<Token>, now: Timestamp| {
        let State::Completed { decision, .. } = completed(None).state else {
            panic!("it is completed")
        };
        let token = Box::new(Token::new(now, None, Vec::new()));
        answer(record, Ask::Relay(token, decision), DAY, now, &[], false)
    };
    let later = at(5).plus(2 * DAY);
    // Forgotten and not yet gone, then gone but for this.
    assert_eq!(decide(&mut record, later), (Reply::Unknown, false));
    let remains = record.and_then(|token| token.remains()).unwrap();
    assert_eq!(remains.next_wakeup(DAY, Listed::Unknown, later), None);
    assert_eq!(remains.debt(DAY, Listed::Unknown, later), None);
    let mut record = Some(remains);
    let again = (Reply::Decided(Outcome::AlreadyCompleted), false);
    assert_eq!(decide(&mut record, later), again);
    let read = answer(&mut record, Ask::Read, DAY, later, &[], false);
    assert_eq!(read, (Reply::Unknown, false));
    // Of what was only waited for, or lives here, nothing is left.
    assert_eq!(Token::new(at(0), None, Vec::new()).remains(), None);
}

#[test]
fn timeouts_are_upstreams() {
    let mut token = Token {
        is_upstream: true,
        ..Token::new(at(0), Some(at(100)), Vec::new())
    };
    assert!(!token.settle_if_due(at(200), &[]));
    assert_eq!(token.state, State::Waiting);
    // It is asked a little later, then daily.
    let next = |now| token.next_wakeup(DAY, Listed::Unknown, at(now));
    assert_eq!(next(0), Some(at(30_100)));
    assert_eq!(next(30_100), Some(at(30_100).plus(DAY)));
    assert!(token.is_passing());
}

#[test]
fn what_upstream_decided_is_taken_once_and_not_told_to_it() {
    let known = Token {
        is_upstream: true,
        webhook: Some("https://a.example".into()),
        ..Token::new(at(0), None, Vec::new())
    };
    let theirs = read_token(
        r#"{"status":"COMPLETED","createdAt":"2026-01-01","output":"1","outputType":"application/json"}"#,
        "",
    )
    .unwrap();
    let mut record = Some(known);
    let learn = |record: &mut Option<Token>, token: &Token| {
        answer(
            record,
            Ask::Learn(Box::new(token.clone())),
            DAY,
            at(9),
            &[Target::Environment],
            false,
        )
    };
    // Its end is long past by this clock: it is kept for a moment all the same.
    let now = theirs.finished_at().unwrap();
    let (reply, changed) = answer(
        &mut record,
        Ask::Learn(Box::new(theirs.clone())),
        DAY,
        now,
        &[Target::Environment],
        false,
    );
    assert_eq!((reply, changed), (Reply::Found, true));
    let token = record.clone().unwrap();
    assert_eq!(token.state, theirs.state);
    let owed: Vec<_> = token.deliveries.iter().map(|one| one.target).collect();
    assert_eq!(owed, [Target::Environment, Target::Token]);
    assert_eq!(learn(&mut record, &completed(None)), (Reply::Found, false));
    assert_eq!(record, Some(token));
}

#[test]
fn upstream_is_asked_for_a_month_and_hears_no_second_time_what_it_refuses() {
    let mut delivery = Delivery::new(Target::Upstream, at(0));
    let mut now = 0;
    let mut longest = 0;
    while let Some(due) = delivery.due_at() {
        longest = longest.max(due.as_millis() - now);
        now = due.as_millis();
        delivery.attempted(Answer::Status(503), None, "c1", at(now));
    }
    assert_eq!(
        (delivery.progress, delivery.attempts),
        (Progress::Failed, MAX_UPSTREAM_ATTEMPTS)
    );
    assert!(
        longest <= 330_000 && now > 29 * 86_400_000,
        "{longest} {now}"
    );

    for (answer, is_over) in [
        (Answer::Status(401), true),
        (Answer::Status(403), true),
        (Answer::Status(404), true),
        (Answer::Status(413), true),
        (Answer::Status(408), false),
        (Answer::Status(409), false),
        (Answer::Status(429), false),
        (Answer::Status(301), false),
        (Answer::Status(500), false),
        (Answer::None, false),
        (Answer::Impossible, false),
    ] {
        let mut delivery = Delivery::new(Target::Upstream, at(0));
        delivery.attempted(answer, None, "c1", at(0));
        assert_eq!(delivery.progress == Progress::Failed, is_over, "{answer:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn nothing_that_upstream_says_panics(text in ".*", json in r#"(\{|\}|"url":|"|/api/v1/waitpoints/tokens/|\\|é| ){0,40}"#) {
        for text in [&text, &json] {
            let _ = (read_token(text, ""), created_id(text), Extras::of(text.as_bytes()).is_ok(), Upstreams::parse(text).is_ok());
            let rewritten = rewrite_urls(text, "https://e.example");
            prop_assert_eq!(rewrite_urls(&rewritten, "https://e.example"), rewritten);
        }
    }
}
