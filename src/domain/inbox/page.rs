//! A page of the inbox, made from what the months of the index have found.
//!
//! Invariant: a month looks at a limited number of rows for a page. So a page may have fewer rows than fit,
//! and say where the search goes on. No row before that place is left out.

use super::query::{InboxQuery, Position};
use crate::domain::list::row::Row;
use std::vec::IntoIter;

/// What one month has found. The rows are in the order of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthRows {
    /// At most one more than the page shows.
    pub rows: Vec<Row>,
    /// The last row that the month has looked at, if it has not looked at all.
    pub searched_to: Option<Position>,
}

/// A page of the inbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboxPage {
    pub rows: Vec<Row>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Position>,
    /// Whether the search stopped before the page was full.
    pub is_partial: bool,
}

impl InboxPage {
    /// The page of what all months have found.
    #[must_use]
    pub fn of(query: &InboxQuery, months: Vec<MonthRows>) -> Self {
        let mut limit: Option<Position> = None;
        let mut heads = Vec::new();
        for month in months {
            if let Some(to) = month.searched_to
                && limit.as_ref().is_none_or(|one| query.is_before(&to, one))
            {
                limit = Some(to);
            }
            heads.push(Head::of(month.rows));
        }
        let mut page = Self::default();
        let mut last = None;
        while let Some(head) = first(query, &mut heads) {
            let Some(position) = head.position.take() else {
                break;
            };
            if limit
                .as_ref()
                .is_some_and(|to| query.is_before(to, &position))
            {
                break;
            }
            if page.rows.len() == query.size() {
                page.next = last;
                return page;
            }
            page.rows.extend(head.advance());
            last = Some(position);
        }
        page.is_partial = limit.is_some() && page.rows.len() < query.size();
        page.next = limit;
        page
    }
}

/// The rows of a month that are not on the page yet.
struct Head {
    /// The position of the first one.
    position: Option<Position>,
    row: Option<Row>,
    rest: IntoIter<Row>,
}

impl Head {
    fn of(rows: Vec<Row>) -> Self {
        let mut head = Self {
            position: None,
            row: None,
            rest: rows.into_iter(),
        };
        head.advance();
        head
    }

    /// Takes the first row.
    fn advance(&mut self) -> Option<Row> {
        let next = self.rest.next();
        self.position = next.as_ref().map(Position::of);
        std::mem::replace(&mut self.row, next)
    }
}

/// The month whose first row comes first on the page.
fn first<'a>(query: &InboxQuery, heads: &'a mut [Head]) -> Option<&'a mut Head> {
    let mut best: Option<&'a mut Head> = None;
    for head in heads {
        let is_first = match (
            &head.position,
            best.as_ref().and_then(|one| one.position.as_ref()),
        ) {
            (Some(position), Some(best)) => query.is_before(position, best),
            (Some(_), None) => true,
            (None, _) => false,
        };
        if is_first {
            best = Some(head);
        }
    }
    best
}
