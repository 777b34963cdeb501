//! The API at which a token lives.
//!
//! Invariant: only this file decides what differs for tokens that live at another API (`relay/`).

/// The API at which a token lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Home {
    /// This API. The token is decided and times out here.
    #[default]
    Here,
    /// Another API, called upstream. Only what was decided or asked here is stored here.
    Upstream,
}

impl Home {
    /// Whether the token times out by our clock. Upstream has its own clock, and a decision may have
    /// been in time there.
    #[must_use]
    pub fn times_out_here(self) -> bool {
        self == Self::Here
    }

    /// Whether the index lists the token. Upstream lists its own tokens.
    #[must_use]
    pub fn is_indexed(self) -> bool {
        self == Self::Here
    }

    /// Whether the object may have to poll for the token's end. Upstream sends no notification.
    #[must_use]
    pub fn must_be_polled(self) -> bool {
        self == Self::Upstream
    }

    /// Whether a decision must be delivered to where the token lives.
    #[must_use]
    pub fn receives_decisions(self) -> bool {
        self == Self::Upstream
    }

    /// Whether a purge leaves a tombstone. Without one, a link that outlives the retention could
    /// create the upstream token's record again and decide it a second time.
    #[must_use]
    pub fn leaves_tombstone(self) -> bool {
        self == Self::Upstream
    }
}
