//! Whose credential it is: secret keys, public access tokens, callback hashes. What it allows is `caller`'s.
//!
//! Invariants:
//! - A signature is compared in constant time, and before anything it signs is read.
//! - Nothing here formats a key: [`Keyring`] has no `Debug`, and errors name a line, not its text.
//!
//! Source of the formats: trigger.dev's `bearerCredentials.ts` and `httpCallback.server.ts`.

use crate::caller::{Caller, Claims};
use crate::encoding::{base64url_decode, base64url_encode, hex_decode};
use crate::entry;
use crate::error::Refusal;
use crate::jwt::{self, JwtError};
use crate::route::internal_id;
use crate::time::Timestamp;
use crate::upstream::Upstreams;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt;
use std::hint::black_box;
use std::time::Duration;

/// Longest public access token that is looked at, in bytes.
pub const MAX_JWT: usize = 4_096;
/// Shortest secret key, in bytes.
pub const MIN_KEY: usize = 24;

/// How long a page's form can be sent.
pub const NONCE_LIFE: Duration = Duration::from_secs(12 * 60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The environments and their keys, as the secret `SECRET_KEYS` lists them.
pub struct Keyring {
    environments: Vec<Environment>,
}

/// An environment: tokens, keys and idempotency keys of one never meet those of another.
pub struct Environment {
    /// Its id, the `sub` of its public access tokens.
    pub id: String,
    /// The first signs; all verify.
    keys: Vec<Key>,
    /// Whether its tokens live upstream.
    is_upstream: bool,
}

/// A secret key, and the HMAC that is ready to sign with it.
struct Key {
    text: String,
    mac: Hmac<Sha256>,
}

/// Why `SECRET_KEYS` cannot be used. Lines count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyringError {
    /// There is no key at all.
    Empty,
    /// This line is no `[environment=]key`.
    Malformed(usize),
    /// The key in this line is shorter than [`MIN_KEY`].
    TooShort(usize),
    /// The same key stands in this line and in one of another environment.
    Shared(usize),
}

impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "SECRET_KEYS is not set; run `wrangler secret put SECRET_KEYS`, one \
                 [environment=]key a line",
            ),
            Self::Malformed(line) => write!(
                f,
                "line {line} of SECRET_KEYS is no [environment=]key; an environment is 1 to 64 of \
                 A-Z a-z 0-9 _ -, a key has no white space"
            ),
            Self::TooShort(line) => write!(
                f,
                "the key in line {line} of SECRET_KEYS is shorter than {MIN_KEY} characters"
            ),
            Self::Shared(line) => write!(
                f,
                "the key in line {line} of SECRET_KEYS belongs to another environment already"
            ),
        }
    }
}

impl Keyring {
    /// Reads `SECRET_KEYS`: one entry a line, `[environment id=]key`. Of each environment the
    /// first key signs and the others still verify. A key alone is one of `default`. An
    /// environment id is 1 to 64 of `A-Z a-z 0-9 _ -`.
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
                }),
            }
        }
        if environments.is_empty() {
            return Err(KeyringError::Empty);
        }
        Ok(Self { environments })
    }

    /// Marks the environments whose tokens live upstream. Their public access tokens name them by an id of
    /// upstream's, which is not compared: the signature is by a key of theirs alone.
    ///
    /// # Errors
    /// The id of an environment of theirs that has no key.
    pub fn relaying(mut self, upstreams: &Upstreams) -> Result<Self, String> {
        for environment in &mut self.environments {
            environment.is_upstream = upstreams.of(&environment.id).is_some();
        }
        match upstreams.environments().find(|id| self.by_id(id).is_none()) {
            Some(id) => Err(id.to_owned()),
            None => Ok(self),
        }
    }

    /// Whether no token lives here.
    #[must_use]
    pub fn is_upstream(&self) -> bool {
        self.environments.iter().all(|one| one.is_upstream)
    }

    /// The environment that a credential belongs to, whatever it may do there, and if it has expired too.
    #[must_use]
    pub fn environment_of(&self, credential: &str, now: Timestamp) -> Option<&Environment> {
        self.by_secret(credential).or_else(|| {
            let claims = self.verify_but_for_expiry(credential, now).ok()?;
            Some(claims.environment)
        })
    }

    /// The environment of this id.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&Environment> {
        self.environments
            .iter()
            .find(|environment| environment.id == id)
    }

    /// The environment whose secret key this is.
    #[must_use]
    pub fn by_secret(&self, key: &str) -> Option<&Environment> {
        // Every key is compared, so that the time tells nothing of which one came close.
        let mut found = None;
        for environment in &self.environments {
            for candidate in &environment.keys {
                if equal(candidate.text.as_bytes(), key.as_bytes()) {
                    found = Some(environment);
                }
            }
        }
        found
    }

    /// Reads an `Authorization` header: one optional `Bearer `, then a secret key or a public
    /// access token.
    ///
    /// # Errors
    /// `NoAuthorization`, `InvalidApiKey`, `InvalidPublicToken`, `ExpiredPublicToken`.
    pub fn caller(&self, authorization: &str, now: Timestamp) -> Result<Caller<'_>, Refusal> {
        let credential = bearer(authorization).ok_or(Refusal::NoAuthorization)?;
        if let Some(environment) = self.by_secret(credential) {
            return Ok(Caller::Secret(environment));
        }
        if credential.matches('.').count() != 2 {
            return Err(Refusal::InvalidApiKey);
        }
        Ok(Caller::Public(self.verify(credential, now)?))
    }

    /// As [`Keyring::caller`] where only a secret key will do.
    ///
    /// # Errors
    /// `NoAuthorization`, `InvalidApiKey`.
    pub fn secret_caller(&self, authorization: &str) -> Result<&Environment, Refusal> {
        let credential = bearer(authorization).ok_or(Refusal::NoAuthorization)?;
        self.by_secret(credential).ok_or(Refusal::InvalidApiKey)
    }

    /// Reads the credential in a `token.url`: a public access token that may write the token, or
    /// its callback hash. `typed` is the id as it stands in the URL. Tells beside it whether the
    /// credential has expired, as who has an old link is told so.
    ///
    /// # Errors
    /// `InvalidCallbackHash`, `InvalidPublicToken`, `ScopeTooSmall`.
    pub fn link_reader(
        &self,
        typed: &str,
        credential: &str,
        now: Timestamp,
    ) -> Result<(Caller<'_>, bool), Refusal> {
        if credential.contains('.') {
            let claims = self.verify_but_for_expiry(credential, now)?;
            return if claims.allow("write", typed) {
                let has_expired = claims.has_expired(now);
                Ok((Caller::Public(claims), has_expired))
            } else {
                Err(Refusal::ScopeTooSmall)
            };
        }
        internal_id(typed)
            .and_then(|id| self.by_callback_hash(id, credential))
            .map(|environment| (Caller::CallbackHash(environment), false))
            .ok_or(Refusal::InvalidCallbackHash)
    }

    /// Verifies a public access token: at most [`MAX_JWT`] bytes, three parts of strict unpadded
    /// base64url, `alg` exactly `HS256`, signed by a key of the environment that `sub` names,
    /// issuer and audience exact, `exp` in the future, `nbf` not.
    ///
    /// # Errors
    /// See [`JwtError`].
    pub fn verify(&self, jwt: &str, now: Timestamp) -> Result<Claims<'_>, JwtError> {
        let claims = self.verify_but_for_expiry(jwt, now)?;
        if claims.has_expired(now) {
            Err(JwtError::Expired)
        } else {
            Ok(claims)
        }
    }

    fn verify_but_for_expiry(&self, jwt: &str, now: Timestamp) -> Result<Claims<'_>, JwtError> {
        if jwt.len() > MAX_JWT {
            return Err(JwtError::Invalid);
        }
        let (environment, header, payload) = self.signer(jwt).ok_or(JwtError::Invalid)?;
        let named = (!environment.is_upstream).then_some(environment.id.as_str());
        let (scopes, subject, expires_at) = jwt::read(header, payload, named, now)?;
        Ok(Claims {
            environment,
            scopes,
            subject,
            expires_at,
        })
    }

    /// The environment by a key of which a JWT is signed, and its header and payload as they stand there.
    /// Neither is looked at.
    pub(crate) fn signer<'a>(&self, jwt: &'a str) -> Option<(&Environment, &'a str, &'a str)> {
        let (signed, signature) = jwt.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let signature = base64url_decode(signature)?;
        let mut environments = self.environments.iter();
        let signer = environments.find(|one| one.signed(signed.as_bytes(), &signature))?;
        Some((signer, header, payload))
    }

    /// The environment for whose token `id` (internal, without prefix) this 64-digit hexadecimal
    /// text is the callback hash.
    #[must_use]
    pub fn by_callback_hash(&self, id: &str, hash: &str) -> Option<&Environment> {
        let hash = hex_decode(hash)?;
        self.environments
            .iter()
            .find(|environment| environment.signed(id.as_bytes(), &hash))
    }
}

impl Environment {
    /// The key that signs: what upstream knows it by.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.keys.first().map_or("", |key| &key.text)
    }

    /// Mints the public access token of one token: scopes to write and to read it and nothing
    /// else. `id` is the public one, with prefix. It lives from the token's creation to its
    /// timeout, at least 24 hours and at most 30 days; if that has passed, from `now` on.
    #[must_use]
    pub fn mint(
        &self,
        id: &str,
        created_at: Timestamp,
        timeout_at: Option<Timestamp>,
        now: Timestamp,
    ) -> String {
        let life = Duration::from_millis(timeout_at.map_or(u64::MAX, |at| {
            at.as_millis().saturating_sub(created_at.as_millis())
        }))
        .clamp(DAY, 30 * DAY);
        let issued_at = if created_at.plus(life) > now {
            created_at
        } else {
            now
        };
        // Rounded up, so that it never ends before the life does.
        let exp = issued_at.plus(life).as_millis().div_ceil(1_000);
        let mut jwt = jwt::unsigned(&self.id, id, issued_at.as_secs(), exp);
        if let Some(key) = self.keys.first() {
            let signature = key
                .mac
                .clone()
                .chain_update(jwt.as_bytes())
                .finalize()
                .into_bytes();
            jwt.push('.');
            base64url_encode(&signature, &mut jwt);
        }
        jwt
    }

    /// A proof that a page was asked for at `now`: the approval page of the token `id` (internal), as
    /// it stood while it waited. It goes into the page's form.
    #[must_use]
    pub fn nonce(&self, id: &str, now: Timestamp) -> String {
        let issued_at = now.as_secs().to_string();
        let mut nonce = format!("v1.{issued_at}.");
        if let Some(key) = self.keys.first() {
            let mac = key.mac.clone().chain_update(Self::nonced(id, &issued_at));
            base64url_encode(&mac.finalize().into_bytes(), &mut nonce);
        }
        nonce
    }

    /// Whether this is a [`nonce`](Self::nonce) of that token, at most [`NONCE_LIFE`] old.
    #[must_use]
    pub fn accepts_nonce(&self, id: &str, nonce: &str, now: Timestamp) -> bool {
        let parts = nonce
            .strip_prefix("v1.")
            .and_then(|rest| rest.split_once('.'));
        let Some((issued_at, Some(mac))) = parts.map(|(iat, mac)| (iat, base64url_decode(mac)))
        else {
            return false;
        };
        // Clocks differ from machine to machine.
        let latest = now.as_secs() + 60;
        let age = issued_at.parse().ok().and_then(|at| latest.checked_sub(at));
        // As it is spelled, so that there is one spelling.
        age.is_some_and(|age| age <= NONCE_LIFE.as_secs() + 60)
            && self.signed(Self::nonced(id, issued_at).as_bytes(), &mac)
    }

    /// No other text that the key signs begins so.
    fn nonced(id: &str, issued_at: &str) -> String {
        format!("waitpoint page\n{id}\n{issued_at}\nWAITING")
    }

    /// The internal id of the token that a create with this request idempotency key makes: the
    /// SDK's retry sends the same key and so reaches the same token. Ids are no secrets.
    #[must_use]
    pub fn token_id(&self, request_key: &[u8]) -> String {
        let digest = Sha256::new()
            .chain_update(self.id.as_bytes())
            .chain_update([0])
            .chain_update(request_key)
            .finalize();
        let mut number = digest
            .iter()
            .take(16)
            .fold(0_u128, |n, &byte| n << 8 | u128::from(byte));
        let mut id = String::from("c");
        for _ in 0..24 {
            let digit = (number % 36) as u8;
            id.push(char::from(if digit < 10 {
                b'0' + digit
            } else {
                b'a' + digit - 10
            }));
            number /= 36;
        }
        id
    }

    /// Whether this is the signature of a message by one of the keys.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let verifies = |key: &Key| {
            key.mac
                .clone()
                .chain_update(message)
                .verify_slice(signature)
                .is_ok()
        };
        self.keys.iter().any(verifies)
    }
}

/// A key of any bytes, as test vectors have them.
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
        };
        Some(Self {
            environments: vec![environment],
        })
    }
}

impl From<JwtError> for Refusal {
    fn from(why: JwtError) -> Self {
        match why {
            JwtError::Invalid => Self::InvalidPublicToken,
            JwtError::Expired => Self::ExpiredPublicToken,
        }
    }
}

/// The credential of an `Authorization` header, `None` if there is none.
#[must_use]
pub fn bearer(authorization: &str) -> Option<&str> {
    // A scheme is written in either case.
    let credential = match authorization.split_at_checked(7) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("Bearer ") => rest,
        _ => authorization,
    };
    let credential = credential.trim();
    (!credential.is_empty()).then_some(credential)
}

/// Whether two texts are equal, in a time that depends on their lengths alone.
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    let differences = a
        .iter()
        .zip(b)
        .fold(0, |acc, (a, b)| black_box(acc | (a ^ b)));
    a.len() == b.len() && differences == 0
}
