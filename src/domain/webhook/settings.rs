//! Invariants:
//! - An environment with a URL has a secret: nothing is sent unsigned.
//! - Nothing here formats a secret: [`Webhooks`] has no `Debug`, and errors contain a line number,
//!   not the line.
//!
//! The settings `WEBHOOK_URL`, `WEBHOOK_SECRET` and `WEBHOOK_EVENTS`.

use super::signature::{self, SigningSecret};
use super::url::{WebhookUrlError, check_url};
use crate::domain::api::excerpt::excerpt;
use crate::domain::environment_lines as entry;
use crate::domain::token::event::{EventName, EventSet};
use std::fmt;

/// The webhook URLs and secrets of the environments, and which events webhooks get, from the settings
/// `WEBHOOK_URL`, `WEBHOOK_SECRET` and `WEBHOOK_EVENTS`.
pub struct Webhooks {
    /// An environment and its URL.
    urls: Vec<(String, String)>,
    /// An environment and one of its secrets, in the order of the setting. All of them sign.
    secrets: Vec<(String, SigningSecret)>,
    /// Which events webhooks get, besides those of a token's recipients.
    events: EventSet,
}

/// Why one of the settings is invalid. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// This line of `WEBHOOK_URL` has a URL that no webhook may be sent to.
    Url(usize, WebhookUrlError),
    /// The environment of this line of `WEBHOOK_URL` already has a URL.
    SecondUrl(usize),
    /// The environment of this line of `WEBHOOK_URL` has no secret.
    Unsigned(usize),
    /// This line of `WEBHOOK_SECRET` is not `[environment=]secret`.
    Secret(usize),
    /// `WEBHOOK_EVENTS` has this name, which no event has.
    Event(String),
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(line, fault) => {
                write!(
                    f,
                    "the URL in line {line} of WEBHOOK_URL ([environment=]URL) {fault}"
                )
            }
            Self::SecondUrl(line) => write!(
                f,
                "line {line} of WEBHOOK_URL is the second URL of its environment. Use one."
            ),
            Self::Unsigned(line) => write!(
                f,
                "the environment of line {line} of WEBHOOK_URL has no secret. Add \
                 one to WEBHOOK_SECRET."
            ),
            Self::Secret(line) => write!(
                f,
                "line {line} of WEBHOOK_SECRET is not a valid entry. Use [environment=]secret. A \
                 secret is `whsec_` and 24 to 64 bytes in base64."
            ),
            Self::Event(name) => {
                write!(
                    f,
                    "{} in WEBHOOK_EVENTS is not an event. Use",
                    excerpt(name)
                )?;
                for (place, event) in EventName::ALL.into_iter().enumerate() {
                    let comma = if place == 0 { "" } else { "," };
                    write!(f, "{comma} {}", event.as_str())?;
                }
                f.write_str(", with commas between.")
            }
        }
    }
}

impl Webhooks {
    /// Reads `WEBHOOK_URL` and `WEBHOOK_SECRET`: one `[environment id=]value` in each line. A value
    /// without an id is for `default`. An environment has one URL at most. All its secrets sign, so
    /// that a receiver can change from one to the next. `WEBHOOK_EVENTS` has names with commas between;
    /// without a name it stands for the three ends. Each setting may be empty.
    ///
    /// A loopback URL is accepted, because it is not known here where the tokens live. So the sender
    /// must call [`check_url`] again.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn parse(urls: &str, secrets: &str, events: &str) -> Result<Self, SettingsError> {
        let mut webhooks = Self {
            urls: Vec::new(),
            secrets: Vec::new(),
            events: read_events(events)?,
        };
        for (number, line) in entry::lines(urls) {
            // The part before a `=` may belong to the URL itself, up to its query.
            let (id, url) = entry::split(line).unwrap_or(("default", line));
            check_url(url, true).map_err(|fault| SettingsError::Url(number, fault))?;
            if webhooks.url(id).is_some() {
                return Err(SettingsError::SecondUrl(number));
            }
            webhooks.urls.push((id.to_owned(), url.to_owned()));
        }
        for (number, line) in entry::lines(secrets) {
            let (id, secret) = entry::split(line)
                .and_then(|(id, secret)| Some((id, SigningSecret::parse(secret)?)))
                .ok_or(SettingsError::Secret(number))?;
            webhooks.secrets.push((id.to_owned(), secret));
        }
        for (number, line) in entry::lines(urls) {
            let (id, _) = entry::split(line).unwrap_or(("default", line));
            if !webhooks.can_sign(id) {
                return Err(SettingsError::Unsigned(number));
            }
        }
        Ok(webhooks)
    }

    /// The webhook URL of an environment.
    #[must_use]
    pub fn url(&self, environment: &str) -> Option<&str> {
        let mut urls = self.urls.iter();
        urls.find(|(id, _)| id == environment)
            .map(|(_, url)| url.as_str())
    }

    /// Which events webhooks get, besides those of a token's recipients.
    #[must_use]
    pub fn events(&self) -> EventSet {
        self.events
    }

    /// Whether an environment has a secret.
    #[must_use]
    pub fn can_sign(&self, environment: &str) -> bool {
        self.secrets.iter().any(|(id, _)| id == environment)
    }

    /// The header `webhook-signature` of a message: one signature per secret, of `<id>.<seconds since
    /// the epoch>.<body>`. `None` without a secret.
    #[must_use]
    pub fn sign(&self, environment: &str, id: &str, timestamp: u64, body: &[u8]) -> Option<String> {
        let secrets = self.secrets.iter().filter(|(of, _)| of == environment);
        signature::header(secrets.map(|(_, secret)| secret), id, timestamp, body)
    }
}

fn read_events(text: &str) -> Result<EventSet, SettingsError> {
    let mut names = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .peekable();
    if names.peek().is_none() {
        return Ok(EventSet::ENDS);
    }
    names.try_fold(EventSet::NONE, |set, name| {
        let event = EventName::parse(name).ok_or_else(|| SettingsError::Event(name.to_owned()))?;
        Ok(set.with(event))
    })
}
