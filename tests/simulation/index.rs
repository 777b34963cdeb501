//! The index: rows come in batches that can be lost, or one by one, and in any order.
use super::oracle::End;
use super::world::{Event, World};
use std::collections::BTreeMap;
use waitpoint::domain::time::timestamp::Timestamp;
use waitpoint::domain::token::effects::Input;
use waitpoint::domain::token::index_state::IndexState;
use waitpoint::domain::token::{State, Token};

/// What the index is told of a token, or has of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    created: u64,
    /// How often its timeout was moved, and what it is.
    extensions: u32,
    timeout: Option<u64>,
    /// When it was completed or cancelled.
    ended: Option<u64>,
    /// How many of its deliveries have failed, or once had: of those that it keeps.
    failures: u32,
}

/// By id and creation.
pub(super) type Rows = BTreeMap<(usize, u64), Row>;

impl Row {
    pub(super) fn of(token: &Token) -> Self {
        let ended = match token.state {
            State::Completed { at, .. } | State::Cancelled { at, .. } => Some(at.as_millis()),
            State::Waiting | State::TimedOut => None,
        };
        Self {
            created: token.created_at.as_millis(),
            extensions: token.extensions,
            timeout: token.timeout_at.map(Timestamp::as_millis),
            ended,
            failures: token.failed_deliveries(),
        }
    }
}

impl World<'_> {
    /// A row reaches the index. The end stays, and otherwise the latest timeout.
    pub(super) fn put(&mut self, id: usize, row: Row) {
        let stored = self.rows.entry((id, row.created)).or_insert(row);
        let is_newer = stored.ended.is_none() && row.extensions > stored.extensions;
        let failures = stored.failures.max(row.failures);
        if stored.ended.is_none() && row.ended.is_some() || is_newer {
            *stored = row;
        }
        stored.failures = failures;
    }

    /// With the rows of others, and nobody learns whether it comes there.
    pub(super) fn enqueue_row(&mut self, id: usize, row: Row) {
        self.objects[id].is_failure_news = false;
        let is_lost = !self.has_index || self.is_faulty && self.chance.percent(15);
        if !is_lost {
            let slowest = self.chance.of(&[30, 200, 30_000]);
            let wait = self.chance.below(slowest);
            self.push(wait, Event::Row(id, row));
        }
    }

    pub(super) fn confirm_row(
        &mut self,
        id: usize,
        token: &Token,
        state: IndexState,
    ) -> (u64, Input) {
        self.objects[id].is_failure_news = false;
        let is_lost = self.is_faulty && self.chance.percent(15);
        let slowest = self.chance.of(&[10, 200, 200, 5_000]);
        let mut wait = self.chance.below(slowest);
        if self.has_index {
            if is_lost {
                // The row may come long after nobody waits for it any more.
                wait = self.chance.below(120_000);
            }
            self.push(wait, Event::Row(id, Row::of(token)));
        }
        let wait = if is_lost { 5_000 } else { wait + 5 };
        if self.has_index && !is_lost {
            (wait, Input::RowConfirmed(state))
        } else {
            (wait, Input::RowFailed)
        }
    }

    /// Whether the index has all that a list needs of this token.
    pub(super) fn is_listed(&self, id: usize, token: &Token) -> bool {
        let row = Row::of(token);
        let stored = self.rows.get(&(id, row.created));
        stored.is_some_and(|stored| {
            let failures = stored.failures;
            failures >= row.failures && *stored == Row { failures, ..row }
        })
    }

    /// The index knows of a token before that goes.
    pub(super) fn check_listed(&self, id: usize, token: &Token) {
        assert!(self.is_listed(id, token), "the index was not told");
    }

    /// What the index has was true once, and of the end it is true.
    pub(super) fn check_row(&self, id: usize, created: u64) {
        let Some(row) = self.rows.get(&(id, created)) else {
            return;
        };
        let oracle = self.objects[id].oracle.as_ref().unwrap();
        let end = match oracle.end(self.now) {
            End::Waiting | End::TimedOut(_) => None,
            end => end.at(),
        };
        assert!(
            row.ended.is_none() || row.ended == end,
            "the index is wrong"
        );
        let timeout = oracle.timeout_after(row.extensions as usize);
        assert_eq!(row.timeout, timeout, "the index is wrong");
        let ledger = self.objects[id].ledger.as_ref().unwrap();
        assert!(row.failures <= ledger.most_failed, "the index is wrong");
    }
}
