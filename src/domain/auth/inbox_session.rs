//! Invariants:
//! - A session or a link belongs to one environment and holds no secret key. It is valid while the key
//!   with which it was made is one of the environment's.
//! - A link is valid for [`LINK_LIFE`] at most, and a session for [`SESSION_LIFE`]. Neither passes for the
//!   other, and each has one spelling.
//!
//! Sessions of the inbox, which a cookie holds, and links that begin one. With a secret key one can make
//! such a link: `npm start` does (scripts/lib/inbox-link.mjs).

use super::keyring::{Environment, Keyring, SigningKey};
use crate::domain::encoding::{base64url_decode, base64url_encode, digits};
use crate::domain::time::timestamp::Timestamp;
use std::time::Duration;

/// How long a session lasts.
pub const SESSION_LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// How long a link can be used.
pub const LINK_LIFE: Duration = Duration::from_secs(15 * 60);

/// The name of the cookie. Browsers take one with this prefix from the host itself alone, over HTTPS.
pub const COOKIE: &str = "__Host-waitpoint_inbox";

/// Characters of the random part.
const RANDOM: std::ops::RangeInclusive<usize> = 16..=64;

#[derive(Clone, Copy)]
enum Kind {
    Session,
    Link,
}

impl Kind {
    fn life(self) -> Duration {
        match self {
            Self::Session => SESSION_LIFE,
            Self::Link => LINK_LIFE,
        }
    }

    /// What is signed. No other text that a key signs has this prefix.
    fn message(self, environment: &str, expires: &str, random: &str) -> String {
        let kind = match self {
            Self::Session => "session",
            Self::Link => "link",
        };
        format!("waitpoint inbox {kind}\n{environment}\n{expires}\n{random}")
    }
}

/// A session that is valid.
#[derive(Clone)]
pub struct InboxSession<'a> {
    pub environment: &'a Environment,
    /// What tells it from other sessions.
    pub id: String,
}

/// A link that is valid, if it was not used before.
pub struct SignInLink<'a> {
    key: SigningKey<'a>,
    /// What tells it from other links.
    pub id: String,
    pub expires_at: Timestamp,
}

impl Keyring {
    /// A session for an operator who has this secret key: the value of the cookie. `random` is unguessable.
    #[must_use]
    pub fn begin_session(&self, secret: &str, random: &str, now: Timestamp) -> Option<String> {
        Some(session(self.key_by_secret(secret)?, random, now))
    }

    /// The session that a cookie holds.
    #[must_use]
    pub fn open_session(&self, cookie: &str, now: Timestamp) -> Option<InboxSession<'_>> {
        let opened = self.open(Kind::Session, cookie, now)?;
        Some(InboxSession {
            environment: opened.key.environment,
            id: opened.id,
        })
    }

    /// The link with this credential.
    #[must_use]
    pub fn open_sign_in_link(&self, credential: &str, now: Timestamp) -> Option<SignInLink<'_>> {
        self.open(Kind::Link, credential, now)
    }

    /// The environment whose key signs the nonce of the form that signs in.
    #[must_use]
    pub fn sign_in_environment(&self) -> Option<&Environment> {
        self.first_environment()
    }

    /// Reads `v1.<environment>.<expiry in seconds>.<random>.<mac>`.
    fn open(&self, kind: Kind, text: &str, now: Timestamp) -> Option<SignInLink<'_>> {
        let mut parts = text.strip_prefix("v1.")?.split('.');
        let (environment, expires) = (parts.next()?, parts.next()?);
        let (random, mac, None) = (parts.next()?, parts.next()?, parts.next()) else {
            return None;
        };
        let is_random = RANDOM.contains(&random.len())
            && random
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let expires_at = Timestamp::from_millis(digits(expires)?.saturating_mul(1_000));
        // Nobody can make one that lasts longer.
        let latest = now.plus(kind.life() + Duration::from_secs(60));
        let environment = self.by_id(environment)?;
        let message = kind.message(&environment.id, expires, random);
        let key = environment.signer_of(message.as_bytes(), &base64url_decode(mac)?)?;
        let is_valid = is_random && expires_at > now && expires_at <= latest;
        is_valid.then(|| SignInLink {
            key,
            id: random.to_owned(),
            expires_at,
        })
    }
}

impl<'a> SignInLink<'a> {
    #[must_use]
    pub fn environment(&self) -> &'a Environment {
        self.key.environment
    }

    /// The session that the link begins: the value of the cookie. `random` is unguessable.
    #[must_use]
    pub fn begin_session(&self, random: &str, now: Timestamp) -> String {
        session(self.key, random, now)
    }
}

fn session(key: SigningKey<'_>, random: &str, now: Timestamp) -> String {
    let environment = &key.environment.id;
    let expires = now.plus(SESSION_LIFE).as_secs().to_string();
    let mut text = format!("v1.{environment}.{expires}.{random}.");
    let message = Kind::Session.message(environment, &expires, random);
    base64url_encode(&key.sign(message.as_bytes()), &mut text);
    text
}

/// The value of the cookie in a `Cookie` header.
#[must_use]
pub fn cookie_of(header: &str) -> Option<&str> {
    let mut pairs = header
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

/// The `Set-Cookie` that begins a session; without a value, the one that ends it.
#[must_use]
pub fn set_cookie(value: Option<&str>) -> String {
    let age = match value {
        Some(_) => SESSION_LIFE.as_secs(),
        None => 0,
    };
    let value = value.unwrap_or_default();
    format!("{COOKIE}={value}; Path=/; Max-Age={age}; HttpOnly; Secure; SameSite=Strict")
}
