//! Invariant: a page is shown newest first, whichever way it was asked for.
//!
//! Which rows a query lets through, and the page that they become.

use super::cursor::Cursor;
use super::month::Month;
use super::query::{ListQuery, PageStart};
use super::row::Row;
use crate::domain::time::timestamp::Timestamp;

/// A page, newest row first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPage {
    /// Its rows.
    pub rows: Vec<Row>,
    /// After which row older ones follow.
    pub next: Option<Cursor>,
    /// Before which row newer ones stand.
    pub previous: Option<Cursor>,
}

impl ListQuery {
    /// How many rows the index is asked for: one more than the page shows, to tell whether others follow.
    #[must_use]
    pub fn fetch_limit(&self) -> usize {
        self.size + 1
    }

    /// Of the months that hold rows, those that may hold rows of this page, in the order in which
    /// they must be asked until there are [`wanted`](Self::fetch_limit) rows.
    #[must_use]
    pub fn months(&self, known: &[Month]) -> Vec<Month> {
        let month = |cursor: &Cursor| Month::of(cursor.created_at);
        let (newest, oldest) = match &self.start {
            PageStart::Newest => (None, None),
            PageStart::After(cursor) => (Some(month(cursor)), None),
            PageStart::Before(cursor) => (None, Some(month(cursor))),
        };
        let from = oldest.max(self.from.map(Month::of));
        let to = self.to.map(Month::of);
        let fits = |known: &&Month| {
            let not_after = |end: &Option<Month>| end.as_ref().is_none_or(|end| *known <= end);
            from.as_ref().is_none_or(|from| *known >= from) && not_after(&to) && not_after(&newest)
        };
        let mut months = Vec::new();
        for month in known.iter().filter(fits) {
            insert_sorted(&mut months, month);
        }
        months.dedup();
        if !matches!(self.start, PageStart::Before(_)) {
            months.reverse();
        }
        months.into_iter().cloned().collect()
    }

    /// Whether the filters let a row through and it lies on the page's side of the cursor. The index
    /// says the same in SQL; tests compare pages with this.
    #[must_use]
    pub fn matches(&self, row: &Row, now: Timestamp) -> bool {
        let placed = match &self.start {
            PageStart::Newest => true,
            PageStart::After(cursor) => row.cursor() < *cursor,
            PageStart::Before(cursor) => row.cursor() > *cursor,
        };
        placed
            && self.status.has(row.status(now))
            && (self.idempotency_key.is_none() || self.idempotency_key == row.idempotency_key)
            && (self.tags.is_empty() || self.tags.iter().any(|tag| row.tags.contains(tag)))
            && self.from.is_none_or(|from| row.created_at >= from)
            && self.to.is_none_or(|to| row.created_at <= to)
    }

    /// The page: the first [`fetch_limit`](Self::fetch_limit) rows that [match](Self::matches) and
    /// are nearest to its place, oldest first for [`PageStart::Before`], else newest first.
    #[must_use]
    pub fn page(&self, mut rows: Vec<Row>) -> ListPage {
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        let backward = matches!(self.start, PageStart::Before(_));
        if backward {
            rows.reverse();
        }
        // Behind the cursor lies at least the row that it was taken from.
        let (newer, older) = match self.start {
            PageStart::Newest => (false, more),
            PageStart::After(_) => (true, more),
            PageStart::Before(_) => (more, true),
        };
        ListPage {
            next: rows.last().filter(|_| older).map(Row::cursor),
            previous: rows.first().filter(|_| newer).map(Row::cursor),
            rows,
        }
    }
}

/// Puts an item in its place. Lists here are short, and `sort` is kilobytes of the Worker.
pub(crate) fn insert_sorted<T: Ord>(list: &mut Vec<T>, item: T) {
    let place = list.partition_point(|other| *other <= item);
    list.insert(place, item);
}
