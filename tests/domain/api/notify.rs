//! The fields `notify` and `reminders` of create.
use super::at;
use std::time::Duration;
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::api::notify::{parse_notify, parse_reminders};
use waitpoint::domain::token::notify::{Recipient, Reminder};

const HOUR: u64 = 3_600_000;

fn message(error: &ApiError) -> String {
    assert_eq!((error.status(), error.code()), (400, "validation_error"));
    error.to_string()
}

fn somebody() -> [Recipient; 1] {
    [Recipient::Slack("ops".to_owned())]
}

fn refused(notify: &str) -> String {
    message(&parse_notify(Some(notify)).expect_err(notify))
}

/// Of a token that is created at 0 and times out after four hours.
fn refused_reminders(reminders: &str) -> String {
    message(
        &parse_reminders(Some(reminders), &somebody(), at(0), Some(at(4 * HOUR)))
            .expect_err(reminders),
    )
}

#[test]
fn each_channel_is_read() {
    let text = r#"[{"email":"ann@example.com","locale":"pt-BR"},{"email":"o'b+x@a.example.org"},
        {"slack":"deploys"},{"teams":"ops"},{"webhook":"https://a.example"}]"#;
    let email = |address: &str, locale: Option<&str>| Recipient::Email {
        address: address.to_owned(),
        locale: locale.map(str::to_owned),
        approver: None,
    };
    assert_eq!(
        parse_notify(Some(text)).unwrap(),
        [
            email("ann@example.com", Some("pt-BR")),
            email("o'b+x@a.example.org", None),
            Recipient::Slack("deploys".to_owned()),
            Recipient::Teams("ops".to_owned()),
            Recipient::Webhook("https://a.example".to_owned()),
        ]
    );
    assert_eq!(parse_notify(Some("[]")).unwrap(), []);
}

#[test]
fn what_is_no_recipient_is_named_with_its_place_and_what_would_do() {
    for (notify, said) in [
        (r#"{"email":"a@b.example"}"#, "is not a list. Use a list of"),
        (r#""ann@example.com""#, "is not a list."),
        ("7", "is not a list."),
        (
            r#"[{"sms":"+49"}]"#,
            r#"entry 0: "sms" is not a channel. Use {"email""#,
        ),
        (r#"[{"slack":"a"},"ann@example.com"]"#, "entry 1"),
        ("[[]]", "it is not a recipient. Use"),
        ("[null]", "it is not a recipient."),
        ("[{}]", "it does not name exactly one channel."),
        (
            r#"[{"email":"a@b.example","slack":"x"}]"#,
            "it does not name exactly one channel.",
        ),
        (r#"[{"email":7}]"#, "it is not a recipient."),
        (
            r#"[{"email":null}]"#,
            "it does not name exactly one channel.",
        ),
        (
            r#"[{"email":"ann"}]"#,
            r#""ann" has no @. Use an address such as ann@example.com."#,
        ),
        (
            r#"[{"email":"@example.com"}]"#,
            "has no valid name before the @.",
        ),
        (
            r#"[{"email":"a..b@example.com"}]"#,
            "has no valid name before the @.",
        ),
        (
            r#"[{"email":"a@b@example.com"}]"#,
            "has no valid name before the @.",
        ),
        (
            r#"[{"email":"ann@localhost"}]"#,
            "has no valid domain after the @.",
        ),
        (
            r#"[{"email":"ann@127.0.0.1"}]"#,
            "has no valid domain after the @.",
        ),
        (
            r#"[{"email":"ann@[127.0.0.1]"}]"#,
            "has no valid domain after the @.",
        ),
        (
            r#"[{"email":"ann@a..example"}]"#,
            "has no valid domain after the @.",
        ),
        (
            r#"[{"email":"Ann <ann@example.com>"}]"#,
            "contains white space,",
        ),
        (
            r#"[{"email":"ann@example.com\r\nBcc: eve@example.com"}]"#,
            "contains white space,",
        ),
        (
            r#"[{"email":"änn@example.com"}]"#,
            "a character beyond ASCII.",
        ),
        (
            r#"[{"email":"a@b.example","locale":"d"}]"#,
            r#""d" is not a locale. Use one such as "de"."#,
        ),
        (
            r#"[{"email":"a@b.example","locale":"de\n"}]"#,
            "is not a locale.",
        ),
        (
            r#"[{"slack":"a","locale":"de"}]"#,
            "locale is for email alone. Leave it out.",
        ),
    ] {
        let told = refused(notify);
        assert!(told.contains(said), "{notify}: {told}");
        assert!(
            told.starts_with("Validation error at \"notify\": "),
            "{told}"
        );
    }
    assert!(
        refused(r#"[{"slack":"a"},{"teams":"a"},{"slack":"a"}]"#)
            .contains("entry 2 is the same as an earlier one. Leave it out.")
    );
    // A password is not repeated.
    let password = refused(r#"[{"webhook":"https://u:secret@a.example","locale":"de"}]"#);
    assert!(!password.contains("secret"), "{password}");
    for locale in ["de_AT", "12", "de-", "de-a-b-c-d", "deutschland", ""] {
        let told = refused(&format!(
            r#"[{{"email":"a@b.example","locale":"{locale}"}}]"#
        ));
        assert!(told.contains("is not a locale."), "{told}");
    }
    let many = format!("[{}]", [r#"{"slack":"a"}"#; 11].join(","));
    assert!(refused(&many).contains("notify has 11 entries. Use at most 10."));
    let long = format!(r#"[{{"email":"{}@example.com"}}]"#, "a".repeat(65));
    assert!(refused(&long).contains("has no valid name before the @."));
    let long = format!(r#"[{{"email":"a@{}example.com"}}]"#, "a.".repeat(130));
    assert!(refused(&long).contains("is longer than 254 bytes."));
}

#[test]
fn reminders_are_read() {
    let read = |text| parse_reminders(Some(text), &somebody(), at(0), Some(at(4 * HOUR))).unwrap();
    assert_eq!(
        read(r#"[{"after":"1h30m"},{"before":"3h59m59s"}]"#),
        [
            Reminder::After(Duration::from_secs(5_400)),
            Reminder::Before(Duration::from_secs(14_399)),
        ]
    );
    assert_eq!(read("[]"), []);
    let endless = parse_reminders(Some(r#"[{"after":"52w"}]"#), &somebody(), at(0), None);
    assert_eq!(endless.unwrap().len(), 1);
}

#[test]
fn a_reminder_that_would_never_come_is_refused() {
    for (reminders, said) in [
        (r#"{"after":"1h"}"#, "is not a list. Use a list of"),
        (r#"["1h"]"#, "it is not a reminder. Use"),
        ("[{}]", "it does not name exactly one moment."),
        (
            r#"[{"after":"1h","before":"1h"}]"#,
            "it does not name exactly one moment.",
        ),
        (
            r#"[{"at":"1h"}]"#,
            r#""at" is not known. Use {"after": "4h"} or {"before": "1h"}."#,
        ),
        (
            r#"[{"after":"soon"}]"#,
            r#""soon" is not a valid duration. Use one such as "30s""#,
        ),
        (r#"[{"after":"0s"}]"#, r#""0s" is not a valid duration."#),
        (r#"[{"after":7}]"#, "it is not a reminder."),
        (
            r#"[{"after":"4h"}]"#,
            "it is not before the timeout. Use a shorter time.",
        ),
        (r#"[{"after":"1h"},{"after":"5h"}]"#, "entry 1"),
        (
            r#"[{"before":"4h"}]"#,
            "it would come before the token is created.",
        ),
        (
            r#"[{"before":"9999999w"}]"#,
            "it would come before the token is created.",
        ),
    ] {
        let told = refused_reminders(reminders);
        assert!(told.contains(said), "{reminders}: {told}");
    }
    let many = format!("[{}]", [r#"{"after":"1h"}"#; 6].join(","));
    assert!(refused_reminders(&many).contains("reminders has 6 entries. Use at most 5."));
    let endless =
        parse_reminders(Some(r#"[{"before":"1h"}]"#), &somebody(), at(0), None).unwrap_err();
    assert!(message(&endless).contains("before needs a timeout. Add timeout, or use after."));
    let nobody = parse_reminders(Some(r#"[{"after":"1h"}]"#), &[], at(0), None).unwrap_err();
    assert_eq!(parse_reminders(Some("[]"), &[], at(0), None).unwrap(), []);
    assert!(message(&nobody).contains("Add notify"));
    assert_eq!(parse_reminders(None, &[], at(0), None).unwrap(), []);
}
