//! The setting `UPSTREAM`.
//!
//! Invariant: an upstream is the origin of an API, perhaps with a path. It contains no credential and
//! no query.

use crate::domain::environment_lines as entry;
use crate::domain::webhook::url::{has_host_and_port, is_loopback_origin};
use std::fmt;

/// The environments whose tokens live upstream, from the setting `UPSTREAM`.
#[derive(Default)]
pub struct Upstreams {
    /// Environment and API origin, perhaps with a path, without a slash at its end.
    entries: Vec<(String, String)>,
}

/// Why `UPSTREAM` is invalid. Lines count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamError {
    /// This line is not `[environment=]URL`.
    Malformed(usize),
    /// The environment of this line already has an upstream.
    Second(usize),
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(line) => write!(
                f,
                "line {line} of UPSTREAM is not a valid entry. Use [environment=]URL with the origin of an \
                 API, such as https://api.trigger.dev. Only a loopback address can have http://."
            ),
            Self::Second(line) => write!(
                f,
                "line {line} of UPSTREAM is the second upstream of its environment. Use one."
            ),
        }
    }
}

impl Upstreams {
    /// Reads `UPSTREAM`: one `[environment id=]URL` in each line. A URL without an id is for
    /// `default`.
    ///
    /// # Errors
    /// See [`UpstreamError`].
    pub fn parse(text: &str) -> Result<Self, UpstreamError> {
        let mut upstreams = Self::default();
        for (number, line) in entry::lines(text) {
            let (id, url) = entry::split(line).ok_or(UpstreamError::Malformed(number))?;
            let url = url.trim_end_matches('/');
            if !is_api(url) {
                return Err(UpstreamError::Malformed(number));
            }
            if upstreams.of(id).is_some() {
                return Err(UpstreamError::Second(number));
            }
            upstreams.entries.push((id.to_owned(), url.to_owned()));
        }
        Ok(upstreams)
    }

    /// The environments whose tokens live elsewhere.
    pub fn environments(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(id, _)| id.as_str())
    }

    /// Whether all tokens live here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The upstream of an environment; `None` if its tokens live here.
    #[must_use]
    pub fn of(&self, environment: &str) -> Option<&str> {
        let mut entries = self.entries.iter();
        entries
            .find(|(id, _)| id == environment)
            .map(|(_, url)| url.as_str())
    }

    /// The upstream, if all environments that have one have the same. Requests that do not name an
    /// environment are sent there.
    #[must_use]
    pub fn sole(&self) -> Option<&str> {
        let (_, first) = self.entries.first()?;
        self.entries
            .iter()
            .all(|(_, url)| url == first)
            .then_some(first)
    }
}

/// Whether a URL is that of an API: a scheme, a host, perhaps a path, and nothing else.
fn is_api(url: &str) -> bool {
    let host = |rest: &str| {
        let plain = |b: u8| b.is_ascii_graphic() && !b"@\\?#\"%".contains(&b);
        let authority = rest.split('/').next().unwrap_or("");
        rest.bytes().all(plain) && has_host_and_port(authority) && !rest.contains("//")
    };
    let origin = |url: &str| match url.match_indices('/').nth(2) {
        Some((at, _)) => url.get(..at).unwrap_or(url).to_owned(),
        None => url.to_owned(),
    };
    match url.strip_prefix("https://") {
        Some(rest) => host(rest),
        None => url.strip_prefix("http://").is_some_and(host) && is_loopback_origin(&origin(url)),
    }
}
