//! The approval page: what it shows, in each language, and what its form decides.

mod decide;
mod escaping;
mod faults;
mod form;
mod i18n;
mod reads;
mod states;
mod votes;

use waitpoint::domain::page::i18n::{Words, choose};
use waitpoint::domain::page::{
    FormError, FormInput, InputFault, NotRecorded, PageState, Reads, RenderContext, Submission,
    render,
};
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::{CompletedBy, Decision, Output, OutputKind, State, Token};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn en() -> &'static Words {
    choose("en", "")
}

fn waiting(approval: &str) -> Token {
    Token {
        approval: Some(approval.to_owned()),
        ..Token::new(
            NOW,
            Some(NOW.plus(std::time::Duration::from_secs(60))),
            Vec::new(),
        )
    }
}

fn timed_out() -> Token {
    Token {
        state: State::TimedOut,
        ..waiting("{}")
    }
}

fn cancelled(reason: Option<&str>) -> Token {
    Token {
        state: State::Cancelled {
            at: NOW,
            reason: reason.map(str::to_owned),
        },
        ..waiting(r#"{"title":"Go?"}"#)
    }
}

fn completed(output: &str, by: CompletedBy, subject: Option<&str>) -> Token {
    let output = Some(Output {
        kind: OutputKind::Json,
        text: output.to_owned(),
    });
    let decision = Decision {
        callback: None,
        output,
        by,
        subject: subject.map(str::to_owned),
        is_by_owner: false,
    };
    Token {
        state: State::Completed { at: NOW, decision },
        ..waiting("{}")
    }
}

fn input(choice: &str, typed: &str, comment: &str) -> FormInput {
    FormInput {
        choice: choice.into(),
        typed: typed.into(),
        comment: comment.into(),
        fields: None,
    }
}

fn rendered(words: &Words, state: PageState<'_>) -> String {
    render(RenderContext { words, now: NOW }, state)
}

/// The page of a token for somebody who opens it.
fn opened(token: &Token, reads: Reads) -> String {
    opened_in(en(), token, reads)
}

fn opened_in(words: &Words, token: &Token, reads: Reads) -> String {
    let state = match token.state {
        State::Waiting => PageState::Waiting {
            token,
            nonce: "NONCE",
            input: &FormInput::default(),
            error: None,
        },
        _ => PageState::ended(token, reads),
    };
    rendered(words, state)
}

/// The page of a link that has expired.
fn link_expired(token: &Token, reads: Reads) -> String {
    rendered(en(), PageState::LinkExpired { token, reads })
}

/// The form of a waiting token, shown again.
fn form_again(token: &Token, input: &FormInput, error: &FormError) -> String {
    let state = PageState::Waiting {
        token,
        nonce: "NONCE",
        input,
        error: Some(error),
    };
    rendered(en(), state)
}

/// The page after a form that did not decide.
fn not_recorded(token: &Token, input: &FormInput, not_recorded: NotRecorded) -> String {
    let state = PageState::Finished {
        token,
        reads: Reads::Everything,
        submission: Some(Submission {
            input,
            not_recorded,
        }),
    };
    rendered(en(), state)
}

/// One field of each kind.
const EACH: &str = r#"{"choices":[{"label":"Yes"},{"label":"No","form":false}],"form":{
    "type":"object","required":["name","day","size"],"properties":{
    "name":{"type":"string","maxLength":40,"minLength":2,"title":"Your name","default":"Ann"},
    "why":{"type":"string","description":"In short."},
    "mail":{"type":"string","format":"email"},
    "site":{"type":"string","format":"uri"},
    "day":{"type":"string","format":"date"},
    "at":{"type":"string","format":"date-time","default":"2027-02-01T14:30:00+02:00"},
    "amount":{"type":"number","minimum":0,"maximum":99.5,"default":12.50},
    "count":{"type":"integer","minimum":-2},
    "urgent":{"type":"boolean","default":true},
    "size":{"type":"string","enum":["S","M"]},
    "plan":{"type":"string","oneOf":[{"const":"a","title":"Plan A"},{"const":"b","title":"Plan B"}],"default":"b"},
    "teams":{"type":"array","items":{"type":"string","enum":["ops","legal","finance"]},"maxItems":2,"default":["legal"]}
    }}}"#;

/// The input of a form: a choice, and the values of some fields.
fn filled(choice: &str, fields: &[(usize, &[&str])]) -> FormInput {
    FormInput::of(|name| {
        let field = |index: &usize| name == format!("field-{index}");
        match fields.iter().find(|(index, _)| field(index)) {
            Some((_, values)) => values.to_vec(),
            None if name == "choice" => vec![choice],
            None => Vec::new(),
        }
    })
}

fn assert_has(page: &str, parts: &[&str]) {
    let body = page.split("<main>").nth(1).unwrap();
    for part in parts {
        assert!(body.contains(part), "{part}\n{body}");
    }
}
