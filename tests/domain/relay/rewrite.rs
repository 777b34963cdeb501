//! URLs of tokens in what upstream says.
use waitpoint::domain::relay::rewrite::rewrite_urls;

#[test]
fn urls_of_tokens_lead_here_and_nothing_else_changes() {
    let edge = "https://edge.example";
    for (theirs, ours) in [
        (
            r#"{"id":"waitpoint_c1","isCached":false,"url":"https://api.trigger.dev/api/v1/waitpoints/tokens/waitpoint_c1/callback/ab"}"#,
            r#"{"id":"waitpoint_c1","isCached":false,"url":"https://edge.example/api/v1/waitpoints/tokens/waitpoint_c1/callback/ab"}"#,
        ),
        (
            r#"{"data":[{"url": "http://x/p/api/v1/waitpoints/tokens/a"},{"url":"u"}]}"#,
            r#"{"data":[{"url": "https://edge.example/api/v1/waitpoints/tokens/a"},{"url":"u"}]}"#,
        ),
        (
            r#"{"output":"{\"url\":\"https://x/api/v1/waitpoints/tokens/a\"}","url":5}"#,
            r#"{"output":"{\"url\":\"https://x/api/v1/waitpoints/tokens/a\"}","url":5}"#,
        ),
        (r#"{"url":null,"url":""}"#, r#"{"url":null,"url":""}"#),
        (
            r#"{"data":[{"url":"x/api/v1/waitpoints/tokens/a","n":{"url":"x/api/v1/waitpoints/tokens/b"}}],"url":"x/api/v1/waitpoints/tokens/c"}"#,
            r#"{"data":[{"url":"https://edge.example/api/v1/waitpoints/tokens/a","n":{"url":"x/api/v1/waitpoints/tokens/b"}}],"url":"https://edge.example/api/v1/waitpoints/tokens/c"}"#,
        ),
        (
            r#"{"approval":{"data":{"url":"x/api/v1/waitpoints/tokens/a"}},"url":"x/api/v1/waitpoints/tokens/b","data":[]}"#,
            r#"{"approval":{"data":{"url":"x/api/v1/waitpoints/tokens/a"}},"url":"https://edge.example/api/v1/waitpoints/tokens/b","data":[]}"#,
        ),
        (r#"{"url":"#, r#"{"url":"#),
        ("", ""),
    ] {
        assert_eq!(rewrite_urls(theirs, edge), ours);
    }
}

#[test]
fn a_list_that_is_longer_than_a_page_stays_as_it_is() {
    let items = format!(
        "{{\"data\":[{}{{}}]}}",
        r#"{"url":"x/api/v1/waitpoints/tokens/a"},"#.repeat(100)
    );
    assert_eq!(rewrite_urls(&items, "https://e.example"), items);
}
