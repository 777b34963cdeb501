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

/// The texts of the inbox, each with its name.
macro_rules! inbox_texts {
    ($words:expr, $($name:ident)*) => {
        [$((stringify!($name), $words.inbox.$name)),*]
    };
}

fn inbox_texts(words: &Words) -> Vec<(&'static str, &'static str)> {
    let texts = inbox_texts![
        words,
        inbox sign_in sign_out secret_key secret_key_help wrong_key too_many_keys
        link_used waiting timed_out created due no_deadline delivery_failed search_for
        search filters clear_filters tag older_than due_within any many_rows nothing_waits
        nothing_here nothing_matches searched_to search_on next_page first_page mark_all
        review_marked new_arrived may_be_old changed show_changes shortcuts key_move
        key_mark key_open key_approve key_reject key_back keys_on close manage
        new_deadline change_deadline notify_again notify_help withdraw withdraw_help
        details id status tags idempotency_key output overrules at_deadline no_vote_yet
        deliveries environment_webhook request_webhook upstream pending delivered failed
        attempts next_attempt history notified reminded voted callback_ignored
        done_decided done_withdrawn done_extended done_notified not_waiting
        deadline_passed reason_long reminded_recently nobody_to_notify stale not_confirmed
        marked left_alone none_waits nothing_shared outcome done already_decided
        not_offered not_found unconfirmed not_reached not_found_help nothing_done
        open_again from_other_site nothing_marked nothing_marked_help too_many_marked
        too_many_marked_help elsewhere elsewhere_help no_access no_access_help
    ];
    texts.into()
}

#[test]
fn every_language_has_the_inbox_in_its_own_words() {
    // Words that another language has taken from English, or that both have from Latin.
    let shared = ["details", "status", "upstream"];
    for words in ALL.into_iter().skip(1) {
        for ((name, here), (_, there)) in inbox_texts(en()).into_iter().zip(inbox_texts(words)) {
            let place = format!("{} {name}: {there}", words.lang);
            assert!(!there.is_empty(), "{place}");
            assert!(there != here || shared.contains(&name), "{place}");
            for part in ["{n}", "{t}"] {
                let count = |text: &str| text.matches(part).count();
                assert_eq!(count(there), count(here), "{place}");
            }
        }
        for (there, here) in words.inbox.spans.into_iter().zip(en().inbox.spans) {
            assert!(there != here, "{}: {there}", words.lang);
        }
    }
}
