//! Finds the token that a caller names by an id or a `token.url`, and the credential for it.

use crate::domain::encoding::base64url_decode;
use alloc::string::String;
use alloc::vec::Vec;

/// trigger.dev's API. A token lives there, unless its URL or the caller says otherwise.
pub const DEFAULT_BASE_URL: &str = "https://api.trigger.dev";

const TOKENS: &str = "/api/v1/waitpoints/tokens";
const CALLBACK: &str = "/callback/";

/// A token as the caller names it. Missing parts are empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The origin and the path prefix of the API, if the text is a URL.
    pub base_url: &'a str,
    /// The id as the caller wrote it.
    pub id: &'a str,
    /// The last segment of a `token.url`: a JWT, or trigger.dev's hash.
    pub credential: &'a str,
}

/// Why a request cannot be made. The text is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceError {
    /// The text is neither an id nor a URL of a token.
    NoToken,
    /// No credential was given, and the text contains none.
    NoCredential,
    /// The credential has characters that a header must not contain.
    BadCredential,
    /// Reading needs a JWT or a secret key, but the URL has a hash, which allows only completing.
    CannotRead,
    /// The base URL does not begin with `http://` or `https://`.
    NoBaseUrl,
}

impl ReferenceError {
    /// The message for the developer.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NoToken => {
                "`token` names no waitpoint token. Use its id, its url, or what createToken returned."
            }
            Self::NoCredential => {
                "There is no credential. Use the token's url, what createToken returned, or `accessToken`."
            }
            Self::BadCredential => "`accessToken` holds white space or characters beyond ASCII.",
            Self::NoBaseUrl => "`baseURL` does not begin with https:// or http://.",
            Self::CannotRead => {
                "The token's url may complete it and not read it. Use `accessToken`."
            }
        }
    }
}

impl<'a> Reference<'a> {
    /// Parses an id or a `token.url`. The query and the fragment of a URL are ignored. `None` for
    /// anything else.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (base_url, id, credential) = if is_url(text) {
            let (text, _) = split_once(text, "?").unwrap_or((text, ""));
            let (text, _) = split_once(text, "#").unwrap_or((text, ""));
            let (base_url, rest) = split_once(text, TOKENS)?;
            let (id, credential) = split_once(rest.strip_prefix('/')?, CALLBACK)?;
            // Otherwise another credential could be sent to any server that the text names.
            if credential.is_empty() {
                return None;
            }
            (base_url, id, credential)
        } else {
            ("", text, "")
        };
        let fits = (1..=100).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && credential.bytes().all(is_url_safe);
        fits.then_some(Self {
            base_url,
            id,
            credential,
        })
    }
}

/// The arguments of a call. Empty texts are absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallInput<'a> {
    /// An id or a `token.url`.
    pub token: &'a str,
    /// The credential of this call. It takes precedence over the one in the URL.
    pub access_token: &'a str,
    /// The base URL of this call. It takes precedence over the token's URL.
    pub base_url: &'a str,
    /// The configured credential, which is used if neither of the above is given.
    pub configured_access_token: &'a str,
    /// The configured base URL, which is used if neither of the above is given.
    pub configured_base_url: &'a str,
}

/// An action on a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Complete it.
    Complete,
    /// Read it.
    Retrieve,
    /// Read it as soon as it is finished.
    Wait,
}

/// The destination of a request, and its credential.
#[derive(Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The complete URL.
    pub url: String,
    /// For the `Authorization` header; empty if the URL itself is the credential.
    pub bearer: &'a str,
}

impl<'a> Target<'a> {
    /// The destination of an action on a token. A configured credential is sent only to the
    /// configured base URL, never to one from the token's URL.
    ///
    /// # Errors
    /// See [`ReferenceError`].
    pub fn of(action: Action, input: CallInput<'a>) -> Result<Self, ReferenceError> {
        let reference = Reference::parse(input.token).ok_or(ReferenceError::NoToken)?;
        let mut target = Self {
            url: tokens_url([
                input.base_url,
                reference.base_url,
                input.configured_base_url,
            ])?,
            bearer: first([
                input.access_token,
                reference.credential,
                input.configured_access_token,
            ]),
        };
        // A hash is not a bearer token. It is part of the URL, and the output is the whole body.
        let is_hash =
            target.bearer == reference.credential && split_once(target.bearer, ".").is_none();
        if is_hash && !target.bearer.is_empty() && action != Action::Complete {
            let ours = tokens_url([input.configured_base_url, "", ""]);
            target.bearer = input.configured_access_token;
            if target.bearer.is_empty() || ours.as_ref() != Ok(&target.url) {
                return Err(ReferenceError::CannotRead);
            }
        }
        check(target.bearer)?;
        target.url.push('/');
        target.url += reference.id;
        match action {
            Action::Retrieve => {}
            Action::Wait => target.url += "/wait",
            Action::Complete if is_hash => {
                target.url += CALLBACK;
                target.url += target.bearer;
                target.bearer = "";
            }
            Action::Complete => target.url += "/complete",
        }
        Ok(target)
    }

    /// The destination of an action that only the token's owner may take. A credential in the token's
    /// URL is ignored, and the URL's base counts only for a key that this call was given.
    ///
    /// # Errors
    /// See [`ReferenceError`].
    pub fn owned(action: &str, input: CallInput<'a>) -> Result<Self, ReferenceError> {
        let reference = Reference::parse(input.token).ok_or(ReferenceError::NoToken)?;
        let named = if input.access_token.is_empty() {
            ""
        } else {
            reference.base_url
        };
        let mut target = Self::tokens(CallInput {
            base_url: first([input.base_url, named, ""]),
            ..input
        })?;
        for part in ["/", reference.id, "/", action] {
            target.url += part;
        }
        Ok(target)
    }

    /// The destination to create and to list tokens. The token's own arguments are ignored.
    ///
    /// # Errors
    /// See [`ReferenceError`].
    pub fn tokens(input: CallInput<'a>) -> Result<Self, ReferenceError> {
        let url = tokens_url([input.base_url, "", input.configured_base_url])?;
        let bearer = first([input.access_token, "", input.configured_access_token]);
        check(bearer)?;
        Ok(Self { url, bearer })
    }
}

/// Whether a header may contain the text as a credential.
fn check(bearer: &str) -> Result<(), ReferenceError> {
    if bearer.is_empty() {
        Err(ReferenceError::NoCredential)
    } else if bearer.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(ReferenceError::BadCredential)
    }
}

/// The URL of all tokens, at the first base URL that is not empty, otherwise at trigger.dev's.
fn tokens_url(base_urls: [&str; 3]) -> Result<String, ReferenceError> {
    let base_url = match first(base_urls) {
        "" => DEFAULT_BASE_URL,
        given => given,
    };
    if !is_url(base_url) {
        return Err(ReferenceError::NoBaseUrl);
    }
    let mut url = String::from(base_url.strip_suffix('/').unwrap_or(base_url));
    url += TOKENS;
    Ok(url)
}

/// The first text that is not empty.
fn first(texts: [&str; 3]) -> &str {
    texts
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or("")
}

/// The claims of a public access token, or of the one in a `token.url`, as JSON text. They are not
/// verified. `None` if the text contains no JWT.
#[must_use]
pub fn claims(text: &str) -> Option<Vec<u8>> {
    let jwt = if is_url(text) {
        Reference::parse(text)?.credential
    } else {
        text
    };
    let (_, rest) = split_once(jwt, ".")?;
    let (payload, signature) = split_once(rest, ".")?;
    match split_once(signature, ".") {
        Some(_) => None,
        None => base64url_decode(payload),
    }
}

/// Whether a text can be a base URL: an origin, perhaps with a path, but without user, password,
/// query and fragment.
#[must_use]
pub fn is_base_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let fits =
            |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'@' | b'\\');
        !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(fits)
    })
}

pub(crate) fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

fn is_url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// Like `str::split_once` for ASCII separators, without the standard library's string searcher, which
/// is large for a download.
pub(crate) fn split_once<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let at = text
        .as_bytes()
        .windows(separator.len())
        .position(|part| part == separator.as_bytes())?;
    Some((text.get(..at)?, text.get(at + separator.len()..)?))
}
