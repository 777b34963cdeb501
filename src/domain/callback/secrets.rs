//! Invariants:
//! - Nothing here formats a secret: [`CallbackSecrets`] has no `Debug`, and errors contain a line
//!   number, not the line.
//!
//! The secret `CALLBACK_SECRETS`: what the senders of callbacks sign with, by name.

use crate::domain::environment_lines::lines;
use std::fmt;

/// Longest name.
pub const MAX_NAME: usize = 64;
/// Shortest secret, in bytes. A shorter one could be guessed from one signed message.
pub const MIN_SECRET: usize = 8;
/// Most secrets of one name: each costs one pass over a body.
pub const MAX_SECRETS: usize = 5;

/// The secrets by name.
#[derive(Default)]
pub struct CallbackSecrets(Vec<(String, Vec<Vec<u8>>)>);

/// Why `CALLBACK_SECRETS` is invalid. Lines count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackSecretsError {
    /// This line is not `name=value`.
    Malformed(usize),
    /// The secret in this line is shorter than [`MIN_SECRET`].
    TooShort(usize),
    /// The name in this line has more than [`MAX_SECRETS`] secrets.
    TooMany(usize),
}

impl fmt::Display for CallbackSecretsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(line) => write!(
                f,
                "line {line} of CALLBACK_SECRETS is not a valid entry. Use name=value. A name is 1 \
                 to {MAX_NAME} of A-Z a-z 0-9 _ -, and a value has no control characters."
            ),
            Self::TooShort(line) => write!(
                f,
                "the secret in line {line} of CALLBACK_SECRETS is too short. Use at least \
                 {MIN_SECRET} characters."
            ),
            Self::TooMany(line) => write!(
                f,
                "line {line} of CALLBACK_SECRETS is one more secret of its name than the \
                 {MAX_SECRETS} that are allowed. Remove an old one."
            ),
        }
    }
}

impl CallbackSecrets {
    /// Reads `CALLBACK_SECRETS`: one `name=value` in each line. A name may have several values, so that
    /// a sender can change from one to the next. Everything after the first `=` is the value.
    ///
    /// # Errors
    /// See [`CallbackSecretsError`].
    pub fn parse(text: &str) -> Result<Self, CallbackSecretsError> {
        let mut secrets = Self::default();
        for (number, line) in lines(text) {
            let malformed = CallbackSecretsError::Malformed(number);
            let (name, value) = line.split_once('=').ok_or(malformed)?;
            if !is_name(name) || value.chars().any(char::is_control) {
                return Err(malformed);
            }
            if value.len() < MIN_SECRET {
                return Err(CallbackSecretsError::TooShort(number));
            }
            let value = value.as_bytes().to_vec();
            match secrets.0.iter_mut().find(|(of, _)| of == name) {
                Some((_, values)) if values.len() == MAX_SECRETS => {
                    return Err(CallbackSecretsError::TooMany(number));
                }
                Some((_, values)) => values.push(value),
                None => secrets.0.push((name.to_owned(), vec![value])),
            }
        }
        Ok(secrets)
    }

    /// The secrets of a name; none if the name is unknown.
    #[must_use]
    pub fn of(&self, name: &str) -> &[Vec<u8>] {
        let found = self.0.iter().find(|(of, _)| of == name);
        found.map_or(&[], |(_, values)| values)
    }
}

/// Whether this can be the name of a secret.
pub(super) fn is_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(fits)
}
