//! What a list request asks.
use super::{DAY, MAX, NOW, at, cursor, issues, ok, parse};
use proptest::prelude::*;
use serde_json::{Value, json};
use waitpoint::domain::api::error::ApiError;
use waitpoint::domain::list::query::{
    DEFAULT_SIZE, ListQuery, MAX_FILTER_TAGS, MAX_SIZE, PageStart,
};
use waitpoint::domain::list::statuses::Statuses;

#[test]
fn nothing_asked_is_everything_newest_first() {
    let plain = ListQuery {
        size: DEFAULT_SIZE,
        start: PageStart::Newest,
        status: Statuses::ALL,
        idempotency_key: None,
        tags: Vec::new(),
        from: None,
        to: None,
    };
    for query in [
        "",
        "&&",
        "unknown=1&page=2&page%5Blimit%5D=9&PAGE%5BSIZE%5D=x",
        "page[after]=&page[before]=&filter[status]=&filter[status]=,&filter[idempotencyKey]=\
         &filter[tags]=,,&filter[createdAt][period]=&filter[createdAt][from]=&filter[createdAt][to]=",
    ] {
        assert_eq!(parse(query), Ok(plain.clone()), "{query}");
    }
}

#[test]
fn a_size_is_1_to_100() {
    for (text, size) in [("1", 1), ("25", 25), ("100", MAX_SIZE), ("007", 7)] {
        assert_eq!(ok(&format!("page[size]={text}")).size, size);
        assert_eq!(ok(&format!("page%5Bsize%5D={text}")).size, size);
    }
    for text in [
        "",
        "0",
        "101",
        "abc",
        "10.5",
        "1e1",
        "-1",
        "%2B1",
        "1+",
        "99999999999999999999999",
        "٣",
    ] {
        let issues = issues(&format!("page[size]={text}"));
        assert_eq!(issues.len(), 1, "{text}");
        assert_eq!(issues[0].0, "page[size]");
        assert!(issues[0].1.ends_with("Use an integer from 1 to 100."));
    }
    assert_eq!(ok("page[size]=x&page[size]=7").size, 7);
    assert_eq!(issues("page[size]=7&page[size]=x").len(), 1);
}

#[test]
fn before_wins() {
    let (a, b) = (cursor(NOW, "cabc"), cursor(5, "Z9"));
    assert_eq!(
        ok("page[after]=1790380800000_cabc").start,
        PageStart::After(a.clone())
    );
    assert_eq!(ok("page[before]=5_Z9").start, PageStart::Before(b.clone()));
    let both = ok("page[before]=5_Z9&page[after]=1790380800000_cabc");
    assert_eq!(both.start, PageStart::Before(b));
    assert_eq!(
        issues("page[before]=5_Z9&page[after]=x")[0].0,
        "page[after]"
    );
    let empty = ok("page[before]=&page[after]=1790380800000_cabc");
    assert_eq!(empty.start, PageStart::After(a));
}

#[test]
fn statuses_are_exactly_those_named() {
    let set = |waiting, completed, timed_out| Statuses {
        waiting,
        completed,
        timed_out,
    };
    for (text, expected) in [
        ("WAITING", set(true, false, false)),
        ("COMPLETED", set(false, true, false)),
        ("TIMED_OUT", set(false, false, true)),
        ("WAITING,TIMED_OUT", set(true, false, true)),
        ("TIMED_OUT%2CWAITING,WAITING", set(true, false, true)),
        (",COMPLETED,", set(false, true, false)),
        ("COMPLETED,TIMED_OUT,WAITING", Statuses::ALL),
    ] {
        assert_eq!(
            ok(&format!("filter[status]={text}")).status,
            expected,
            "{text}"
        );
    }
    for (text, named) in [
        ("FOO", "FOO"),
        ("FOO,WAITING,BAR", "FOO, BAR"),
        ("waiting", "waiting"),
        ("WAITING,+COMPLETED", " COMPLETED"),
        ("PENDING", "PENDING"),
    ] {
        let message =
            format!("Invalid status values: {named}. Use WAITING, COMPLETED or TIMED_OUT.");
        let issues = issues(&format!("filter[status]={text}"));
        assert_eq!(issues, [("filter[status]", message)], "{text}");
    }
    let long = &issues(&format!("filter[status]={}", "X".repeat(999)))[0].1;
    assert!(long.len() < 150);
}

#[test]
fn keys_and_tags_are_taken_as_they_are() {
    let query = ok("filter[idempotencyKey]=a%2Cb+c&filter[tags]=x,,y+z,%C3%A9,");
    assert_eq!(query.idempotency_key.as_deref(), Some("a,b c"));
    assert_eq!(query.tags, ["x", "y z", "é"]);
    assert_eq!(ok("filter[tags]=a&filter[tags]=b").tags, ["b"]);
    let tags = |count: usize| format!("filter[tags]={}", vec!["t"; count].join(","));
    assert_eq!(ok(&tags(MAX_FILTER_TAGS)).tags.len(), MAX_FILTER_TAGS);
    let refused = parse(&tags(MAX_FILTER_TAGS + 1)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Query Error; filter[tags]: 21 tags are too many. Use at most 20."
    );
    assert_eq!(
        ok(&format!("filter[tags]={}", "t".repeat(128))).tags.len(),
        1
    );
    let long = issues(&format!("filter[tags]=a,{}", "t".repeat(129)));
    assert_eq!(long.len(), 1);
    assert!(
        long[0]
            .1
            .ends_with("…\" is too long for a tag. Use at most 128 characters.")
    );
}

#[test]
fn a_period_is_a_start() {
    assert_eq!(
        ok("filter[createdAt][period]=1+day").from,
        Some(at(NOW - DAY))
    );
    assert_eq!(
        issues("filter[createdAt][period]=soon"),
        [(
            "filter[createdAt][period]",
            "\"soon\" is not a valid period. Use a duration such as \"30m\", \"1.5h\", \"7d\", \
             \"1 day 2 hours\" or \"P1D\"."
                .to_owned()
        )]
    );
}

#[test]
fn dates_are_milliseconds_or_iso() {
    for (text, millis) in [
        ("0", 0),
        ("1790380800000", NOW),
        ("2026-09-26", NOW),
        ("2026-09-26T02:00%2B02:00", NOW),
        ("2026-09-26T00:00:00.000Z", NOW),
        ("99999999999999999", MAX),
    ] {
        let query = ok(&format!(
            "filter[createdAt][from]={text}&filter[createdAt][to]={text}"
        ));
        assert_eq!(
            (query.from, query.to),
            (Some(at(millis)), Some(at(millis))),
            "{text}"
        );
    }
    for text in [
        "soon",
        "-5",
        "1.5",
        "1e9",
        "2026-13-01",
        "26.9.2026",
        "99999999999999999999",
        "+",
    ] {
        for name in ["filter[createdAt][from]", "filter[createdAt][to]"] {
            let issues = issues(&format!("{name}={text}"));
            let [(named, message)] = issues.as_slice() else {
                panic!("{text}: {issues:?}")
            };
            assert_eq!(*named, name);
            assert!(
                message.contains("\" is not a valid date. Use "),
                "{message}"
            );
        }
    }
}

#[test]
fn the_later_start_wins() {
    let from = |day: u64, period: &str| {
        let day = NOW - day * DAY;
        ok(&format!(
            "filter[createdAt][from]={day}&filter[createdAt][period]={period}"
        ))
        .from
    };
    assert_eq!(from(2, "1d"), Some(at(NOW - DAY)));
    assert_eq!(from(1, "2d"), Some(at(NOW - DAY)));
}

#[test]
fn all_issues_are_told_at_once() {
    let query = "page[size]=0&page[after]=x&page[before]=y&filter[status]=Z&filter[createdAt][period]=p\
                 &filter[createdAt][from]=f&filter[createdAt][to]=t";
    let names = issues(query).into_iter().map(|(name, _)| name);
    assert_eq!(
        names.collect::<Vec<_>>(),
        [
            "page[size]",
            "page[after]",
            "page[before]",
            "filter[status]",
            "filter[createdAt][period]",
            "filter[createdAt][from]",
            "filter[createdAt][to]",
        ]
    );

    let error = parse("page[size]=0&filter[status]=Z").unwrap_err();
    assert_eq!((error.status(), error.code()), (400, "invalid_query"));
    let body: Value = serde_json::from_str(&error.to_json()).unwrap();
    assert_eq!(
        body,
        json!({
            "error": "Query Error; page[size]: \"0\" is not a valid page size. Use an integer from 1 to 100. \
                filter[status]: Invalid status values: Z. Use WAITING, COMPLETED or TIMED_OUT.",
            "code": "invalid_query",
            "details": [
                {
                    "code": "custom",
                    "message": "\"0\" is not a valid page size. Use an integer from 1 to 100.",
                    "path": ["page[size]"],
                },
                {
                    "code": "custom",
                    "message": "Invalid status values: Z. Use WAITING, COMPLETED or TIMED_OUT.",
                    "path": ["filter[status]"],
                },
            ],
        })
    );
    assert!(!ApiError::TokenNotFound.to_json().contains("details"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_query_panics(
        query in prop_oneof![
            ".*",
            "((page|filter)(\\[|%5B)(size|after|before|status|tags|createdAt\\]\\[(period|from|to))\\]=.{0,20}&){0,5}",
        ],
        now in 0..=MAX,
    ) {
        let _ = ListQuery::parse(&query, at(now));
        let encoded: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for name in ["page[size]", "filter[createdAt][period]", "filter[status]", "page[after]"] {
            let _ = ListQuery::parse(&format!("{name}={encoded}"), at(now));
        }
    }
}
