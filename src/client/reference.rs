//! Which token a caller means: an id or a `token.url`, and the credential for it.

use crate::domain::encoding::base64url_decode;
use alloc::string::String;
use alloc::vec::Vec;

/// trigger.dev's API origin, where a token lives unless its URL or the caller says otherwise.
pub const DEFAULT_BASE_URL: &str = "https://api.trigger.dev";

const TOKENS: &str = "/api/v1/waitpoints/tokens";
const CALLBACK: &str = "/callback/";

/// A token as a caller names it. What a text does not say is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'a> {
    /// Origin and path prefix of the API, if the text is a URL.
    pub base_url: &'a str,
    /// The id, as it is typed.
    pub id: &'a str,
    /// The last segment of a `token.url`: a JWT, or trigger.dev's hash.
    pub credential: &'a str,
}

/// Why there is no request to be made. The text is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceError {
    /// Neither an id nor a URL of a token.
    NoToken,
    /// No credential was given and the text holds none.
    NoCredential,
    /// A credential with characters that no header may hold.
    BadCredential,
    /// Reading needs a JWT or a secret key; the URL has a hash, which may only complete.
    CannotRead,
    /// The base URL does not begin with `http://` or `https://`.
    NoBaseUrl,
}

impl ReferenceError {
    /// What to tell the developer.
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
    /// Reads an id or a `token.url`; query and fragment of a URL mean nothing. `None` for anything
    /// else.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (base_url, id, credential) = if is_url(text) {
            let (text, _) = split_once(text, "?").unwrap_or((text, ""));
            let (text, _) = split_once(text, "#").unwrap_or((text, ""));
            let (base_url, rest) = split_once(text, TOKENS)?;
            let (id, credential) = split_once(rest.strip_prefix('/')?, CALLBACK)?;
            // Else some other credential would go to wherever the text points.
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

/// What a caller gives to a call. Empty texts are absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct CallInput<'a> {
    /// An id or a `token.url`.
    pub token: &'a str,
    /// Goes before the credential in the URL.
    pub access_token: &'a str,
    /// Goes before the URL's.
    pub base_url: &'a str,
    /// Where neither of the two above says anything.
    pub configured_access_token: &'a str,
    /// Likewise.
    pub configured_base_url: &'a str,
}

/// What is to be done with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Complete it.
    Complete,
    /// Read it.
    Retrieve,
    /// Read it when it is finished.
    Wait,
}

/// Where to send a request, and with what credential.
#[derive(Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The whole URL.
    pub url: String,
    /// For the `Authorization` header; empty if the URL itself is the credential.
    pub bearer: &'a str,
}

impl<'a> Target<'a> {
    /// Where to send an action on a token. A configured credential goes to the configured base URL
    /// alone, never to one that the token's URL names.
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
        // A hash is no bearer: it stands in the URL, and the whole body is the output.
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

    /// Where to create and to list tokens. What is given of one means nothing.
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

/// Whether a text can be a credential in a header.
fn check(bearer: &str) -> Result<(), ReferenceError> {
    if bearer.is_empty() {
        Err(ReferenceError::NoCredential)
    } else if bearer.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(ReferenceError::BadCredential)
    }
}

/// The URL of all tokens, at the first of these base URLs that is not empty, else at trigger.dev's.
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

/// The claims of a public access token, or of the one in a `token.url`, as JSON text. Nothing is
/// verified. `None` if there is no JWT in the text.
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

/// Whether a text can be a base URL: an origin and perhaps a path, without user, password, query and
/// fragment.
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

/// `str::split_once` for ASCII separators, without the standard library's string searcher, which is
/// large for what is downloaded here.
fn split_once<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let at = text
        .as_bytes()
        .windows(separator.len())
        .position(|part| part == separator.as_bytes())?;
    Some((text.get(..at)?, text.get(at + separator.len()..)?))
}
