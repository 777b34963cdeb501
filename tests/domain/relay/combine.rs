//! A token of both sides, from upstream's response.
use super::{at, completed, output};
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::relay::merge::{Existence, Source, UpstreamReply, combine};
use waitpoint::domain::token::home::Home;
use waitpoint::domain::token::{OutputKind, State, Token};

const OURS: &str = "https://edge.example";

fn reply(status: u16) -> Result<UpstreamReply<'static>, ApiError> {
    let text = r#"{"status":"WAITING","createdAt":"2026-01-01T00:00:00.000Z","tags":["t"]}"#;
    Ok(UpstreamReply { status, text })
}

fn placeholder() -> Token {
    Token {
        home: Home::Upstream,
        ..Token::new(at(0), None, Vec::new())
    }
}

/// A token of which something was asked here.
fn asked() -> Token {
    Token {
        approval: Some("{}".into()),
        ..placeholder()
    }
}

fn error(
    ours: Option<Token>,
    theirs: Result<UpstreamReply<'_>, ApiError>,
    existence: Existence,
) -> ApiError {
    combine(ours, theirs, OURS, existence).unwrap_err()
}

#[test]
fn what_is_known_upstream_alone_is_shown_as_it_stands_there() {
    let (token, source) = combine(None, reply(200), OURS, Existence::Unknown).unwrap();
    assert_eq!(source.as_str(), "upstream");
    assert_eq!((token.state, token.origin.as_str()), (State::Waiting, OURS));
    assert_eq!(token.tags, ["t"]);
}

#[test]
fn a_decision_here_is_shown_whatever_upstream_answers() {
    let decided = completed(output(OutputKind::Json, "1"));
    let failures = [404, 500, 302].map(reply);
    let failures = failures
        .into_iter()
        .chain([Err(ApiError::UpstreamUnavailable), reply(200)]);
    for theirs in failures {
        let ours = Some(decided.clone());
        let (token, source) = combine(ours, theirs, OURS, Existence::Unknown).unwrap();
        assert_eq!((&token.state, source), (&decided.state, Source::Edge));
    }
}

#[test]
fn what_was_asked_here_is_shown_without_upstream_and_merged_with_it() {
    let (token, source) = combine(Some(asked()), reply(404), OURS, Existence::Proven).unwrap();
    assert_eq!((token, source), (asked(), Source::Edge));
    let (token, source) = combine(Some(asked()), reply(200), OURS, Existence::Proven).unwrap();
    assert_eq!(source, Source::Upstream);
    assert_eq!(
        (token.approval, token.tags),
        (asked().approval, vec!["t".to_owned()])
    );
}

#[test]
fn a_token_that_upstream_does_not_know_is_not_found() {
    let placeholder = Some(placeholder());
    for ours in [None, placeholder.clone()] {
        let found = error(ours, reply(404), Existence::Proven);
        assert_eq!(found, ApiError::TokenNotFound);
    }
    // trigger.dev answers 500, which proves nothing of a token that exists.
    let found = error(None, reply(500), Existence::Unknown);
    assert_eq!(found, ApiError::TokenNotFound);
    let found = error(None, reply(500), Existence::Proven);
    assert_eq!(found, ApiError::UpstreamUnavailable);
    let found = error(placeholder, reply(500), Existence::Unknown);
    assert_eq!(found, ApiError::UpstreamUnavailable);
}

#[test]
fn what_cannot_be_read_is_no_answer() {
    // Of a token that was only asked about here, upstream may have said that it is decided.
    for ours in [None, Some(asked())] {
        let theirs = Ok(UpstreamReply {
            status: 200,
            text: "<html>",
        });
        let found = error(ours, theirs, Existence::Unknown);
        assert_eq!(found, ApiError::UpstreamUnavailable);
    }
    let theirs = Err(ApiError::UpstreamUnavailable);
    let found = error(None, theirs, Existence::Unknown);
    assert_eq!(found, ApiError::UpstreamUnavailable);
}
