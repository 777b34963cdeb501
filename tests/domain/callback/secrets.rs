//! `CALLBACK_SECRETS`.
use waitpoint::domain::callback::secrets::{CallbackSecrets, CallbackSecretsError};

fn error(text: &str) -> Option<CallbackSecretsError> {
    CallbackSecrets::parse(text).err()
}

#[test]
fn a_name_has_several_secrets_in_order() {
    let text = "GH=first-secret\n\n  slack_1=It's a Secret to Everybody  \r\nGH=second=secret==\n";
    let secrets = CallbackSecrets::parse(text).ok().unwrap();
    assert_eq!(
        secrets.of("GH"),
        [b"first-secret".to_vec(), b"second=secret==".to_vec()]
    );
    assert_eq!(
        secrets.of("slack_1"),
        [b"It's a Secret to Everybody".to_vec()]
    );
    assert!(secrets.of("gh").is_empty() && secrets.of("").is_empty());
    assert!(CallbackSecrets::parse("").ok().unwrap().of("GH").is_empty());
}

#[test]
fn errors_name_the_line_and_never_the_secret() {
    let malformed = CallbackSecretsError::Malformed;
    let long_name = "n".repeat(65);
    for (text, expected) in [
        ("hunter2hunter2", malformed(1)),
        ("A=hunter2hunter2\nhunter2hunter2", malformed(2)),
        ("=hunter2hunter2", malformed(1)),
        ("A B=hunter2hunter2", malformed(1)),
        ("ä=hunter2hunter2", malformed(1)),
        ("A.B=hunter2hunter2", malformed(1)),
        ("# A=hunter2hunter2", malformed(1)),
        ("A=hunter2\u{7}hunter2", malformed(1)),
        (&format!("{long_name}=hunter2hunter2"), malformed(1)),
        ("\n\nA=hunter2", CallbackSecretsError::TooShort(3)),
        ("A=", CallbackSecretsError::TooShort(1)),
        (
            &"A=hunter2hunter2\n".repeat(6),
            CallbackSecretsError::TooMany(6),
        ),
    ] {
        assert_eq!(error(text), Some(expected), "{text}");
        let sentence = expected.to_string();
        assert!(sentence.contains("CALLBACK_SECRETS") && !sentence.contains("hunter2"));
        assert!(sentence.contains(&format!("line {}", sentence_line(expected))));
    }
    assert_eq!(error(&format!("{}=hunter2hunter2", "n".repeat(64))), None);
    assert_eq!(error(&"A=hunter2hunter2\n".repeat(5)), None);
}

fn sentence_line(error: CallbackSecretsError) -> usize {
    match error {
        CallbackSecretsError::Malformed(line)
        | CallbackSecretsError::TooShort(line)
        | CallbackSecretsError::TooMany(line) => line,
    }
}
