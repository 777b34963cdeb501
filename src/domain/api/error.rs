//! Invariant: no message contains a credential, and a caller's value is shortened before it is
//! quoted.
//!
//! Every error of the API, with its status, code and message.

use super::excerpt::excerpt;
use super::limits::MAX_TAGS;
use crate::domain::approval::form::Issue;
use crate::domain::json::to_json;
use crate::domain::time::timeout::{TIMEOUT_FORMS, TimeoutError};
use crate::domain::token::transition::Outcome;
use serde::Serialize;
use std::fmt;

/// Why a request was rejected. A request that panics gets 500 `internal_error` from
/// `worker/http/failure.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// 401: no `Authorization` header.
    MissingAuthorization,
    /// 401: unknown secret key, or a public access token where a secret key is required.
    InvalidApiKey,
    /// 401: an invalid public access token.
    InvalidPublicToken,
    /// 401: a valid public access token that is past its `exp`.
    PublicTokenExpired,
    /// 401: the hash in a callback URL does not belong to the token.
    InvalidCallbackHash,
    /// 403: the scopes of the credential do not allow this.
    InsufficientScope,
    /// 403: only the token's approvers decide it, each with their own link.
    ApproversOnly,
    /// 404: no endpoint has this path.
    PathNotFound,
    /// 404: the environment has no such token.
    TokenNotFound,
    /// 405: carries the methods that are allowed, as the `Allow` header writes them.
    MethodNotAllowed(&'static str),
    /// 413: the body is larger than `limit`. `size` is how many bytes were announced or received.
    BodyTooLarge { limit: usize, size: usize },
    /// 413: a form has too many fields; carries the limit.
    TooManyFields(usize),
    /// 400: the connection ended before the body did.
    BodyUnreadable,
    /// 400: the body is empty, but JSON is required.
    BodyEmpty,
    /// 400: the body is not JSON, or not UTF-8.
    InvalidJson,
    /// 400: the body is JSON, but has an invalid field.
    ValidationError {
        /// The field; `""` for the whole body.
        path: &'static str,
        /// What is wrong with it: sentences, or a phrase of trigger.dev's without a period.
        message: String,
    },
    /// 400: a list query has invalid values. Carries all of them.
    InvalidQuery(Vec<QueryIssue>),
    /// 415: the charset of a callback is not known; carries it.
    UnsupportedCharset(String),
    /// 415: the content coding of a callback is not known; carries it.
    UnsupportedEncoding(String),
    /// 400: the body cannot be unpacked as its content coding says; carries that.
    BodyNotUnpacked(&'static str),
    /// 400: the body is no multipart form.
    InvalidForm,
    /// 401: the token's creator wants callbacks to be signed, and the signature is missing or wrong.
    InvalidSignature,
    /// 403: a form was sent by a web page of another site.
    CrossSiteForm,
    /// 409: a token that has ended cannot be extended; carries how it ended.
    TokenEnded(Outcome),
    /// 422: an output does not match the form of the token's approval. Carries all issues.
    InvalidFields(Vec<Issue>),
    /// 422: carries the number of tags.
    TooManyTags(usize),
    /// 429: a rate limit is used up; carries its binding.
    TooManyRequests(&'static str),
    /// 429: too many credentials from one address have failed.
    TooManyFailures,
    /// 503: the isolate reads as many bodies as it can hold.
    TooManyBodies,
    /// 503: an object or its storage failed. The request may be repeated.
    StorageUnavailable,
    /// 503: the API at which the token lives did not answer.
    UpstreamUnavailable,
    /// 501: the token lives at another API, so it cannot be cancelled or extended here.
    NotSupportedUpstream,
    /// 508: a request that was sent upstream came back to this Worker.
    UpstreamLoop,
    /// 500: the Worker's settings are invalid. Carries what an operator must change.
    Misconfigured(String),
}

/// The most issues in a message. All of them are in the details.
const SHOWN_ISSUES: usize = 3;

/// An invalid value in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryIssue {
    pub name: &'static str,
    /// What is wrong with the value, and which values are valid: sentences.
    pub message: String,
}

/// The body of an error on the wire.
#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'static str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Details<'a> {
    Query(Vec<Detail<'a>>),
    Fields(&'a [Issue]),
}

/// An issue in the words of zod, which trigger.dev's users know.
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

impl ApiError {
    /// A timeout that is invalid. Names the value and the accepted forms.
    #[must_use]
    pub fn timeout(value: &str, why: TimeoutError) -> Self {
        let why = match why {
            TimeoutError::Unreadable => "is not a valid timeout",
            TimeoutError::Past => "is in the past",
            TimeoutError::TooFar => "is after the year 9999",
        };
        let message = format!("{} {why}. Use {TIMEOUT_FORMS}.", excerpt(value));
        Self::ValidationError {
            path: "timeout",
            message,
        }
    }

    #[must_use]
    pub fn status(&self) -> u16 {
        self.parts().0
    }

    /// The machine code, stable across versions.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.parts().1
    }

    /// Whether the credential is invalid. An expired one was valid, so it does not count.
    #[must_use]
    pub fn is_failed_credential(&self) -> bool {
        matches!(
            self,
            Self::MissingAuthorization
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
            Self::StorageUnavailable
                | Self::UpstreamUnavailable
                | Self::TooManyBodies
                | Self::TooManyRequests(_)
        )
    }

    /// The JSON body.
    #[must_use]
    pub fn to_json(&self) -> String {
        // trigger.dev's SDK and users know this body of a missing scope.
        let scope = matches!(self, Self::InsufficientScope);
        let details = match self {
            Self::InvalidQuery(issues) => {
                Some(Details::Query(issues.iter().map(Detail::from).collect()))
            }
            Self::InvalidFields(issues) => Some(Details::Fields(issues)),
            _ => None,
        };
        let body = Body {
            error: &self.to_string(),
            code: self.code(),
            param: scope.then_some("access_token"),
            kind: scope.then_some("authorization"),
            details,
        };
        to_json(&body)
    }

    fn parts(&self) -> (u16, &'static str) {
        match self {
            Self::MissingAuthorization => (401, "missing_authorization"),
            Self::InvalidApiKey => (401, "invalid_api_key"),
            Self::InvalidPublicToken => (401, "invalid_public_token"),
            Self::PublicTokenExpired => (401, "public_token_expired"),
            Self::InvalidCallbackHash => (401, "invalid_callback_hash"),
            Self::InsufficientScope => (403, "unauthorized"),
            Self::ApproversOnly => (403, "approvers_only"),
            Self::PathNotFound => (404, "path_not_found"),
            Self::TokenNotFound => (404, "token_not_found"),
            Self::MethodNotAllowed(_) => (405, "method_not_allowed"),
            Self::BodyTooLarge { .. } => (413, "body_too_large"),
            Self::TooManyFields(_) => (413, "too_many_fields"),
            Self::BodyUnreadable => (400, "body_unreadable"),
            Self::BodyEmpty => (400, "body_empty"),
            Self::InvalidJson => (400, "invalid_json"),
            Self::ValidationError { .. } => (400, "validation_error"),
            Self::InvalidQuery(_) => (400, "invalid_query"),
            Self::UnsupportedCharset(_) => (415, "unsupported_charset"),
            Self::UnsupportedEncoding(_) => (415, "unsupported_encoding"),
            Self::BodyNotUnpacked(_) => (400, "body_not_unpacked"),
            Self::InvalidForm => (400, "invalid_form"),
            Self::InvalidSignature => (401, "invalid_signature"),
            Self::CrossSiteForm => (403, "cross_site_form"),
            Self::TokenEnded(_) => (409, "token_ended"),
            Self::InvalidFields(_) => (422, "invalid_fields"),
            Self::TooManyTags(_) => (422, "too_many_tags"),
            Self::TooManyRequests(_) => (429, "too_many_requests"),
            Self::TooManyFailures => (429, "too_many_failures"),
            Self::TooManyBodies => (503, "too_many_bodies"),
            Self::StorageUnavailable => (503, "storage_trouble"),
            Self::UpstreamUnavailable => (503, "upstream_trouble"),
            Self::NotSupportedUpstream => (501, "not_supported_upstream"),
            Self::UpstreamLoop => (508, "upstream_loop"),
            Self::Misconfigured(_) => (500, "misconfigured"),
        }
    }
}

/// The message for people. It is trigger.dev's where trigger.dev has the same error.
impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingAuthorization => f.write_str("No authorization header provided"),
            Self::InvalidApiKey => f.write_str("Invalid API key"),
            Self::InvalidPublicToken | Self::PublicTokenExpired => {
                f.write_str("Public Access Token is invalid")
            }
            Self::InvalidCallbackHash => f.write_str("Invalid URL, hash doesn't match"),
            Self::InsufficientScope => f.write_str("Unauthorized"),
            Self::CrossSiteForm => f.write_str("A page of another site cannot complete a token."),
            Self::ApproversOnly => f.write_str(
                "Only the approvers decide this token, each on the page at their own link. A secret \
                 key can complete it too.",
            ),
            Self::PathNotFound => f.write_str("Not found"),
            Self::TokenNotFound => f.write_str("Waitpoint not found"),
            Self::MethodNotAllowed(_) => f.write_str("Method not allowed"),
            Self::BodyTooLarge { limit, size } => write!(
                f,
                "Request body too large: it has {size} bytes, and at most {limit} are allowed."
            ),
            Self::TooManyFields(limit) => {
                write!(
                    f,
                    "A form can have at most {limit} fields. Use JSON for more."
                )
            }
            Self::BodyUnreadable => f.write_str("The request body ended too early. Try again."),
            Self::BodyEmpty => f.write_str("Request body is empty"),
            Self::InvalidJson => f.write_str("Invalid JSON"),
            Self::ValidationError { path: "", message } => write!(f, "Validation error: {message}"),
            Self::ValidationError { path, message } if message.ends_with('.') => {
                write!(f, "Validation error at \"{path}\": {message}")
            }
            // A phrase, as in trigger.dev's errors.
            Self::ValidationError { path, message } => {
                write!(f, "Validation error: {message} at \"{path}\"")
            }
            // The SDK shows only this message.
            Self::InvalidQuery(issues) => {
                f.write_str("Query Error;")?;
                for QueryIssue { name, message } in issues {
                    write!(f, " {name}: {message}")?;
                }
                Ok(())
            }
            Self::UnsupportedCharset(given) => {
                write!(f, "{} is not a known charset. Use utf-8.", excerpt(given))
            }
            Self::UnsupportedEncoding(given) => write!(
                f,
                "{} is not a supported content encoding. Use gzip, deflate or none.",
                excerpt(given)
            ),
            Self::BodyNotUnpacked(encoding) => {
                write!(
                    f,
                    "The body is not {encoding}, as its Content-Encoding says."
                )
            }
            Self::InvalidForm => f.write_str("The body is not a valid multipart form."),
            Self::InvalidSignature => {
                f.write_str("The signature of the callback is missing or wrong.")
            }
            Self::TokenEnded(outcome) => write!(
                f,
                "The token has ended ({}), so it cannot be extended. Create a new one.",
                outcome.as_str()
            ),
            // Some clients show only this message.
            Self::InvalidFields(issues) => {
                f.write_str("The output does not match the form.")?;
                for Issue { pointer, message } in issues.iter().take(SHOWN_ISSUES) {
                    let colon = if pointer.is_empty() { "" } else { ": " };
                    write!(f, " {pointer}{colon}{message}")?;
                }
                Ok(())
            }
            Self::TooManyTags(count) => write!(
                f,
                "Waitpoints can only have {} tags, you're trying to set {count}.",
                MAX_TAGS
            ),
            Self::TooManyRequests(binding) => {
                write!(f, "Too many requests ({binding}). Try again later.")
            }
            Self::TooManyFailures => {
                f.write_str("Too many wrong credentials. Try again in a minute.")
            }
            Self::TooManyBodies => {
                f.write_str("Too many bodies are being sent at once. Please try again.")
            }
            Self::StorageUnavailable => {
                f.write_str("The token could not be reached. Please try again.")
            }
            Self::UpstreamUnavailable => {
                f.write_str("The API that holds the token did not answer. Please try again.")
            }
            Self::NotSupportedUpstream => f.write_str(
                "The token lives at another API (UPSTREAM), so it cannot be cancelled or extended here.",
            ),
            Self::UpstreamLoop => f.write_str("UPSTREAM leads back to this server."),
            Self::Misconfigured(what) => write!(f, "The server is misconfigured: {what}"),
        }
    }
}
