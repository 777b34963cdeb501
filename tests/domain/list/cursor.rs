//! Cursors.
use super::{MAX, cursor, issues};
use proptest::prelude::*;
use waitpoint::domain::list::cursor::Cursor;

#[test]
fn a_cursor_is_what_was_written() {
    for text in ["0_a", "1790380800000_cabc", "253402300799999_Z9"] {
        assert_eq!(
            Cursor::parse(text).map(|c| c.to_text()).as_deref(),
            Some(text)
        );
    }
    for text in [
        "x",
        "_",
        "1_",
        "_a",
        "01_a",
        "00_a",
        "+1_a",
        "-1_a",
        "1 _a",
        "1_a_b",
        "1_waitpoint_a",
        "waitpoint_a",
        "1_a b",
        "1_é",
        "1_a%",
        "253402300800000_a",
        "99999999999999999999_a",
    ] {
        assert_eq!(Cursor::parse(text), None, "{text}");
    }
    assert_eq!(Cursor::parse(&format!("1_{}", "a".repeat(65))), None);
    assert_eq!(
        issues("page[after]=%22x"),
        [(
            "page[after]",
            "\"\\\"x\" is not a valid cursor. Use one from the `pagination` of a page, unchanged."
                .to_owned()
        )]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_cursor_reads_what_it_writes(millis in 0..=MAX, id in "[a-zA-Z0-9]{1,64}") {
        let cursor = cursor(millis, &id);
        let text = cursor.to_text();
        prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        prop_assert_eq!(Cursor::parse(&text), Some(cursor));
    }

    #[test]
    fn no_text_is_another_cursor(text in prop_oneof![".*", "[0-9]{0,20}_[a-zA-Z0-9_]{0,66}"]) {
        if let Some(cursor) = Cursor::parse(&text) {
            prop_assert_eq!(cursor.to_text(), text);
        }
    }
}
