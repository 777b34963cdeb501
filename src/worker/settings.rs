//! Secrets and variables, read once an isolate: they cannot change within one.

use super::platform;
use crate::auth::Keyring;
use crate::error::Refusal;
use crate::time::parse_duration;
use crate::webhook::Webhooks;
use std::cell::OnceCell;
use std::time::Duration;
use worker::Env;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

thread_local! {
    static KEYRING: OnceCell<Result<&'static Keyring, Refusal>> = const { OnceCell::new() };
    static WEBHOOKS: OnceCell<(&'static Webhooks, Option<Refusal>)> = const { OnceCell::new() };
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
            Keyring::parse(&platform::setting(env, "SECRET_KEYS"))
                .map(|keyring| &*Box::leak(Box::new(keyring)))
                .map_err(|why| Refusal::Misconfigured(why.to_string()))
        })
        .clone()
    })
}

/// Where webhooks go and what signs them: `WEBHOOK_URL` and `WEBHOOK_SECRET`. Nowhere if one of them
/// cannot be read.
pub(super) fn webhooks(env: &Env) -> &'static Webhooks {
    read_webhooks(env).0
}

/// What is wrong with them.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(super) fn check_webhooks(env: &Env) -> Result<(), Refusal> {
    read_webhooks(env).1.map_or(Ok(()), Err)
}

fn read_webhooks(env: &Env) -> (&'static Webhooks, Option<Refusal>) {
    WEBHOOKS.with(|cell| {
        cell.get_or_init(|| {
            let setting = |name| platform::setting(env, name);
            let read = Webhooks::parse(&setting("WEBHOOK_URL"), &setting("WEBHOOK_SECRET"));
            let (webhooks, wrong) = match read {
                Ok(webhooks) => (webhooks, None),
                Err(why) => {
                    let why = why.to_string();
                    platform::error("no webhook will be sent", &why.as_str().into());
                    (Webhooks::default(), Some(Refusal::Misconfigured(why)))
                }
            };
            (&*Box::leak(Box::new(webhooks)), wrong)
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
