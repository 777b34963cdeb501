//! The secret `CHANNELS`: the incoming webhooks of Slack and Teams, by name.
//!
//! Invariant: nothing here formats a URL, which is a credential: [`Channels`] has no `Debug`, and
//! errors contain a line number, not the line.

use crate::domain::environment_lines::lines;
use crate::domain::webhook::url::{WebhookUrlError, check_url};
use std::fmt;

/// Longest name, in bytes.
pub const MAX_NAME: usize = 64;

/// The URLs by name.
#[derive(Default)]
pub struct Channels(Vec<(String, String)>);

/// Why `CHANNELS` is invalid. Lines count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelsError {
    /// This line is not `name=https://…`.
    Malformed(usize),
    /// Nothing may be sent to the URL in this line.
    Url(usize, WebhookUrlError),
    /// This line has the name of an earlier one.
    Second(usize),
}

impl fmt::Display for ChannelsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(line) => write!(
                f,
                "line {line} of CHANNELS is not a valid entry. Use name=https://…. A name is 1 to \
                 {MAX_NAME} of A-Z a-z 0-9 _ -."
            ),
            Self::Url(line, fault) => {
                write!(f, "the URL in line {line} of CHANNELS (name=URL) {fault}")
            }
            Self::Second(line) => write!(
                f,
                "line {line} of CHANNELS has the name of an earlier line. Use another name."
            ),
        }
    }
}

impl Channels {
    /// Reads `CHANNELS`: one `name=https://…` in each line. A loopback URL is accepted, because it is
    /// not known here where the tokens live. So the sender must call [`check_url`] again.
    ///
    /// # Errors
    /// See [`ChannelsError`].
    pub fn parse(text: &str) -> Result<Self, ChannelsError> {
        let mut channels = Self::default();
        for (number, line) in lines(text) {
            let malformed = ChannelsError::Malformed(number);
            let (name, url) = line.split_once('=').ok_or(malformed)?;
            let (name, url) = (name.trim_end(), url.trim_start());
            if !is_name(name) {
                return Err(malformed);
            }
            check_url(url, true).map_err(|fault| ChannelsError::Url(number, fault))?;
            if channels.url(name).is_some() {
                return Err(ChannelsError::Second(number));
            }
            channels.0.push((name.to_owned(), url.to_owned()));
        }
        Ok(channels)
    }

    /// The names of all channels.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The URL of a channel.
    #[must_use]
    pub fn url(&self, name: &str) -> Option<&str> {
        let mut channels = self.0.iter();
        let found = channels.find(|(of, _)| of == name);
        found.map(|(_, url)| url.as_str())
    }
}

fn is_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(fits)
}
