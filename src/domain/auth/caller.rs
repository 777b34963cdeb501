//! The caller of the API, and what it may do.
//!
//! Invariant: a caller may do what its credential allows, in its own environment, and nothing else.

use super::keyring::Environment;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::votes::Quorum;

/// The authenticated caller.
pub enum Caller<'a> {
    /// The holder of a secret key. It may do everything in its environment.
    Secret(&'a Environment),
    /// The holder of a public access token. It may do what the scopes allow.
    Public(Claims<'a>),
    /// The holder of a token's callback hash. It may complete that token and read nothing. The hash
    /// never expires.
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

    /// Whether the caller may do `action` to the token `id`, which is spelled as in the request.
    #[must_use]
    pub fn allows(&self, action: &str, id: &str) -> bool {
        match self {
            Self::Secret(_) => true,
            Self::Public(claims) => claims.allows(action, id),
            // The hash was verified for this id.
            Self::CallbackHash(_) => action == "write",
        }
    }

    /// How its callbacks must be signed, if it may not write itself.
    #[must_use]
    pub fn signed_callbacks(&self) -> Option<&SignedCallbacks> {
        match self {
            Self::Secret(_) | Self::CallbackHash(_) => None,
            Self::Public(claims) => claims.signed_callbacks.as_ref(),
        }
    }

    /// The approver whose link this is, by index.
    #[must_use]
    pub fn approver_of(&self, quorum: &Quorum) -> Option<u8> {
        let Self::Public(claims) = self else {
            return None;
        };
        let named = claims.subject.as_deref().and_then(|id| quorum.index_of(id));
        named.or(claims
            .approver
            .filter(|&index| quorum.approver(index).is_some()))
    }

    /// What identifies the person whom the link names, if it names one.
    #[must_use]
    pub fn person(&self) -> Option<String> {
        let Self::Public(claims) = self else {
            return None;
        };
        let index = claims.approver.map(|index| index.to_string());
        index.or(claims.subject.clone())
    }

    /// The person or system on whose behalf the caller acts, if the credential names one.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::Secret(_) | Self::CallbackHash(_) => None,
            Self::Public(claims) => claims.subject.as_deref(),
        }
    }
}

/// The claims of a verified public access token.
#[derive(Clone)]
pub struct Claims<'a> {
    pub environment: &'a Environment,
    pub scopes: Vec<String>,
    /// The `act.sub` claim: on whose behalf the caller acts.
    pub subject: Option<String>,
    /// Set in the short link of an approver: their index.
    pub approver: Option<u8>,
    /// The `exp` claim, in seconds since the epoch.
    pub expires_at: u64,
    /// Set in a link that may only read, at which signed callbacks decide.
    pub signed_callbacks: Option<SignedCallbacks>,
}

/// How the callbacks at a link must be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedCallbacks {
    /// As this `callback.verify` says, in JSON.
    As(String),
    /// As the token's record says: the link is too short to say it.
    AsRecorded,
}

impl Claims<'_> {
    /// Whether the scopes allow `action` on the waitpoint token `id`, which is spelled as in the
    /// request.
    ///
    /// Grammar: `action[:type[:id]]`; only the first two colons split. If there is an id, the scope
    /// is only for that token. An empty id grants nothing.
    #[must_use]
    pub fn allows(&self, action: &str, id: &str) -> bool {
        self.scopes
            .iter()
            .any(|scope| scope_allows(scope, action, id))
    }

    /// Whether the token has expired.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now.as_secs()
    }
}

/// Whether a scope allows `action` on the waitpoint `id`. [`Claims::allows`] has the grammar.
pub(crate) fn scope_allows(scope: &str, action: &str, id: &str) -> bool {
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
