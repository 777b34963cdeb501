//! Invariants:
//! - A decision is counted for its token alone. Only callers who could have decided the token use up
//!   that share, so no decision is refused because of other callers' traffic.
//! - An address is limited only after its credential has failed: a caller with a good one is not
//!   affected by others at the same address.
//! - A caller who chooses keys with equal hashes only shares a limit with itself.
//!
//! What a rate limit counts together, and when it is asked at all. The counting is the platform's.

use crate::domain::auth::authenticate::bearer;
use crate::domain::hash::fnv1a;
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// How long a caller that has used up a share is asked to wait: the `period` in wrangler.toml.
pub const PERIOD: Duration = Duration::from_millis(PERIOD_MILLIS);
const PERIOD_MILLIS: u64 = 10_000;

/// Requests of a share in each [`PERIOD`] that one isolate lets through without asking the platform. A
/// token's whole life is a dozen of them, so where nobody floods, nobody pays for the question.
const LOCAL_ALLOWANCE: u8 = 100;

/// What is counted together.
#[derive(Clone, Copy, Debug)]
pub enum RateLimitKey<'a> {
    /// What an environment's secret keys ask, but for decisions.
    Environment(&'a str),
    /// Reads with this public access token, as the `Authorization` header has it.
    Reader(&'a str),
    /// Visits of a token's page.
    Page(&'a str, &'a str),
    /// Visits by links that have expired, so that they leave those that still decide their share.
    ExpiredPage(&'a str, &'a str),
    /// Decisions on a token, by whomever.
    Decisions(&'a str, &'a str),
}

impl RateLimitKey<'_> {
    /// The binding that counts it.
    #[must_use]
    pub fn binding(&self) -> &'static str {
        match self {
            Self::Environment(_) => "ENVIRONMENT_LIMIT",
            _ => "TOKEN_LIMIT",
        }
    }

    /// What it is counted under. It holds no credential.
    #[must_use]
    pub fn key(&self) -> String {
        let mut key = String::new();
        let parts = match *self {
            Self::Environment(id) => ["environment", id, ""],
            // The credential alone, or each spelling of the header would have a share.
            Self::Reader(authorization) => {
                let credential = bearer(authorization).unwrap_or("");
                ["read", &fnv1a(credential.bytes()).to_string(), ""]
            }
            Self::Page(environment, id) => ["page", environment, id],
            Self::ExpiredPage(environment, id) => ["expired", environment, id],
            Self::Decisions(environment, id) => ["decide", environment, id],
        };
        for part in parts {
            key.push_str(part);
            key.push('/');
        }
        key
    }
}

/// What an isolate has let through in this period. Keys that share a counter are asked about sooner, no
/// more.
pub struct LocalAllowance {
    period: u64,
    counts: [u8; 1024],
}

impl Default for LocalAllowance {
    fn default() -> Self {
        Self {
            period: 0,
            counts: [0; 1024],
        }
    }
}

impl LocalAllowance {
    /// Whether this request of a key may pass without asking.
    pub fn allows(&mut self, key: &str, now: Timestamp) -> bool {
        let period = now.as_millis() / PERIOD_MILLIS;
        if self.period != period {
            self.period = period;
            self.counts.fill(0);
        }
        let at = fnv1a(key.bytes()) as usize % self.counts.len();
        match self.counts.get_mut(at) {
            Some(count) if *count < LOCAL_ALLOWANCE => {
                *count += 1;
                true
            }
            _ => false,
        }
    }
}

/// The part of an address that belongs to one holder: of IPv6 the first four groups, or those before
/// `::`, as who has one address there has 2^64.
#[must_use]
pub fn network(address: &str) -> &str {
    let mut groups = 0;
    let mut before = 0;
    for (at, byte) in address.bytes().enumerate() {
        if byte == b':' {
            groups += 1;
            if before == b':' {
                return address.get(..at - 1).unwrap_or(address);
            }
            if groups == 4 {
                return address.get(..at).unwrap_or(address);
            }
        }
        before = byte;
    }
    address
}
