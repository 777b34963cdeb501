//! The URLs that webhooks may be sent to.
//!
//! Invariant: a URL that [`check_url`] accepts never has an address as its host, in any notation, so
//! it cannot point into a private network. The platform is responsible for what a public name
//! resolves to.

use crate::domain::api::excerpt::excerpt;
use std::fmt;

/// Longest URL, in bytes.
pub const MAX_URL: usize = 2_048;

/// The URLs that [`check_url`] accepts, for error messages.
pub const URL_FORMS: &str =
    "an https:// URL of a public host name, such as \"https://hooks.example.com/waitpoint\"";

/// Last labels of names that are not in the public DNS.
const PRIVATE: [&str; 10] = [
    "arpa",
    "corp",
    "home",
    "internal",
    "intranet",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
];

/// Why no webhook may be sent to a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookUrlError {
    /// It is longer than [`MAX_URL`].
    TooLong,
    /// It has a character that is not printable ASCII, a backslash or a `#`.
    Character,
    /// It does not begin with `https://`.
    Scheme,
    /// It has a user name or a password.
    UserInfo,
    /// The port is not 1 to 65535.
    Port,
    /// The host is not a well-formed name.
    Host,
    /// The host is an IP address, in any notation.
    Address,
    /// The host has a single label, or is a name for private networks.
    Private,
}

/// The part of the message after the URL.
impl fmt::Display for WebhookUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "is longer than 2048 bytes",
            Self::Character => {
                "contains white space, a control character, \"\\\", \"#\" or a character beyond ASCII \
                 (write the host in punycode, the rest percent-encoded)"
            }
            Self::Scheme => "does not begin with https://",
            Self::UserInfo => "contains a user name or a password",
            Self::Port => "has a port that is not from 1 to 65535",
            Self::Host => "has no valid host name",
            Self::Address => "names its host by an IP address",
            Self::Private => "names a host that is not public",
        })?;
        write!(f, ". Use {URL_FORMS}.")
    }
}

impl WebhookUrlError {
    /// The whole message. It quotes the beginning of the URL, without its user name and password.
    #[must_use]
    pub fn sentence(self, url: &str) -> String {
        let shown = match url.rsplit_once('@') {
            Some((_, rest)) => excerpt(&format!("…@{rest}")),
            None => excerpt(url),
        };
        format!("{shown} {self}")
    }
}

/// Checks that a webhook may be sent to a URL: `https://`, a public host name, perhaps a port. With
/// `loopback` it also accepts `http://`, and `localhost`, `127.x.x.x` or `[::1]` as the host. That is
/// for tokens whose own origin is loopback ([`is_loopback_origin`]).
///
/// # Errors
/// See [`WebhookUrlError`].
pub fn check_url(url: &str, loopback: bool) -> Result<(), WebhookUrlError> {
    if url.len() > MAX_URL {
        return Err(WebhookUrlError::TooLong);
    }
    // Browsers read a backslash as a slash, and never send a fragment.
    let foreign = |b: u8| !b.is_ascii_graphic() || b == b'\\' || b == b'#';
    if url.bytes().any(foreign) {
        return Err(WebhookUrlError::Character);
    }
    let (secure, rest) = scheme(url).ok_or(WebhookUrlError::Scheme)?;
    let authority = rest.split(['/', '?']).next().unwrap_or("");
    if authority.contains('@') {
        return Err(WebhookUrlError::UserInfo);
    }
    let (host, port) = host_and_port(authority);
    if !(loopback && is_loopback(host)) {
        if !secure {
            return Err(WebhookUrlError::Scheme);
        }
        check_host(host)?;
    }
    if port.is_some_and(|port| !is_port(port)) {
        return Err(WebhookUrlError::Port);
    }
    Ok(())
}

/// Whether this is a host, public or not, perhaps with a port.
pub(crate) fn has_host_and_port(authority: &str) -> bool {
    let (host, port) = host_and_port(authority);
    let address = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let is_host = match address {
        Some(address) => address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'),
        None => is_name(host.strip_suffix('.').unwrap_or(host)),
    };
    is_host && port.is_none_or(is_port)
}

/// Whether an origin is for local development, such as `http://localhost:8787`.
#[must_use]
pub fn is_loopback_origin(origin: &str) -> bool {
    scheme(origin).is_some_and(|(_, authority)| {
        let (host, port) = host_and_port(authority);
        is_loopback(host) && port.is_none_or(is_port)
    })
}

/// Whether the scheme is `https`, not `http`, and the part after `://`.
fn scheme(url: &str) -> Option<(bool, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let secure = scheme.eq_ignore_ascii_case("https");
    (secure || scheme.eq_ignore_ascii_case("http")).then_some((secure, rest))
}

fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        // This colon may be in an IPv6 address.
        Some((_, port)) if port.ends_with(']') => (authority, None),
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    }
}

fn is_port(text: &str) -> bool {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    digits && text.parse::<u16>().is_ok_and(|port| port > 0)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host == "[::1]" || is_loopback_v4(host)
}

/// Whether the host is `127.x.x.x` in plain decimals.
fn is_loopback_v4(host: &str) -> bool {
    let plain = |part: &str| {
        let digits = part.bytes().all(|b| b.is_ascii_digit());
        digits && (part == "0" || !part.starts_with('0')) && part.parse::<u8>().is_ok()
    };
    host.starts_with("127.") && host.split('.').count() == 4 && host.split('.').all(plain)
}

/// Whether a host is a name that may be public. If the last label begins with a letter, no URL parser
/// reads the name as an IPv4 address.
fn check_host(host: &str) -> Result<(), WebhookUrlError> {
    if host.starts_with('[') {
        return Err(WebhookUrlError::Address);
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    if !is_name(host) {
        return Err(WebhookUrlError::Host);
    }
    let (before, last) = host.rsplit_once('.').unwrap_or(("", host));
    match last.bytes().next() {
        Some(b'0'..=b'9') => Err(WebhookUrlError::Address),
        Some(b'a'..=b'z' | b'A'..=b'Z') => {
            let private = PRIVATE.iter().any(|name| last.eq_ignore_ascii_case(name));
            if before.is_empty() || private {
                Err(WebhookUrlError::Private)
            } else {
                Ok(())
            }
        }
        _ => Err(WebhookUrlError::Host),
    }
}

/// Whether this may be the name of a public host, without a port.
pub(crate) fn is_host_name(host: &str) -> bool {
    check_host(host).is_ok()
}

/// Whether this is a host name or an IPv4 address.
fn is_name(host: &str) -> bool {
    let fits = |label: &str| {
        let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=63).contains(&label.len())
            && label.bytes().all(letter)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(fits)
}
