//! What a list request asks, and what its page says.
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use waitpoint::error::Refusal;
use waitpoint::list::{
    Cursor, DEFAULT_SIZE, ListQuery, MAX_FILTER_TAGS, MAX_SIZE, Month, Page, Place, Row, Status,
    Statuses,
};
use waitpoint::time::Timestamp;
use waitpoint::wire::list_json;

const MAX: u64 = 253_402_300_799_999;
const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;

/// 2026-09-26T00:00:00.000Z
const NOW: u64 = 1_790_380_800_000;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn parse(query: &str) -> Result<ListQuery, Refusal> {
    ListQuery::parse(query, at(NOW))
}

fn ok(query: &str) -> ListQuery {
    parse(query).unwrap_or_else(|why| panic!("{query}: {}", why.to_json()))
}

/// The parameter and the sentence of each issue.
fn issues(query: &str) -> Vec<(&'static str, String)> {
    match parse(query) {
        Err(Refusal::Query(issues)) => issues
            .into_iter()
            .map(|issue| (issue.name, issue.message))
            .collect(),
        Err(other) => panic!("{query}: {other}"),
        Ok(_) => Vec::new(),
    }
}

fn cursor(millis: u64, id: &str) -> Cursor {
    Cursor {
        created_at: at(millis),
        id: id.to_owned(),
    }
}

fn row(id: &str, created_at: u64) -> Row {
    Row {
        id: id.to_owned(),
        created_at: at(created_at),
        timeout_at: None,
        completed_at: None,
        tags: Vec::new(),
        idempotency_key: None,
        key_expires_at: None,
    }
}

fn months(texts: &[&str]) -> Vec<Month> {
    let months = texts.iter().map(|text| Month::parse(text).unwrap());
    months.collect()
}

#[test]
fn nothing_asked_is_everything_newest_first() {
    let plain = ListQuery {
        size: DEFAULT_SIZE,
        place: Place::Newest,
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
        assert!(issues[0].1.ends_with("give an integer from 1 to 100"));
    }
    assert_eq!(ok("page[size]=x&page[size]=7").size, 7);
    assert_eq!(issues("page[size]=7&page[size]=x").len(), 1);
}

#[test]
fn before_wins() {
    let (a, b) = (cursor(NOW, "cabc"), cursor(5, "Z9"));
    assert_eq!(
        ok("page[after]=1790380800000_cabc").place,
        Place::After(a.clone())
    );
    assert_eq!(ok("page[before]=5_Z9").place, Place::Before(b.clone()));
    let both = ok("page[before]=5_Z9&page[after]=1790380800000_cabc");
    assert_eq!(both.place, Place::Before(b));
    assert_eq!(
        issues("page[before]=5_Z9&page[after]=x")[0].0,
        "page[after]"
    );
    let empty = ok("page[before]=&page[after]=1790380800000_cabc");
    assert_eq!(empty.place, Place::After(a));
}

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
            "\"\\\"x\" is no cursor; give what a page's pagination says, as it is".to_owned()
        )]
    );
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
            format!("Invalid status values: {named}; give WAITING, COMPLETED or TIMED_OUT");
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
        "Query Error; filter[tags]: 21 tags are too many; give at most 20"
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
            .ends_with("…\" is no tag; give at most 128 characters")
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
            "\"soon\" is no period; give a duration such as \"30m\", \"1.5h\", \"7d\", \
             \"1 day 2 hours\" or \"P1D\""
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
            assert!(message.starts_with("Invalid date \""), "{message}");
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

    let refusal = parse("page[size]=0&filter[status]=Z").unwrap_err();
    assert_eq!((refusal.status(), refusal.code()), (400, "invalid_query"));
    let body: Value = serde_json::from_str(&refusal.to_json()).unwrap();
    assert_eq!(
        body,
        json!({
            "error": "Query Error; page[size]: \"0\" is no page size; give an integer from 1 to 100; \
                filter[status]: Invalid status values: Z; give WAITING, COMPLETED or TIMED_OUT",
            "code": "invalid_query",
            "details": [
                {
                    "code": "custom",
                    "message": "\"0\" is no page size; give an integer from 1 to 100",
                    "path": ["page[size]"],
                },
                {
                    "code": "custom",
                    "message": "Invalid status values: Z; give WAITING, COMPLETED or TIMED_OUT",
                    "path": ["filter[status]"],
                },
            ],
        })
    );
    assert!(!Refusal::UnknownToken.to_json().contains("details"));
}

#[test]
fn a_month_is_text_that_sorts() {
    assert_eq!(Month::of(at(NOW)).as_str(), "2026-09");
    assert_eq!(Month::of(at(0)).to_string(), "1970-01");
    assert_eq!(Month::of(Timestamp::MAX).as_str(), "9999-12");
    assert!(Month::parse("2026-09") < Month::parse("2026-10"));
    assert!(Month::parse("2026-12") < Month::parse("2027-01"));
    for text in [
        "",
        "2026",
        "2026-13",
        "2026-00",
        "2026-9",
        "26-09",
        "2026-09-",
        "2026-09-26",
        "é",
    ] {
        assert_eq!(Month::parse(text), None, "{text}");
    }
}

#[test]
fn only_months_that_can_match_are_asked() {
    let known = months(&[
        "2026-03", "2026-09", "2025-12", "2026-09", "2026-07", "2026-08",
    ]);
    let july = "1783900800000_a"; // 2026-07-13
    for (query, expected) in [
        (
            String::new(),
            vec!["2026-09", "2026-08", "2026-07", "2026-03", "2025-12"],
        ),
        (
            format!("page[after]={july}"),
            vec!["2026-07", "2026-03", "2025-12"],
        ),
        (
            format!("page[before]={july}"),
            vec!["2026-07", "2026-08", "2026-09"],
        ),
        (
            format!("page[before]={july}&filter[createdAt][to]=2026-08-31"),
            vec!["2026-07", "2026-08"],
        ),
        (
            format!("page[before]={july}&filter[createdAt][from]=2026-08-01"),
            vec!["2026-08", "2026-09"],
        ),
        (
            format!("page[after]={july}&filter[createdAt][to]=2026-04-01"),
            vec!["2026-03", "2025-12"],
        ),
        (
            "filter[createdAt][from]=2026-07-31T23:59:59.999Z&filter[createdAt][to]=2026-08-01"
                .to_owned(),
            vec!["2026-08", "2026-07"],
        ),
        (
            "filter[createdAt][period]=30d".to_owned(),
            vec!["2026-09", "2026-08"],
        ),
        (
            "filter[createdAt][from]=2026-09-01&filter[createdAt][to]=2026-01-01".to_owned(),
            vec![],
        ),
        ("filter[createdAt][from]=2027-01-01".to_owned(), vec![]),
    ] {
        let asked = ok(&query).months(&known);
        let asked: Vec<_> = asked.iter().map(Month::as_str).collect();
        assert_eq!(asked, expected, "{query}");
    }
    assert_eq!(ok("").months(&[]), []);
}

#[test]
fn a_row_is_settled_when_it_is_read() {
    let mut row = row("a", NOW);
    assert_eq!(
        (row.status(at(MAX)), row.finished_at(at(MAX))),
        (Status::Waiting, None)
    );
    row.timeout_at = Some(at(NOW + 10));
    assert_eq!(row.status(at(NOW + 9)), Status::Waiting);
    assert_eq!(row.finished_at(at(NOW + 9)), None);
    assert_eq!(row.status(at(NOW + 10)), Status::TimedOut);
    assert_eq!(row.finished_at(at(MAX)), Some(at(NOW + 10)));
    row.completed_at = Some(at(NOW + 3));
    assert_eq!(row.status(at(MAX)), Status::Completed);
    assert_eq!(row.finished_at(at(MAX)), Some(at(NOW + 3)));
}

#[test]
fn filters_let_through_what_they_name() {
    let mut one = row("b", NOW);
    one.tags = vec!["x".to_owned(), "y".to_owned()];
    one.idempotency_key = Some("k".to_owned());
    one.timeout_at = Some(at(NOW));
    for (query, admitted) in [
        ("", true),
        ("filter[status]=TIMED_OUT", true),
        ("filter[status]=WAITING,COMPLETED", false),
        ("filter[tags]=z,y", true),
        ("filter[tags]=z,Y", false),
        ("filter[idempotencyKey]=k", true),
        ("filter[idempotencyKey]=K", false),
        ("filter[createdAt][from]=1790380800000", true),
        ("filter[createdAt][from]=1790380800001", false),
        ("filter[createdAt][to]=1790380800000", true),
        ("filter[createdAt][to]=1790380799999", false),
        ("page[after]=1790380800000_b", false),
        ("page[after]=1790380800000_c", true),
        ("page[after]=1790380800001_a", true),
        ("page[before]=1790380800000_b", false),
        ("page[before]=1790380800000_a", true),
        ("page[before]=1790380800000_c", false),
    ] {
        assert_eq!(ok(query).admits(&one, at(NOW)), admitted, "{query}");
    }
    assert!(!ok("filter[idempotencyKey]=k").admits(&row("b", NOW), at(NOW)));
}

#[test]
fn a_page_says_what_lies_on_either_side() {
    let rows = |ids: &str| ids.chars().map(|id| row(&id.to_string(), NOW)).collect();
    for (query, found, shown, next, previous) in [
        ("", "", "", None, None),
        ("", "ba", "ba", None, None),
        ("", "cba", "cb", Some("b"), None),
        ("page[after]=9999999999999_z", "", "", None, None),
        ("page[after]=9999999999999_z", "ba", "ba", None, Some("b")),
        (
            "page[after]=9999999999999_z",
            "cba",
            "cb",
            Some("b"),
            Some("c"),
        ),
        ("page[before]=1_z", "", "", None, None),
        ("page[before]=1_z", "a", "a", Some("a"), None),
        ("page[before]=1_z", "ab", "ba", Some("a"), None),
        ("page[before]=1_z", "abc", "ba", Some("a"), Some("b")),
    ] {
        let query = ok(&format!("page[size]=2&{query}"));
        let page = query.page(rows(found));
        let ids: String = page.rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, shown);
        assert_eq!(page.next, next.map(|id| cursor(NOW, id)), "{query:?}");
        assert_eq!(
            page.previous,
            previous.map(|id| cursor(NOW, id)),
            "{query:?}"
        );
    }
}

#[test]
fn the_wire_form_leaves_out_what_is_not_there() {
    let mut full = row("full", NOW);
    full.timeout_at = Some(at(NOW + 1));
    full.tags = vec![
        "b".to_owned(),
        "a".to_owned(),
        "c".to_owned(),
        "a".to_owned(),
    ];
    full.idempotency_key = Some("k\"".to_owned());
    full.key_expires_at = Some(at(NOW + HOUR));
    let page = Page {
        rows: vec![full, row("bare", 0)],
        next: Some(cursor(0, "bare")),
        previous: None,
    };
    let url = |row: &Row| format!("https://example.com/{}", row.id);
    let body = list_json(&page, at(NOW + 1), url);
    assert!(!body.contains("null"));
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap(),
        json!({
            "data": [
                {
                    "id": "waitpoint_full",
                    "url": "https://example.com/full",
                    "status": "TIMED_OUT",
                    "completedAt": "2026-09-26T00:00:00.001Z",
                    "timeoutAt": "2026-09-26T00:00:00.001Z",
                    "completedAfter": "2026-09-26T00:00:00.001Z",
                    "idempotencyKey": "k\"",
                    "idempotencyKeyExpiresAt": "2026-09-26T01:00:00.000Z",
                    "tags": ["a", "a", "b", "c"],
                    "createdAt": "2026-09-26T00:00:00.000Z",
                },
                {
                    "id": "waitpoint_bare",
                    "url": "https://example.com/bare",
                    "status": "WAITING",
                    "tags": [],
                    "createdAt": "1970-01-01T00:00:00.000Z",
                },
            ],
            "pagination": { "next": "0_bare" },
        })
    );
    let none = Page {
        rows: Vec::new(),
        next: None,
        previous: None,
    };
    let empty = r#"{"data":[],"pagination":{}}"#;
    assert_eq!(list_json(&none, at(NOW), |_| String::new()), empty);
}

/// The index as it might be: the rows of each month, oldest first.
struct Index(BTreeMap<Month, Vec<Row>>);

impl Index {
    fn of(mut rows: Vec<Row>) -> Self {
        rows.sort_by_key(Row::cursor);
        let mut months: BTreeMap<Month, Vec<Row>> = BTreeMap::new();
        for row in rows {
            months
                .entry(Month::of(row.created_at))
                .or_default()
                .push(row);
        }
        Self(months)
    }

    fn ask(&self, query: &ListQuery) -> Page {
        let known: Vec<Month> = self.0.keys().cloned().collect();
        let mut found = Vec::new();
        for month in query.months(&known) {
            let admitted = self.0[&month]
                .iter()
                .filter(|row| query.admits(row, at(NOW)));
            let left = query.wanted() - found.len();
            match query.place {
                Place::Before(_) => found.extend(admitted.take(left).cloned()),
                _ => found.extend(admitted.rev().take(left).cloned()),
            }
        }
        query.page(found)
    }

    /// Every row that the filters let through, newest first.
    fn all(&self, query: &ListQuery) -> Vec<Row> {
        let rows = self.0.values().flatten().rev();
        rows.filter(|row| query.admits(row, at(NOW)))
            .cloned()
            .collect()
    }
}

/// Rows of few moments, so that many were created at once.
fn some_rows() -> impl Strategy<Value = Vec<Row>> {
    let moment = (0..5_u64, 0..3_u64).prop_map(|(month, tick)| NOW - month * 20 * DAY - tick);
    let tags = subsequence(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()], 0..=3);
    let row = (
        moment,
        option::of(NOW - 2..NOW + 2),
        option::of(Just(at(NOW - 1))),
        tags,
        option::of(select(vec!["k".to_owned(), "l".to_owned()])),
    );
    vec(row, 0..60).prop_map(|rows| {
        let rows = rows.into_iter().enumerate();
        rows.map(
            |(n, (created, timeout, completed_at, tags, idempotency_key))| Row {
                id: format!("c{:03}", n * 37 % 101),
                created_at: at(created),
                timeout_at: timeout.map(at),
                completed_at,
                tags,
                idempotency_key,
                key_expires_at: None,
            },
        )
        .collect()
    })
}

fn some_filters() -> impl Strategy<Value = String> {
    let filters = vec![
        "filter[status]=WAITING",
        "filter[status]=COMPLETED,TIMED_OUT",
        "filter[tags]=a,b",
        "filter[idempotencyKey]=k",
        "filter[createdAt][period]=45d",
        "filter[createdAt][from]=1786924800000",
        "filter[createdAt][to]=1788652799999",
    ];
    subsequence(filters, 0..=3).prop_map(|filters| filters.join("&"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn pages_meet_every_row_once_forwards_and_backwards(
        rows in some_rows(),
        filters in some_filters(),
        size in 1..9_usize,
    ) {
        let index = Index::of(rows);
        let all = index.all(&ok(&filters));
        let page = |place: String| index.ask(&ok(&format!("page[size]={size}&{filters}&{place}")));

        let mut forward = vec![page(String::new())];
        prop_assert_eq!(&forward[0].previous, &None);
        while let Some(next) = forward.last().and_then(|page| page.next.clone()) {
            let page = page(format!("page[after]={}", next.to_text()));
            prop_assert!(page.previous.is_some() && !page.rows.is_empty());
            forward.push(page);
            prop_assert!(forward.len() <= 61);
        }
        let met: Vec<Row> = forward.iter().flat_map(|page| page.rows.clone()).collect();
        prop_assert_eq!(&met, &all);
        prop_assert_eq!(forward.len(), all.len().div_ceil(size).max(1));

        // The last page may be short, so that the way back is by the same steps from its beginning.
        let mut backward = vec![forward[forward.len() - 1].clone()];
        while let Some(previous) = backward.last().and_then(|page| page.previous.clone()) {
            let page = page(format!("page[before]={}", previous.to_text()));
            prop_assert!(page.next.is_some() && !page.rows.is_empty());
            backward.push(page);
            prop_assert!(backward.len() <= 61);
        }
        backward.reverse();
        // Or it is full, from the other end.
        let mut upward = vec![page("page[before]=0_0".to_owned())];
        while let Some(previous) = upward.last().and_then(|page| page.previous.clone()) {
            upward.push(page(format!("page[before]={}", previous.to_text())));
            prop_assert!(upward.len() <= 61);
        }
        let met: Vec<Row> = upward.iter().rev().flat_map(|page| page.rows.clone()).collect();
        prop_assert_eq!(&met, &all);

        let rows_of = |pages: &[Page]| pages.iter().map(|page| page.rows.clone()).collect::<Vec<_>>();
        prop_assert_eq!(rows_of(&backward), rows_of(&forward));
    }

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

    #[test]
    fn a_month_is_the_beginning_of_a_date(millis in 0..=MAX, other in 0..=MAX) {
        let month = Month::of(at(millis));
        prop_assert!(at(millis).to_string().starts_with(month.as_str()));
        prop_assert_eq!(Month::parse(month.as_str()), Some(month.clone()));
        if millis <= other {
            prop_assert!(month <= Month::of(at(other)));
        }
    }

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
