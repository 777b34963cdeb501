//! Invariants:
//! - Nothing here formats a key: [`Keyring`] has no `Debug`, and errors contain a line number, not
//!   the line.
//! - Signatures and secret keys are compared in constant time.
//! - An environment has at least one key.
//!
//! The environments and their keys. Finds the environment of a signature or a secret key.

use super::constant_time::constant_time_eq;
use crate::domain::api::public_url::PublicUrls;
use crate::domain::environment_lines as entry;
use crate::domain::relay::settings::Upstreams;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// Shortest secret key, in bytes.
pub const MIN_KEY: usize = 24;

/// The environments and their keys, from the secret `SECRET_KEYS`.
pub struct Keyring {
    environments: Vec<Environment>,
}

/// An environment. Its tokens, keys and idempotency keys are separate from those of all others.
pub struct Environment {
    /// Its id, the `sub` of its public access tokens.
    pub id: String,
    /// The first key signs; all of them verify.
    keys: Vec<Key>,
    /// Whether its tokens live upstream.
    pub(super) is_upstream: bool,
    /// The origin of its links, if `PUBLIC_URL` has one.
    public_origin: Option<String>,
}

/// A secret key, and an HMAC that is prepared with it.
struct Key {
    text: String,
    mac: Hmac<Sha256>,
}

/// Why `SECRET_KEYS` is invalid. Lines count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyringError {
    /// There is no key.
    Empty,
    /// This line is not `[environment=]key`.
    Malformed(usize),
    /// The key in this line is shorter than [`MIN_KEY`].
    TooShort(usize),
    /// Another environment has the key in this line as well.
    Shared(usize),
}

impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "SECRET_KEYS is not set. Run `wrangler secret put SECRET_KEYS`, with one \
                 [environment=]key per line.",
            ),
            Self::Malformed(line) => write!(
                f,
                "line {line} of SECRET_KEYS is not a valid entry. Use [environment=]key. An \
                 environment is 1 to 64 of A-Z a-z 0-9 _ -, and a key has no white space."
            ),
            Self::TooShort(line) => write!(
                f,
                "the key in line {line} of SECRET_KEYS is too short. Use at least {MIN_KEY} \
                 characters."
            ),
            Self::Shared(line) => write!(
                f,
                "the key in line {line} of SECRET_KEYS belongs to another environment. \
                 Use each key in one environment only."
            ),
        }
    }
}

impl Keyring {
    /// Reads `SECRET_KEYS`: one `[environment id=]key` in each line. The first key of an environment
    /// signs, and the others still verify. A key without an id belongs to `default`. An id is 1 to 64
    /// of `A-Z a-z 0-9 _ -`.
    ///
    /// # Errors
    /// See [`KeyringError`].
    pub fn parse(text: &str) -> Result<Self, KeyringError> {
        let mut environments: Vec<Environment> = Vec::new();
        for (number, line) in entry::lines(text) {
            let (id, key) = entry::split(line).ok_or(KeyringError::Malformed(number))?;
            if key.len() < MIN_KEY {
                return Err(KeyringError::TooShort(number));
            }
            if environments
                .iter()
                .any(|env| env.id != id && env.keys.iter().any(|k| k.text == key))
            {
                return Err(KeyringError::Shared(number));
            }
            let mac =
                Hmac::new_from_slice(key.as_bytes()).map_err(|_| KeyringError::TooShort(number))?;
            let key = Key {
                text: key.to_owned(),
                mac,
            };
            match environments.iter_mut().find(|env| env.id == id) {
                Some(environment) => environment.keys.push(key),
                None => environments.push(Environment {
                    id: id.to_owned(),
                    keys: vec![key],
                    is_upstream: false,
                    public_origin: None,
                }),
            }
        }
        if environments.is_empty() {
            return Err(KeyringError::Empty);
        }
        Ok(Self { environments })
    }

    /// Marks the environments whose tokens live upstream. In their public access tokens, `sub` is an
    /// id of upstream's, which is not compared. The signature is enough, because no other environment
    /// has the key.
    ///
    /// # Errors
    /// The id of an environment that has an upstream but no key.
    pub fn with_upstreams(mut self, upstreams: &Upstreams) -> Result<Self, String> {
        for environment in &mut self.environments {
            environment.is_upstream = upstreams.of(&environment.id).is_some();
        }
        match upstreams.environments().find(|id| self.by_id(id).is_none()) {
            Some(id) => Err(id.to_owned()),
            None => Ok(self),
        }
    }

    /// Sets the origins of the environments' links.
    ///
    /// # Errors
    /// The id of an environment that has an origin but no key.
    pub fn with_public_urls(mut self, urls: &PublicUrls) -> Result<Self, String> {
        for environment in &mut self.environments {
            environment.public_origin = urls.of(&environment.id).map(str::to_owned);
        }
        match urls.environments().find(|id| self.by_id(id).is_none()) {
            Some(id) => Err(id.to_owned()),
            None => Ok(self),
        }
    }

    /// The origin of links for a caller who may be of any environment: the one that all
    /// environments have, otherwise that of the request.
    #[must_use]
    pub fn link_origin<'a>(&'a self, request: &'a str) -> &'a str {
        let mut origins = self.environments.iter().map(|one| one.link_origin(request));
        let first = origins.next().unwrap_or(request);
        if origins.all(|origin| origin == first) {
            first
        } else {
            request
        }
    }

    /// Whether the links of an environment have this origin.
    #[must_use]
    pub fn is_link_origin(&self, origin: &str) -> bool {
        let mut environments = self.environments.iter();
        environments.any(|one| one.public_origin.as_deref() == Some(origin))
    }

    /// Whether all tokens live upstream.
    #[must_use]
    pub fn is_upstream(&self) -> bool {
        self.environments.iter().all(|one| one.is_upstream)
    }

    /// The environments whose tokens live upstream.
    pub fn upstream_environments(&self) -> impl Iterator<Item = &Environment> {
        self.environments.iter().filter(|one| one.is_upstream)
    }

    /// The environment with this id.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&Environment> {
        self.environments
            .iter()
            .find(|environment| environment.id == id)
    }

    /// The environment with this secret key.
    #[must_use]
    pub fn by_secret(&self, key: &str) -> Option<&Environment> {
        self.key_by_secret(key).map(|found| found.environment)
    }

    /// The key with this text.
    pub(super) fn key_by_secret(&self, key: &str) -> Option<SigningKey<'_>> {
        // Every key is compared, so that the time does not reveal which one is similar.
        let mut found = None;
        for environment in &self.environments {
            for candidate in &environment.keys {
                if constant_time_eq(candidate.text.as_bytes(), key.as_bytes()) {
                    found = Some(SigningKey {
                        environment,
                        key: candidate,
                    });
                }
            }
        }
        found
    }

    /// The first of all keys, for what belongs to no environment.
    pub(super) fn first_environment(&self) -> Option<&Environment> {
        self.environments.first()
    }

    /// The environment that has signed this message with one of its keys.
    pub(super) fn find_signer_of(&self, message: &[u8], signature: &[u8]) -> Option<&Environment> {
        let mut environments = self.environments.iter();
        environments.find(|one| one.has_signed(message, signature))
    }

    /// The environment that has signed its own `message`. `mac` is the beginning of the signature,
    /// of a length that the caller has checked.
    pub(super) fn find_signer_by(
        &self,
        mac: &[u8],
        message: impl Fn(&Environment) -> String,
    ) -> Option<&Environment> {
        let verifies = |one: &&Environment| {
            let message = message(one);
            one.keys.iter().any(|key| {
                let whole = key.mac.clone().chain_update(message.as_bytes());
                whole.verify_truncated_left(mac).is_ok()
            })
        };
        self.environments.iter().find(verifies)
    }
}

/// One of the keys of an environment.
#[derive(Clone, Copy)]
pub(super) struct SigningKey<'a> {
    pub(super) environment: &'a Environment,
    key: &'a Key,
}

impl SigningKey<'_> {
    pub(super) fn sign(&self, message: &[u8]) -> [u8; 32] {
        let mac = self.key.mac.clone();
        mac.chain_update(message).finalize().into_bytes().into()
    }
}

impl Environment {
    /// The key that signs, which is also the key for upstream.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.keys.first().map_or("", |key| &key.text)
    }

    /// The origin of the links to its tokens: that of `PUBLIC_URL`, otherwise that of the request.
    #[must_use]
    pub fn link_origin<'a>(&'a self, request: &'a str) -> &'a str {
        self.public_origin.as_deref().unwrap_or(request)
    }

    /// Signs a message with the first key.
    pub(super) fn sign(&self, message: &[u8]) -> Option<[u8; 32]> {
        let mac = self.keys.first()?.mac.clone();
        Some(mac.chain_update(message).finalize().into_bytes().into())
    }

    /// Whether one of the keys signed this message.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.signer_of(message, signature).is_some()
    }

    /// The key that signed this message.
    pub(super) fn signer_of(&self, message: &[u8], signature: &[u8]) -> Option<SigningKey<'_>> {
        let verifies = |key: &&Key| {
            key.mac
                .clone()
                .chain_update(message)
                .verify_slice(signature)
                .is_ok()
        };
        let key = self.keys.iter().find(verifies)?;
        Some(SigningKey {
            environment: self,
            key,
        })
    }
}

/// A key of any bytes, for test vectors.
#[cfg(test)]
impl Keyring {
    pub(crate) fn of_key(key: &[u8]) -> Option<Self> {
        let key = Key {
            text: String::new(),
            mac: Hmac::new_from_slice(key).ok()?,
        };
        let environment = Environment {
            id: "default".to_owned(),
            keys: vec![key],
            is_upstream: false,
            public_origin: None,
        };
        Some(Self {
            environments: vec![environment],
        })
    }
}
