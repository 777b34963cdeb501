use super::*;
use std::fs;
use std::path::Path;
use waitpoint::domain::notice::email::{Email, render};
use waitpoint::domain::page::i18n::ALL;

#[test]
fn the_subject_is_one_line() {
    let subject = |notice: &Notice<'_>| render(en(), notice).subject;
    let asked = token(&serde_json::json!({ "title": "Deploy?\r\nBcc: eve@example.com" }));
    assert_eq!(subject(&created(&asked)), "Deploy? Bcc: eve@example.com");
    assert_eq!(
        subject(&reminder(&asked)),
        "Reminder: Deploy? Bcc: eve@example.com"
    );
    let long = token(&serde_json::json!({ "title": "é🦀".repeat(300) }));
    let long = subject(&reminder(&long));
    assert_eq!(long.chars().count(), 200);
    assert!(
        long.starts_with("Reminder: é🦀é") && long.ends_with('…'),
        "{long}"
    );
}

#[test]
fn texts_of_others_stay_in_their_place() {
    let [hostile, harmless] = [EVIL, "x"].map(|text| render(en(), &reminder(&saying(text))).html);
    for mark in ["<", ">", "\"", "'", "https://"] {
        assert_eq!(
            hostile.matches(mark).count(),
            harmless.matches(mark).count(),
            "{mark} in {hostile}"
        );
    }
    assert!(!hostile.contains("<script") && !hostile.contains('\u{202e}'));

    let link = "https://x.example/\"><b>&'";
    let html = render(
        en(),
        &Notice {
            link,
            ..created(&saying("x"))
        },
    )
    .html;
    assert!(!html.contains("<b>&"), "{html}");
}

#[test]
fn there_is_one_link_and_nothing_from_elsewhere() {
    let asked = saying("x");
    for notice in [created(&asked), reminder(&asked)] {
        let Email { html, text, .. } = render(en(), &notice);
        assert_eq!(html.matches("<a").count(), 1);
        assert_eq!(html.matches(&format!("href=\"{LINK}\"")).count(), 1);
        assert_eq!(html.matches("href").count(), 1);
        // As text, for those whose button does not work.
        assert_eq!(html.matches("http").count(), html.matches(LINK).count());
        assert_eq!(html.matches(LINK).count(), 2);
        for load in [
            "<img", "<link", "<script", "<form", "src=", "url(", "@import", "@font",
        ] {
            assert!(!html.contains(load), "{load}");
        }
        assert_eq!(text.matches("http").count(), 1);
        assert!(text.lines().any(|line| line == LINK), "{text}");
    }
}

#[test]
fn line_breaks_of_a_description_are_kept() {
    let asked = token(&serde_json::json!({ "title": "T", "description": "a\r\nb\n\nc <d>" }));
    let Email { html, text, .. } = render(en(), &created(&asked));
    assert!(
        html.contains(">a<br>\nb<br>\n<br>\nc &#60;d&#62;</p>"),
        "{html}"
    );
    assert!(text.contains("\na\nb\n\nc <d>\n"), "{text}");
}

#[test]
fn the_plain_text_says_all_of_it() {
    let asked = token(&serde_json::json!({
        "title": "Deploy 2.4?", "description": "All tests pass.", "requestedBy": "Ann Miller",
    }));
    let expected = "Reminder: Deploy 2.4?

Requested by Ann Miller
Decide by 5\u{a0}January 2027, 08:09\u{a0}UTC

All tests pass.

View request
LINK

Opening the link decides nothing.
Forward this email only to people who may decide.
";
    let text = render(en(), &reminder(&asked)).text;
    assert_eq!(text, expected.replace("LINK", LINK));

    let bare = Token {
        approval: None,
        timeout_at: None,
        ..asked
    };
    let text = render(en(), &created(&bare)).text;
    assert!(
        text.starts_with("Your decision is needed\n\nView request\nhttps://"),
        "{text}"
    );
}

#[test]
fn every_language_has_its_direction_and_its_date() {
    let dates = [
        "5\u{a0}January 2027, 08:09\u{a0}UTC",
        "5.\u{a0}Januar 2027, 08:09\u{a0}Uhr\u{a0}(UTC)",
        "5\u{a0}janvier 2027 à\u{a0}08:09\u{a0}(UTC)",
        "5 de enero de 2027, 08:09\u{a0}(UTC)",
        "5 de janeiro de 2027, 08:09\u{a0}(UTC)",
        "2027年1月5日 08:09（UTC）",
        "2027年1月5日 08:09（UTC）",
        "5 يناير 2027، 08:09\u{a0}(UTC)",
    ];
    for (words, date) in ALL.into_iter().zip(dates) {
        let asked = Token {
            approval: None,
            ..token(&serde_json::json!({}))
        };
        let notice = Notice::of(&asked, TokenEvent::Reminder(DEADLINE), words, LINK);
        let Email {
            subject,
            html,
            text,
        } = render(words, &notice);
        let language = format!("lang=\"{}\" dir=\"{}\">", words.lang, words.dir);
        // Mail programs drop the first with its element.
        assert_eq!(html.matches(&language).count(), 2, "{html}");
        assert!(html.contains(date) && text.contains(date), "{text}");
        assert_eq!(subject, format!("{}{}", words.reminder_of, words.question));
        assert!(words.reminder_of.starts_with(words.reminder));
        for part in [words.open_request, words.link_safe, words.forward] {
            assert!(html.contains(part) && text.contains(part), "{part}");
        }
        assert!(html.contains(words.link_help));
        if words.lang != "en" {
            assert_ne!(words.open_request, en().open_request);
        }
    }
}

#[test]
fn every_month_has_a_name() {
    for words in ALL {
        let days = (0..12).map(|month| DEADLINE.plus(Duration::from_secs(month * 2_629_800)));
        let texts: Vec<_> = days.map(|at| words.utc(at)).collect();
        for (text, month) in texts.iter().zip(words.months) {
            assert!(text.contains(month) && !text.contains('{'), "{text}");
        }
    }
    assert_eq!(
        en().utc(Timestamp::MAX),
        "31\u{a0}December 9999, 23:59\u{a0}UTC"
    );
}

/// Not a test: `cargo test write_the_mails -- --ignored` writes mails to `target/mails`, to be looked at.
#[test]
#[ignore = "writes files"]
fn write_the_mails() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/mails");
    fs::create_dir_all(&directory).unwrap();
    let full = token(&serde_json::json!({
        "title": "Deploy checkout 2.4.0 to production?",
        "description": "All 412 tests pass. The migration adds an index to orders and takes about \
            four minutes, during which checkout is read-only.\n\nChanges:\n- Apple Pay in 14 more \
            countries\n- Receipts as PDF\n\nhttps://ci.example.com/builds/41877/artifacts/report-with-a-very-long-name.html",
        "requestedBy": "Ann Miller, Release team",
    }));
    let arabic = token(&serde_json::json!({
        "title": "هل ننشر الإصدار 2.4.0 من checkout؟",
        "description": "نجحت جميع الاختبارات (412).\nستستغرق العملية نحو أربع دقائق.",
        "requestedBy": "أحمد",
    }));
    let bare = Token {
        approval: None,
        timeout_at: None,
        ..full.clone()
    };
    let long = saying(&"Donaudampfschifffahrtsgesellschaft/".repeat(3));
    for (name, asked, lang) in [
        ("full", &full, "en"),
        ("full", &full, "de"),
        ("full", &full, "ja"),
        ("full", &full, "ar"),
        ("arabic", &arabic, "ar"),
        ("bare", &bare, "fr"),
        ("long", &long, "en"),
        ("hostile", &saying(EVIL), "en"),
    ] {
        let words = choose(lang, "");
        let event = match name {
            "full" => TokenEvent::Reminder(DEADLINE),
            _ => TokenEvent::Created,
        };
        let mail = render(words, &Notice::of(asked, event, words, LINK));
        let path = directory.join(format!("{name}.{lang}"));
        fs::write(path.with_extension(format!("{lang}.html")), mail.html).unwrap();
        let text = format!("Subject: {}\n\n{}", mail.subject, mail.text);
        fs::write(path.with_extension(format!("{lang}.txt")), text).unwrap();
    }
}
