//! The API's paths and methods.
//!
//! Invariant: a path is one [`Endpoint`] or none, and an endpoint has the same methods for every
//! caller.

use crate::domain::auth::token_id::PREFIX;
use crate::domain::encoding::percent_decode;

/// The path of all tokens.
pub(crate) const TOKENS: &str = "/api/v1/waitpoints/tokens";
/// The beginning of the paths of short links.
pub(crate) const SHORT_LINK: &str = "/t/";

/// The endpoint of a path. Ids and credentials are parts of the path, not decoded.
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
    /// `/api/v1/waitpoints/tokens/{id}/cancel`
    Cancel {
        /// The id as the caller wrote it.
        id: &'a str,
    },
    /// `/api/v1/waitpoints/tokens/{id}/extend`
    Extend {
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
    /// `/t/{id}/{credential}`, which is `shortUrl`
    ShortLink {
        /// The internal id.
        id: &'a str,
        /// What `auth/short_link.rs` verifies.
        credential: &'a str,
    },
    /// `/engine/v1/runs/{run}/waitpoints/tokens/{id}/wait`
    RunWait {
        /// The id as the caller wrote it.
        id: &'a str,
    },
    /// `/api/v1/auth/jwt/claims`
    Claims,
    /// A page of the inbox.
    Inbox(InboxPath<'a>),
    /// `/mcp`: agents ask people.
    Mcp,
}

/// A path of the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InboxPath<'a> {
    /// `/inbox`
    List,
    /// `/inbox/sign-in`
    SignIn,
    /// `/inbox/sign-out`
    SignOut,
    /// `/inbox/bulk`
    Bulk,
    /// `/inbox/{id}`
    Token {
        /// The id as the caller wrote it.
        id: &'a str,
    },
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
            (Some("mcp"), None, ..) => Self::Mcp,
            (Some("inbox"), page, None, _) => Self::Inbox(match page {
                None => InboxPath::List,
                Some("") => return None,
                Some("sign-in") => InboxPath::SignIn,
                Some("sign-out") => InboxPath::SignOut,
                Some("bulk") => InboxPath::Bulk,
                Some(id) => InboxPath::Token { id },
            }),
            (Some("t"), Some(id), Some(credential), None) if !id.is_empty() => {
                Self::ShortLink { id, credential }
            }
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
                    (Some(id), Some("cancel"), None, _) => Self::Cancel { id },
                    (Some(id), Some("extend"), None, _) => Self::Extend { id },
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

    /// The methods that the endpoint accepts, as in an `Allow` header.
    #[must_use]
    pub fn allow(self) -> &'static str {
        match self {
            Self::Start | Self::OpenApi | Self::Health => "GET, HEAD",
            Self::Tokens => "GET, HEAD, POST",
            Self::Inbox(page) => match page {
                InboxPath::List => "GET, HEAD",
                _ => "GET, HEAD, POST",
            },
            Self::Token { .. } => "GET, HEAD, OPTIONS",
            Self::Complete { .. } => "POST, OPTIONS",
            Self::Wait { .. } => "GET, OPTIONS",
            Self::Callback { .. } | Self::ShortLink { .. } => "GET, HEAD, POST, OPTIONS",
            Self::Cancel { .. }
            | Self::Extend { .. }
            | Self::RunWait { .. }
            | Self::Claims
            | Self::Mcp => "POST",
        }
    }

    /// Whether the endpoint accepts a method.
    #[must_use]
    pub fn allows(self, method: &str) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method)
    }

    /// Whether web pages of other origins may call the endpoint. If so, every response has CORS
    /// headers, errors included.
    #[must_use]
    pub fn is_for_browsers(self) -> bool {
        matches!(
            self,
            Self::Token { .. } | Self::Complete { .. } | Self::Wait { .. }
        )
    }
}

/// The URL of a token: `origin` is the API's, `internal` the token's internal id.
#[must_use]
pub fn token_url(origin: &str, internal: &str) -> String {
    format!("{origin}{TOKENS}/{PREFIX}{internal}")
}

/// The path and query of a page of the inbox, if this is one: where to go after signing in.
#[must_use]
pub fn inbox_page(target: &str) -> Option<&str> {
    let path = target.split('?').next()?;
    let is_plain = target
        .bytes()
        .all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'#');
    let is_page = match Endpoint::of(path)? {
        Endpoint::Inbox(page) => matches!(page, InboxPath::List | InboxPath::Token { .. }),
        _ => false,
    };
    (is_plain && is_page && target.len() <= MAX_TARGET).then_some(target)
}

/// Longest path and query of a page of the inbox, in bytes.
const MAX_TARGET: usize = 2_000;

/// Whether a path segment is an id, as clients send it.
fn is_plain(segment: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (1..=128).contains(&segment.len()) && segment.bytes().all(is_letter)
}

/// Whether a path that is not an [`Endpoint`] may be forwarded to the upstream API.
///
/// Another spelling of a token's path may not. Servers decode and normalise paths, so the token would
/// be decided there and not here, or a read would miss what is stored here.
///
/// Clients of that API send its first three segments (`api`, `v1`, `runs`) unescaped and in lower
/// case. If the third segment is not `waitpoints`, the path is not about a token, unless dots lead
/// back up.
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

/// Whether a server that decodes the path, perhaps repeatedly, or reads `\` as `/`, could read it as
/// another path.
fn leads_up(path: &str) -> bool {
    let is_dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    let mut path = path.to_owned();
    // Clients escape a name twice at most, if it contains slashes.
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
