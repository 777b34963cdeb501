//! What of a text can be seen.
use std::fs;
use std::path::Path;
use waitpoint::domain::text::{MAX_MARKS, single_line, strip_invisible};

/// `Default_Ignorable_Code_Point` of Unicode.
const IGNORABLE: [(u32, u32); 17] = [
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x61c, 0x61c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfff8),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0000, 0xe0fff),
];
/// Characters of general category `Cf` that are not among them and have no glyph.
const FORMAT: [(u32, u32); 2] = [(0xfff9, 0xfffb), (0x13430, 0x1343f)];

fn chars(spans: &[(u32, u32)]) -> impl Iterator<Item = char> + '_ {
    let codes = spans.iter().flat_map(|&(first, last)| first..=last);
    codes.filter_map(char::from_u32)
}

#[test]
fn what_cannot_be_seen_is_left_out() {
    assert_eq!(
        strip_invisible("a\tb\r\nc\rd\u{2028}e\u{7}\u{202e}\u{ad}\u{3164}"),
        "a b\nc\nd\ne"
    );
    assert_eq!(
        single_line("  Delete\n\tall\u{a0} of it "),
        "Delete all of it"
    );
    for c in chars(&IGNORABLE).chain(chars(&FORMAT)) {
        for context in ["", "a", "是", "ب.", "ก", "あ", " "] {
            let text = format!("{context}{c}{context}");
            assert_eq!(strip_invisible(&text), context.repeat(2), "{c:?}");
        }
    }
    // The blank of Braille is one.
    assert_eq!(single_line("⠓\u{2800}⠊"), "⠓ ⠊");
    assert_eq!(single_line("\u{2800}"), "");
    // What is written around numbers can be seen.
    for c in ['\u{600}', '\u{6dd}', '\u{70f}', '\u{8e2}', '\u{110bd}'] {
        assert_eq!(strip_invisible(&c.to_string()), c.to_string());
    }
}

#[test]
fn emoji_and_scripts_keep_what_they_need() {
    for text in [
        "👩\u{200d}💻",
        "❤\u{fe0f}",
        "☎\u{fe0e}",
        "1\u{fe0f}\u{20e3}",
        "#\u{20e3}",
        "👍🏽",
        "🏳\u{fe0f}\u{200d}🌈",
        "👩🏽\u{200d}🚀",
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "🇩🇪",
        "👨\u{200d}👩\u{200d}👧",
        "👁\u{fe0f}\u{200d}🗨\u{fe0f}",
        // Persian, Hindi, Marathi, Bengali, Malayalam, Sinhala, Khmer, Mongolian, an Arabic abbreviation.
        "می\u{200c}خواهم",
        "क\u{94d}\u{200d}ष",
        "र\u{94d}\u{200d}या",
        "র\u{200d}\u{9cd}য",
        "ന\u{d4d}\u{200d}",
        "ශ\u{dca}\u{200d}රී",
        "ប\u{17ca}\u{200c}ី",
        "ᠭᠣᠣ\u{180e}ᠠ",
        "ᠠ\u{180b}ᠠ",
        "ه\u{200d}",
        "कि",
        "ที่",
        "ကြွေ့",
        "שָׁלוֹם",
        "e\u{301}",
        "a ≠ b",
        "a =\u{338} b",
        "Z̈ürich",
        "한국어",
        "ག྄ྷོ",
        "は゛",
        "が",
        "か\u{3099}",
        "○\u{20dd}",
    ] {
        assert_eq!(strip_invisible(text), text, "{}", text.escape_unicode());
    }
    for (text, shown) in [
        // Tags can hide a text behind a flag.
        ("🏴\u{e0068}\u{e0069}\u{e007f}", "🏴"),
        ("🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}", "🏴"),
        (
            "a\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "a",
        ),
        ("👩\u{200d}", "👩"),
        ("👩\u{200d}a", "👩a"),
        ("a\u{200d}👩", "a👩"),
        ("❤\u{fe0f}\u{fe0f}\u{fe0e}", "❤\u{fe0f}"),
        ("1\u{fe0f}2", "12"),
        ("می\u{200c}\u{200c}\u{200d}خواهم", "می\u{200c}خواهم"),
        ("می\u{200c}", "می"),
        ("\u{200c}می", "می"),
        ("葛\u{e0100}城", "葛城"),
        ("ᠠ\u{180b}\u{180b}", "ᠠ\u{180b}"),
        // A mark needs a letter of its own script.
        ("\u{301}a \u{301}b", "a b"),
        ("a\u{93f}b\u{1039}", "ab"),
    ] {
        assert_eq!(strip_invisible(text), shown, "{}", text.escape_unicode());
    }
    for many in [7, 60] {
        let pile = |n| format!("a{}b", "\u{301}".repeat(n));
        assert_eq!(strip_invisible(&pile(many)), pile(MAX_MARKS));
    }
}

#[test]
fn the_words_of_languages_are_as_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domain/page/i18n");
    let mut found = 0;
    for file in fs::read_dir(folder).unwrap() {
        let source = fs::read_to_string(file.unwrap().path()).unwrap();
        for (_, literal) in source
            .split('"')
            .enumerate()
            .filter(|(place, _)| place % 2 == 1)
        {
            assert_eq!(strip_invisible(literal), literal);
            found += 1;
        }
    }
    assert!(found > 8 * 45, "{found}");
    for text in [
        "Утвердить или отклонить?",
        "Να εγκριθεί;",
        "लेआउट को मंज़ूरी दें या अस्वीकार करें",
        "অনুমোদন করুন",
        "อนุมัติหรือปฏิเสธ",
        "Phê duyệt hay từ chối?",
        "לאשר או לדחות?",
        "승인 또는 거부",
        "অস্বীকৃতি",
        "ਮਨਜ਼ੂਰ ਕਰੋ",
        "ஏற்றுக்கொள்",
        "అంగీకరించు",
        "ಸ್ವೀಕರಿಸಿ",
        "സ്വീകരിക്കുക",
        "අනුමත කරන්න",
        "အတည်ပြုပါ",
        "យល់ព្រម",
        "ອະນຸມັດ",
        "ቀበል",
        "დამტკიცება",
        "Հաստատել",
        "منظور کریں",
    ] {
        assert_eq!(strip_invisible(text), text);
    }
}
