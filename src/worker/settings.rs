//! Secrets and variables, and the values that are derived from them.
//!
//! Invariant: values derived from settings are used only with these settings. The platform may give
//! new settings to a running isolate, and a key that was removed must then verify nothing.

use crate::domain::api::error::ApiError;
use crate::domain::api::public_url::PublicUrls;
use crate::domain::auth::agent_keys::AgentKeys;
use crate::domain::auth::caller::Claims;
use crate::domain::auth::inbox_settings::SignInBy;
use crate::domain::auth::keyring::{Environment, Keyring};
use crate::domain::cache::DirectMappedCache;
use crate::domain::callback::secrets::CallbackSecrets;
use crate::domain::jurisdiction::Jurisdictions;
use crate::domain::log_setting::LogSetting;
use crate::domain::notice::channels::Channels;
use crate::domain::notice::mail_settings::MailSettings;
use crate::domain::relay::settings::Upstreams;
use crate::domain::time::duration::parse_duration;
use crate::domain::webhook::settings::Webhooks;
use crate::worker::bindings::{in_jurisdiction, variable};
use crate::worker::{error_text, log_error};
use std::cell::{OnceCell, RefCell};
use std::time::Duration;
use wasm_bindgen::JsValue;
use worker::Env;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How many verified tokens and how many completions are cached.
const SLOTS: usize = 4_096;

/// How many of upstream's verdicts on credentials are cached.
const VERDICTS: usize = 1_024;

/// What upstream lets a credential that is unknown here do to one token.
pub(crate) type Verdict = Result<Accepted, ApiError>;

/// A credential that upstream has accepted for a token of an environment here.
#[derive(Clone)]
pub(crate) enum Accepted {
    /// It may do what a secret key may.
    Owner(&'static Environment),
    /// It may do what its scopes allow.
    Scoped(Claims<'static>),
}

/// The values derived from one version of the settings. Each is parsed when first needed.
struct Settings {
    keyring: OnceCell<Result<Keyring, ApiError>>,
    webhooks: OnceCell<Result<Webhooks, ApiError>>,
    callback_secrets: OnceCell<Result<CallbackSecrets, ApiError>>,
    channels: OnceCell<Result<Channels, ApiError>>,
    mail: OnceCell<Result<MailSettings, ApiError>>,
    upstreams: OnceCell<Result<Upstreams, ApiError>>,
    inbox: OnceCell<Result<Option<SignInBy>, ApiError>>,
    agent_keys: OnceCell<Result<AgentKeys, ApiError>>,
    jurisdictions: OnceCell<Result<Jurisdictions, ApiError>>,
    log: OnceCell<Result<LogSetting, ApiError>>,
    retention: OnceCell<Duration>,
    verified: RefCell<DirectMappedCache<Claims<'static>>>,
    completed: RefCell<DirectMappedCache<()>>,
    verdicts: RefCell<DirectMappedCache<Verdict>>,
}

/// The settings whose values identify a version.
const NAMES: [&str; 18] = [
    "SECRET_KEYS",
    "UPSTREAM",
    "PUBLIC_URL",
    "WEBHOOK_URL",
    "WEBHOOK_SECRET",
    "WEBHOOK_EVENTS",
    "RETENTION",
    "CALLBACK_SECRETS",
    "CHANNELS",
    "EMAIL_FROM",
    "NOTIFY_DOMAINS",
    "INBOX",
    "ACCESS_TEAM_DOMAIN",
    "ACCESS_AUD",
    "AGENT_KEYS",
    "AGENT_LINKS",
    "JURISDICTION",
    "LOG",
];

/// One version: the values of the settings, and what is derived from them.
struct Edition {
    values: [JsValue; 18],
    settings: &'static Settings,
}

thread_local! {
    static EDITIONS: RefCell<Vec<Edition>> = const { RefCell::new(Vec::new()) };
    /// The environment object of the last call. For new settings the platform creates a new object;
    /// it never changes one.
    static CURRENT: RefCell<Option<(Env, &'static Settings)>> = const { RefCell::new(None) };
}

impl Settings {
    /// Kept as long as the isolate lives. An isolate sees few versions.
    fn unparsed() -> &'static Self {
        Box::leak(Box::new(Self {
            keyring: OnceCell::new(),
            webhooks: OnceCell::new(),
            callback_secrets: OnceCell::new(),
            channels: OnceCell::new(),
            mail: OnceCell::new(),
            upstreams: OnceCell::new(),
            inbox: OnceCell::new(),
            agent_keys: OnceCell::new(),
            jurisdictions: OnceCell::new(),
            log: OnceCell::new(),
            retention: OnceCell::new(),
            verified: RefCell::new(DirectMappedCache::new(SLOTS)),
            completed: RefCell::new(DirectMappedCache::new(SLOTS)),
            verdicts: RefCell::new(DirectMappedCache::new(VERDICTS)),
        }))
    }
}

/// The settings of the version whose values this environment object has.
fn find(env: &Env) -> &'static Settings {
    let values = NAMES.map(|name| variable(env, name));
    let settings = EDITIONS.with_borrow_mut(|editions| {
        if let Some(at) = editions.iter().position(|one| one.values == values) {
            return editions.get(at).map(|edition| edition.settings);
        }
        let settings = Settings::unparsed();
        editions.push(Edition { values, settings });
        Some(settings)
    });
    settings.unwrap_or_else(Settings::unparsed)
}

fn of(env: &Env) -> &'static Settings {
    CURRENT.with_borrow_mut(|current| match current {
        Some((of, settings)) if is_same(of, env) => *settings,
        _ => {
            let settings = find(env);
            *current = Some((env.clone(), settings));
            settings
        }
    })
}

/// Whether these are one object, and so have the same settings.
pub(crate) fn is_same(one: &Env, other: &Env) -> bool {
    AsRef::<JsValue>::as_ref(one) == AsRef::<JsValue>::as_ref(other)
}

/// The value in `cell`, parsed if this is its first use.
fn parsed<T>(
    cell: &'static OnceCell<Result<T, ApiError>>,
    parse: impl FnOnce() -> Result<T, ApiError>,
) -> Result<&'static T, ApiError> {
    cell.get_or_init(parse).as_ref().map_err(Clone::clone)
}

/// A variable or a secret; `""` if it is not set.
fn setting(env: &Env, name: &str) -> String {
    variable(env, name).as_string().unwrap_or_default()
}

fn has_no_key(setting: &str, id: &str) -> ApiError {
    ApiError::Misconfigured(format!(
        "{setting} names the environment {id}, which has no key in SECRET_KEYS"
    ))
}

fn no_jurisdictions(why: JsValue) -> ApiError {
    ApiError::Misconfigured(format!(
        "JURISDICTION cannot be used here: {} Elsewhere than on Cloudflare leave it empty.",
        error_text(&why)
    ))
}

/// The keys of `SECRET_KEYS`, and what other settings say of their environments.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(crate) fn keyring(env: &Env) -> Result<&'static Keyring, ApiError> {
    let parse = || {
        let upstreams = upstreams(env)?;
        let public_urls = PublicUrls::parse(&setting(env, "PUBLIC_URL"))
            .map_err(|why| ApiError::Misconfigured(why.to_string()))?;
        let keyring = Keyring::parse(&setting(env, "SECRET_KEYS"))
            .map_err(|why| ApiError::Misconfigured(why.to_string()))?;
        let keyring = keyring
            .with_upstreams(upstreams)
            .map_err(|id| has_no_key("UPSTREAM", &id))?
            .with_public_urls(&public_urls)
            .map_err(|id| has_no_key("PUBLIC_URL", &id))?;
        for (id, jurisdiction) in jurisdictions(env)?.entries() {
            if keyring.by_id(id).is_none() {
                return Err(has_no_key("JURISDICTION", id));
            }
            in_jurisdiction(&variable(env, "TOKENS"), jurisdiction).map_err(no_jurisdictions)?;
        }
        Ok(keyring)
    };
    parsed(&of(env).keyring, parse)
}

/// The setting `JURISDICTION`: where environments keep their objects. It does not depend on the other
/// settings, as objects need it whatever is wrong with those.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(crate) fn jurisdictions(env: &Env) -> Result<&'static Jurisdictions, ApiError> {
    let parse =
        || Jurisdictions::parse(&setting(env, "JURISDICTION")).map_err(ApiError::Misconfigured);
    parsed(&of(env).jurisdictions, parse)
}

/// The setting `UPSTREAM`: the environments whose tokens live at another API.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(crate) fn upstreams(env: &Env) -> Result<&'static Upstreams, ApiError> {
    let parse = || {
        Upstreams::parse(&setting(env, "UPSTREAM"))
            .map_err(|why| ApiError::Misconfigured(why.to_string()))
    };
    parsed(&of(env).upstreams, parse)
}

/// The settings `WEBHOOK_URL`, `WEBHOOK_SECRET` and `WEBHOOK_EVENTS`: where webhooks go, the secrets
/// that sign them, and which events they get.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(crate) fn webhooks(env: &Env) -> Result<&'static Webhooks, ApiError> {
    let parse = || {
        let (urls, secrets) = (setting(env, "WEBHOOK_URL"), setting(env, "WEBHOOK_SECRET"));
        let events = setting(env, "WEBHOOK_EVENTS");
        Webhooks::parse(&urls, &secrets, &events).map_err(|why| {
            let why = why.to_string();
            let line = "no webhook is sent until this setting is valid";
            log_error(line, &why.as_str().into());
            ApiError::Misconfigured(why)
        })
    };
    parsed(&of(env).webhooks, parse)
}

/// The setting `CALLBACK_SECRETS`: the secrets that sign callbacks.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(crate) fn callback_secrets(env: &Env) -> Result<&'static CallbackSecrets, ApiError> {
    let parse = || {
        CallbackSecrets::parse(&setting(env, "CALLBACK_SECRETS"))
            .map_err(|why| ApiError::Misconfigured(why.to_string()))
    };
    parsed(&of(env).callback_secrets, parse)
}

/// The secret `CHANNELS`: the incoming webhooks of Slack and Teams.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(crate) fn channels(env: &Env) -> Result<&'static Channels, ApiError> {
    let parse = || {
        Channels::parse(&setting(env, "CHANNELS"))
            .map_err(|why| ApiError::Misconfigured(why.to_string()))
    };
    parsed(&of(env).channels, parse)
}

/// The settings `EMAIL_FROM` and `NOTIFY_DOMAINS`: who sends mail, and where it may go.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(crate) fn mail(env: &Env) -> Result<&'static MailSettings, ApiError> {
    let parse = || {
        let from = setting(env, "EMAIL_FROM");
        MailSettings::parse(&from, &setting(env, "NOTIFY_DOMAINS"))
            .map_err(|why| ApiError::Misconfigured(why.to_string()))
    };
    parsed(&of(env).mail, parse)
}

/// The settings `INBOX`, `ACCESS_TEAM_DOMAIN` and `ACCESS_AUD`: who signs in to the inbox, if there is
/// one. What is wrong with them is logged.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(crate) fn inbox(env: &Env) -> Result<Option<&'static SignInBy>, ApiError> {
    let parse = || {
        let sign_in = SignInBy::parse(
            &setting(env, "INBOX"),
            &setting(env, "ACCESS_TEAM_DOMAIN"),
            &setting(env, "ACCESS_AUD"),
        );
        let sign_in = sign_in.map_err(ApiError::Misconfigured)?;
        if let Some(SignInBy::Access(access)) = &sign_in {
            let keyring = keyring(env)?;
            if let Some(id) = access.environments().find(|id| keyring.by_id(id).is_none()) {
                return Err(has_no_key("ACCESS_AUD", id));
            }
        }
        Ok(sign_in)
    };
    let parse = || {
        parse().inspect_err(|error| {
            let why = error.to_json();
            log_error(
                "there is no inbox until its settings are valid",
                &why.into(),
            );
        })
    };
    let inbox = of(env).inbox.get_or_init(parse).as_ref();
    inbox.map(Option::as_ref).map_err(Clone::clone)
}

/// The secret `AGENT_KEYS`, with which agents ask people, and the setting `AGENT_LINKS`.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(crate) fn agent_keys(env: &Env) -> Result<&'static AgentKeys, ApiError> {
    let parse = || {
        let (keys, links) = (setting(env, "AGENT_KEYS"), setting(env, "AGENT_LINKS"));
        AgentKeys::parse(&keys, &links, keyring(env)?)
            .map_err(|why| ApiError::Misconfigured(why.to_string()))
    };
    parsed(&of(env).agent_keys, parse)
}

/// The setting `LOG`: which lines are logged. What is wrong with it is logged, and then all of them
/// are.
///
/// # Errors
/// `Misconfigured`, with what is wrong.
pub(crate) fn log(env: &Env) -> Result<&'static LogSetting, ApiError> {
    let parse = || {
        LogSetting::parse(&setting(env, "LOG")).map_err(|why| {
            log_error("everything is logged", &why.as_str().into());
            ApiError::Misconfigured(why)
        })
    };
    parsed(&of(env).log, parse)
}

/// Whether there is an inbox.
pub(crate) fn has_inbox(env: &Env) -> bool {
    inbox(env).is_ok_and(|sign_in| sign_in.is_some())
}

/// How long a finished token is kept: `RETENTION`, a duration, 30 days by default.
pub(crate) fn retention(env: &Env) -> Duration {
    let parse = || {
        match setting(env, "RETENTION").as_str() {
        "" => 30 * DAY,
        // An invalid value keeps tokens longer, because deleted tokens cannot be restored.
        text => parse_duration(text).unwrap_or_else(|| {
            let line = "RETENTION is not a valid duration. Use one such as 12h or 30d. Until then \
                        finished tokens are kept for 30 days. The value is";
            log_error(line, &text.into());
            30 * DAY
        }),
    }
    };
    *of(env).retention.get_or_init(parse)
}

/// The cache of public access tokens that were verified with these keys.
pub(crate) fn verified(env: &Env) -> &'static RefCell<DirectMappedCache<Claims<'static>>> {
    &of(env).verified
}

/// The names of the objects of tokens that this isolate has completed.
pub(crate) fn completed(env: &Env) -> &'static RefCell<DirectMappedCache<()>> {
    &of(env).completed
}

/// The cache of upstream's verdicts on credentials that are unknown here.
pub(crate) fn verdicts(env: &Env) -> &'static RefCell<DirectMappedCache<Verdict>> {
    &of(env).verdicts
}
