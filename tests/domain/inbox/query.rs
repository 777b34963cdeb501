//! What a query of the inbox means, and that its text says the same again.
use super::{DAY, HOUR, NOW, at, row};
use waitpoint::domain::inbox::query::{Due, InboxQuery, MAX_TEXT, NEVER, Position, Span, View};
use waitpoint::domain::list::row::Row;

pub(super) fn parse(query: &str) -> InboxQuery {
    InboxQuery::parse(query)
}

/// What its text says.
pub(super) fn again(query: &InboxQuery) -> InboxQuery {
    let text = query.to_query();
    parse(text.strip_prefix('?').unwrap_or(&text))
}

pub(super) fn position(end: u64, created: u64, id: &str) -> Position {
    Position {
        end: at(end),
        created_at: at(created),
        id: id.to_owned(),
    }
}

#[test]
fn a_query_says_what_is_shown() {
    let all = "view=waiting&text=Ship+it&tag=a%2Cb&age=7d&due=1h&failed=1&size=200&after=3_2_abc";
    let expected = InboxQuery {
        view: View::Waiting,
        text: "Ship it".to_owned(),
        tag: "a,b".to_owned(),
        age: Some(Span::Week),
        due: Some(Due::Within(Span::Hour)),
        has_failed: true,
        is_large: true,
        after: Some(position(3, 2, "abc")),
    };
    assert_eq!(parse(all), expected);
    let written = "?text=Ship%20it&tag=a%2cb&age=7d&due=1h&failed=1&size=200&after=3_2_abc";
    assert_eq!(expected.to_query(), written);
    assert_eq!(parse(""), InboxQuery::default());
    assert_eq!(InboxQuery::default().to_query(), "");
    for view in View::ALL {
        let query = parse(&format!("view={}", view.as_str()));
        assert_eq!(query.view, view);
        assert_eq!(again(&query), query);
    }
    for due in Due::ALL {
        assert_eq!(parse(&format!("due={}", due.as_str())).due, Some(due));
    }
    for age in Span::ALL {
        assert_eq!(parse(&format!("age={}", age.as_str())).age, Some(age));
    }
}

#[test]
fn a_value_that_no_form_sends_counts_as_none() {
    for query in [
        "view=",
        "view=WAITING",
        "view=all",
        "age=2h",
        "age=1H",
        "age=-1h",
        "due=30d",
        "due=never",
        "failed=true",
        "failed=0",
        "size=201",
        "size=50",
        "size=0200",
        "text=+%09%0A",
        "tag=+",
        "unknown=1",
        "after=",
        "after=1",
        "after=1_2",
        "after=1_2_",
        "after=1_2_a_b",
        "after=01_2_a",
        "after=%2B1_2_a",
        "after=-1_2_a",
        "after=1_2_waitpoint_a",
        "after=1_2_%27--",
        "after=253402300800000_2_a",
        "after=99999999999999999999_2_a",
        "&&&==",
        "%",
        "%FF=%FF",
    ] {
        assert_eq!(parse(query), InboxQuery::default(), "{query}");
    }
    // Only what waits has a deadline.
    for view in ["decided", "timed-out", "withdrawn"] {
        for query in [format!("view={view}&due=1h"), format!("due=1h&view={view}")] {
            assert_eq!(parse(&query).due, None, "{query}");
        }
    }
    // The last one counts.
    assert_eq!(parse("text=a&text=b").text, "b");
    assert_eq!(parse("age=1h&age=x").age, None);
}

#[test]
fn a_text_is_as_long_as_it_may_be() {
    let long = "é".repeat(MAX_TEXT + 1);
    let query = parse(&format!("text={long}&tag={}", "t".repeat(129)));
    assert_eq!(query.text.chars().count(), MAX_TEXT);
    assert_eq!(query.tag, "t".repeat(128));
    // What is left of it has no space at its end, which would be gone the next time.
    let spaced = format!("text={}+x&tag={}+x", "a".repeat(119), "b".repeat(127));
    let query = parse(&spaced);
    assert_eq!(query.text, "a".repeat(119));
    assert_eq!(query.tag, "b".repeat(127));
    assert_eq!(again(&query), query);
}

#[test]
fn a_whole_public_id_is_found_itself() {
    const ID: &str = "c123456789012345678901234";
    let public = format!("waitpoint_{ID}");
    for (text, id) in [
        (public.as_str(), Some(ID)),
        (ID, None),
        // A part of one.
        ("waitpoint_abc", None),
        ("abc", None),
        ("waitpoint_", None),
        ("waitpoint_a-b", None),
        ("waitpoint_waitpoint_a", None),
        ("waitpoint_abc def", None),
        ("Waitpoint_abc", None),
    ] {
        let query = InboxQuery {
            text: text.to_owned(),
            ..InboxQuery::default()
        };
        assert_eq!(query.searched_id(), id, "{text}");
    }
    let spaced = parse(&format!("text=+{public}+"));
    assert_eq!(spaced.searched_id(), Some(ID));
    assert_eq!(parse("text=waitpoint_ab").text_in_id(), Some("ab"));
    assert_eq!(parse("text=abcdef").text_in_id(), Some("abcdef"));
    assert_eq!(parse("text=abcde").text_in_id(), None);
}

#[test]
fn another_view_keeps_the_filters_that_it_knows() {
    let query = parse("text=a&tag=b&age=1d&due=1d&failed=1&size=200&after=3_2_abc");
    let decided = query.of_view(View::Decided);
    assert_eq!(
        decided,
        parse("view=decided&text=a&tag=b&age=1d&failed=1&size=200")
    );
    assert_eq!(query.of_view(View::Waiting), query.from_start());
    assert_eq!(query.from_start().after, None);
    assert_eq!(query.from_start().behind(query.after.clone()), query);
    assert!(decided.of_view(View::TimedOut).has_filters());
    for query in ["", "view=decided", "size=200", "after=3_2_abc"] {
        assert!(!parse(query).has_filters(), "{query}");
    }
    for query in ["text=a", "tag=a", "age=1d", "due=none", "failed=1"] {
        assert!(parse(query).has_filters(), "{query}");
        let is_text = query == "text=a";
        assert_eq!(parse(query).has_filters_besides_text(), !is_text, "{query}");
    }
    assert_eq!((parse("").size(), parse("size=200").size()), (50, 200));
}

/// What waits with this deadline, or ended then.
fn ending(end: u64) -> Row {
    Row {
        timeout_at: Some(at(end)),
        ..row("a")
    }
}

#[test]
fn a_view_shows_how_tokens_stand_now() {
    let ended = |is_cancelled| Row {
        ended_at: Some(at(NOW - 1)),
        is_cancelled,
        ..ending(NOW + HOUR)
    };
    let defaulted = |end| Row {
        has_default: true,
        ..ending(end)
    };
    for (row, view) in [
        (row("a"), View::Waiting),
        (ending(NOW + 1), View::Waiting),
        (ending(NOW), View::TimedOut),
        (ending(NOW - DAY), View::TimedOut),
        (defaulted(NOW + 1), View::Waiting),
        (defaulted(NOW), View::Decided),
        (ended(false), View::Decided),
        (ended(true), View::Withdrawn),
    ] {
        assert_eq!(View::of(&row, at(NOW)), view, "{row:?}");
        for other in View::ALL {
            let query = InboxQuery::default().of_view(other);
            assert_eq!(query.matches(&row, at(NOW)), other == view, "{row:?}");
            let (first, last) = query.ends(at(NOW));
            let is_between = (first..=last).contains(&Position::of(&row).end);
            assert!(is_between || other != view, "{row:?}");
        }
    }
}

#[test]
fn filters_let_through_what_they_name() {
    let one = Row {
        title: Some("Ship the Äpfel to ŻABKA?".to_owned()),
        tags: vec!["env:prod".to_owned(), "a".to_owned()],
        created_at: at(NOW - DAY),
        timeout_at: Some(at(NOW + HOUR)),
        failed_deliveries: 2,
        decision: None,
        ..row("c0ffee")
    };
    let bare = row("c0ffee");
    for (query, is_shown, is_bare_shown) in [
        ("text=ship+the", true, false),
        ("text=äPFEL", true, false),
        ("text=żabka", true, false),
        ("text=c0ffee", true, true),
        ("text=0ffee", false, false),
        ("text=waitpoint_c0", true, true),
        ("text=waitpoint_", false, false),
        ("text=0FF", false, false),
        ("text=%25", false, false),
        ("tag=a", true, false),
        ("tag=A", false, false),
        ("tag=env", false, false),
        ("tag=env:prod", true, false),
        ("age=1h", true, false),
        ("age=1d", true, false),
        ("age=7d", false, false),
        ("due=1h", true, false),
        ("due=1d", true, false),
        ("due=none", false, true),
        ("failed=1", true, false),
        ("tag=a&failed=1&due=1h&age=1d&text=c0ffee", true, false),
        ("tag=a&failed=1&due=1h&age=1d&text=c1ffee", false, false),
    ] {
        let query = parse(query);
        assert_eq!(query.matches(&one, at(NOW)), is_shown, "{query:?}");
        assert_eq!(query.matches(&bare, at(NOW)), is_bare_shown, "{query:?}");
    }
    // A millisecond later the deadline is within the hour no more, and one earlier the token is too young.
    let later = Row {
        timeout_at: Some(at(NOW + HOUR + 1)),
        ..one.clone()
    };
    assert!(!parse("due=1h").matches(&later, at(NOW)));
    assert!(!parse("age=1d").matches(&one, at(NOW - 1)));
}

#[test]
fn the_next_deadline_comes_first_and_otherwise_the_last_end() {
    let order = [
        position(NOW + 1, 5, "b"),
        position(NOW + 2, 4, "b"),
        position(NOW + 2, 5, "a"),
        position(NOW + 2, 5, "b"),
        Position {
            end: NEVER,
            ..position(0, 1, "a")
        },
    ];
    for view in View::ALL {
        let query = InboxQuery::default().of_view(view);
        for (index, one) in order.iter().enumerate() {
            for (other_index, other) in order.iter().enumerate() {
                let is_before = match view {
                    View::Waiting => index < other_index,
                    _ => index > other_index,
                };
                assert_eq!(query.is_before(one, other), is_before, "{one:?} {other:?}");
            }
        }
    }
    assert_eq!(Position::of(&row("a")).end, NEVER);
    assert_eq!(Position::of(&ending(7)).end, at(7));
    let ended = Row {
        ended_at: Some(at(5)),
        ..ending(7)
    };
    assert_eq!(Position::of(&ended), position(5, NOW - 60_000, "a"));
    // Behind itself nothing is shown again.
    let here = ending(NOW + 1);
    let behind = InboxQuery::default().behind(Some(Position::of(&here)));
    assert!(!behind.matches(&here, at(NOW)));
    assert!(behind.matches(&ending(NOW + 2), at(NOW)));
}
