//! Pages of many months: following them meets every row once.
use super::{DAY, HOUR, NOW, at, row};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use waitpoint::domain::inbox::page::{InboxPage, MonthRows};
use waitpoint::domain::inbox::query::{InboxQuery, Position, View};
use waitpoint::domain::list::month::Month;
use waitpoint::domain::list::row::Row;

/// The index as it might be: the rows of each month. A month looks at so many rows for a page.
struct Index {
    months: BTreeMap<Month, Vec<Row>>,
    most_searched: usize,
}

fn order(query: &InboxQuery, rows: &mut [Row]) {
    rows.sort_by(|one, other| {
        let (one, other) = (Position::of(one), Position::of(other));
        match query.is_before(&one, &other) {
            true => Ordering::Less,
            false if one == other => Ordering::Equal,
            false => Ordering::Greater,
        }
    });
}

impl Index {
    fn of(rows: Vec<Row>, most_searched: usize) -> Self {
        let mut months: BTreeMap<Month, Vec<Row>> = BTreeMap::new();
        for row in rows {
            let month = Month::of(row.created_at);
            months.entry(month).or_default().push(row);
        }
        Self {
            months,
            most_searched,
        }
    }

    fn ask(&self, query: &InboxQuery) -> InboxPage {
        let months = self.months.values().map(|rows| self.search(query, rows));
        InboxPage::of(query, months.collect())
    }

    /// It walks along the rows of the view, and stops when it has found or looked at enough of them.
    fn search(&self, query: &InboxQuery, rows: &[Row]) -> MonthRows {
        let walk = InboxQuery::default().of_view(query.view);
        let walk = walk.behind(query.after.clone());
        let mut rows = rows.to_vec();
        rows.retain(|row| walk.matches(row, at(NOW)));
        order(query, &mut rows);
        let is_cut = rows.len() > self.most_searched;
        rows.truncate(self.most_searched);
        let last = rows.last().map(Position::of);
        rows.retain(|row| query.matches(row, at(NOW)));
        rows.truncate(query.size() + 1);
        let is_enough = rows.len() > query.size();
        MonthRows {
            rows,
            searched_to: last.filter(|_| is_cut && !is_enough),
        }
    }

    /// Every row that the query lets through, in order.
    fn all(&self, query: &InboxQuery) -> Vec<Row> {
        let rows = self.months.values().flatten();
        let mut rows: Vec<_> = rows
            .filter(|row| query.matches(row, at(NOW)))
            .cloned()
            .collect();
        order(query, &mut rows);
        rows
    }
}

prop_compose! {
    /// Of few moments, so that many end at once and were created at once.
    fn some_row()(
        created in (0..4_u64, 0..3_u64),
        timeout in option::of(select(vec![NOW - DAY, NOW, NOW + 1, NOW + HOUR, NOW + 2 * DAY])),
        ended in option::weighted(0.3, select(vec![NOW - DAY, NOW - 1, NOW])),
        is in [any::<bool>(), any::<bool>()],
        tags in subsequence(vec!["a".to_owned(), "b".to_owned()], 0..=2),
        title in option::of(select(vec!["Ship?", "Pay?", ""])),
        failed_deliveries in select(vec![0, 0, 1, 7]),
    ) -> Row {
        let (month, tick) = created;
        Row {
            created_at: at(NOW - month * 20 * DAY - tick),
            timeout_at: timeout.map(at),
            ended_at: ended.map(at),
            is_cancelled: ended.is_some() && is[0],
            has_default: ended.is_none() && timeout.is_some() && is[1],
            tags,
            title: title.map(str::to_owned),
            failed_deliveries,
            ..row("")
        }
    }
}

fn some_rows() -> impl Strategy<Value = Vec<Row>> {
    vec(some_row(), 0..250).prop_map(|rows| {
        let rows = rows.into_iter().enumerate();
        rows.map(|(n, row)| Row {
            id: format!("c{:03}", n * 37 % 251),
            ..row
        })
        .collect()
    })
}

fn some_query() -> impl Strategy<Value = InboxQuery> {
    let filters = vec![
        "text=ship",
        "text=c01",
        "tag=a",
        "age=1d",
        "due=1h",
        "due=none",
        "failed=1",
        "size=200",
    ];
    let views = vec!["waiting", "waiting", "decided", "timed-out", "withdrawn"];
    (select(views), subsequence(filters, 0..=3)).prop_map(|(view, filters)| {
        InboxQuery::parse(&format!("view={view}&{}", filters.join("&")))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn pages_meet_every_row_once_in_order(
        rows in some_rows(),
        query in some_query(),
        most_searched in prop_oneof![1..8_usize, 40..80_usize, Just(10_000)],
    ) {
        let index = Index::of(rows, most_searched);
        let all = index.all(&query);
        let mut met = Vec::new();
        let mut after = None;
        for pages in 0.. {
            prop_assert!(pages <= 300, "it never ends");
            let page = index.ask(&query.behind(after.clone()));
            prop_assert!(page.rows.len() <= query.size());
            let is_full = page.rows.len() == query.size();
            prop_assert_eq!(page.is_partial, page.next.is_some() && !is_full);
            if most_searched == 10_000 {
                prop_assert!(!page.is_partial);
                prop_assert!(page.next.is_none() || is_full);
            }
            met.extend(page.rows);
            let Some(next) = page.next else { break };
            // Nothing that was passed comes later.
            let is_further = |row: &Row| query.is_before(&next, &Position::of(row));
            prop_assert!(!met.iter().any(is_further));
            prop_assert!(after.is_none_or(|after| query.is_before(&after, &next)), "no way forward");
            after = Some(next);
        }
        prop_assert_eq!(met, all);
    }
}

fn waiting(id: &str, end: u64) -> Row {
    Row {
        timeout_at: Some(at(NOW + end)),
        ..row(id)
    }
}

fn found(rows: &[(&str, u64)], searched_to: Option<(&str, u64)>) -> MonthRows {
    MonthRows {
        rows: rows.iter().map(|(id, end)| waiting(id, *end)).collect(),
        searched_to: searched_to.map(|(id, end)| Position::of(&waiting(id, end))),
    }
}

fn page(months: &[MonthRows]) -> (String, Option<String>, bool) {
    let page = InboxPage::of(&InboxQuery::default(), months.to_vec());
    let ids = page.rows.iter().map(|row| row.id.as_str()).collect();
    (ids, page.next.map(|next| next.id), page.is_partial)
}

#[test]
fn a_page_ends_where_a_month_stopped_searching() {
    let none = (String::new(), None, false);
    assert_eq!(page(&[]), none);
    assert_eq!(page(&[found(&[], None), found(&[], None)]), none);
    let whole = [found(&[("a", 1), ("d", 4)], None), found(&[("b", 2)], None)];
    assert_eq!(page(&whole), ("abd".to_owned(), None, false));
    // Behind it there may be a row of that month before the next one of another.
    let next = |id: &str| Some(id.to_owned());
    let first = found(&[("a", 1), ("d", 4)], None);
    let stopped = [first.clone(), found(&[("b", 2)], Some(("c", 3)))];
    assert_eq!(page(&stopped), ("ab".to_owned(), next("c"), true));
    // At its very place is a row of its own.
    let stopped = [first.clone(), found(&[("b", 2)], Some(("b", 2)))];
    assert_eq!(page(&stopped), ("ab".to_owned(), next("b"), true));
    // The month that stopped first counts, even if it found nothing.
    let stopped = [
        found(&[("a", 1)], Some(("c", 3))),
        found(&[], Some(("0", 1))),
    ];
    assert_eq!(page(&stopped), (String::new(), next("0"), true));
}

#[test]
fn a_full_page_is_whole_and_says_what_follows() {
    let rows = |count: u64| -> Vec<Row> { (1..=count).map(|end| waiting("a", end)).collect() };
    let of = |count, searched_to: Option<u64>| {
        let month = MonthRows {
            rows: rows(count),
            searched_to: searched_to.map(|end| Position::of(&waiting("a", end))),
        };
        let page = InboxPage::of(&InboxQuery::default(), vec![month]);
        let next = page.next.map(|next| next.end.as_millis() - NOW);
        (page.rows.len(), next, page.is_partial)
    };
    assert_eq!(of(50, None), (50, None, false));
    assert_eq!(of(51, None), (50, Some(50), false));
    assert_eq!(of(50, Some(70)), (50, Some(70), false));
    assert_eq!(of(49, Some(70)), (49, Some(70), true));
    let decided = InboxQuery::default().of_view(View::Decided);
    assert_eq!(InboxPage::of(&decided, Vec::new()), InboxPage::default());
}
