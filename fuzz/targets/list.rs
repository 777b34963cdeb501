//! The query of a list.
#![no_main]
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use waitpoint::domain::list::cursor::Cursor;
use waitpoint::domain::list::month::Month;
use waitpoint::domain::list::page::SearchedRows;
use waitpoint::domain::list::query::{ListQuery, MAX_SIZE, PageStart};
use waitpoint::domain::list::row::Row;
use waitpoint::domain::time::timestamp::Timestamp;

fuzz_target!(|query: &str| {
    let now = Timestamp::from_millis(1_790_380_800_000);
    let query = match ListQuery::parse(query, now) {
        Ok(query) => query,
        Err(error) => {
            assert_eq!(error.status(), 400);
            assert!(serde_json::from_str::<Value>(&error.to_json()).is_ok());
            return;
        }
    };
    assert!((1..=MAX_SIZE).contains(&query.size));
    // A row at each end of what is asked for, and their neighbours.
    let ends = [
        query.from,
        query.to,
        cursor(&query).map(|cursor| cursor.created_at),
        Some(now),
    ];
    let near = |at: Timestamp| {
        [
            at.as_millis().saturating_sub(1),
            at.as_millis(),
            at.as_millis() + 1,
        ]
    };
    let times = ends
        .into_iter()
        .flatten()
        .flat_map(near)
        .map(Timestamp::from_millis);
    let mut rows: Vec<Row> = times.map(|at| row(at, &query)).collect();
    let months: Vec<Month> = rows.iter().map(|row| Month::of(row.created_at)).collect();
    let asked = query.months(&months);
    rows.retain(|row| query.matches(row, now));
    // No row that belongs on the page lies in a month that is not asked.
    assert!(
        rows.iter()
            .all(|row| asked.contains(&Month::of(row.created_at)))
    );
    rows.sort_by_key(Row::cursor);
    if !matches!(query.start, PageStart::Before(_)) {
        rows.reverse();
    }
    // The search stops at the last row, or was complete.
    let limits = query.limits(&SearchedRows::default(), rows.len()).unwrap();
    let searched_to = rows
        .last()
        .map(Row::cursor)
        .filter(|_| query.tags.len() % 2 == 1);
    rows.truncate(limits.rows);
    let page = query.page(SearchedRows {
        rows,
        searched: 0,
        searched_to,
    });
    assert!(page.rows.len() <= query.size);
    assert!(page.rows.iter().rev().is_sorted_by_key(|row| row.cursor()));
    for cursor in [page.next, page.previous].into_iter().flatten() {
        assert_eq!(Cursor::parse(&cursor.to_text()), Some(cursor));
    }
});

fn cursor(query: &ListQuery) -> Option<&Cursor> {
    match &query.start {
        PageStart::Newest => None,
        PageStart::After(cursor) | PageStart::Before(cursor) => Some(cursor),
    }
}

fn row(created_at: Timestamp, query: &ListQuery) -> Row {
    Row {
        is_signed: false,
        title: None,
        failed_deliveries: 0,
        decision: None,
        id: "cmabcdefghijklmnopqrstuvw".to_owned(),
        created_at,
        timeout_at: None,
        ended_at: None,
        is_cancelled: false,
        has_default: false,
        tags: query.tags.clone(),
        idempotency_key: query.idempotency_key.clone(),
        key_expires_at: None,
    }
}
