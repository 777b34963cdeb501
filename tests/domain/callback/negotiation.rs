//! Who sends a callback, and which answer it reads.
use crate::tests::domain::api::{FORM, JSON};
use waitpoint::domain::callback::media_type::MediaType;
use waitpoint::domain::callback::negotiation::{Sender, prefers_html};

#[test]
fn parameters_of_a_media_type() {
    for (text, essence, charset, boundary) in [
        ("", "", None, None),
        ("Text/Plain", "text/plain", None, None),
        (
            "text/plain ;charset=UTF-8",
            "text/plain",
            Some("UTF-8"),
            None,
        ),
        (
            "a/b; x=\"; charset=no\"; Charset = \"koi8-r\" ; boundary=a=b",
            "a/b",
            Some("koi8-r"),
            Some("a=b"),
        ),
        (
            "multipart/form-data; boundary=\"a;b\"",
            "multipart/form-data",
            None,
            Some("a;b"),
        ),
        ("a/b; charset=one; charset=two", "a/b", Some("one"), None),
        ("a/b; charset=", "a/b", None, None),
        ("a/b; charset=\"open", "a/b", Some("open"), None),
        (";;;", "", None, None),
    ] {
        let media = MediaType::parse(text);
        assert_eq!(
            (media.essence(), media.charset(), media.boundary()),
            (essence, charset, boundary),
            "{text}"
        );
    }
}

#[test]
fn html_is_for_those_who_rank_it_above_json() {
    for (accept, html) in [
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            true,
        ),
        ("text/html", true),
        ("text/*", true),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", true),
        ("application/json;q=0.8, text/html;q=0.9", true),
        ("", false),
        ("*/*", false),
        ("application/json,text/html", false),
        (
            "application/json,text/html,application/xhtml+xml,application/xml,text/*;q=0.9, image/*;q=0.8, */*;q=0.7",
            false,
        ),
        ("text/html;q=0", false),
        ("text/html;q=0.5, application/json", false),
        ("text/html;q=x", true),
        ("TEXT/HTML;Q=0.9, */*;q=0.1", true),
        ("*/*, text/html;q=0.3", false),
        (",;,", false),
    ] {
        assert_eq!(prefers_html(accept), html, "{accept}");
    }
}

#[test]
fn without_a_nonce_it_is_a_machine_unless_a_browser_navigates_with_a_form() {
    for (content_type, nonce, navigates, sender) in [
        (FORM, true, true, Sender::Page),
        (FORM, true, false, Sender::Page),
        (FORM, false, true, Sender::Browser),
        (
            "multipart/form-data; boundary=x",
            false,
            true,
            Sender::Browser,
        ),
        ("text/plain;charset=UTF-8", false, true, Sender::Browser),
        (FORM, false, false, Sender::Machine),
        (JSON, false, true, Sender::Machine),
        ("text/xml", false, true, Sender::Machine),
        ("application/cloudevents+json", false, true, Sender::Machine),
        ("", false, true, Sender::Machine),
    ] {
        let media = MediaType::parse(content_type);
        assert_eq!(
            Sender::of(&media, nonce, navigates),
            sender,
            "{content_type}"
        );
    }
}
