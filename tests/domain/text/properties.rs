//! What holds for any text.
use super::ENGLAND;
use proptest::prelude::*;
use std::time::{Duration, Instant};
use unicode_normalization::UnicodeNormalization;
use waitpoint::domain::text::{is_same_word, looks_alike, single_line, strip_invisible};

/// A caller may send megabytes before a length is looked at, and a form may hold 32 kB.
#[test]
fn what_repeats_costs_no_more_than_its_length() {
    for piece in [
        "\u{200c}",
        "\u{200d}",
        "\u{fe0f}",
        "\u{180b}",
        "\u{e0067}",
        "\u{301}",
        "\u{338}",
        "م\u{200c}",
        "a\u{323}\u{301}",
    ] {
        for start in ["م", "👩", "a", "ᠠ", "🏴", "1"] {
            let text = format!("{start}{}", piece.repeat(100_000));
            let begun = Instant::now();
            let shown = strip_invisible(&text);
            assert!(shown.len() <= text.len());
            assert!(is_same_word(&text, &shown));
            // It takes some tenths of a second. It would be minutes if each character looked at
            // all that follow.
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{start} {piece:?}"
            );
        }
    }
}

/// Texts of characters that are kept under conditions, and of those that the conditions name.
fn texts() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "1",
        " ",
        "\n",
        "é",
        "É",
        "I",
        "а",
        "是",
        "豈",
        "👩",
        "❤",
        "🏴",
        "🏽",
        "م",
        "ق",
        "क",
        "\u{94d}",
        "ᠠ",
        "က",
        "=",
        "각",
        "Å",
        "ﬁ",
        "\u{200c}",
        "\u{200d}",
        "\u{fe0e}",
        "\u{fe0f}",
        "\u{fe00}",
        "\u{20e3}",
        "\u{180b}",
        "\u{180e}",
        "\u{e0067}",
        "\u{e0062}",
        "\u{e0065}",
        "\u{e006e}",
        "\u{e007f}",
        "\u{301}",
        "\u{323}",
        "\u{338}",
        "\u{489}",
        "\u{202e}",
        "\u{34f}",
        "\u{1039}",
        "\u{344}",
        ENGLAND,
    ];
    let piece = prop_oneof![
        8 => proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn stripped_is_stripped(text in texts()) {
        let once = strip_invisible(&text);
        prop_assert_eq!(&strip_invisible(&once), &once, "{}", text.escape_unicode());
        let line = single_line(&text);
        prop_assert_eq!(&single_line(&line), &line);
        prop_assert!(once.len() <= text.len());
    }

    #[test]
    fn the_same_word_looks_the_same(a in texts(), b in texts()) {
        prop_assert!(looks_alike(&a, &a) && is_same_word(&a, &a));
        prop_assert!(looks_alike(&a, &strip_invisible(&a)));
        prop_assert_eq!(looks_alike(&a, &b), looks_alike(&b, &a));
        prop_assert!(!is_same_word(&a, &b) || looks_alike(&a, &b));
        // Piles are cut before they are composed.
        let composed: String = single_line(&a).nfc().collect();
        let decomposed: String = composed.nfd().collect();
        if single_line(&composed) == composed && single_line(&decomposed) == decomposed {
            prop_assert!(looks_alike(&composed, &decomposed), "{} {}", composed.escape_unicode(), decomposed.escape_unicode());
        }
    }
}
