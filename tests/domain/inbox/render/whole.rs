//! Every page, in every language.
use super::samples::pages;
use super::*;
use waitpoint::domain::inbox::render::{CSS, JS};
use waitpoint::domain::page::CSS as PAGE_CSS;
use waitpoint::domain::page::i18n::ALL;

/// The elements that hold a sentence.
const EACH: [&str; 9] = [
    "h1", "h2", "p", "a", "label", "summary", "dt", "dd", "button",
];

/// Whether an element of this name is empty, as it is where a sentence is missing.
fn has_empty(html: &str, element: &str) -> bool {
    html.split(&format!("<{element}")).skip(1).any(|rest| {
        let (tag, rest) = rest.split_once('>').unwrap();
        (tag.is_empty() || tag.starts_with(' ')) && rest.starts_with(&format!("</{element}>"))
    })
}

#[test]
fn every_page_is_whole_in_every_language() {
    for words in ALL {
        for (name, page) in pages(words) {
            let name = format!("{} {name}", words.lang);
            let html = format!(r#"<html lang="{}" dir="{}">"#, words.lang, words.dir);
            assert!(page.contains(&html), "{name}");
            assert!(page.ends_with("</html>"), "{name}: {page}");
            assert_eq!(page.matches("<h1").count(), 1, "{name}");
            assert_eq!(page.matches("<main>").count(), 1, "{name}");
            for element in EACH {
                assert!(
                    !has_empty(main_of(&page), element),
                    "{name}: {element} in {page}"
                );
            }
            for left in ["{n}", "{t}", "{{", "\">,"] {
                assert!(!main_of(&page).contains(left), "{name}: {left}");
            }
        }
    }
}

#[test]
fn every_form_is_the_operators_own_and_every_id_is_given_once() {
    for (name, page) in pages(en()) {
        let forms = page.split("<form").skip(1);
        let mut posts = 0;
        for form in forms {
            let (form, _) = form.split_once("</form>").unwrap();
            let (tag, _) = form.split_once('>').unwrap();
            if tag.contains(r#"method="post""#) {
                posts += 1;
                let nonce = r#"<input type="hidden" name="waitpoint_nonce" value="NONCE">"#;
                assert_eq!(form.matches(nonce).count(), 1, "{name}: {form}");
            }
        }
        assert!(posts > 0, "{name}: one can sign in or out");
        let ids: Vec<_> = page.split(" id=\"").skip(1).collect();
        let mut ids: Vec<_> = ids
            .iter()
            .map(|rest| rest.split('"').next().unwrap())
            .collect();
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count, "{name}: {ids:?}");
    }
}

#[test]
fn a_page_holds_what_its_policy_allows_and_nothing_else() {
    assert!(!CSS.contains("</") && !JS.contains("</"));
    for (name, page) in pages(en()) {
        let rest = page
            .replacen(PAGE_CSS, "", 1)
            .replacen(CSS, "", 1)
            .replacen(JS, "", 1);
        let scripts = usize::from(!name.starts_with("sign-in"));
        assert_eq!(rest.matches("<style></style>").count(), 2, "{name}");
        assert_eq!(rest.matches("<script></script>").count(), scripts, "{name}");
        assert_eq!(rest.matches("<style").count(), 2, "{name}");
        assert_eq!(rest.matches("<script").count(), scripts, "{name}");
        for inline in [
            " style=",
            " onclick=",
            " onload=",
            "javascript:",
            "<img",
            "http-equiv",
        ] {
            assert!(!rest.contains(inline), "{name}: {inline}");
        }
        for link in rest.split(" href=\"").skip(1) {
            let to = link.split('"').next().unwrap();
            assert!(
                to == "data:," || to.starts_with("/inbox") || to.starts_with('#'),
                "{name}: {to}"
            );
        }
    }
}
