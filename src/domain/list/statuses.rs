//! Sets of statuses, for the filter of a list.
//!
//! Invariant: a query never gives an empty set. Without a filter it gives [`Statuses::ALL`].

use crate::domain::token::status::Status;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statuses {
    pub waiting: bool,
    pub completed: bool,
    pub timed_out: bool,
}

impl Statuses {
    /// Every status; the same as no filter.
    pub const ALL: Statuses = Statuses {
        waiting: true,
        completed: true,
        timed_out: true,
    };

    #[must_use]
    pub fn has(self, status: Status) -> bool {
        match status {
            Status::Waiting => self.waiting,
            Status::Completed => self.completed,
            Status::TimedOut => self.timed_out,
        }
    }
}
