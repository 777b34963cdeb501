//! What must come of a token, by the times of its requests alone.

/// How a token stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Waiting,
    Completed(u64, String),
    TimedOut(u64),
}

/// One token from its creation until nothing of it is left.
pub(super) struct Oracle {
    /// The request that made it.
    pub(super) made_by: usize,
    timeout: Option<u64>,
    first: Option<(u64, String)>,
}

impl Oracle {
    pub(super) fn new(made_by: usize, timeout: Option<u64>) -> Self {
        Self {
            made_by,
            timeout,
            first: None,
        }
    }

    /// Somebody decides, and is told so if nobody did before.
    pub(super) fn complete(&mut self, now: u64, output: &str) {
        if self.end(now) == End::Waiting {
            self.first = Some((now, output.to_owned()));
        }
    }

    pub(super) fn end(&self, now: u64) -> End {
        match (&self.first, self.timeout) {
            (Some((at, output)), _) => End::Completed(*at, output.clone()),
            (None, Some(timeout)) if timeout <= now => End::TimedOut(timeout),
            (None, _) => End::Waiting,
        }
    }

    pub(super) fn is_past_retention(&self, retention: u64, now: u64) -> bool {
        match self.end(now) {
            End::Waiting => false,
            End::Completed(at, _) | End::TimedOut(at) => at + retention <= now,
        }
    }
}
