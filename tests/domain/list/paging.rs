//! An index of months, asked as the Worker asks it: following cursors meets every row once.
use super::{DAY, NOW, at, ok};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::BTreeMap;
use waitpoint::domain::list::month::Month;
use waitpoint::domain::list::page::{ListPage, MAX_SEARCHED, SearchLimits, SearchedRows};
use waitpoint::domain::list::query::{ListQuery, PageStart};
use waitpoint::domain::list::row::Row;
use waitpoint::domain::list::statuses::Statuses;

/// The index as it might be: the rows of each month, oldest first. A page looks at so many rows.
struct Index {
    months: BTreeMap<Month, Vec<Row>>,
    max_searched: usize,
}

/// What a month finds, and how many rows it looks at: it walks along those of the query's time from the
/// cursor on, and stops when it has found or looked at enough.
fn search(query: &ListQuery, rows: &[Row], limits: SearchLimits) -> (SearchedRows, usize) {
    let range = ListQuery {
        status: Statuses::ALL,
        tags: Vec::new(),
        idempotency_key: None,
        ..query.clone()
    };
    let mut walk: Vec<&Row> = rows.iter().collect();
    walk.retain(|row| range.matches(row, at(NOW)));
    if !matches!(query.start, PageStart::Before(_)) {
        walk.reverse();
    }
    let mut found = SearchedRows::default();
    for (place, row) in walk.iter().enumerate() {
        if query.matches(row, at(NOW)) {
            found.rows.push((*row).clone());
        }
        let looked_at = place + 1;
        if found.rows.len() == limits.rows {
            return (found, looked_at);
        }
        if looked_at == limits.searched {
            found.searched_to = Some(row.cursor());
            return (found, looked_at);
        }
    }
    found.searched = walk.len();
    (found, walk.len())
}

impl Index {
    fn of(mut rows: Vec<Row>, max_searched: usize) -> Self {
        rows.sort_by_key(Row::cursor);
        let mut months: BTreeMap<Month, Vec<Row>> = BTreeMap::new();
        for row in rows {
            months
                .entry(Month::of(row.created_at))
                .or_default()
                .push(row);
        }
        Self {
            months,
            max_searched,
        }
    }

    fn ask(&self, query: &ListQuery) -> ListPage {
        let known: Vec<Month> = self.months.keys().cloned().collect();
        let mut found = SearchedRows::default();
        let mut searched = 0;
        for month in query.months(&known) {
            let Some(limits) = query.limits(&found, self.max_searched) else {
                break;
            };
            let (rows, looked_at) = search(query, &self.months[&month], limits);
            searched += looked_at;
            found.add(rows);
        }
        assert!(searched <= self.max_searched, "{searched} rows");
        query.page(found)
    }

    /// Every row that the filters let through, newest first.
    fn all(&self, query: &ListQuery) -> Vec<Row> {
        let rows = self.months.values().flatten().rev();
        rows.filter(|row| query.matches(row, at(NOW)))
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
        (option::of(Just(at(NOW - 1))), any::<bool>(), any::<bool>()),
        tags,
        option::of(select(vec!["k".to_owned(), "l".to_owned()])),
    );
    vec(row, 0..60).prop_map(|rows| {
        let rows = rows.into_iter().enumerate();
        rows.map(
            |(
                n,
                (created, timeout, (ended_at, is_cancelled, has_default), tags, idempotency_key),
            )| Row {
                is_signed: false,
                title: None,
                failed_deliveries: 0,
                decision: None,
                id: format!("c{:03}", n * 37 % 101),
                created_at: at(created),
                timeout_at: timeout.map(at),
                ended_at,
                is_cancelled: ended_at.is_some() && is_cancelled,
                has_default: ended_at.is_none() && has_default,
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
        "filter[status]=TIMED_OUT",
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
        max_searched in prop_oneof![1..10_usize, Just(MAX_SEARCHED)],
    ) {
        let index = Index::of(rows, max_searched);
        let all = index.all(&ok(&filters));
        let page = |place: String| index.ask(&ok(&format!("page[size]={size}&{filters}&{place}")));
        let rows_of = |pages: &[ListPage]| pages.iter().map(|page| page.rows.clone()).collect::<Vec<_>>();
        // As many as there may be rows, and a last one without any.
        let most_pages = 61;

        let mut forward = vec![page(String::new())];
        prop_assert_eq!(&forward[0].previous, &None);
        while let Some(next) = forward.last().and_then(|page| page.next.clone()) {
            let page = page(format!("page[after]={}", next.to_text()));
            prop_assert!(page.previous.is_some() && page.rows.len() <= size);
            forward.push(page);
            prop_assert!(forward.len() <= most_pages);
        }
        prop_assert_eq!(rows_of(&forward).concat(), all.clone());

        // The last page may be short, so that the way back is by the same steps from its beginning.
        let mut backward = vec![forward[forward.len() - 1].clone()];
        // Or it is full, from the other end.
        let mut upward = vec![page("page[before]=0_0".to_owned())];
        for pages in [&mut backward, &mut upward] {
            while let Some(previous) = pages.last().and_then(|page| page.previous.clone()) {
                let page = page(format!("page[before]={}", previous.to_text()));
                prop_assert!(page.next.is_some() && page.rows.len() <= size);
                pages.push(page);
                prop_assert!(pages.len() <= most_pages + 1);
            }
            pages.reverse();
            prop_assert_eq!(rows_of(pages).concat(), all.clone());
        }
        // Each page leads forward again, to the rows behind it.
        for (place, page_before) in upward.iter().enumerate() {
            let next = page_before.next.clone().unwrap();
            let after = rows_of(&upward[place + 1..]).concat();
            let rows = page(format!("page[after]={}", next.to_text())).rows;
            prop_assert!(after.starts_with(&rows));
        }
        // Where a page may look at all rows, none but a first one is empty, and both ways meet the same.
        if max_searched == MAX_SEARCHED {
            prop_assert_eq!(forward.len(), all.len().div_ceil(size).max(1));
            prop_assert_eq!(rows_of(&backward), rows_of(&forward));
        }
    }
}
