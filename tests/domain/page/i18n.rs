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
            error: Some(&FormError::Stale),
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

#[test]
fn every_language_tells_of_withdrawals_moved_deadlines_and_default_decisions() {
    for words in ALL {
        let shown = |token: &Token| opened_in(words, token, Reads::Everything);
        let withdrawn = shown(&cancelled(Some("x")));
        let by_default = shown(&completed("1", CompletedBy::Timeout, None));
        let form = shown(&waiting("{}"));
        let late = not_recorded_in(words, &cancelled(None));
        for (page, parts) in [
            (
                &withdrawn,
                vec![
                    words.withdrawn,
                    words.request_withdrawn,
                    words.reason,
                    words.withdrawn_at,
                ],
            ),
            (&late, vec![words.withdrawn_not_recorded]),
            (&by_default, vec![words.by_timeout]),
            (
                &form,
                vec![
                    words.request_withdrawn,
                    words.deadline_passed,
                    words.show_details,
                ],
            ),
        ] {
            for part in parts {
                assert!(!part.is_empty() && page.contains(part), "{part}: {page}");
            }
        }
        if words.lang != "en" {
            for (there, here) in [
                (words.withdrawn, en().withdrawn),
                (words.request_withdrawn, en().request_withdrawn),
                (words.withdrawn_not_recorded, en().withdrawn_not_recorded),
                (words.reason, en().reason),
                (words.withdrawn_at, en().withdrawn_at),
                (words.by_timeout, en().by_timeout),
                (words.deadline_passed, en().deadline_passed),
                (words.show_details, en().show_details),
            ] {
                assert_ne!(there, here, "{}", words.lang);
            }
        }
    }
}

fn not_recorded_in(words: &Words, token: &Token) -> String {
    let state = PageState::Finished {
        token,
        reads: Reads::Everything,
        submission: Some(Submission {
            input: &FormInput::default(),
            not_recorded: NotRecorded::Withdrawn,
        }),
    };
    rendered(words, state)
}
