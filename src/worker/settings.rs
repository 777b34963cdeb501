//! Secrets and variables, read once an isolate: they cannot change within one.

use super::platform::{self, Env};
use crate::auth::Keyring;
use crate::error::Refusal;
use crate::time::parse_duration;
use crate::upstream::Upstreams;
use crate::webhook::Webhooks;
use std::cell::OnceCell;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

thread_local! {
    static KEYRING: OnceCell<Result<&'static Keyring, Refusal>> = const { OnceCell::new() };
    static WEBHOOKS: OnceCell<Result<&'static Webhooks, Refusal>> = const { OnceCell::new() };
    static UPSTREAMS: OnceCell<Result<&'static Upstreams, Refusal>> = const { OnceCell::new() };
    static RETENTION: OnceCell<Duration> = const { OnceCell::new() };
}

/// The keys of `SECRET_KEYS`.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(super) fn keyring(env: &Env) -> Result<&'static Keyring, Refusal> {
    KEYRING.with(|cell| {
        cell.get_or_init(|| {
            // Kept for the life of the isolate, as the secret itself is.
            let upstreams = upstreams(env)?;
            let keyring = Keyring::parse(&platform::setting(env, "SECRET_KEYS"))
                .map_err(|why| Refusal::Misconfigured(why.to_string()))?;
            let keyring = keyring.relaying(upstreams).map_err(|id| {
                let why =
                    format!("UPSTREAM names the environment {id}, which has no key in SECRET_KEYS");
                Refusal::Misconfigured(why)
            })?;
            Ok(&*Box::leak(Box::new(keyring)))
        })
        .clone()
    })
}

/// Where the tokens live that do not live here: `UPSTREAM`.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(super) fn upstreams(env: &Env) -> Result<&'static Upstreams, Refusal> {
    UPSTREAMS.with(|cell| {
        cell.get_or_init(|| {
            Upstreams::parse(&platform::setting(env, "UPSTREAM"))
                .map(|upstreams| &*Box::leak(Box::new(upstreams)))
                .map_err(|why| Refusal::Misconfigured(why.to_string()))
        })
        .clone()
    })
}

/// Where webhooks go and what signs them: `WEBHOOK_URL` and `WEBHOOK_SECRET`.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(super) fn webhooks(env: &Env) -> Result<&'static Webhooks, Refusal> {
    WEBHOOKS.with(|cell| {
        cell.get_or_init(|| {
            let setting = |name| platform::setting(env, name);
            Webhooks::parse(&setting("WEBHOOK_URL"), &setting("WEBHOOK_SECRET"))
                .map(|webhooks| &*Box::leak(Box::new(webhooks)))
                .map_err(|why| {
                    let why = why.to_string();
                    platform::error(
                        "no webhook is sent until this is mended",
                        &why.as_str().into(),
                    );
                    Refusal::Misconfigured(why)
                })
        })
        .clone()
    })
}

/// How long a finished token is kept: `RETENTION`, a duration, 30 days by default.
pub(super) fn retention(env: &Env) -> Duration {
    RETENTION.with(|cell| {
        *cell.get_or_init(|| match platform::setting(env, "RETENTION").as_str() {
            "" => 30 * DAY,
            // Keeping too long is the mistake that can be mended.
            text => parse_duration(text).unwrap_or_else(|| {
                let line = "RETENTION is no duration such as \"12h\" or \"30d\"; keeping 30 days";
                platform::error(line, &text.into());
                30 * DAY
            }),
        })
    })
}
