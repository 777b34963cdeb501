//! Texts of others stay in their place.
use super::*;
use waitpoint::domain::page::{CSS, JS};

#[test]
fn texts_cannot_pretend_to_be_others() {
    let json = serde_json::json!({ "title": "pay\u{202e}1\t000\u{200b}€\u{0007}\n", "choices": [{ "label": "\u{2066}Yes" }] });
    let page = opened(&waiting(&json.to_string()), Reads::Everything);
    assert!(
        page.contains(">pay1 000€<") && page.contains(r#"<bdi lang="">Yes</bdi>"#),
        "{page}"
    );
}

#[test]
fn nothing_that_is_written_leaves_its_place() {
    let evil = r#""'><script>alert(1)</script><img src=x onerror=alert(1)> {{7*7}} </textarea></title>&lt;"#;
    let json = serde_json::json!({ "title": evil, "description": evil, "requestedBy": evil,
        "choices": [{ "label": &evil[..40] }] });
    let token = waiting(&json.to_string());
    let page = form_again(&token, &input("", evil, evil), &FormError::Stale);
    let harmless = form_again(
        &waiting(r#"{"title":"x","description":"x","requestedBy":"x","choices":[{"label":"x"}]}"#),
        &input("", "x", "x"),
        &FormError::Stale,
    );
    let tags = |page: &str| page.matches('<').count();
    assert_eq!(tags(&page), tags(&harmless), "{page}");
}

#[test]
fn styles_and_script_end_where_the_template_ends_them() {
    assert!(!CSS.contains("</") && !JS.contains("</"));
}
