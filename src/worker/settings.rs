//! Secrets and variables, and what holds while they do.
//!
//! Invariant: what is derived from settings is used with these alone. The platform may hand others to an
//! isolate that lives on, and a key that was removed opens nothing from then on.

use super::platform::{self, Env};
use crate::auth::Keyring;
use crate::caller::Claims;
use crate::error::Refusal;
use crate::recent::Recent;
use crate::time::parse_duration;
use crate::upstream::Upstreams;
use crate::webhook::Webhooks;
use std::cell::{OnceCell, RefCell};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How much is remembered of each kind.
const PLACES: usize = 1_024;

/// What was read of one edition of the settings.
struct Settings {
    keyring: OnceCell<Result<Keyring, Refusal>>,
    webhooks: OnceCell<Result<Webhooks, Refusal>>,
    upstreams: OnceCell<Result<Upstreams, Refusal>>,
    retention: OnceCell<Duration>,
    verified: RefCell<Recent<Claims<'static>>>,
    completed: RefCell<Recent<()>>,
}

thread_local! {
    /// By the number that `platform.js` has for each.
    static EDITIONS: RefCell<Vec<Option<&'static Settings>>> = const { RefCell::new(Vec::new()) };
}

impl Settings {
    /// Kept for the life of the isolate, which sees few.
    fn unread() -> &'static Self {
        Box::leak(Box::new(Self {
            keyring: OnceCell::new(),
            webhooks: OnceCell::new(),
            upstreams: OnceCell::new(),
            retention: OnceCell::new(),
            verified: RefCell::new(Recent::new(PLACES)),
            completed: RefCell::new(Recent::new(PLACES)),
        }))
    }
}

fn of(env: &Env) -> &'static Settings {
    let number = platform::edition(env) as usize;
    EDITIONS.with_borrow_mut(|editions| {
        if editions.len() <= number {
            editions.resize(number + 1, None);
        }
        match editions.get_mut(number) {
            Some(edition) => *edition.get_or_insert_with(Settings::unread),
            None => Settings::unread(),
        }
    })
}

/// The keys of `SECRET_KEYS`.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(super) fn keyring(env: &Env) -> Result<&'static Keyring, Refusal> {
    let parse = || {
        let upstreams = upstreams(env)?;
        let keyring = Keyring::parse(&platform::setting(env, "SECRET_KEYS"))
            .map_err(|why| Refusal::Misconfigured(why.to_string()))?;
        keyring.relaying(upstreams).map_err(|id| {
            let why =
                format!("UPSTREAM names the environment {id}, which has no key in SECRET_KEYS");
            Refusal::Misconfigured(why)
        })
    };
    of(env)
        .keyring
        .get_or_init(parse)
        .as_ref()
        .map_err(Clone::clone)
}

/// Where the tokens live that do not live here: `UPSTREAM`.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(super) fn upstreams(env: &Env) -> Result<&'static Upstreams, Refusal> {
    let parse = || {
        Upstreams::parse(&platform::setting(env, "UPSTREAM"))
            .map_err(|why| Refusal::Misconfigured(why.to_string()))
    };
    of(env)
        .upstreams
        .get_or_init(parse)
        .as_ref()
        .map_err(Clone::clone)
}

/// Where webhooks go and what signs them: `WEBHOOK_URL` and `WEBHOOK_SECRET`.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(super) fn webhooks(env: &Env) -> Result<&'static Webhooks, Refusal> {
    let parse = || {
        let setting = |name| platform::setting(env, name);
        Webhooks::parse(&setting("WEBHOOK_URL"), &setting("WEBHOOK_SECRET")).map_err(|why| {
            let why = why.to_string();
            let line = "no webhook is sent until this is mended";
            platform::error(line, &why.as_str().into());
            Refusal::Misconfigured(why)
        })
    };
    of(env)
        .webhooks
        .get_or_init(parse)
        .as_ref()
        .map_err(Clone::clone)
}

/// How long a finished token is kept: `RETENTION`, a duration, 30 days by default.
pub(super) fn retention(env: &Env) -> Duration {
    let parse = || match platform::setting(env, "RETENTION").as_str() {
        "" => 30 * DAY,
        // Keeping too long is the mistake that can be mended.
        text => parse_duration(text).unwrap_or_else(|| {
            let line = "RETENTION is no duration such as \"12h\" or \"30d\"; keeping 30 days";
            platform::error(line, &text.into());
            30 * DAY
        }),
    };
    *of(env).retention.get_or_init(parse)
}

/// The public access tokens that were verified with these keys.
pub(super) fn verified(env: &Env) -> &'static RefCell<Recent<Claims<'static>>> {
    &of(env).verified
}

/// The names of objects whose tokens were completed from here.
pub(super) fn completed(env: &Env) -> &'static RefCell<Recent<()>> {
    &of(env).completed
}
