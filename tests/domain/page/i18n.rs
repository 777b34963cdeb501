//! The languages of the page.
use super::*;
use waitpoint::domain::page::i18n::ALL;

#[test]
fn every_language_is_whole_and_chosen_by_name_or_header() {
    assert_eq!(
        ALL.map(|words| words.lang),
        ["en", "de", "fr", "es", "pt", "ja", "zh", "ar"]
    );
    for words in ALL {
        let state = PageState::Waiting {
            token: &waiting("{}"),
            nonce: "N",
            input: &FormInput::default(),
            error: Some(FormError::Stale),
        };
        let page = rendered(words, state);
        assert!(
            page.contains(&format!(
                r#"<html lang="{}" dir="{}">"#,
                words.lang, words.dir
            )),
            "{page}"
        );
        assert!(page.contains(words.approve) && page.contains(words.safe));
        if words.lang != "en" {
            assert_ne!(words.question, en().question);
        }
    }
    for (asked, header, lang) in [
        ("", "", "en"),
        ("", "de", "de"),
        ("", "de-AT,en;q=0.9", "de"),
        ("", "en;q=0.3, fr;q=0.8, de;q=0.5", "fr"),
        ("", "nl, ja;q=0.1", "ja"),
        ("", "zh-Hant-TW", "zh"),
        ("", "*", "en"),
        ("", "de;q=0, es;q=0.001", "es"),
        ("", "de;q=x", "en"),
        ("", ";;q=,,=;q=1;é", "en"),
        ("ar", "de", "ar"),
        ("AR_EG", "de", "ar"),
        ("xx", "de", "de"),
    ] {
        assert_eq!(choose(asked, header).lang, lang, "{asked:?} {header:?}");
    }
}
