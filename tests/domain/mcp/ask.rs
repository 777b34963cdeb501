//! What an agent asks.
use waitpoint::domain::mcp::ask::Question;

#[test]
fn a_question_is_a_create_that_somebody_hears_of() {
    let asked = r#"{"title":"Delete?","notify":[{"email":"ann@example.com"}],"timeout":"2h"}"#;
    let question = Question::parse(asked, false).unwrap();
    assert!(!question.returns_link);
    assert_eq!(
        question.body,
        r#"{"timeout":"2h","tags":["mcp"],"approval":{"title":"Delete?"},"notify":[{"email":"ann@example.com"}]}"#
    );
    let shown = Question::parse(r#"{"title":"?","notify":[ ],"returnLink":true}"#, true).unwrap();
    assert!(shown.returns_link);
    assert_eq!(
        shown.body,
        r#"{"timeout":"1d","tags":["mcp"],"approval":{"title":"?"}}"#
    );
}

#[test]
fn what_is_refused_is_quoted_as_it_was_sent() {
    for (arguments, told) in [
        ("7", "not an object"),
        ("{}", "title is missing"),
        (r#"{"title":7}"#, "title is 7. Use a string."),
        (r#"{"title":{"a":1}}"#, r#"title is {"a":1}. Use a string."#),
        (
            r#"{"title":"?","returnLink":"yes"}"#,
            r#"returnLink is "yes". Use true or false."#,
        ),
        (
            r#"{"title":"?","returnLink":1}"#,
            "returnLink is 1. Use true or false.",
        ),
        (r#"{"title":"?"}"#, "Nobody would hear"),
        (
            r#"{"title":"?","notify":null,"returnLink":false}"#,
            "Nobody would hear",
        ),
        (r#"{"title":"?","notify":[[]]}"#, "Nobody would hear"),
        (r#"{"title":"?","title":"!"}"#, r#""title" is given twice"#),
        (
            r#"{"title":"?","tags":["x"]}"#,
            r#""tags" is not an argument"#,
        ),
    ] {
        let why = Question::parse(arguments, true).unwrap_err();
        assert!(why.contains(told), "{arguments}: {why}");
    }
}

#[test]
fn who_may_not_decide_gets_no_link() {
    for (arguments, told) in [
        (r#"{"title":"?","returnLink":true}"#, "returnLink is not"),
        (
            r#"{"title":"?","notify":[{"email":"a@b.example"}],"returnLink":true}"#,
            "returnLink is not",
        ),
        (
            r#"{"title":"?","notify":[{"email":"a@b.example"},{"webhook":"https://a.example"}]}"#,
            "notify may not name a webhook",
        ),
        (
            r#"{"title":"?","notify":[{"email":"a@b.example","web\u0068ook":"https://a.example"}]}"#,
            "notify may not name a webhook",
        ),
    ] {
        let why = Question::parse(arguments, false).unwrap_err();
        assert!(why.contains(told), "{arguments}: {why}");
        Question::parse(arguments, true).unwrap();
    }
}
