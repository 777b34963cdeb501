//! What an agent asks.
use super::{ALL, NONE, NOW};
use waitpoint::domain::api::create::CreateRequest;
use waitpoint::domain::mcp::ask::{
    AGENT_TAG, Question, check_not_of_agent, check_same_question, is_of_agent,
};
use waitpoint::domain::mcp::rights::Rights;
use waitpoint::domain::token::Token;

fn parse(arguments: &str, rights: Rights) -> Result<Question, String> {
    Question::parse(arguments, rights, NOW)
}

#[test]
fn a_question_is_a_create_that_somebody_hears_of() {
    let asked = r#"{"title":"Delete?","notify":[{"slack":"ops"}],"timeout":"2h",
        "idempotencyKey":"deploy-42"}"#;
    let question = parse(asked, NONE).unwrap();
    assert!(!question.returns_link);
    assert_eq!(question.recipients.len(), 1);
    let body = format!(
        r#"{{"timeout":"2h","tags":["{AGENT_TAG}"],"idempotencyKey":"{AGENT_TAG}:deploy-42",
        "approval":{{"title":"Delete?","requestedBy":"AI agent"}},"notify":[{{"slack":"ops"}}]}}"#
    );
    let request = CreateRequest::parse(body.as_bytes(), NOW).unwrap();
    assert_eq!(question.request, request);
    let shown = parse(r#"{"title":"?","notify":[ ],"returnLink":true}"#, ALL).unwrap();
    assert!(shown.returns_link && shown.recipients.is_empty());
    let day = NOW.plus(std::time::Duration::from_hours(24));
    assert_eq!(shown.request.timeout_at, Some(day));
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
        (r#"{"title":"?","notify":[[]]}"#, "entry 0"),
        (r#"{"title":"?","notify":{}}"#, "not a list"),
        (
            r#"{"title":"?","choices":[],"notify":[{"slack":"ops"}]}"#,
            "choices",
        ),
        (
            r#"{"title":"?","timeout":"soon","notify":[{"slack":"ops"}]}"#,
            "soon",
        ),
        (r#"{"title":"?","title":"!"}"#, r#""title" is given twice"#),
        (
            r#"{"title":"?","tags":["x"]}"#,
            r#""tags" is not an argument"#,
        ),
    ] {
        let why = parse(arguments, ALL).unwrap_err();
        assert!(why.contains(told), "{arguments}: {why}");
    }
}

#[test]
fn who_may_not_decide_gets_no_link() {
    let mail = Rights {
        links: false,
        mail: true,
    };
    for (more, rights, told) in [
        (r#""returnLink":true"#, mail, "returnLink is not allowed"),
        (
            r#""notify":[{"email":"a@b.example"}],"returnLink":true"#,
            mail,
            "returnLink is not allowed",
        ),
        (
            r#""notify":[{"email":"a@b.example"},{"webhook":"https://a.example"}]"#,
            mail,
            "notify may not name a webhook",
        ),
        (
            r#""notify":[{"web\u0068ook":"https://a.example"}]"#,
            mail,
            "notify may not name a webhook",
        ),
        (
            r#""notify":[{"slack":"ops"},{"email":"a@b.example"}]"#,
            NONE,
            "may not name an e-mail address here: as NOTIFY_DOMAINS is not set",
        ),
        (r#""description":"x""#, mail, "Nobody would hear"),
    ] {
        let arguments = format!(r#"{{"title":"?",{more}}}"#);
        let why = parse(&arguments, rights).unwrap_err();
        assert!(why.contains(told), "{arguments}: {why}");
        assert!(
            !why.contains("returnLink: true"),
            "it is not advised: {why}"
        );
    }
    let why = parse(r#"{"title":"?"}"#, ALL).unwrap_err();
    assert!(why.contains("returnLink: true"), "{why}");
    parse(r#"{"title":"?","notify":[{"email":"a@b.example"}]}"#, mail).unwrap();
    parse(
        r#"{"title":"?","notify":[{"webhook":"https://a.example"}]}"#,
        ALL,
    )
    .unwrap();
}

#[test]
fn nothing_of_the_api_looks_like_an_agents() {
    let check = |body: &str| {
        let request = CreateRequest::parse(body.as_bytes(), NOW).unwrap();
        check_not_of_agent(&request).map_err(|error| error.to_string())
    };
    for (body, path) in [
        (r#"{"tags":["a","waitpoint:agent"]}"#, "tags"),
        (r#"{"tags":"waitpoint:agent:1"}"#, "tags"),
        (
            r#"{"idempotencyKey":"waitpoint:agent:deploy"}"#,
            "idempotencyKey",
        ),
    ] {
        let why = check(body).unwrap_err();
        assert!(why.contains(path) && why.contains("reserved"), "{why}");
    }
    for body in [
        "{}",
        r#"{"tags":["agent","waitpoint:other"],"idempotencyKey":"mcp"}"#,
    ] {
        check(body).unwrap();
    }
    let mut token = Token::new(NOW, None, vec!["mcp".to_owned()]);
    assert!(!is_of_agent(&token));
    token.tags.push(AGENT_TAG.to_owned());
    assert!(is_of_agent(&token));
}

#[test]
fn a_key_answers_no_other_question() {
    let approval = |title: &str| format!(r#"{{"title":"{title}","requestedBy":"AI agent"}}"#);
    let mut found = Token::new(NOW, None, Vec::new());
    found.approval = Some(approval("Lunch?"));
    check_same_question(Some(&approval("Lunch?")), "abc", &found).unwrap();
    let why = check_same_question(Some(&approval("Delete?")), "abc", &found).unwrap_err();
    assert!(
        why.contains("\"Lunch?\"") && why.contains("waitpoint_abc"),
        "{why}"
    );
}
