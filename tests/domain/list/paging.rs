//! An index of months, asked as the Worker asks it: following cursors meets every row once.
use super::{DAY, NOW, at, ok};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::BTreeMap;
use waitpoint::domain::list::month::Month;
use waitpoint::domain::list::page::ListPage;
use waitpoint::domain::list::query::{ListQuery, PageStart};
use waitpoint::domain::list::row::Row;

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

    fn ask(&self, query: &ListQuery) -> ListPage {
        let known: Vec<Month> = self.0.keys().cloned().collect();
        let mut found = Vec::new();
        for month in query.months(&known) {
            let admitted = self.0[&month]
                .iter()
                .filter(|row| query.matches(row, at(NOW)));
            let left = query.fetch_limit() - found.len();
            match query.start {
                PageStart::Before(_) => found.extend(admitted.take(left).cloned()),
                _ => found.extend(admitted.rev().take(left).cloned()),
            }
        }
        query.page(found)
    }

    /// Every row that the filters let through, newest first.
    fn all(&self, query: &ListQuery) -> Vec<Row> {
        let rows = self.0.values().flatten().rev();
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

        let rows_of = |pages: &[ListPage]| pages.iter().map(|page| page.rows.clone()).collect::<Vec<_>>();
        prop_assert_eq!(rows_of(&backward), rows_of(&forward));
    }
}
