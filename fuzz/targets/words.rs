//! The language of a page: the first line is what `?lang=` asks, the rest an `Accept-Language` header.
#![no_main]
use libfuzzer_sys::fuzz_target;
use waitpoint::domain::page::i18n::{ALL, choose};

fuzz_target!(|text: &str| {
    let (asked, accepted) = text.split_once('\n').unwrap_or(("", text));
    let chosen = choose(asked, accepted).lang;
    for words in ALL {
        assert_eq!(choose(words.lang, accepted).lang, words.lang);
    }
    // What nobody speaks is passed over.
    if accepted.matches(',').count() < 19 {
        assert_eq!(choose(asked, &format!("tlh,{accepted}")).lang, chosen);
        assert_eq!(choose("tlh", accepted).lang, choose("", accepted).lang);
    }
    // A language is chosen because somebody named it.
    let named = text.to_ascii_lowercase().contains(chosen);
    assert!(named || chosen == "en");
});
