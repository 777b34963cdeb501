//! The rows that match a query, and the page that shows them.
//!
//! Invariants:
//! - A page shows the newest row first, in whichever direction the client pages.
//! - A page looks at a limited number of rows. So it may have fewer rows than fit, even none, and says
//!   where the search goes on. Pages that follow each other leave out no row.

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

/// The most rows that a page of a list looks at, and a month for a page of the inbox: 50 to 90 ms of
/// SQLite.
pub const MAX_SEARCHED: usize = 50_000;

/// What the months have found for a page, in the order in which they are searched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchedRows {
    /// The rows that match. They are oldest first for [`PageStart::Before`], otherwise newest first.
    pub rows: Vec<Row>,
    /// How many rows were looked at, if there were too few that match.
    pub searched: usize,
    /// The last row that was looked at, if the search stopped there.
    pub searched_to: Option<Cursor>,
}

/// What the next month is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchLimits {
    /// The most rows that it returns.
    pub rows: usize,
    /// The most rows that it looks at.
    pub searched: usize,
}

impl SearchedRows {
    /// Adds what the next month has found.
    pub fn add(&mut self, month: SearchedRows) {
        self.rows.extend(month.rows);
        self.searched = self.searched.saturating_add(month.searched);
        self.searched_to = month.searched_to;
    }
}

impl ListQuery {
    /// What the next month is asked for; `None` if the page needs no more. One row more than the page
    /// shows says that more follow.
    #[must_use]
    pub fn limits(&self, found: &SearchedRows, max_searched: usize) -> Option<SearchLimits> {
        let limits = SearchLimits {
            rows: (self.size + 1).saturating_sub(found.rows.len()),
            searched: max_searched.saturating_sub(found.searched).max(1),
        };
        (limits.rows > 0 && found.searched_to.is_none()).then_some(limits)
    }

    /// The months that may have rows of this page, out of those that have rows. They are in the order
    /// in which they must be searched while there are [`limits`](Self::limits).
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

    /// The page of what the months have found.
    #[must_use]
    pub fn page(&self, found: SearchedRows) -> ListPage {
        let mut rows = found.rows;
        let is_full = rows.len() > self.size;
        rows.truncate(self.size);
        // Where the next search begins, if there is one.
        let end = if is_full {
            rows.last().map(Row::cursor)
        } else {
            found.searched_to
        };
        // At least the row of the cursor lies on the page's other side. The way back from a page without
        // rows begins where its search ended, as it passed none that match.
        let back = |beyond| {
            let first = rows.first().map(Row::cursor);
            Some(first.or_else(|| end.clone()).unwrap_or(beyond))
        };
        let (next, previous) = match self.start {
            PageStart::Newest => (end, None),
            PageStart::After(_) => {
                let previous = back(Cursor::oldest());
                (end, previous)
            }
            PageStart::Before(_) => {
                let next = back(Cursor::newest());
                rows.reverse();
                (next, end)
            }
        };
        ListPage {
            rows,
            next,
            previous,
        }
    }
}

/// Inserts an item in order. Lists here are short, and `sort` would add kilobytes to the Worker.
pub(crate) fn insert_sorted<T: Ord>(list: &mut Vec<T>, item: T) {
    let place = list.partition_point(|other| *other <= item);
    list.insert(place, item);
}
