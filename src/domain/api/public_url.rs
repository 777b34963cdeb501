//! The setting `PUBLIC_URL`.
//!
//! Invariant: a public URL is an origin and nothing else, so a path can follow it.

use super::excerpt::excerpt;
use crate::domain::environment_lines as entry;
use crate::domain::webhook::url::{has_host_and_port, is_loopback_origin};
use std::fmt;

/// The origins of the links that are given out, by environment.
#[derive(Default)]
pub struct PublicUrls {
    /// Environment and origin.
    entries: Vec<(String, String)>,
}

/// Why a line of `PUBLIC_URL` is invalid. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrlError {
    /// The line.
    pub line: usize,
    /// Its value, shortened.
    pub value: String,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is not `[environment=]https://…`.
    Malformed,
    /// It has a path, a query or a fragment.
    NotAnOrigin,
    /// It has a user name or a password.
    UserInfo,
    /// It is `http://`, and the host is not loopback.
    Insecure,
    /// The environment already has an origin.
    Second,
}

impl fmt::Display for PublicUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, value, .. } = self;
        let reason = match self.reason {
            Reason::Malformed => "is not a valid entry",
            Reason::NotAnOrigin => "has a path, a query or a fragment",
            Reason::UserInfo => "has a user name or a password",
            Reason::Insecure => "is http://, which only a loopback host can have",
            Reason::Second => "is the second one of its environment",
        };
        write!(
            f,
            "{value} in line {line} of PUBLIC_URL {reason}. Use one [environment=]URL per \
             environment, with an origin such as https://approve.example.com."
        )
    }
}

impl PublicUrls {
    /// Reads `PUBLIC_URL`: one `[environment id=]URL` in each line. A URL without an id is for
    /// `default`. A slash at the end is ignored.
    ///
    /// # Errors
    /// See [`PublicUrlError`].
    pub fn parse(text: &str) -> Result<Self, PublicUrlError> {
        let mut urls = Self::default();
        for (number, line) in entry::lines(text) {
            // The part before a `=` may belong to the URL itself.
            let (id, url) = entry::split(line).unwrap_or(("default", line));
            let invalid = |reason| PublicUrlError {
                line: number,
                value: shown(url),
                reason,
            };
            let origin = read_origin(url).map_err(invalid)?;
            if urls.of(id).is_some() {
                return Err(invalid(Reason::Second));
            }
            urls.entries.push((id.to_owned(), origin));
        }
        Ok(urls)
    }

    /// The environments that have an origin.
    pub fn environments(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(id, _)| id.as_str())
    }

    /// The origin of an environment's links.
    #[must_use]
    pub fn of(&self, environment: &str) -> Option<&str> {
        let mut entries = self.entries.iter();
        entries
            .find(|(id, _)| id == environment)
            .map(|(_, origin)| origin.as_str())
    }
}

/// The value in a message, without a user name and a password.
fn shown(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((_, rest)) => excerpt(&format!("…@{rest}")),
        None => excerpt(url),
    }
}

/// The origin in the spelling of browsers, which compare it: in lower case, without the default port.
fn read_origin(url: &str) -> Result<String, Reason> {
    if !url.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Reason::Malformed);
    }
    let url = url.to_ascii_lowercase();
    let (scheme, rest) = url.split_once("://").ok_or(Reason::Malformed)?;
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return Err(Reason::Malformed),
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#', '\\']) {
        return Err(Reason::NotAnOrigin);
    }
    if authority.contains('@') {
        return Err(Reason::UserInfo);
    }
    if !has_host_and_port(authority) {
        return Err(Reason::Malformed);
    }
    let authority = authority.strip_suffix(default_port).unwrap_or(authority);
    let origin = format!("{scheme}://{authority}");
    if scheme == "http" && !is_loopback_origin(&origin) {
        return Err(Reason::Insecure);
    }
    Ok(origin)
}
