//! The text of a query says the same again, whatever was sent.
use super::query::{again, parse, position};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use waitpoint::domain::encoding::percent_encode;
use waitpoint::domain::inbox::query::{Due, InboxQuery, MAX_TEXT, Position, Span, View};

/// Texts that are easily cut, trimmed or escaped amiss.
fn hostile() -> impl Strategy<Value = String> {
    let parts = vec![
        " ",
        "\u{a0}",
        "\u{3000}",
        "\t",
        "\r\n",
        "\0",
        "%",
        "%20",
        "+",
        "&",
        "=",
        "#",
        "?",
        "_",
        "'",
        "\"",
        "<script>",
        "waitpoint_",
        "é",
        "🦀",
        "\u{202e}",
        "\u{200b}",
        "\u{feff}",
        "e\u{301}",
        "1h",
        "none",
        "200",
    ];
    let few = vec(select(parts), 0..6).prop_map(|parts| parts.concat());
    prop_oneof![
        few.clone(),
        any::<String>(),
        (few, 100..130_usize, any::<String>())
            .prop_map(|(parts, length, end)| "a".repeat(length) + &parts + &end),
    ]
}

fn some_position() -> impl Strategy<Value = Position> {
    (any::<u64>(), 0..u64::MAX, "[a-zA-Z0-9]{1,64}")
        .prop_map(|(end, created, id)| position(end, created, &id))
}

/// A query as it is sent, by a form or by somebody's hand.
fn sent() -> impl Strategy<Value = String> {
    let names = vec![
        "view", "text", "tag", "age", "due", "failed", "size", "after",
    ];
    let known = vec![
        "waiting",
        "decided",
        "timed-out",
        "withdrawn",
        "1h",
        "1d",
        "7d",
        "30d",
        "none",
        "1",
        "200",
        "5_4_abc",
    ];
    let value = prop_oneof![
        hostile(),
        select(known).prop_map(str::to_owned),
        some_position().prop_map(|position| position.to_text()),
    ];
    let field = (select(names), value, any::<bool>()).prop_map(|(name, value, is_encoded)| {
        let mut text = format!("{name}=");
        if is_encoded {
            percent_encode(&value, &mut text);
        } else {
            text += &value;
        }
        text
    });
    vec(field, 0..10).prop_map(|fields| fields.join("&"))
}

prop_compose! {
    /// A query that a page may show.
    fn shown()(
        view in select(View::ALL.to_vec()),
        texts in [hostile(), hostile()],
        age in option::of(select(Span::ALL.to_vec())),
        due in option::of(select(Due::ALL.to_vec())),
        is in [any::<bool>(), any::<bool>()],
        after in option::of(some_position()),
    ) -> InboxQuery {
        let [text, tag] = texts.map(|text| {
            let text: String = text.trim().chars().take(MAX_TEXT).collect();
            text.trim().to_owned()
        });
        InboxQuery {
            view,
            text,
            tag,
            age,
            due: due.filter(|_| view == View::Waiting),
            has_failed: is[0],
            is_large: is[1],
            after,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..Default::default() })]

    #[test]
    fn what_was_parsed_is_written_so_that_it_means_the_same(query in prop_oneof![sent(), any::<String>()]) {
        let parsed = parse(&query);
        prop_assert_eq!(again(&parsed), parsed.clone());
        prop_assert!(parsed.text.chars().count() <= MAX_TEXT);
        // It can stand in a link and in a header.
        let text = parsed.to_query();
        prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>#\\".contains(&byte)));
        prop_assert!(text.is_empty() == (parsed == InboxQuery::default()));
    }

    #[test]
    fn what_is_shown_is_read_again(query in shown()) {
        prop_assert_eq!(again(&query), query);
    }

    #[test]
    fn a_position_is_read_only_as_it_is_written(position in some_position(), text in hostile()) {
        prop_assert_eq!(Position::parse(&position.to_text()), Some(position));
        if let Some(read) = Position::parse(&text) {
            prop_assert_eq!(read.to_text(), text);
        }
    }
}
