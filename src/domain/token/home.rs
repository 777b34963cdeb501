//! Invariant: what differs for tokens that live at another API (`relay/`) is decided here alone.
//!
//! Which API a token lives at.

/// Which API a token lives at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Home {
    /// This one: it is decided and times out here.
    #[default]
    Here,
    /// Another one. Only what was decided or asked here is kept here.
    Upstream,
}

impl Home {
    /// Whether its timeout is taken by the clock here. Upstream has a clock of its own, and somebody may have
    /// been in time there.
    #[must_use]
    pub fn times_out_here(self) -> bool {
        self == Self::Here
    }

    /// Whether the index lists it; upstream lists its own tokens.
    #[must_use]
    pub fn is_indexed(self) -> bool {
        self == Self::Here
    }

    /// Whether its end may have to be asked for: upstream notifies nobody.
    #[must_use]
    pub fn must_be_polled(self) -> bool {
        self == Self::Upstream
    }

    /// Whether a decision made here must be delivered to where the token lives.
    #[must_use]
    pub fn receives_decisions(self) -> bool {
        self == Self::Upstream
    }

    /// Whether a decision leaves a tombstone when the token is purged. A link may outlive the retention, and
    /// a token that lives upstream would be created anew by it and decided once more.
    #[must_use]
    pub fn leaves_tombstone(self) -> bool {
        self == Self::Upstream
    }
}
