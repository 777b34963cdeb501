//! What recipients are sent: the mail, and the messages in Slack and Teams.

mod channels;
mod email;
mod mail_settings;
mod slack;
mod teams;

use std::time::Duration;
use waitpoint::domain::notice::Notice;
use waitpoint::domain::page::i18n::{Words, choose};
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::Token;
use waitpoint::domain::token::event::TokenEvent;

/// 2027-01-05T08:09:00Z.
const DEADLINE: Timestamp = Timestamp::from_millis(1_799_136_540_000);
const LINK: &str =
    "https://waitpoint.example/t/0123456789abcdefghijklmno/t1a2b3cAbCdEf0123456789-_x";
const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)> {{7*7}} &lt; <!channel> \
                    <@U1> *bold* [here](x:y) </title></td>\\\u{202e}\u{0}";

fn en() -> &'static Words {
    choose("en", "")
}

fn token(approval: &serde_json::Value) -> Token {
    let created_at = Timestamp::from_millis(DEADLINE.as_millis() - 3_600_000);
    let timeout_at = created_at.plus(Duration::from_secs(3_600));
    Token {
        approval: Some(approval.to_string()),
        ..Token::new(created_at, Some(timeout_at), Vec::new())
    }
}

fn created(token: &Token) -> Notice<'static> {
    Notice::of(token, TokenEvent::Created, en(), LINK)
}

fn reminder(token: &Token) -> Notice<'static> {
    Notice::of(token, TokenEvent::Reminder(token.created_at), en(), LINK)
}

/// A token that says the same in every place where a text can stand.
fn saying(text: &str) -> Token {
    token(&serde_json::json!({ "title": text, "description": text, "requestedBy": text }))
}

#[test]
fn a_notice_says_what_the_page_would() {
    let asked = token(&serde_json::json!({
        "title": " pay\u{202e}1\t000\u{200b}€\r\nBcc: x\u{2028}y ",
        "description": "\n one\u{0}\n\n two\n",
        "requestedBy": "Ann\nMiller",
    }));
    assert_eq!(
        created(&asked),
        Notice {
            title: "pay1 000€ Bcc: x y".to_owned(),
            description: Some("one\n\n two".to_owned()),
            requested_by: Some("Ann Miller".to_owned()),
            deadline: Some(DEADLINE),
            link: LINK,
            is_reminder: false,
        }
    );
    assert!(reminder(&asked).is_reminder);

    let nothing = Token {
        timeout_at: None,
        approval: None,
        ..asked
    };
    assert_eq!(
        created(&nothing),
        Notice {
            title: en().question.to_owned(),
            description: None,
            requested_by: None,
            deadline: None,
            link: LINK,
            is_reminder: false,
        }
    );
    // A token from upstream was not checked here.
    assert_eq!(
        created(&saying("\u{200b} \n")),
        Notice {
            deadline: Some(DEADLINE),
            ..created(&nothing)
        }
    );
}
