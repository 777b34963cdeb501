//! Invariant: a comparison takes the same time whichever byte differs, and finding one match does not
//! end the search.
//!
//! The schemes of `callback.verify`. Sources: standardwebhooks.com, docs.github.com, docs.stripe.com,
//! docs.slack.dev and twilio.com/docs/usage/security, and the libraries of each.

use crate::domain::auth::constant_time::constant_time_eq;
use crate::domain::encoding::{base64_decode, base64_encode, digits, hex_decode, percent_decode};
use crate::domain::time::timestamp::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fmt;

/// How long a signature is valid, and how far clocks may differ, in seconds.
pub(super) const TOLERANCE: u64 = 300;
/// Most signatures of one header that are compared.
const MAX_SIGNATURES: usize = 20;

/// How a sender signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Standard Webhooks 1.0.0; also by Svix, whose headers are called `svix-…`.
    StandardWebhooks,
    /// `X-Hub-Signature-256`
    Github,
    /// `Stripe-Signature`
    Stripe,
    /// `X-Slack-Signature`
    Slack,
    /// `X-Twilio-Signature`
    Twilio,
    /// HMAC-SHA-256 of the body in a header.
    HmacSha256 {
        /// The header, in lower case.
        header: String,
        encoding: Encoding,
        /// What stands before the signature in the header.
        prefix: String,
    },
}

/// How bytes are written in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Hex,
    Base64,
}

/// A request whose signature is checked.
pub struct SignedRequest<'a> {
    /// The URL that was given out, with the query that was received.
    pub url: &'a str,
    /// A header by its name in lower case.
    pub headers: &'a dyn Fn(&str) -> Option<String>,
    /// The body as it was received, before inflating and decoding.
    pub body: &'a [u8],
    /// The fields, if the body is `application/x-www-form-urlencoded`. Not those of a multipart form:
    /// Twilio sends none, and its signature would not cover their files.
    pub fields: Option<&'a [(String, String)]>,
}

/// Why a callback is refused. A log may name it; the client hears 401 only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// The name has no secret any more.
    NoSecret,
    /// No secret of this name can be a key of the scheme.
    UnusableSecret,
    /// A header of the scheme is missing.
    MissingHeader,
    /// A header of the scheme cannot be read.
    Malformed,
    /// It was signed more than five minutes ago.
    TooOld,
    /// It claims to be signed more than five minutes from now.
    InTheFuture,
    /// The signature does not cover the body.
    BodyNotSigned,
    /// No secret made the signature.
    Mismatch,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSecret => "CALLBACK_SECRETS has no secret of this name",
            Self::UnusableSecret => "the secret of this name is whsec_ without base64 behind it",
            Self::MissingHeader => "a header of the signature is missing",
            Self::Malformed => "a header of the signature cannot be read",
            Self::TooOld => "the signature is older than five minutes",
            Self::InTheFuture => "the signature is from the future",
            Self::BodyNotSigned => "the signature does not cover the body",
            Self::Mismatch => "no secret of this name made the signature",
        })
    }
}

type Headers<'a> = &'a dyn Fn(&str) -> Option<String>;

pub(super) fn verify(
    scheme: &Scheme,
    keys: &[Vec<u8>],
    request: &SignedRequest<'_>,
    now: Timestamp,
) -> Result<(), VerifyError> {
    let headers = request.headers;
    let body = request.body;
    match scheme {
        Scheme::StandardWebhooks => standard_webhooks(keys, headers, body, now),
        Scheme::Github => {
            let given = signature_in(&header(headers, "x-hub-signature-256")?, "sha256=")?;
            compare(keys, &[], body, &[hex(&given)?])
        }
        Scheme::Stripe => stripe(keys, headers, body, now),
        Scheme::Slack => {
            let given = signature_in(&header(headers, "x-slack-signature")?, "v0=")?;
            let time = header(headers, "x-slack-request-timestamp")?;
            check_time(&time, now)?;
            compare(
                keys,
                &[b"v0:", time.as_bytes(), b":"],
                body,
                &[hex(&given)?],
            )
        }
        Scheme::Twilio => twilio(keys, request),
        Scheme::HmacSha256 {
            header: name,
            encoding,
            prefix,
        } => {
            let given = signature_in(&header(headers, name)?, prefix)?;
            let given = match encoding {
                Encoding::Hex => hex(&given)?,
                Encoding::Base64 => base64(&given)?,
            };
            compare(keys, &[], body, &[given])
        }
    }
}

fn standard_webhooks(
    keys: &[Vec<u8>],
    headers: Headers<'_>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), VerifyError> {
    // All three are of one family: Svix's own names are older than the standard's.
    let [id, time, signatures] = match headers("webhook-id") {
        Some(_) => ["webhook-id", "webhook-timestamp", "webhook-signature"],
        None => ["svix-id", "svix-timestamp", "svix-signature"],
    };
    let id = header(headers, id)?;
    let time = header(headers, time)?;
    let signatures = header(headers, signatures)?;
    check_time(&time, now)?;
    // Other versions, such as v1a, may stand beside it.
    let given: Vec<_> = signatures
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"))
        .filter_map(|one| base64(one).ok())
        .take(MAX_SIGNATURES)
        .collect();
    let head = [id.as_bytes(), b".", time.as_bytes(), b"."];
    compare(keys, &head, body, &given)
}

fn stripe(
    keys: &[Vec<u8>],
    headers: Headers<'_>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), VerifyError> {
    let header = header(headers, "stripe-signature")?;
    let values = |wanted: &'static str| {
        let items = header.split(',').filter_map(|item| item.split_once('='));
        let items = items.filter(move |(name, _)| name.trim() == wanted);
        items.map(|(_, value)| value.trim())
    };
    let time = values("t").next().ok_or(VerifyError::Malformed)?;
    check_time(time, now)?;
    let given: Vec<_> = values("v1")
        .filter_map(|one| hex(one).ok())
        .take(MAX_SIGNATURES)
        .collect();
    compare(keys, &[time.as_bytes(), b"."], body, &given)
}

/// Twilio signs the URL and the fields of a form. Other bodies it covers by their SHA-256 in the URL's
/// query.
fn twilio(keys: &[Vec<u8>], request: &SignedRequest<'_>) -> Result<(), VerifyError> {
    let given = header(request.headers, "x-twilio-signature")?;
    let given = base64_decode(given.trim()).filter(|bytes| bytes.len() == 20);
    let given = given.ok_or(VerifyError::Malformed)?;
    let mut signed = String::new();
    match (body_hash(request.url), request.fields) {
        (Some(hash), _) => {
            let hash = hex_decode(&hash).ok_or(VerifyError::Malformed)?;
            if !constant_time_eq(&hash, &Sha256::digest(request.body)) {
                return Err(VerifyError::Mismatch);
            }
        }
        (None, Some(fields)) => {
            let mut fields: Vec<_> = fields.iter().collect();
            // As in its libraries: sorted by name, then by value, and each pair once.
            fields.sort_unstable();
            fields.dedup();
            for (name, value) in fields {
                signed += name;
                signed += value;
            }
        }
        (None, None) if request.body.is_empty() => {}
        (None, None) => return Err(VerifyError::BodyNotSigned),
    }
    let mut is_signed = false;
    // Twilio signs some URLs with the port and some without, so its libraries try both.
    for url in spellings(request.url) {
        for key in keys {
            let mac = Hmac::<Sha1>::new_from_slice(key).map_err(|_| VerifyError::Mismatch)?;
            let mac = mac.chain_update(url.as_bytes());
            let made = mac.chain_update(signed.as_bytes()).finalize().into_bytes();
            is_signed |= constant_time_eq(&made, &given);
        }
    }
    is_signed.then_some(()).ok_or(VerifyError::Mismatch)
}

/// The SHA-256 of the body that Twilio put into a URL's query.
fn body_hash(url: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let query = query.split('#').next().unwrap_or("");
    let mut pairs = query.split('&');
    pairs.find_map(|pair| pair.strip_prefix("bodySHA256=").map(percent_decode))
}

/// A URL as it is, and without its port, or with that of its scheme.
fn spellings(url: &str) -> Vec<String> {
    let mut spellings = vec![url.to_owned()];
    if let Some((scheme, rest)) = url.split_once("://") {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let port = if scheme == "http" { 80 } else { 443 };
        spellings.push(match authority.rsplit_once(':') {
            Some((host, _)) => format!("{scheme}://{host}{path}"),
            None => format!("{scheme}://{authority}:{port}{path}"),
        });
    }
    spellings
}

/// Whether one of the keys made one of the signatures of a message.
fn compare(
    keys: &[Vec<u8>],
    head: &[&[u8]],
    body: &[u8],
    given: &[[u8; 32]],
) -> Result<(), VerifyError> {
    if given.is_empty() {
        return Err(VerifyError::Malformed);
    }
    let mut is_signed = false;
    for key in keys {
        let made = hmac_sha256(key, head, body).ok_or(VerifyError::Mismatch)?;
        for signature in given {
            is_signed |= constant_time_eq(&made, signature);
        }
    }
    is_signed.then_some(()).ok_or(VerifyError::Mismatch)
}

/// HMAC-SHA-256 of the parts of `head` and a body. HMAC takes keys of any length, so it is never
/// `None`.
pub(super) fn hmac_sha256(key: &[u8], head: &[&[u8]], body: &[u8]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in head {
        mac.update(part);
    }
    Some(mac.chain_update(body).finalize().into_bytes().into())
}

fn header(headers: Headers<'_>, name: &str) -> Result<String, VerifyError> {
    headers(name).ok_or(VerifyError::MissingHeader)
}

/// What follows the prefix of a header.
fn signature_in(header: &str, prefix: &str) -> Result<String, VerifyError> {
    let rest = header.trim().strip_prefix(prefix.trim_end());
    let rest = rest.ok_or(VerifyError::Malformed)?;
    Ok(rest.trim().to_owned())
}

fn hex(text: &str) -> Result<[u8; 32], VerifyError> {
    hex_decode(text).ok_or(VerifyError::Malformed)
}

fn base64(text: &str) -> Result<[u8; 32], VerifyError> {
    let bytes = base64_decode(text).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(VerifyError::Malformed)
}

/// Checks that a time, in seconds since the epoch, is about now.
fn check_time(text: &str, now: Timestamp) -> Result<(), VerifyError> {
    let signed_at = digits(text).ok_or(VerifyError::Malformed)?;
    let now = now.as_secs();
    if signed_at.saturating_add(TOLERANCE) < now {
        Err(VerifyError::TooOld)
    } else if signed_at > now.saturating_add(TOLERANCE) {
        Err(VerifyError::InTheFuture)
    } else {
        Ok(())
    }
}

/// The lower-case hexadecimal digits of bytes.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes in base64.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    base64_encode(bytes, &mut text);
    text
}
