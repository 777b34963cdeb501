//! Tokens of which something is kept on both sides.
use super::{at, completed, output};
use waitpoint::domain::relay::conflict::detect_conflict;
use waitpoint::domain::relay::merge::merge;
use waitpoint::domain::token::delivery::UpstreamConflict;
use waitpoint::domain::token::{OutputKind, State, Token};

#[test]
fn what_stands_upstream_in_place_of_ours_is_noted() {
    let ours = completed(output(OutputKind::Json, r#"{"a": [1, 2]}"#));
    let conflict_with = |theirs: &Token| detect_conflict(&ours, theirs);
    assert_eq!(
        conflict_with(&completed(output(OutputKind::Json, r#"{"a":[1,2]}"#))),
        None
    );
    let other = completed(output(OutputKind::Json, "2"));
    assert_eq!(
        conflict_with(&other),
        Some(UpstreamConflict::DecidedOtherwiseUpstream)
    );
    assert_eq!(
        conflict_with(&completed(None)),
        Some(UpstreamConflict::DecidedOtherwiseUpstream)
    );
    let waiting = Token::new(at(0), None, Vec::new());
    assert_eq!(conflict_with(&waiting), None);
    let late = Token {
        state: State::TimedOut,
        ..Token::new(at(0), Some(at(3)), Vec::new())
    };
    assert_eq!(
        conflict_with(&late),
        Some(UpstreamConflict::TimedOutUpstream)
    );
    // It writes them anew, and large ones it keeps elsewhere.
    let same = |a: &str, b: &str| {
        let ours = completed(output(OutputKind::Json, a));
        detect_conflict(&ours, &completed(output(OutputKind::Json, b))).is_none()
    };
    assert!(same(r#""caf\u00e9""#, "\"café\""));
    assert!(same(r#"{"b":1.0,"1":[2e0]}"#, r#"{"1":[2],"b":1}"#));
    assert!(!same(r#"{"a":1}"#, r#"{"a":1,"b":null}"#));
    assert!(!same("[1,2]", "[2,1]"));
    let stored = completed(output(OutputKind::Stored, "waitpoint_c1/token.json"));
    assert_eq!(conflict_with(&stored), None);
    // Texts are the same as JSON strings, and trigger.dev keeps no empty ones.
    let text = completed(output(OutputKind::Text, "x"));
    assert_eq!(
        detect_conflict(&text, &completed(output(OutputKind::Json, "\"x\""))),
        None
    );
    assert_eq!(
        detect_conflict(
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
