//! The fields `notify` and `reminders` of create: who is notified, and when again.
//!
//! Invariant: an entry names one recipient, and what it names can be notified. What depends on settings
//! is checked with those (`notice/channels.rs`, `notice/mail_settings.rs`).

use super::error::ApiError;
use super::excerpt::excerpt;
use crate::domain::email_address::check_address;
use crate::domain::json;
use crate::domain::time::duration::{DURATION_FORMS, parse_duration};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::notify::{MAX_RECIPIENTS, MAX_REMINDERS, Recipient, Reminder};
use serde_json::value::RawValue;

/// The most parts of a locale after its language: script, region and a variant.
const MAX_SUBTAGS: usize = 3;

const CHANNELS: &str = "{\"email\": \"ann@example.com\"}, {\"slack\": \"name\"}, \
                        {\"teams\": \"name\"} or {\"webhook\": \"https://…\"}";
const MOMENTS: &str = "{\"after\": \"4h\"} or {\"before\": \"1h\"}";

/// Reads `notify`, if there is one.
///
/// # Errors
/// `ValidationError`, with the index of the entry.
pub fn parse_notify(text: Option<&str>) -> Result<Vec<Recipient>, ApiError> {
    let Some(text) = text else {
        return Ok(Vec::new());
    };
    let invalid = |message| invalid("notify", message);
    let entries = list(text).ok_or_else(|| {
        invalid(format!(
            "{} is not a list. Use a list of {CHANNELS}.",
            excerpt(text)
        ))
    })?;
    if entries.len() > MAX_RECIPIENTS {
        return Err(invalid(format!(
            "notify has {} entries. Use at most {MAX_RECIPIENTS}.",
            entries.len()
        )));
    }
    let mut recipients = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        // The entry is not quoted: the URL of a webhook may hold a password.
        let recipient =
            read_recipient(entry.get()).map_err(|why| invalid(format!("entry {index}: {why}")))?;
        if recipients.contains(&recipient) {
            return Err(invalid(format!(
                "entry {index} is the same as an earlier one. Leave it out."
            )));
        }
        recipients.push(recipient);
    }
    Ok(recipients)
}

/// Reads `reminders`, if there are any, of a token that is created at this time, has this timeout and
/// notifies these recipients.
///
/// # Errors
/// `ValidationError`, with the index of the entry.
pub fn parse_reminders(
    text: Option<&str>,
    notify: &[Recipient],
    created_at: Timestamp,
    timeout_at: Option<Timestamp>,
) -> Result<Vec<Reminder>, ApiError> {
    let Some(text) = text else {
        return Ok(Vec::new());
    };
    let invalid = |message| invalid("reminders", message);
    let entries = list(text).ok_or_else(|| {
        invalid(format!(
            "{} is not a list. Use a list of {MOMENTS}.",
            excerpt(text)
        ))
    })?;
    if notify.is_empty() && !entries.is_empty() {
        let message = "reminders need somebody to remind. Add notify, or an email to an approver.";
        return Err(invalid(message.to_owned()));
    }
    if entries.len() > MAX_REMINDERS {
        return Err(invalid(format!(
            "reminders has {} entries. Use at most {MAX_REMINDERS}.",
            entries.len()
        )));
    }
    let read = |(index, entry): (usize, &&RawValue)| {
        read_reminder(entry.get(), created_at, timeout_at)
            .map_err(|why| invalid(format!("entry {index}, {}: {why}", excerpt(entry.get()))))
    };
    entries.iter().enumerate().map(read).collect()
}

#[cold]
fn invalid(path: &'static str, message: String) -> ApiError {
    ApiError::ValidationError { path, message }
}

fn list(text: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(text).ok()
}

/// The fields of an entry, which are strings.
struct Strings(Vec<(String, String)>);

impl Strings {
    /// Reads an entry with these fields only. A field that is `null` is left out.
    fn read(
        text: &str,
        known: &[&str],
        kind: &str,
        field: &str,
        like: &str,
    ) -> Result<Self, String> {
        let not_one = || format!("it is not {kind}. Use {like}.");
        let entries = json::entries(text).ok_or_else(not_one)?;
        if let Some((key, _)) = entries
            .iter()
            .find(|(key, _)| !known.contains(&key.as_str()))
        {
            return Err(format!("{} is not {field}. Use {like}.", excerpt(key)));
        }
        let mut strings = Self(Vec::new());
        for (key, value) in entries {
            let value: Option<String> = serde_json::from_str(value.get()).map_err(|_| not_one())?;
            if strings.0.iter().any(|(earlier, _)| *earlier == key) {
                return Err(not_one());
            }
            strings.0.extend(value.map(|value| (key, value)));
        }
        Ok(strings)
    }

    fn take(&mut self, key: &str) -> Option<String> {
        let at = self.0.iter().position(|(name, _)| name == key)?;
        Some(self.0.swap_remove(at).1)
    }
}

fn read_recipient(text: &str) -> Result<Recipient, String> {
    let known = ["email", "locale", "slack", "teams", "webhook"];
    let mut fields = Strings::read(text, &known, "a recipient", "a channel", CHANNELS)?;
    let locale = fields.take("locale");
    let mut take = |key| fields.take(key);
    let recipient = match (take("email"), take("slack"), take("teams"), take("webhook")) {
        (Some(address), None, None, None) => {
            check_address(&address)?;
            let locale = locale.map(check_locale).transpose()?;
            return Ok(Recipient::Email {
                address,
                locale,
                approver: None,
            });
        }
        (None, Some(channel), None, None) => Recipient::Slack(channel),
        (None, None, Some(channel), None) => Recipient::Teams(channel),
        (None, None, None, Some(url)) => Recipient::Webhook(url),
        _ => {
            return Err(format!(
                "it does not name exactly one channel. Use {CHANNELS}."
            ));
        }
    };
    match locale {
        Some(_) => Err("locale is for email alone. Leave it out.".to_owned()),
        None => Ok(recipient),
    }
}

/// Checks that this looks like a language tag of RFC 5646, such as `de` or `zh-Hant-TW`.
pub(crate) fn check_locale(locale: String) -> Result<String, String> {
    let mut parts = locale.split('-');
    let language = parts.next().unwrap_or_default();
    let is_language =
        (2..=8).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic());
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    if is_language && parts.clone().all(is_part) && parts.count() <= MAX_SUBTAGS {
        return Ok(locale);
    }
    let given = excerpt(&locale);
    Err(format!("{given} is not a locale. Use one such as \"de\"."))
}

fn read_reminder(
    text: &str,
    created_at: Timestamp,
    timeout_at: Option<Timestamp>,
) -> Result<Reminder, String> {
    let known = ["after", "before"];
    let mut fields = Strings::read(text, &known, "a reminder", "known", MOMENTS)?;
    let duration = |text: String| {
        let positive = parse_duration(&text).filter(|duration| !duration.is_zero());
        positive.ok_or_else(|| {
            let given = excerpt(&text);
            format!("{given} is not a valid duration. Use one such as {DURATION_FORMS}.")
        })
    };
    let reminder = match (fields.take("after"), fields.take("before")) {
        (Some(after), None) => Reminder::After(duration(after)?),
        (None, Some(before)) => Reminder::Before(duration(before)?),
        _ => {
            return Err(format!(
                "it does not name exactly one moment. Use {MOMENTS}."
            ));
        }
    };
    match (reminder, timeout_at) {
        (Reminder::Before(_), None) => {
            Err("before needs a timeout. Add timeout, or use after.".to_owned())
        }
        (Reminder::Before(_), Some(_))
            if reminder.due_at(created_at, timeout_at) <= Some(created_at) =>
        {
            Err("it would come before the token is created. Use a shorter time.".to_owned())
        }
        (Reminder::After(_), Some(timeout))
            if reminder.due_at(created_at, timeout_at) >= Some(timeout) =>
        {
            Err("it is not before the timeout. Use a shorter time.".to_owned())
        }
        _ => Ok(reminder),
    }
}
