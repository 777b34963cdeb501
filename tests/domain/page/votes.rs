//! What approvers, and others, see of votes.

use super::{NOW, en, opened, rendered, waiting};
use waitpoint::domain::page::i18n::ALL;
use waitpoint::domain::page::{FormInput, PageState, Reads, approval_of, ballot, compare_vote};
use waitpoint::domain::token::votes::{Quorum, Vote};
use waitpoint::domain::token::{CompletedBy, Decision, Output, OutputKind, State, Token};

const ASKED: &str = r#"{"title":"Release?","required":2,
    "approvers":[{"id":"ann","name":"Ann <b>Miller"},{"id":"bob","name":"Bob"},{"id":"eve","name":"Zoë"}],
    "choices":[{"label":"Ship"},{"label":"Hold","veto":true}],
    "form":{"type":"object","properties":{
        "why":{"type":"string"},"n":{"type":"number"},"ok":{"type":"boolean"},
        "one":{"type":"string","enum":["a","b","c","d","e","f"]},
        "many":{"type":"array","items":{"type":"string","enum":["x","y","z"]}},
        "at":{"type":"string","format":"date-time"}}}}"#;

fn asked(votes: Vec<Vote>) -> Token {
    Token {
        quorum: Some(Quorum {
            approvers: ["ann", "bob", "eve"].map(str::to_owned).to_vec(),
            required: 2,
        }),
        votes,
        ..waiting(ASKED)
    }
}

fn vote(approver: u8, choice: u8) -> Vote {
    Vote {
        approver,
        choice,
        at: NOW,
        comment: Some(format!("comment of {approver}")),
        fields: Some(
            r#"{"why":"x","n":1.50,"ok":true,"one":"c","many":["x","z"],"at":"2026-01-31T14:30:00Z"}"#
                .to_owned(),
        ),
    }
}

fn voting(token: &Token, approver: u8) -> String {
    let approval = approval_of(token, en());
    let input = token.vote_of(approver);
    let input = input
        .map(|vote| FormInput::of_vote(&approval, vote))
        .unwrap_or_default();
    let state = PageState::Voting {
        token,
        approver,
        nonce: "NONCE",
        input: &input,
        error: None,
    };
    rendered(en(), state)
}

#[test]
fn an_approver_sees_who_they_are_and_how_many_have_voted_not_how() {
    let page = voting(&asked(vec![vote(1, 1)]), 0);
    assert!(page.contains("Ann &#60;b&#62;Miller"), "{page}");
    assert!(page.contains("Votes so far: 1 of 3. Equal votes needed: 2."));
    assert!(page.contains("This link is yours alone."));
    let at_once = page.split("Decides at once").nth(1).unwrap();
    assert!(
        at_once.starts_with("</dt><dd><bdi lang=\"\">Hold</bdi></dd>"),
        "{at_once}"
    );
    assert!(!page.contains("comment of 1") && !page.contains("Your vote"));
    assert!(!page.contains("Bob") && !page.contains("Zoë"));
}

#[test]
fn who_has_voted_sees_their_vote_and_can_change_it() {
    let token = asked(vec![vote(0, 1), vote(1, 0)]);
    let page = voting(&token, 0);
    let own = page.split("Your vote").nth(1).unwrap();
    assert!(own.split("</dl>").next().unwrap().contains("Hold"));
    assert!(page.contains("You can change your vote"));
    assert!(page.contains("comment of 0") && !page.contains("comment of 1"));
    assert!(page.contains("value=\"1.50\"") && page.contains("value=\"2026-01-31T14:30\""));
    // What is shown is what was voted: sent again it changes nothing.
    let approval = approval_of(&token, en());
    let input = FormInput::of_vote(&approval, token.vote_of(0).unwrap());
    let sent = ballot(&approval, &input, 0).unwrap();
    assert!(sent.is_veto);
    assert_eq!(sent.output, r#"{"choice":"Hold"}"#);
    let vote = token.vote_of(0).unwrap();
    assert_eq!(
        (sent.choice, &sent.comment, &sent.fields),
        (1, &vote.comment, &vote.fields)
    );
    assert_eq!(compare_vote(&token, &approval, &input, 0), None);
    assert!(compare_vote(&token, &approval, &input, 1).is_some());
    assert!(compare_vote(&token, &approval, &input, 2).is_some());
}

#[test]
fn others_see_the_question_and_how_many_have_voted() {
    let token = asked(vec![vote(0, 1)]);
    let page = rendered(en(), PageState::ShownOnly { token: &token });
    assert!(page.contains("Release?") && page.contains("Votes so far: 1 of 3."));
    assert!(page.contains("each with a link of their own"));
    assert!(!page.contains("<form") && !page.contains("comment of 0") && !page.contains("Ann"));
}

#[test]
fn after_the_end_everybody_sees_the_votes_who_may_read() {
    let token = Token {
        state: State::Completed {
            at: NOW,
            decision: Decision {
                output: Some(Output {
                    kind: OutputKind::Json,
                    text: r#"{"choice":"Ship"}"#.to_owned(),
                }),
                by: CompletedBy::Page,
                subject: Some("bob".to_owned()),
                callback: None,
                is_by_owner: false,
            },
        },
        ..asked(vec![vote(2, 1), vote(0, 0), vote(1, 0)])
    };
    let page = opened(&token, Reads::Everything);
    assert!(
        page.contains("<h1><bdi lang=\"\">Ship</bdi></h1>"),
        "{page}"
    );
    for name in ["Ann &#60;b&#62;Miller", "Bob", "Zoë"] {
        assert!(page.contains(name), "{name}");
    }
    assert!(page.contains("Hold") && page.contains("comment of 2"));
    let page = opened(&token, Reads::Question);
    assert!(!page.contains("comment of") && !page.contains("Bob"));
}

#[test]
fn a_comment_cannot_pass_for_a_field_or_a_vote() {
    let forged = Vote {
        comment: Some("n: 9000\nBob\nHold".to_owned()),
        ..vote(0, 0)
    };
    let token = Token {
        state: State::TimedOut,
        ..asked(vec![forged])
    };
    let page = opened(&token, Reads::Everything);
    let rows: Vec<&str> = page.split("<dt>").skip(1).collect();
    let own = rows.iter().find(|row| row.contains("n: 9000")).unwrap();
    assert!(own.starts_with("Comment<"), "{own}");
    assert!(!rows.iter().any(|row| row.starts_with("<bdi lang=\"\">Bob")));
}

#[test]
fn every_language_tells_the_three_numbers_of_a_vote() {
    for words in ALL {
        let token = asked(vec![vote(0, 0)]);
        let page = rendered(words, PageState::ShownOnly { token: &token });
        let text = words.votes_so_far;
        for (place, number) in [("{n}", "1"), ("{m}", "3"), ("{k}", "2")] {
            assert_eq!(text.matches(place).count(), 1, "{}", words.lang);
            assert!(page.contains(number));
        }
        assert!(!page.contains("{n}") && !page.contains("{m}") && !page.contains("{k}"));
    }
}
