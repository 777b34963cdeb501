//! Invariants:
//! - A decision is counted for its token alone. Only callers who could have decided the token use up
//!   that limit, so no decision is rejected because of other callers' traffic.
//! - An address is limited only after its credential has failed. So a caller with a valid credential
//!   is not affected by others at the same address.
//! - A caller who chooses keys with equal hashes only shares a limit with itself.
//!
//! The limits: what shares a limit, and when the platform's counter is asked.

use crate::domain::auth::authenticate::bearer;
use crate::domain::hash::fnv1a;
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// How long a caller must wait after it has used up a limit. This is the `period` in wrangler.toml.
pub const PERIOD: Duration = Duration::from_millis(PERIOD_MILLIS);
const PERIOD_MILLIS: u64 = 10_000;

/// How many requests of a key in each [`PERIOD`] one isolate allows without asking the platform. A
/// token needs a dozen requests in its life, so only floods are ever checked there.
const LOCAL_ALLOWANCE: u8 = 100;

/// The requests that share a limit.
#[derive(Clone, Copy, Debug)]
pub enum RateLimitKey<'a> {
    /// Requests with an environment's secret keys, except decisions.
    Environment(&'a str),
    /// Calls of an agent: an environment, and which of its keys.
    Agent(&'a str, usize),
    /// Reads with this public access token, which is in the `Authorization` header.
    Reader(&'a str),
    /// Visits of a token's page.
    Page(&'a str, &'a str),
    /// Visits by expired links. They must not use up the limit of links that are still valid.
    ExpiredPage(&'a str, &'a str),
    /// Callbacks of a token that are not signed yet, and handshakes.
    Undecided(&'a str, &'a str),
    /// Decisions on a token, by any caller.
    Decisions(&'a str, &'a str),
    /// Decisions on a token by the page, of one person whom the link names.
    Votes(&'a str, &'a str, &'a str),
}

impl RateLimitKey<'_> {
    /// The binding that counts the requests.
    #[must_use]
    pub fn binding(&self) -> &'static str {
        match self {
            Self::Environment(_) | Self::Agent(..) => "ENVIRONMENT_LIMIT",
            _ => "TOKEN_LIMIT",
        }
    }

    /// The key of the limit. It contains no credential.
    #[must_use]
    pub fn key(&self) -> String {
        let mut key = String::new();
        let mut person = String::new();
        let parts = match *self {
            Self::Environment(id) => ["environment", id, ""],
            Self::Agent(environment, number) => {
                person = number.to_string();
                ["agent", environment, ""]
            }
            // Only the credential is used. Otherwise each spelling of the header would have a limit
            // of its own.
            Self::Reader(authorization) => {
                let credential = bearer(authorization).unwrap_or("");
                ["read", &fnv1a(credential.bytes()).to_string(), ""]
            }
            Self::Page(environment, id) => ["page", environment, id],
            Self::ExpiredPage(environment, id) => ["expired", environment, id],
            Self::Undecided(environment, id) => ["undecided", environment, id],
            Self::Decisions(environment, id) => ["decide", environment, id],
            Self::Votes(environment, id, of) => {
                // An id can be any text.
                person = fnv1a(of.bytes()).to_string();
                ["vote", environment, id]
            }
        };
        for part in parts {
            key.push_str(part);
            key.push('/');
        }
        key + &person
    }
}

/// Requests allowed in this period, counted per hashed key. A collision only makes us consult the
/// platform earlier.
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
    /// Counts a request of this key. Returns whether it is allowed without asking the platform.
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

/// The part of an address that one client cannot choose: for IPv6 the first four groups, or those
/// before `::`. Whoever has one IPv6 address has 2^64 of them.
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
