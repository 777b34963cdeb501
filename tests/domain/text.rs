//! What of a text can be seen, and which labels look the same.
use proptest::prelude::*;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use unicode_normalization::UnicodeNormalization;
use waitpoint::domain::text::{MAX_MARKS, is_same_word, looks_alike, single_line, strip_invisible};

/// A character of each kind that shows nothing where it does not belong.
pub(super) const HIDDEN: [char; 31] = [
    '\u{fe00}',
    '\u{fe0e}',
    '\u{fe0f}',
    '\u{200b}',
    '\u{200c}',
    '\u{200d}',
    '\u{17b4}',
    '\u{17b5}',
    '\u{180b}',
    '\u{180e}',
    '\u{180f}',
    '\u{e0100}',
    '\u{e01ef}',
    '\u{1d173}',
    '\u{1d17a}',
    '\u{1bca0}',
    '\u{1bca3}',
    '\u{fffc}',
    '\u{338}',
    '\u{13430}',
    '\u{1343f}',
    '\u{1107f}',
    '\u{1d159}',
    '\u{3164}',
    '\u{ad}',
    '\u{e0041}',
    '\u{e007f}',
    '\u{202e}',
    '\u{fdd0}',
    '\u{2d7f}',
    '\u{16fe4}',
];

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
/// Of general category `Cf`, those that are not among them and have no glyph.
const FORMAT: [(u32, u32); 2] = [(0xfff9, 0xfffb), (0x13430, 0x1343f)];

fn chars(spans: &[(u32, u32)]) -> impl Iterator<Item = char> + '_ {
    let codes = spans.iter().flat_map(|&(first, last)| first..=last);
    codes.filter_map(char::from_u32)
}

fn all() -> impl Iterator<Item = char> {
    '\u{80}'..=char::MAX
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

#[test]
fn a_label_is_typed_whatever_its_case() {
    assert!(is_same_word(" approve ", "Approve"));
    assert!(is_same_word("承認", "承認"));
    assert!(is_same_word("delete all", "Delete\n all"));
    // As a phone or a file's name has it.
    assert!(is_same_word("loschen\u{308}", "loscheN\u{308}"));
    assert!(is_same_word(
        "Genehmige \u{dc}bung",
        "genehmige U\u{308}bung"
    ));
    assert!(is_same_word("a\u{323}\u{302}", "ậ") && is_same_word("a\u{302}\u{323}", "ậ"));
    assert!(is_same_word("각", "각"));
    assert!(is_same_word("❤", "❤\u{fe0f}"));
    assert!(is_same_word("می\u{200c}خواهم", "میخواهم"));
    assert!(!is_same_word("", "Approve"));
    assert!(!is_same_word("Approve it", "Approve"));
    assert!(!is_same_word("Аpprove", "Approve"));
    assert!(
        !is_same_word("да", "Да"),
        "there are no tables of case for this"
    );
    assert!(!is_same_word("Loschen", "Löschen"));
}

#[test]
fn what_is_canonically_the_same_is_the_same_word() {
    for c in all() {
        let (text, parts) = (c.to_string(), c.nfd().collect::<String>());
        if parts == text {
            continue;
        }
        // Beside a letter, as a mark alone is none.
        let [text, parts] = [text, parts].map(|text| format!("o{text}"));
        assert!(looks_alike(&text, &parts), "{c:?}");
        let is_ideograph = matches!(c, '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}');
        assert!(is_same_word(&text, &parts) || is_ideograph, "{c:?}");
    }
}

#[test]
fn what_looks_like_a_letter_of_ascii_is_like_it() {
    let mut found = 0;
    for c in all() {
        let text = c.to_string();
        let like: String = unicode_security::confusable_detection::skeleton(&text).collect();
        if single_line(&text) != text || !like.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            continue;
        }
        let is_left_out = matches!(c,
            // In a circle, in parentheses, or of alchemy.
            '\u{2460}'..='\u{24ff}' | '\u{3200}'..='\u{33ff}' | '\u{1f100}'..='\u{1f77f}' | '\u{1df00}'..);
        if is_left_out {
            continue;
        }
        found += 1;
        assert!(looks_alike(&text, &like), "{c:?} {like}");
    }
    assert!(found > 1_500, "{found}");
}

#[test]
fn labels_that_look_the_same_are_alike() {
    for (a, b) in [
        ("Approve", "Approve"),
        ("Approve", "APPROVE"),
        ("Approve", " approve\n"),
        ("Approve", "Аpprove"),
        ("Approve", "Αpprove"),
        ("Approve", "Ꭺpprove"),
        ("Approve", "ꓮpprove"),
        ("Approve", "Ａｐｐｒｏｖｅ"),
        ("APPROVE", "ａｐｐｒｏｖｅ"),
        ("Approve", "𝐀𝐩𝐩𝐫𝐨𝐯𝐞"),
        ("Approve", "𝒜𝓅𝓅𝓇ℴ𝓋ℯ"),
        ("Approve", "Ⓐⓟⓟⓡⓞⓥⓔ"),
        ("approve", "аррrоvе"),
        ("Approve", "Appr\u{585}ve"),
        ("Approve", "A\u{338}pprove"),
        ("Approve", "App\u{335}rove"),
        ("Approve", "A\u{20dd}pprove"),
        ("OK", "0K"),
        ("OK", "ОК"),
        ("v1.0", "v1.O"),
        ("v1.0", "v1.o"),
        ("1", "l"),
        ("I", "l"),
        ("|", "l"),
        ("Identify", "identify"),
        ("Identify", "ldentify"),
        ("modern", "rnodem"),
        ("Find", "ﬁnd"),
        ("VIII", "Ⅷ"),
        ("é", "e\u{301}"),
        ("ệ", "ẹ\u{302}"),
        ("Übung", "U\u{308}bung"),
        ("übung", "Übung"),
        ("Да", "ДА"),
        ("Да", "да"),
        ("ΝΑΙ", "ναι"),
        ("Ω", "Ω"),
        ("Å", "A\u{30a}"),
        ("K", "K"),
        ("각", "각"),
        ("ガ", "カ\u{3099}"),
        ("ガ", "ｶﾞ"),
        ("工", "エ"),
        ("口", "ロ"),
        ("へ", "ヘ"),
        ("豈", "豈"),
        ("⼀", "一"),
        ("نعم", "ﻧﻌﻢ"),
        ("لا", "ﻻ"),
        ("يقبل", "یقبل"),
        ("ك", "ک"),
        ("٤", "۴"),
        ("می\u{200c}خواهم", "میخواهم"),
        ("❤", "❤\u{fe0f}"),
        ("a\u{2009}b", "a b"),
        ("It's", "It’s"),
        ("Før", "Fo\u{338}r"),
        ("a ≠ b", "a =\u{338} b"),
        ("۝١", "١"),
        ("\u{e000}", "\u{e001}"),
        ("က\u{1039}", "က"),
        ("ь", "Ь"),
        ("a-b", "a‐b"),
        ("Stop", "Ѕtop"),
        ("Иет", "Иeт"),
    ] {
        assert!(looks_alike(a, b), "{a} {b}");
        assert!(looks_alike(b, a), "{b} {a}");
    }
}

#[test]
fn labels_whose_parts_change_places_are_alike() {
    for (a, b) in [
        ("OK אישור", "אישור OK"),
        ("نعم yes", "yes نعم"),
        ("🇳🇴", "🇧🇻"),
        ("Go 🇫🇷", "Go 🇨🇵"),
        ("🇺🇸🇳🇴", "🇺🇲🇸🇯"),
        ("ー", "一"),
        ("—", "一"),
        ("り", "リ"),
    ] {
        assert!(looks_alike(a, b), "{a} {b}");
    }
    for (a, b) in [
        ("🇳🇴", "🇸🇪"),
        ("🇧🇳🇴🇻", "🇧🇻🇳🇴"),
        ("אישור", "דחייה"),
        ("OK אישור", "OK דחייה"),
        ("a b", "b a"),
        ("一", "二"),
    ] {
        assert!(!looks_alike(a, b), "{a} {b}");
    }
}

#[test]
fn other_labels_are_not() {
    let groups: &[&[&str]] = &[
        &["Approve", "Reject", "Approve all", "Approved", "Abstain"],
        &["Option 1", "Option 2", "Option 3", "Option A", "Option B"],
        &["A", "B", "C", "D", "E", "F"],
        &["10%", "100%", "25%", "50%", "≥ 50%", "≤ 50%"],
        &["=", "≠", "<", ">", "≤", "≥"],
        &["+1", "-1", "0", "±1"],
        &["1", "2", "3", "4", "5", "6"],
        &["①", "②", "③"],
        &["Yes", "No", "Maybe"],
        &["Да", "Нет", "Не знаю"],
        &["Ναι", "Όχι"],
        &["是", "否", "批准", "拒绝"],
        &["土", "士", "未", "末", "日", "曰"],
        &["はい", "いいえ", "バ", "パ", "ハ"],
        &["네", "아니요", "각", "간"],
        &["نعم", "لا", "قبول", "رفض"],
        &["כן", "לא"],
        &["हाँ", "नहीं", "कि", "की", "कु"],
        &["ใช่", "ไม่", "กิ", "กี"],
        &["Có", "Không", "Bán", "Bạn", "Bàn"],
        &["Sí", "Si", "Año", "Ano", "Über", "Uber"],
        &["Mail", "Mall", "Fail", "Fall"],
        &["m²", "m2", "10²", "102"],
        &["v1.0", "v1.1", "v10", "v2.0"],
        &["👍", "👎", "👍🏽", "👍🏿", "❤", "💔"],
        &["🇩🇪", "🇫🇷", "🏴", ENGLAND, SCOTLAND],
        &["€", "$", "£", "¥"],
        &["→", "←", "↑", "↓"],
        &["prod-eu", "prod-us", "prod_eu"],
    ];
    for group in groups {
        for (place, a) in group.iter().enumerate() {
            for b in group.iter().skip(place + 1) {
                assert!(!looks_alike(a, b), "{a} {b}");
            }
        }
    }
}

const ENGLAND: &str = "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}";
const SCOTLAND: &str = "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";

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
            // Some tenths of a second, and minutes were each character to look at all that follow.
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{start} {piece:?}"
            );
        }
    }
}

/// Texts of what is kept under conditions, and what those are about.
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
