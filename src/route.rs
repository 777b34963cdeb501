//! A path is an [`Endpoint`]; an endpoint has methods. A table, and nothing else.

/// What a path stands for. Ids and credentials are the path's text as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint<'a> {
    /// `/`: what this is, for people.
    Start,
    /// `/openapi.json`: what this is, for programs.
    OpenApi,
    /// `/healthz`
    Health,
    /// `/api/v1/waitpoints/tokens`
    Tokens,
    /// `/api/v1/waitpoints/tokens/{id}`
    Token {
        /// The id as typed.
        id: &'a str,
    },
    /// `/api/v1/waitpoints/tokens/{id}/complete`
    Complete {
        /// The id as typed.
        id: &'a str,
    },
    /// `/api/v1/waitpoints/tokens/{id}/wait`
    Wait {
        /// The id as typed.
        id: &'a str,
    },
    /// `/api/v1/waitpoints/tokens/{id}/callback/{credential}`, which is `token.url`
    Callback {
        /// The id as typed.
        id: &'a str,
        /// A public access token or a 64-digit hexadecimal hash.
        credential: &'a str,
    },
    /// `/engine/v1/runs/{run}/waitpoints/tokens/{id}/wait`
    RunWait {
        /// The id as typed.
        id: &'a str,
    },
    /// `/api/v1/auth/jwt/claims`
    Claims,
}

impl<'a> Endpoint<'a> {
    /// The endpoint of a path, `None` if there is nothing.
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
            (Some("engine"), Some("v1"), Some("runs"), Some(_run)) => {
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

    /// Whether a page of another origin may call it, and so every answer of it carries CORS
    /// headers, errors included.
    #[must_use]
    pub fn is_for_browsers(self) -> bool {
        matches!(
            self,
            Self::Token { .. } | Self::Complete { .. } | Self::Wait { .. }
        )
    }
}

/// The internal id of a token: what follows `waitpoint_`, which a caller may leave out. `None` for
/// what cannot be an id, so that such a path costs nothing.
#[must_use]
pub fn internal_id(typed: &str) -> Option<&str> {
    let id = typed.strip_prefix("waitpoint_").unwrap_or(typed);
    let fits = (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    fits.then_some(id)
}
