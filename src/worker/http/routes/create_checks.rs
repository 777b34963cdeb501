//! Checks of the fields of create that depend on settings.

use crate::domain::api::error::ApiError;
use crate::domain::auth::keyring::Environment;
use crate::domain::callback::config::CallbackConfig;
use crate::domain::notice::unreachable::Unreachable;
use crate::domain::token::notify::Recipient;
use crate::domain::webhook::url::{check_url, is_loopback_origin};
use crate::worker::http::context::RequestContext;
use crate::worker::outgoing::mail;
use crate::worker::settings;

/// Checks that a webhook may be sent to this URL and can be signed.
///
/// # Errors
/// `ValidationError`.
pub(crate) fn check_webhook(
    context: &RequestContext<'_>,
    environment: &Environment,
    url: Option<&str>,
) -> Result<(), ApiError> {
    let Some(url) = url else { return Ok(()) };
    match webhook_problem(context, environment, url)? {
        Some(problem) => Err(invalid("webhook", problem.for_operator())),
        None => Ok(()),
    }
}

/// Why no webhook can be sent to this URL, if so.
fn webhook_problem(
    context: &RequestContext<'_>,
    environment: &Environment,
    url: &str,
) -> Result<Option<Unreachable>, ApiError> {
    let is_local = is_loopback_origin(context.link_origin(environment));
    if let Err(why) = check_url(url, is_local) {
        return Ok(Some(Unreachable::Url(why.sentence(url))));
    }
    let can_sign = settings::webhooks(context.env)?.can_sign(&environment.id);
    Ok((!can_sign).then_some(Unreachable::NoWebhookSecret))
}

/// Checks the field `callback`, and that there is a secret to check signatures with.
///
/// # Errors
/// `ValidationError`, `Misconfigured`.
pub(crate) fn check_callback(
    context: &RequestContext<'_>,
    callback: Option<&str>,
) -> Result<(), ApiError> {
    let Some(callback) = callback else {
        return Ok(());
    };
    match CallbackConfig::parse(callback)?.verify {
        Some(verify) => verify.check_secret(settings::callback_secrets(context.env)?),
        None => Ok(()),
    }
}

/// Checks that each recipient can be notified.
///
/// # Errors
/// `ValidationError`, `Misconfigured`.
pub(crate) fn check_recipients(
    context: &RequestContext<'_>,
    environment: &Environment,
    notify: &[Recipient],
) -> Result<(), ApiError> {
    for (index, recipient) in notify.iter().enumerate() {
        if let Some(problem) = recipient_problem(context, environment, recipient)? {
            let why = problem.for_operator();
            return Err(invalid("notify", format!("entry {index}: {why}")));
        }
    }
    Ok(())
}

/// Checks that the approvers among the recipients can be sent their links.
///
/// # Errors
/// `ValidationError`, `Misconfigured`.
pub(crate) fn check_approvers(
    context: &RequestContext<'_>,
    environment: &Environment,
    notify: &[Recipient],
) -> Result<(), ApiError> {
    for recipient in notify {
        let Recipient::Email {
            approver: Some(index),
            ..
        } = recipient
        else {
            continue;
        };
        if let Some(problem) = recipient_problem(context, environment, recipient)? {
            let why = problem.for_operator();
            return Err(invalid(
                "approval",
                format!("approvers[{index}].email: {why}"),
            ));
        }
    }
    Ok(())
}

fn invalid(path: &'static str, message: String) -> ApiError {
    ApiError::ValidationError { path, message }
}

/// Why the recipient cannot be notified, if so.
///
/// # Errors
/// `Misconfigured`.
pub(crate) fn recipient_problem(
    context: &RequestContext<'_>,
    environment: &Environment,
    recipient: &Recipient,
) -> Result<Option<Unreachable>, ApiError> {
    Ok(match recipient {
        Recipient::Email { address, .. } => {
            let settings = settings::mail(context.env)?;
            if !mail::is_bound(context.env) {
                Some(Unreachable::NoMailBinding)
            } else if settings.from.is_none() {
                Some(Unreachable::NoSender)
            } else {
                (!settings.allows(address)).then(|| Unreachable::Domain(address.clone()))
            }
        }
        Recipient::Slack(channel) | Recipient::Teams(channel) => {
            match settings::channels(context.env)?.url(channel) {
                Some(url) => {
                    // Its line was accepted as a loopback URL, which only local tokens may use.
                    let is_local = is_loopback_origin(context.link_origin(environment));
                    let why = check_url(url, is_local).err();
                    why.map(|why| Unreachable::Url(format!("its URL in CHANNELS {why}")))
                }
                None => Some(Unreachable::Channel(channel.clone())),
            }
        }
        Recipient::Webhook(url) => webhook_problem(context, environment, url)?,
    })
}
