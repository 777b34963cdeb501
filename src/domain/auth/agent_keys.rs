//! Invariant: a key of an agent opens `/mcp` and nothing else. It is no secret key, and signs nothing.
//!
//! The secret `AGENT_KEYS`, the keys with which agents ask people, and the setting `AGENT_LINKS`.

use super::constant_time::constant_time_eq;
use super::keyring::{Keyring, MIN_KEY};
use crate::domain::environment_lines as entry;
use std::fmt;

/// The keys of agents, by environment. Nothing formats them.
#[derive(Default)]
pub struct AgentKeys {
    /// Environments and keys.
    keys: Vec<(String, String)>,
    /// `AGENT_LINKS`: whether who has such a key may get the link of what it asks, with which it could
    /// decide itself.
    pub may_have_links: bool,
}

/// Why `AGENT_KEYS` is invalid. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentKeysError {
    /// This line is not `[environment=]key`.
    Malformed(usize),
    /// The key in this line is too short.
    TooShort(usize),
    /// The key in this line stands in another line, or is a secret key.
    Shared(usize),
    /// This line names an environment that has no secret key.
    Unknown(usize, String),
    /// This is the value of `AGENT_LINKS`.
    Links(String),
}

impl fmt::Display for AgentKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(line) => write!(
                f,
                "line {line} of AGENT_KEYS is not a valid entry. Use [environment=]key."
            ),
            Self::TooShort(line) => write!(
                f,
                "the key in line {line} of AGENT_KEYS is too short. Use at least {MIN_KEY} characters."
            ),
            Self::Shared(line) => write!(
                f,
                "the key in line {line} of AGENT_KEYS is a secret key, or stands in another line too. \
                 Use a key of its own."
            ),
            Self::Unknown(line, id) => write!(
                f,
                "line {line} of AGENT_KEYS names the environment {id}, which has no key in SECRET_KEYS"
            ),
            Self::Links(value) => {
                write!(f, "AGENT_LINKS is {value:?}. Use \"on\" or \"off\".")
            }
        }
    }
}

impl AgentKeys {
    /// Reads `AGENT_KEYS`, one `[environment id=]key` in each line, and `AGENT_LINKS`.
    ///
    /// # Errors
    /// See [`AgentKeysError`].
    pub fn parse(text: &str, links: &str, keyring: &Keyring) -> Result<Self, AgentKeysError> {
        let may_have_links = match links.trim() {
            "" | "off" => false,
            "on" => true,
            other => return Err(AgentKeysError::Links(other.to_owned())),
        };
        let mut keys: Vec<(String, String)> = Vec::new();
        for (number, line) in entry::lines(text) {
            let (id, key) = entry::split(line).ok_or(AgentKeysError::Malformed(number))?;
            if key.len() < MIN_KEY {
                return Err(AgentKeysError::TooShort(number));
            }
            if keyring.by_id(id).is_none() {
                return Err(AgentKeysError::Unknown(number, id.to_owned()));
            }
            if keyring.by_secret(key).is_some() || keys.iter().any(|(_, other)| other == key) {
                return Err(AgentKeysError::Shared(number));
            }
            keys.push((id.to_owned(), key.to_owned()));
        }
        Ok(Self {
            keys,
            may_have_links,
        })
    }

    /// The environment of a key, and which of all keys it is.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<(&str, usize)> {
        // Every key is compared, so that the time does not reveal which one is similar.
        let mut found = None;
        for (number, (environment, candidate)) in self.keys.iter().enumerate() {
            if constant_time_eq(candidate.as_bytes(), key.as_bytes()) {
                found = Some((environment.as_str(), number));
            }
        }
        found
    }
}
