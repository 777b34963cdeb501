//! Commands on their way from the Worker to an object: they come as they were sent, in a header or in a body.
use proptest::prelude::*;
use std::time::Duration;
use waitpoint::domain::stored::envelope::{Envelope, ResponseContext, read};
use waitpoint::domain::stored::message::{CommandMessage, TokenReply};
use waitpoint::domain::stored::record::{StoredDecision, StoredToken};
use waitpoint::domain::stored::record::{pack_record, unpack_record};
use waitpoint::domain::stored::votes::StoredBallot;
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::command::Command;
use waitpoint::domain::token::home::Home;
use waitpoint::domain::token::record::Record;
use waitpoint::domain::token::votes::{Ballot, Quorum};
use waitpoint::domain::token::{CompletedBy, Decision, Key, Output, OutputKind, State, Token};

const NOW: Timestamp = Timestamp::from_millis(1_790_380_800_000);

/// In a header, or in a body.
type Parts = (String, Option<Vec<u8>>);

fn decision(text: &str) -> Decision {
    Decision {
        callback: None,
        output: Some(Output {
            kind: OutputKind::Json,
            text: text.to_owned(),
        }),
        by: CompletedBy::Page,
        subject: Some("somebody".to_owned()),
        is_by_owner: false,
    }
}

fn token() -> Token {
    Token {
        approval: Some(r#"{"title":"\"Ship\" it?"}"#.to_owned()),
        origin: "https://api.example".into(),
        key: Some(Key {
            text: "order 7".to_owned(),
            expires_at: Some(NOW),
        }),
        created_by_request: Some("cabc".to_owned()),
        webhook: Some("https://hooks.example/".to_owned()),
        ..Token::new(
            NOW,
            Some(NOW.plus(Duration::from_secs(1))),
            vec!["a".to_owned()],
        )
    }
}

/// Every command, with this output's text if it has one.
fn commands(text: &str) -> Vec<Command> {
    let ended = State::Completed {
        at: NOW,
        decision: decision(text),
    };
    let theirs = Token {
        home: Home::Upstream,
        state: ended,
        ..token()
    };
    vec![
        Command::Create(Box::new(token())),
        Command::Read,
        Command::Complete(decision(text)),
        Command::Vote(ballot()),
        Command::Cancel(None),
        Command::Remind,
        Command::Cancel(Some("nobody needs it".to_owned())),
        Command::Extend(Timestamp::from_millis(1_800_000_000_000)),
        Command::CompleteRelayed(Box::new(token()), decision(text)),
        Command::ImportUpstream(Box::new(theirs)),
    ]
}

/// As the Worker makes it of what it asks.
fn message(command: &Command) -> (CommandMessage, &str) {
    match command {
        Command::Create(token) => (CommandMessage::Create(StoredToken::of(token).0), ""),
        Command::Read => (CommandMessage::Read, ""),
        Command::Complete(decision) => {
            let (deciding, text) = StoredDecision::of(decision);
            (CommandMessage::Complete(deciding), text)
        }
        Command::Vote(ballot) => (CommandMessage::Vote(StoredBallot::of(ballot.clone())), ""),
        Command::Cancel(reason) => (CommandMessage::Cancel(reason.clone()), ""),
        Command::Extend(to) => (CommandMessage::Extend(to.as_millis()), ""),
        Command::Remind => (CommandMessage::Remind, ""),
        Command::CompleteRelayed(token, decision) => {
            let (deciding, text) = StoredDecision::of(decision);
            (
                CommandMessage::CompleteRelayed(StoredToken::of(token).0, deciding),
                text,
            )
        }
        Command::ImportUpstream(token) => {
            let (record, text) = StoredToken::of(token);
            (CommandMessage::ImportUpstream(record), text)
        }
    }
}

fn ballot() -> Ballot {
    Ballot {
        approver: 1,
        choice: 0,
        is_veto: true,
        output: "{}".to_owned(),
        comment: Some("why".to_owned()),
        fields: Some(r#"{"a":1}"#.to_owned()),
    }
}

fn context(etag: &str) -> ResponseContext<'_> {
    ResponseContext {
        waited: Some(5),
        origin: "https://api.example".into(),
        cors_origin: "https://app.example".into(),
        etag: etag.into(),
        credential: Some("eyJ.e30.c2ln".into()),
        hint: Some(r#"unknown-field "output""#.to_owned()),
    }
}

/// What is sent: a command, and the `If-None-Match` of who is told, if that is not the Worker.
fn sent(command: &Command, etag: Option<&str>) -> Parts {
    let (message, text) = message(command);
    Envelope::new(&message, etag.map(context), text).into_parts()
}

/// The object gets what was sent, in what HTTP can carry.
fn arrives(command: &Command, etag: Option<&str>) -> Parts {
    let (line, body) = sent(command, etag);
    assert_eq!(line.is_empty(), body.is_some(), "one of the two");
    assert!(
        line.len() <= 4_000 && line.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
        "{line}"
    );
    let got = read(&line, body.as_deref().unwrap_or_default());
    let (message, got_context, text) = got.unwrap();
    assert_eq!(message.into_command(text), *command);
    let json = |context: &ResponseContext<'_>| serde_json::to_string(context).unwrap();
    assert_eq!(
        got_context.as_ref().map(json),
        etag.map(|etag| json(&context(etag)))
    );
    (line, body)
}

fn is_in_header((line, _): &Parts) -> bool {
    !line.is_empty()
}

#[test]
fn every_command_arrives_as_it_was_sent() {
    for (text, fits) in [
        ("", true),
        ("null", true),
        (r#"{"a":"b\\\"c"}"#, true),
        // JSON escapes these.
        ("\0\u{1}\t\r\n\u{1f}\"\\", true),
        ("~", true),
        // And these not.
        ("\u{7f}", false),
        ("\u{80}", false),
        ("é", false),
        ("\u{2028}", false),
        ("\u{10ffff}", false),
    ] {
        for command in commands(text) {
            let has_text = matches!(
                command,
                Command::Complete(_) | Command::CompleteRelayed(..) | Command::ImportUpstream(_)
            );
            for etag in [None, Some(""), Some("\"v1\"")] {
                let parts = arrives(&command, etag);
                assert_eq!(
                    is_in_header(&parts),
                    fits || !has_text,
                    "{text:?} {command:?}"
                );
            }
        }
    }
    // So are those of the head.
    assert!(!is_in_header(&arrives(&Command::Read, Some("é"))));
    let foreign = Token::new(NOW, None, vec!["日本".to_owned()]);
    assert!(!is_in_header(&arrives(
        &Command::Create(Box::new(foreign)),
        None
    )));
}

#[test]
fn a_header_is_at_most_four_thousand_bytes() {
    let of = |text: String| arrives(&Command::Complete(decision(&text)), None);
    let room = 4_000 - of(String::new()).0.len();
    let (line, _) = of("x".repeat(room));
    assert_eq!(line.len(), 4_000);
    assert!(!is_in_header(&of("x".repeat(room + 1))));
    // As it is escaped there.
    assert!(is_in_header(&of("\"".repeat(room / 2))));
    assert!(!is_in_header(&of("\"".repeat(room / 2 + 1))));
    for length in [3_999, 4_000, 4_001, 3_000_000] {
        assert!(!is_in_header(&of("x".repeat(length))), "{length}");
    }
    // A long head alone.
    assert!(is_in_header(&arrives(
        &Command::Read,
        Some(&"x".repeat(3_000))
    )));
    assert!(!is_in_header(&arrives(
        &Command::Read,
        Some(&"x".repeat(4_000))
    )));
}

#[test]
fn the_json_names_of_messages_between_worker_and_object_never_change() {
    let name = |command: &Command| {
        let (message, _) = message(command);
        let json = serde_json::to_string(&message).unwrap();
        json.trim_start_matches(['{', '"'])
            .split('"')
            .next()
            .unwrap()
            .to_owned()
    };
    let names: Vec<_> = commands("1").iter().map(name).collect();
    assert_eq!(
        names,
        [
            "create", "read", "complete", "vote", "cancel", "remind", "cancel", "extend", "relay",
            "learn"
        ]
    );
    assert_eq!(TokenReply::NotFound.to_bytes(), b"\"unknown\"\n");
}

#[test]
fn a_token_with_approvers_is_unreadable_to_an_older_build() {
    let token = Token {
        quorum: Some(Quorum {
            approvers: vec!["ann".to_owned()],
            required: 1,
        }),
        ..token()
    };
    let created = serde_json::to_value(CommandMessage::create(&token)).unwrap();
    assert!(created.get("create").is_none());
    let (command, _) = (CommandMessage::create(&token), "");
    assert_eq!(
        command.into_command(String::new()),
        Command::Create(Box::new(token.clone()))
    );
    let stored = pack_record(&Record::Live(token.clone()));
    assert!(
        stored.starts_with(br#"{"v":2,"#),
        "{}",
        stored.escape_ascii()
    );
    assert_eq!(unpack_record(&stored).ok(), Some(Record::Live(token)));
    let plain = pack_record(&Record::Live(plain_token()));
    assert!(plain.starts_with(br#"{"v":1,"#));
}

fn plain_token() -> Token {
    Token::new(NOW, None, Vec::new())
}

#[test]
fn what_is_no_message_is_unreadable() {
    let whole = r#"{"command":{"complete":{"output":"json","by":"api"}}}"#;
    assert!(read("", format!("{whole}\n1").as_bytes()).is_ok());
    for body in [
        &b""[..],
        b"\n",
        b"\xff\n",
        b"null\n",
        b"[]\n",
        b"\"read\"\n",
        b"[\"read\"]\n",
        b"[\"read\",null,\"\"]\n",
        b"{\"command\":\"write\"}\n",
        b"{\"command\":\"read\",\"context\":1}\n",
        b"{\"command\":{\"complete\":{\"by\":\"nobody\"}}}\n",
        // The line has no end; the text is no text.
        whole.as_bytes(),
        &[whole.as_bytes(), b"\n\xff"].concat(),
    ] {
        assert!(read("", body).is_err(), "{}", body.escape_ascii());
    }
    for line in [
        " ",
        "null",
        "[]",
        "{}",
        "\"read\"",
        "{\"command\":\"read\"}",
        "{\"command\":\"read\",\"text\":1}",
        whole,
    ] {
        // A body does not make up for it.
        assert!(read(line, b"{\"command\":\"read\"}\n").is_err(), "{line}");
    }
}

#[test]
fn a_part_of_a_message_is_none() {
    for (command, etag) in commands("1")
        .iter()
        .flat_map(|command| [(command, None), (command, Some("\"v1\""))])
    {
        let (line, _) = sent(command, etag);
        for end in 1..line.len() {
            assert!(read(&line[..end], b"").is_err(), "{}", &line[..end]);
        }
    }
    let (_, body) = sent(&Command::Complete(decision("é")), None);
    let body = body.unwrap();
    let head = body.iter().position(|&byte| byte == b'\n').unwrap();
    for end in 0..=head {
        assert!(read("", &body[..end]).is_err(), "{end}");
    }
    assert!(
        read("", &body[..body.len() - 1]).is_err(),
        "half a character"
    );
}

proptest! {
    #[test]
    fn any_text_arrives(text in "\\PC*|[\\x00-\\x7f]{3900,4001}|.{0,40}", etag in any::<Option<String>>()) {
        for command in commands(&text) {
            arrives(&command, etag.as_deref());
        }
    }

    #[test]
    fn anything_is_read_without_a_panic(
        line in any::<String>(),
        body in any::<Vec<u8>>(),
        at in any::<prop::sample::Index>(),
        other in any::<u8>(),
    ) {
        let _ = read(&line, &body);
        let _ = read("", &body);
        // And what is nearly a message.
        for command in commands("é") {
            let (line, body) = sent(&command, Some(""));
            let mut bytes = body.unwrap_or_else(|| line.into_bytes());
            let at = at.index(bytes.len());
            bytes[at] = other;
            let _ = read("", &bytes);
            let _ = read(&String::from_utf8_lossy(&bytes), b"");
        }
    }
}
