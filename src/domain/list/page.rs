//! The rows that match a query, and the page that shows them.
//!
//! Invariant: a page shows the newest row first, in whichever direction the client pages.

use super::cursor::Cursor;
use super::month::Month;
use super::query::{ListQuery, PageStart};
use super::row::Row;
use crate::domain::time::timestamp::Timestamp;

/// A page, newest row first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPage {
    /// The rows of the page.
    pub rows: Vec<Row>,
    /// The cursor of the next, older page.
    pub next: Option<Cursor>,
    /// The cursor of the previous, newer page.
    pub previous: Option<Cursor>,
}

impl ListQuery {
    /// The number of rows to fetch from the index: one more than the page shows, to know whether more
    /// follow.
    #[must_use]
    pub fn fetch_limit(&self) -> usize {
        self.size + 1
    }

    /// The months that may have rows of this page, out of those that have rows. They are in the order
    /// in which they must be queried until there are [`fetch_limit`](Self::fetch_limit) rows.
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

    /// Whether a row matches the filters and lies on the page's side of the cursor. The index says the
    /// same in SQL; tests compare pages with this.
    #[must_use]
    pub fn matches(&self, row: &Row, now: Timestamp) -> bool {
        let is_beyond_cursor = match &self.start {
            PageStart::Newest => true,
            PageStart::After(cursor) => row.cursor() < *cursor,
            PageStart::Before(cursor) => row.cursor() > *cursor,
        };
        is_beyond_cursor
            && self.status.has(row.status(now))
            && (self.idempotency_key.is_none() || self.idempotency_key == row.idempotency_key)
            && (self.tags.is_empty() || self.tags.iter().any(|tag| row.tags.contains(tag)))
            && self.from.is_none_or(|from| row.created_at >= from)
            && self.to.is_none_or(|to| row.created_at <= to)
    }

    /// The page of the rows that the index returned. They are oldest first for [`PageStart::Before`],
    /// otherwise newest first. A row beyond the page's size means that more follow.
    #[must_use]
    pub fn page(&self, mut rows: Vec<Row>) -> ListPage {
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        let backward = matches!(self.start, PageStart::Before(_));
        if backward {
            rows.reverse();
        }
        // At least the row of the cursor lies on its other side.
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

/// Inserts an item in order. Lists here are short, and `sort` would add kilobytes to the Worker.
pub(crate) fn insert_sorted<T: Ord>(list: &mut Vec<T>, item: T) {
    let place = list.partition_point(|other| *other <= item);
    list.insert(place, item);
}
