//! Checks of the fields of create that depend on settings.

use crate::domain::api::error::ApiError;
use crate::domain::api::excerpt::excerpt;
use crate::domain::auth::keyring::Environment;
use crate::domain::callback::config::CallbackConfig;
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
    check_webhook_url(context, environment, url)?.map_err(|message| ApiError::ValidationError {
        path: "webhook",
        message,
    })
}

/// The inner error says why no webhook can be sent to this URL.
fn check_webhook_url(
    context: &RequestContext<'_>,
    environment: &Environment,
    url: &str,
) -> Result<Result<(), String>, ApiError> {
    let is_local = is_loopback_origin(context.link_origin(environment));
    if let Err(why) = check_url(url, is_local) {
        return Ok(Err(why.sentence(url)));
    }
    Ok(
        if settings::webhooks(context.env)?.can_sign(&environment.id) {
            Ok(())
        } else {
            Err("WEBHOOK_SECRET is not set, so nothing could be signed. Set it.".to_owned())
        },
    )
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
        check_recipient(context, environment, recipient)?.map_err(|why| {
            ApiError::ValidationError {
                path: "notify",
                message: format!("entry {index}: {why}"),
            }
        })?;
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
        check_recipient(context, environment, recipient)?.map_err(|why| {
            ApiError::ValidationError {
                path: "approval",
                message: format!("approvers[{index}].email: {why}"),
            }
        })?;
    }
    Ok(())
}

/// The inner error says why the recipient cannot be notified.
fn check_recipient(
    context: &RequestContext<'_>,
    environment: &Environment,
    recipient: &Recipient,
) -> Result<Result<(), String>, ApiError> {
    Ok(match recipient {
        Recipient::Email { address, .. } => {
            let settings = settings::mail(context.env)?;
            if !mail::is_bound(context.env) {
                Err(
                    "mail needs the binding EMAIL. Add [[send_email]] with name = \"EMAIL\" to \
                     wrangler.toml."
                        .to_owned(),
                )
            } else if settings.from.is_none() {
                let why = "mail needs a sender. Set EMAIL_FROM to an address of yours.";
                Err(why.to_owned())
            } else if !settings.allows(address) {
                let given = excerpt(address);
                Err(format!(
                    "the domain of {given} is not in NOTIFY_DOMAINS. Use another address, or add its domain."
                ))
            } else {
                Ok(())
            }
        }
        Recipient::Slack(channel) | Recipient::Teams(channel) => {
            match settings::channels(context.env)?.url(channel) {
                Some(url) => {
                    // Its line was accepted as a loopback URL, which only local tokens may use.
                    let is_local = is_loopback_origin(context.link_origin(environment));
                    check_url(url, is_local).map_err(|why| format!("its URL in CHANNELS {why}"))
                }
                None => Err(format!(
                    "{} is not a name in CHANNELS. Add it there as name=https://….",
                    excerpt(channel)
                )),
            }
        }
        Recipient::Webhook(url) => check_webhook_url(context, environment, url)?,
    })
}
