//! Invariant: a caller may do what its credential says, in its own environment, and nothing else.
//!
//! Who calls, and what that may do.

use super::keyring::Environment;
use crate::domain::time::timestamp::Timestamp;

/// Who calls.
pub enum Caller<'a> {
    /// The holder of a secret key: everything in its environment.
    Secret(&'a Environment),
    /// The holder of a public access token: what its scopes say.
    Public(Claims<'a>),
    /// The holder of a token's callback hash: to complete that token, and to read nothing. It never expires.
    CallbackHash(&'a Environment),
}

impl<'a> Caller<'a> {
    /// The environment that the caller belongs to.
    #[must_use]
    pub fn environment(&self) -> &'a Environment {
        match self {
            Self::Secret(environment) | Self::CallbackHash(environment) => environment,
            Self::Public(claims) => claims.environment,
        }
    }

    /// Whether the caller may do `action` to the token `id` (as typed).
    #[must_use]
    pub fn allows(&self, action: &str, id: &str) -> bool {
        match self {
            Self::Secret(_) => true,
            Self::Public(claims) => claims.allows(action, id),
            // It was verified for this id.
            Self::CallbackHash(_) => action == "write",
        }
    }

    /// On whose behalf, if the credential says so.
    #[must_use]
    pub fn subject(self) -> Option<String> {
        match self {
            Self::Secret(_) | Self::CallbackHash(_) => None,
            Self::Public(claims) => claims.subject,
        }
    }
}

/// What a verified public access token says.
#[derive(Clone)]
pub struct Claims<'a> {
    pub environment: &'a Environment,
    pub scopes: Vec<String>,
    /// The `act.sub` claim: on whose behalf.
    pub subject: Option<String>,
    /// The `exp` claim, in seconds since the epoch.
    pub expires_at: u64,
}

impl Claims<'_> {
    /// Whether the scopes allow `action` on the waitpoint token `id` (as the caller typed it).
    ///
    /// Grammar: `action[:type[:id]]`; only the first two colons split. An id, once there, always
    /// narrows, and an empty one grants nothing.
    #[must_use]
    pub fn allows(&self, action: &str, id: &str) -> bool {
        self.scopes
            .iter()
            .any(|scope| scope_allows(scope, action, id))
    }

    /// Whether it allows nothing any more.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now.as_secs()
    }
}

/// Whether a scope allows `action` on the waitpoint `id`; the grammar is that of [`Claims::allows`].
fn scope_allows(scope: &str, action: &str, id: &str) -> bool {
    let mut parts = scope.splitn(3, ':');
    let (granted, kind, only) = (parts.next(), parts.next(), parts.next());
    if scope == "admin" {
        return true;
    }
    if granted != Some(action) && granted != Some("*") {
        return false;
    }
    match (kind, only) {
        (Some("all"), None) => true,
        (Some("waitpoints"), None) => true,
        (Some("all" | "waitpoints"), Some(only)) => !only.is_empty() && only == id,
        _ => false,
    }
}
