//! Invariant: a set that holds nothing is never made of a query; no filter is [`Statuses::ALL`].
//!
//! Sets of statuses, as a filter names them.

use crate::domain::token::status::Status;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statuses {
    pub waiting: bool,
    pub completed: bool,
    pub timed_out: bool,
}

impl Statuses {
    /// Every status: no filter.
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
