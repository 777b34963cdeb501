//! Invariant: a path is one [`Endpoint`] or none, and an endpoint has the same methods for every caller.
//!
//! Paths and methods.

use crate::domain::auth::token_id::PREFIX;
use crate::domain::encoding::percent_decode;

/// What a path stands for. Ids and credentials are the path's text, not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint<'a> {
    /// `/`: the start page.
    Start,
    /// `/openapi.json`: the API's description.
    OpenApi,
    /// `/healthz`
    Health,
    /// `/api/v1/waitpoints/tokens`
    Tokens,
    /// `/api/v1/waitpoints/tokens/{id}`
    Token {
        /// The id as the caller wrote it.
        id: &'a str,
    },
    /// `/api/v1/waitpoints/tokens/{id}/complete`
    Complete {
        /// The id as the caller wrote it.
        id: &'a str,
    },
    /// `/api/v1/waitpoints/tokens/{id}/wait`
    Wait {
        /// The id as the caller wrote it.
        id: &'a str,
    },
    /// `/api/v1/waitpoints/tokens/{id}/callback/{credential}`, which is `token.url`
    Callback {
        /// The id as the caller wrote it.
        id: &'a str,
        /// A public access token or a 64-digit hexadecimal hash.
        credential: &'a str,
    },
    /// `/engine/v1/runs/{run}/waitpoints/tokens/{id}/wait`
    RunWait {
        /// The id as the caller wrote it.
        id: &'a str,
    },
    /// `/api/v1/auth/jwt/claims`
    Claims,
}

impl<'a> Endpoint<'a> {
    /// The endpoint of a path.
    #[must_use]
    pub fn of(path: &'a str) -> Option<Self> {
        let mut segments = path.strip_prefix('/')?.split('/');
        let mut next = || segments.next();
        let endpoint = match (next(), next(), next(), next()) {
            (Some(""), None, ..) => Self::Start,
            (Some("openapi.json"), None, ..) => Self::OpenApi,
            (Some("healthz"), None, ..) => Self::Health,
            (Some("api"), Some("v1"), Some("auth"), Some("jwt")) => match (next(), next()) {
                (Some("claims"), None) => Self::Claims,
                _ => return None,
            },
            (Some("api"), Some("v1"), Some("waitpoints"), Some("tokens")) => {
                match (next(), next(), next(), next()) {
                    (None, ..) => Self::Tokens,
                    (Some(""), ..) => return None,
                    (Some(id), None, ..) => Self::Token { id },
                    (Some(id), Some("complete"), None, _) => Self::Complete { id },
                    (Some(id), Some("wait"), None, _) => Self::Wait { id },
                    (Some(id), Some("callback"), Some(credential), None) => {
                        Self::Callback { id, credential }
                    }
                    _ => return None,
                }
            }
            (Some("engine"), Some("v1"), Some("runs"), Some(run)) if is_plain(run) => {
                match (next(), next(), next(), next(), next()) {
                    (Some("waitpoints"), Some("tokens"), Some(id), Some("wait"), None) => {
                        Self::RunWait { id }
                    }
                    _ => return None,
                }
            }
            _ => return None,
        };
        Some(endpoint)
    }

    /// The methods it takes, as an `Allow` header writes them.
    #[must_use]
    pub fn allow(self) -> &'static str {
        match self {
            Self::Start | Self::OpenApi | Self::Health => "GET, HEAD",
            Self::Tokens => "GET, HEAD, POST",
            Self::Token { .. } => "GET, HEAD, OPTIONS",
            Self::Complete { .. } => "POST, OPTIONS",
            Self::Wait { .. } => "GET, OPTIONS",
            Self::Callback { .. } => "GET, HEAD, POST, OPTIONS",
            Self::RunWait { .. } | Self::Claims => "POST",
        }
    }

    /// Whether it takes a method.
    #[must_use]
    pub fn allows(self, method: &str) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method)
    }

    /// Whether a web page of another origin may call it. Then every response carries CORS headers, errors
    /// included.
    #[must_use]
    pub fn is_for_browsers(self) -> bool {
        matches!(
            self,
            Self::Token { .. } | Self::Complete { .. } | Self::Wait { .. }
        )
    }
}

/// The URL of a token at an API: `origin` is the API's, `internal` the token's internal id.
#[must_use]
pub fn token_url(origin: &str, internal: &str) -> String {
    format!("{origin}/api/v1/waitpoints/tokens/{PREFIX}{internal}")
}

/// Whether a segment is one of an API's ids as clients send it.
fn is_plain(segment: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (1..=128).contains(&segment.len()) && segment.bytes().all(is_letter)
}

/// Whether a path that is not an [`Endpoint`] may be one of the API at which the tokens of a relay live.
/// Another spelling of a token's path is not: servers decode and normalise paths, so the token would be
/// decided there and not here, or its read would bypass what is stored here.
///
/// Clients of that API send its first three segments (`api`, `v1`, `runs`) as they are, in lower case and
/// without escapes. If the third is not `waitpoints` the path means no token, whatever follows, unless dots
/// lead back up.
#[must_use]
pub fn is_of_another_api(path: &str) -> bool {
    let mut segments = path.strip_prefix('/').unwrap_or("").split('/');
    let mut plain = || {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let segment = segments.next()?;
        (!segment.is_empty() && segment.bytes().all(is_plain)).then_some(segment)
    };
    let (Some(api), Some(_version), Some(subject)) = (plain(), plain(), plain()) else {
        return false;
    };
    matches!(api, "api" | "engine" | "realtime")
        && subject != "waitpoints"
        && Endpoint::of(path.trim_end_matches('/')).is_none()
        && !leads_up(path)
}

/// Whether a path may lead elsewhere on a server that decodes it, perhaps repeatedly, or reads `\` as `/`.
fn leads_up(path: &str) -> bool {
    let is_dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    let mut path = path.to_owned();
    // Clients escape a name at most twice, if it contains slashes.
    for _ in 0..4 {
        if path.contains('\\') || path.contains("//") || path.split('/').any(is_dots) {
            return true;
        }
        let decoded = percent_decode(&path);
        if decoded == path {
            return false;
        }
        path = decoded;
    }
    true
}
