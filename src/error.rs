//! Every refusal: its status, its machine code, its sentence.
//!
//! Invariant: no sentence repeats a credential, and a field of the caller is shortened before it
//! is quoted.

use crate::time::{TIMEOUT_FORMS, TimeoutError};
use serde::Serialize;
use std::fmt;

/// Why a request was refused. One that fails by a panic is 500 `internal_error`, by `worker/http.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 401: no `Authorization` header.
    NoAuthorization,
    /// 401: no such secret key, or a public access token where only a secret key will do.
    InvalidApiKey,
    /// 401: a public access token that does not verify.
    InvalidPublicToken,
    /// 401: a public access token that did verify, but is past its `exp`.
    ExpiredPublicToken,
    /// 401: the hash in a callback URL is not the token's.
    InvalidCallbackHash,
    /// 403: the credential's scopes do not cover this.
    ScopeTooSmall,
    /// 404: nothing at this path.
    NoSuchPath,
    /// 404: no such token in this environment.
    UnknownToken,
    /// 405: carries the methods that are allowed, as the `Allow` header writes them.
    MethodNotAllowed(&'static str),
    /// 413: carries the limit in bytes.
    BodyTooLarge(usize),
    /// 413: a form of more fields than are read; carries how many are.
    TooManyFields(usize),
    /// 400: the connection ended before the body did.
    BodyUnreadable,
    /// 400: a body of no bytes where JSON is needed.
    BodyEmpty,
    /// 400: not JSON, or not UTF-8.
    InvalidJson,
    /// 400: JSON, but not of the right shape.
    Invalid {
        /// The field, `""` for the whole body.
        path: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// 400: a query of list with values that cannot be read; carries all of them.
    Query(Vec<QueryIssue>),
    /// 415: a callback body in a form that is not read; carries the media type.
    UnsupportedMediaType(String),
    /// 403: a form that a page of another site sends.
    ForeignForm,
    /// 422: carries the number of tags.
    TooManyTags(usize),
    /// 429: a credential has used up its share; carries the binding that counts it.
    TooManyRequests(&'static str),
    /// 429: too many credentials from one address that were none.
    TooManyFailures,
    /// 503: storage or the object did not answer. The request is safe to repeat.
    StorageTrouble,
    /// 503: the API at which the token lives did not answer.
    UpstreamTrouble,
    /// 508: what was sent upstream came back.
    UpstreamLoop,
    /// 500: the Worker's settings are wrong; carries what an operator must mend.
    Misconfigured(String),
}

/// What is wrong with a value of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryIssue {
    /// The parameter.
    pub name: &'static str,
    /// What is wrong with it.
    pub message: String,
}

/// The body of a refusal on the wire.
#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'static str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Vec<Detail<'a>>>,
}

/// An issue as zod words it, which trigger.dev's users know.
#[derive(Serialize)]
struct Detail<'a> {
    code: &'static str,
    message: &'a str,
    path: [&'static str; 1],
}

impl<'a> From<&'a QueryIssue> for Detail<'a> {
    fn from(issue: &'a QueryIssue) -> Self {
        Self {
            code: "custom",
            message: &issue.message,
            path: [issue.name],
        }
    }
}

impl Refusal {
    /// A timeout that cannot be used; names the value and the accepted forms.
    #[must_use]
    pub fn timeout(value: &str, why: TimeoutError) -> Self {
        let why = match why {
            TimeoutError::Unreadable => "is no timeout",
            TimeoutError::Past => "lies in the past",
            TimeoutError::TooFar => "lies beyond the year 9999",
        };
        let message = format!("{} {why}; give {TIMEOUT_FORMS}", excerpt(value));
        Self::Invalid {
            path: "timeout",
            message,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.parts().0
    }

    /// The machine code, stable across versions.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.parts().1
    }

    /// Whether whoever calls has shown no credential that is one. One that has expired is.
    #[must_use]
    pub fn is_failed_credential(&self) -> bool {
        matches!(
            self,
            Self::NoAuthorization
                | Self::InvalidApiKey
                | Self::InvalidPublicToken
                | Self::InvalidCallbackHash
        )
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::StorageTrouble | Self::UpstreamTrouble | Self::TooManyRequests(_)
        )
    }

    /// The JSON body.
    #[must_use]
    pub fn to_json(&self) -> String {
        // trigger.dev's body for a missing scope, which its SDK and its users know.
        let scope = matches!(self, Self::ScopeTooSmall);
        let details = match self {
            Self::Query(issues) => Some(issues.iter().map(Detail::from).collect()),
            _ => None,
        };
        let body = Body {
            error: &self.to_string(),
            code: self.code(),
            param: scope.then_some("access_token"),
            kind: scope.then_some("authorization"),
            details,
        };
        serde_json::to_string(&body).unwrap_or_default()
    }

    fn parts(&self) -> (u16, &'static str) {
        match self {
            Self::NoAuthorization => (401, "missing_authorization"),
            Self::InvalidApiKey => (401, "invalid_api_key"),
            Self::InvalidPublicToken => (401, "invalid_public_token"),
            Self::ExpiredPublicToken => (401, "public_token_expired"),
            Self::InvalidCallbackHash => (401, "invalid_callback_hash"),
            Self::ScopeTooSmall => (403, "unauthorized"),
            Self::NoSuchPath => (404, "path_not_found"),
            Self::UnknownToken => (404, "token_not_found"),
            Self::MethodNotAllowed(_) => (405, "method_not_allowed"),
            Self::BodyTooLarge(_) => (413, "body_too_large"),
            Self::TooManyFields(_) => (413, "too_many_fields"),
            Self::BodyUnreadable => (400, "body_unreadable"),
            Self::BodyEmpty => (400, "body_empty"),
            Self::InvalidJson => (400, "invalid_json"),
            Self::Invalid { .. } => (400, "validation_error"),
            Self::Query(_) => (400, "invalid_query"),
            Self::UnsupportedMediaType(_) => (415, "unsupported_media_type"),
            Self::ForeignForm => (403, "cross_site_form"),
            Self::TooManyTags(_) => (422, "too_many_tags"),
            Self::TooManyRequests(_) => (429, "too_many_requests"),
            Self::TooManyFailures => (429, "too_many_failures"),
            Self::StorageTrouble => (503, "storage_trouble"),
            Self::UpstreamTrouble => (503, "upstream_trouble"),
            Self::UpstreamLoop => (508, "upstream_loop"),
            Self::Misconfigured(_) => (500, "misconfigured"),
        }
    }
}

/// The sentence for people; trigger.dev's own words where it has some.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAuthorization => f.write_str("No authorization header provided"),
            Self::InvalidApiKey => f.write_str("Invalid API key"),
            Self::InvalidPublicToken | Self::ExpiredPublicToken => {
                f.write_str("Public Access Token is invalid")
            }
            Self::InvalidCallbackHash => f.write_str("Invalid URL, hash doesn't match"),
            Self::ScopeTooSmall => f.write_str("Unauthorized"),
            Self::ForeignForm => f.write_str("A page of another site may not complete a token"),
            Self::NoSuchPath => f.write_str("Not found"),
            Self::UnknownToken => f.write_str("Waitpoint not found"),
            Self::MethodNotAllowed(_) => f.write_str("Method not allowed"),
            Self::BodyTooLarge(_) => f.write_str("Request body too large"),
            Self::TooManyFields(limit) => {
                write!(f, "A form may have {limit} fields; send more as JSON")
            }
            Self::BodyUnreadable => f.write_str("Request body could not be read to its end"),
            Self::BodyEmpty => f.write_str("Request body is empty"),
            Self::InvalidJson => f.write_str("Invalid JSON"),
            Self::Invalid { path: "", message } => write!(f, "Validation error: {message}"),
            Self::Invalid { path, message } => {
                write!(f, "Validation error: {message} at \"{path}\"")
            }
            // The SDK shows this sentence alone.
            Self::Query(issues) => {
                f.write_str("Query Error")?;
                for QueryIssue { name, message } in issues {
                    write!(f, "; {name}: {message}")?;
                }
                Ok(())
            }
            Self::UnsupportedMediaType(given) => write!(
                f,
                "A body of type {} is not read; send application/json, \
                 application/x-www-form-urlencoded or text/plain",
                excerpt(given)
            ),
            Self::TooManyTags(count) => write!(
                f,
                "Waitpoints can only have {} tags, you're trying to set {count}.",
                crate::wire::MAX_TAGS
            ),
            Self::TooManyRequests(binding) => write!(f, "Too many requests ({binding})"),
            Self::TooManyFailures => f.write_str("Too many wrong credentials"),
            Self::StorageTrouble => f.write_str("The token could not be reached; please try again"),
            Self::UpstreamTrouble => {
                f.write_str("The API at which the token lives did not answer; please try again")
            }
            Self::UpstreamLoop => f.write_str("UPSTREAM leads back here"),
            Self::Misconfigured(what) => write!(f, "The server is misconfigured: {what}"),
        }
    }
}

/// A value of the caller as an error quotes it: as JSON text, at most 64 characters of it.
pub(crate) fn excerpt(value: &str) -> String {
    serde_json::to_string(&shortened(value, EXCERPT)).unwrap_or_default()
}

/// Most characters of a value that an error quotes.
pub(crate) const EXCERPT: usize = 64;

/// At most so many characters of a value.
pub(crate) fn shortened(value: &str, most: usize) -> String {
    let mut text: String = value.chars().take(most).collect();
    if text.len() < value.len() {
        text.push('…');
    }
    text
}
