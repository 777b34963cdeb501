//! Which labels look the same, and which typed words mean them.
use super::{ENGLAND, SCOTLAND, all};
use unicode_normalization::UnicodeNormalization;
use waitpoint::domain::text::{is_same_word, looks_alike, single_line};

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
