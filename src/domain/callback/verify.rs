//! Invariants:
//! - Signatures are compared in constant time, and each secret with each signature.
//! - Everything that can decide is signed: a body that the signature does not cover is refused.
//!
//! Which signature a callback must have: `callback.verify`, and the check.

use super::fields::{Fields, invalid};
use super::secrets::{CallbackSecrets, MAX_NAME, is_name};
use super::signature;
pub use super::signature::{Encoding, Scheme, SignedRequest, VerifyError};
use crate::domain::api::error::ApiError;
use crate::domain::api::excerpt::excerpt;
use crate::domain::encoding::base64_decode;
use crate::domain::time::timestamp::Timestamp;

/// Longest name of a header and longest prefix, in bytes.
pub const MAX_HEADER: usize = 100;

const VERIFY: &str = "callback.verify";
const SCHEME: &str = "callback.verify.scheme";
const SECRET: &str = "callback.verify.secret";
const HEADER: &str = "callback.verify.header";
const ENCODING: &str = "callback.verify.encoding";
const PREFIX: &str = "callback.verify.prefix";
const EXAMPLE: &str = r#"{"scheme": "github", "secret": "DEPLOYS"}"#;
const SCHEMES: &str = "standard-webhooks, github, stripe, slack, twilio or hmac-sha256";

/// Which signature a callback must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    pub scheme: Scheme,
    /// The name of the secret in `CALLBACK_SECRETS`.
    pub secret: String,
}

impl Verify {
    /// Reads the JSON text of `callback.verify`.
    ///
    /// # Errors
    /// `ValidationError` with the field and the value.
    pub fn parse(json: &str) -> Result<Self, ApiError> {
        let known = ["scheme", "secret", "header", "encoding", "prefix"];
        let fields = Fields::parse(json, VERIFY, EXAMPLE, &known)?;
        let use_scheme = format!("Use {SCHEMES}.");
        let scheme = fields.string("scheme", SCHEME, SCHEMES)?.ok_or_else(|| {
            let message = format!("scheme is missing. {use_scheme}");
            invalid(SCHEME, message)
        })?;
        let scheme = match scheme.as_str() {
            "standard-webhooks" => Scheme::StandardWebhooks,
            "github" => Scheme::Github,
            "stripe" => Scheme::Stripe,
            "slack" => Scheme::Slack,
            "twilio" => Scheme::Twilio,
            "hmac-sha256" => Scheme::HmacSha256 {
                header: parse_header(&fields)?,
                encoding: parse_encoding(&fields)?,
                prefix: parse_prefix(&fields)?,
            },
            other => {
                let message = format!("{} is not a known scheme. {use_scheme}", excerpt(other));
                return Err(invalid(SCHEME, message));
            }
        };
        if !matches!(scheme, Scheme::HmacSha256 { .. }) {
            for (key, path) in [
                ("header", HEADER),
                ("encoding", ENCODING),
                ("prefix", PREFIX),
            ] {
                if fields.get(key).is_some() {
                    let message = format!(
                        "{key} is for the scheme hmac-sha256 only. Leave it out, or use that scheme."
                    );
                    return Err(invalid(path, message));
                }
            }
        }
        let like = "the name of a secret in CALLBACK_SECRETS";
        let secret = fields.string("secret", SECRET, like)?.ok_or_else(|| {
            let message = format!("secret is missing. Use {like}.");
            invalid(SECRET, message)
        })?;
        if !is_name(&secret) {
            // Whoever mistakes this field may have put the secret itself here, so it is not quoted.
            let message = format!(
                "secret is not a name. Use {like}: 1 to {MAX_NAME} of A-Z a-z 0-9 _ -, never the \
                 secret itself."
            );
            return Err(invalid(SECRET, message));
        }
        Ok(Self { scheme, secret })
    }

    /// Checks at create that the secret is there and can be a key of the scheme.
    ///
    /// # Errors
    /// `ValidationError`
    pub fn check_secret(&self, secrets: &CallbackSecrets) -> Result<(), ApiError> {
        let secrets = secrets.of(&self.secret);
        // A secret may have the form of a name. So a name that is unknown is not quoted either.
        if secrets.is_empty() {
            let message = "CALLBACK_SECRETS has no secret of this name. Add a line name=value to it, \
                           or use a name that it has.";
            return Err(invalid(SECRET, message.to_owned()));
        }
        if self.keys(secrets).len() < secrets.len() {
            let message = "a secret of this name in CALLBACK_SECRETS begins with whsec_ and is not \
                           base64 behind it. Copy it again from the sender.";
            return Err(invalid(SECRET, message.to_owned()));
        }
        Ok(())
    }

    /// The keys that secrets stand for, without those that are unusable.
    fn keys(&self, secrets: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let key = |secret: &Vec<u8>| match self.scheme {
            Scheme::StandardWebhooks => standard_webhooks_key(secret),
            _ => Some(secret.clone()),
        };
        secrets.iter().filter_map(key).collect()
    }

    /// Checks that one of the secrets signed a request, for schemes with a time at most five minutes
    /// ago.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub fn verify(
        &self,
        secrets: &[Vec<u8>],
        request: &SignedRequest<'_>,
        now: Timestamp,
    ) -> Result<(), VerifyError> {
        if secrets.is_empty() {
            return Err(VerifyError::NoSecret);
        }
        let keys = self.keys(secrets);
        if keys.is_empty() {
            return Err(VerifyError::UnusableSecret);
        }
        signature::verify(&self.scheme, &keys, request, now)
    }
}

/// The key of a secret of Standard Webhooks: base64 with or without `whsec_`. A secret without it that
/// is not base64 is the key itself, as in some senders.
fn standard_webhooks_key(secret: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(secret).unwrap_or_default();
    match text.strip_prefix("whsec_") {
        Some(encoded) => base64_decode(encoded).filter(|key| !key.is_empty()),
        None => base64_decode(text).or_else(|| Some(secret.to_vec())),
    }
}

fn parse_header(fields: &Fields<'_>) -> Result<String, ApiError> {
    let like = "the name of the header with the signature, such as \"X-Signature\"";
    let header = fields.string("header", HEADER, like)?.ok_or_else(|| {
        let message = format!("header is missing. Use {like}.");
        invalid(HEADER, message)
    })?;
    // The letters of a token, RFC 9110 5.6.2.
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if !(1..=MAX_HEADER).contains(&header.len()) || !header.bytes().all(fits) {
        let message = format!("{} is not a header. Use {like}.", excerpt(&header));
        return Err(invalid(HEADER, message));
    }
    Ok(header.to_ascii_lowercase())
}

fn parse_encoding(fields: &Fields<'_>) -> Result<Encoding, ApiError> {
    let like = "\"hex\" or \"base64\"";
    match fields.string("encoding", ENCODING, like)?.as_deref() {
        None | Some("hex") => Ok(Encoding::Hex),
        Some("base64") => Ok(Encoding::Base64),
        Some(other) => {
            let message = format!("{} is not a known encoding. Use {like}.", excerpt(other));
            Err(invalid(ENCODING, message))
        }
    }
}

fn parse_prefix(fields: &Fields<'_>) -> Result<String, ApiError> {
    let like = "what stands before the signature in the header, such as \"sha256=\"";
    let prefix = fields.string("prefix", PREFIX, like)?.unwrap_or_default();
    // HTTP removes white space before a header's value, so no header begins with a space.
    let fits = prefix.bytes().all(|b| (b' '..=b'~').contains(&b)) && !prefix.starts_with(' ');
    if prefix.len() > MAX_HEADER || !fits {
        let message = format!("{} is not a prefix. Use {like}.", excerpt(&prefix));
        return Err(invalid(PREFIX, message));
    }
    Ok(prefix)
}
