//! Which rows are on a page, and what lies on either side of it.
use super::{MAX, NOW, at, cursor, months, ok, row};
use waitpoint::domain::list::month::Month;
use waitpoint::domain::list::page::SearchedRows;
use waitpoint::domain::token::status::Status;

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
    row.ended_at = Some(at(NOW + 3));
    assert_eq!(row.status(at(MAX)), Status::Completed);
    assert_eq!(row.finished_at(at(MAX)), Some(at(NOW + 3)));
}

#[test]
fn a_cancelled_row_ended_when_it_was_cancelled() {
    let mut row = row("a", NOW);
    row.timeout_at = Some(at(NOW + 10));
    assert_eq!(row.cancelled_at(), None);
    row.ended_at = Some(at(NOW + 3));
    assert_eq!(row.cancelled_at(), None);
    row.is_cancelled = true;
    for has_default in [false, true] {
        row.has_default = has_default;
        for now in [NOW + 3, NOW + 10, MAX] {
            assert_eq!(row.status(at(now)), Status::TimedOut);
            assert_eq!(row.finished_at(at(now)), Some(at(NOW + 3)));
            assert_eq!(row.cancelled_at(), Some(at(NOW + 3)));
        }
    }
}

#[test]
fn a_default_decision_completes_a_row_at_its_timeout() {
    let mut row = row("a", NOW);
    row.has_default = true;
    row.timeout_at = Some(at(NOW + 10));
    assert_eq!(row.status(at(NOW + 9)), Status::Waiting);
    assert_eq!(row.finished_at(at(NOW + 9)), None);
    assert_eq!(row.status(at(NOW + 10)), Status::Completed);
    assert_eq!(row.finished_at(at(MAX)), Some(at(NOW + 10)));
    assert_eq!(row.cancelled_at(), None);
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
        assert_eq!(ok(query).matches(&one, at(NOW)), admitted, "{query}");
    }
    assert!(!ok("filter[idempotencyKey]=k").matches(&row("b", NOW), at(NOW)));
}

#[test]
fn a_page_says_what_lies_on_either_side() {
    const OLDEST: Option<&str> = Some("0_0");
    const NEWEST: Option<&str> = Some("253402300799999_z");
    let b = |id: &str| format!("{NOW}_{id}");
    for (query, found, shown, next, previous) in [
        ("", "", "", None, None),
        ("", "ba", "ba", None, None),
        ("", "cba", "cb", Some("b"), None),
        ("page[after]=9999999999999_z", "", "", None, OLDEST),
        ("page[after]=9999999999999_z", "ba", "ba", None, Some("b")),
        (
            "page[after]=9999999999999_z",
            "cba",
            "cb",
            Some("b"),
            Some("c"),
        ),
        ("page[before]=1_z", "", "", NEWEST, None),
        ("page[before]=1_z", "a", "a", Some("a"), None),
        ("page[before]=1_z", "ab", "ba", Some("a"), None),
        ("page[before]=1_z", "abc", "ba", Some("a"), Some("b")),
    ] {
        let query = ok(&format!("page[size]=2&{query}"));
        let page = query.page(found_rows(found, None));
        let ids: String = page.rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!(ids, shown);
        for (cursor, expected) in [(page.next, next), (page.previous, previous)] {
            let expected = expected.map(|text| {
                if text.len() == 1 {
                    b(text)
                } else {
                    text.to_owned()
                }
            });
            assert_eq!(cursor.map(|cursor| cursor.to_text()), expected, "{query:?}");
        }
    }
}

/// What was found where the search came to the row `to`, if it stopped.
fn found_rows(ids: &str, to: Option<&str>) -> SearchedRows {
    SearchedRows {
        rows: ids.chars().map(|id| row(&id.to_string(), NOW)).collect(),
        searched: 0,
        searched_to: to.map(|id| cursor(NOW, id)),
    }
}

#[test]
fn a_search_that_stopped_goes_on_behind_the_last_row_that_it_looked_at() {
    for (query, found, to, next, previous) in [
        ("", "", "k", Some("k"), None),
        ("", "nm", "k", Some("k"), None),
        ("page[after]=9999999999999_z", "", "k", Some("k"), Some("k")),
        (
            "page[after]=9999999999999_z",
            "n",
            "k",
            Some("k"),
            Some("n"),
        ),
        ("page[before]=1_z", "", "k", Some("k"), Some("k")),
        ("page[before]=1_z", "b", "k", Some("b"), Some("k")),
    ] {
        let page = ok(&format!("page[size]=2&{query}")).page(found_rows(found, Some(to)));
        assert_eq!(page.rows.len(), found.len());
        let of = |id: Option<&str>| id.map(|id| cursor(NOW, id));
        assert_eq!(
            (page.next, page.previous),
            (of(next), of(previous)),
            "{query}, {found}"
        );
    }
}

#[test]
fn months_share_what_a_page_may_look_at() {
    let query = ok("page[size]=2");
    let limits = |found: &SearchedRows| {
        let limits = query.limits(found, 100);
        limits.map(|limits| (limits.rows, limits.searched))
    };
    let mut found = SearchedRows::default();
    assert_eq!(limits(&found), Some((3, 100)));
    let searched = |ids, searched| SearchedRows {
        searched,
        ..found_rows(ids, None)
    };
    found.add(searched("d", 60));
    assert_eq!(limits(&found), Some((2, 40)));
    found.add(searched("c", 30));
    assert_eq!(limits(&found), Some((1, 10)));
    let mut stopped = found.clone();
    stopped.add(found_rows("", Some("b")));
    assert_eq!(limits(&stopped), None);
    found.add(found_rows("b", None));
    assert_eq!(limits(&found), None);
}
