//! The query of the inbox.
#![no_main]
use libfuzzer_sys::fuzz_target;
use std::cmp::Ordering;
use waitpoint::domain::inbox::deadline::parse_deadline;
use waitpoint::domain::inbox::page::{InboxPage, MonthRows};
use waitpoint::domain::inbox::query::{InboxQuery, MAX_TEXT, Position, View};
use waitpoint::domain::list::row::Row;
use waitpoint::domain::time::timestamp::Timestamp;

fuzz_target!(|query: &str| {
    let now = Timestamp::from_millis(1_790_380_800_000);
    let _ = parse_deadline(query);
    let query = InboxQuery::parse(query);
    assert!(query.text.chars().count() <= MAX_TEXT);
    let text = query.to_query();
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(
        InboxQuery::parse(text.strip_prefix('?').unwrap_or(&text)),
        query
    );
    // A row at each end of what is asked for, and their neighbours.
    let (first, last) = query.ends(now);
    let created = query.created_until(now).unwrap_or(now);
    let after = query.after.as_ref().map(|after| after.end);
    let mut rows = Vec::new();
    for end in [Some(first), Some(last), after, Some(now)]
        .into_iter()
        .flatten()
    {
        let end = end.as_millis();
        for end in [end.saturating_sub(1), end, end + 1] {
            rows.extend(
                View::ALL.map(|view| row(&query, view, Timestamp::from_millis(end), created)),
            );
        }
    }
    rows.retain(|row| query.matches(row, now));
    assert!(rows.iter().all(|row| View::of(row, now) == query.view));
    let order = |one: &Row, other: &Row| match (Position::of(one), Position::of(other)) {
        (one, other) if query.is_before(&one, &other) => Ordering::Less,
        (one, other) if query.is_before(&other, &one) => Ordering::Greater,
        _ => Ordering::Equal,
    };
    rows.sort_by(order);
    rows.dedup_by(|one, other| order(one, other).is_eq());
    let expected = rows.clone();
    let month = MonthRows {
        rows,
        searched_to: None,
    };
    let page = InboxPage::of(&query, vec![month]);
    assert!(page.next.is_none() && !page.is_partial);
    assert_eq!(page.rows, expected);
    for row in page.rows {
        let behind = query.behind(Some(Position::of(&row)));
        assert!(!behind.matches(&row, now));
        let again = InboxQuery::parse(&behind.to_query()[1..]);
        assert_eq!(again, behind);
    }
});

/// A row that the filters let through, if its end does.
fn row(query: &InboxQuery, view: View, end: Timestamp, created_at: Timestamp) -> Row {
    let has_ended = matches!(view, View::Decided | View::Withdrawn);
    Row {
        id: "cmabcdefghijklmnopqrstuvw".to_owned(),
        created_at,
        timeout_at: Some(end),
        ended_at: has_ended.then_some(end),
        is_cancelled: view == View::Withdrawn,
        has_default: false,
        tags: vec![query.tag.clone()],
        idempotency_key: None,
        key_expires_at: None,
        is_signed: false,
        title: Some(query.text.clone()),
        failed_deliveries: 1,
        decision: None,
    }
}
