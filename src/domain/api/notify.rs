//! The fields `notify` and `reminders` of create: who is told, and when again.
//!
//! Invariant: an entry names one recipient, and what it names can be told. What depends on settings
//! is checked with those (`notice/channels.rs`, `notice/mail_settings.rs`).

use super::error::ApiError;
use super::excerpt::excerpt;
use crate::domain::json;
use crate::domain::time::duration::{DURATION_FORMS, parse_duration};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::notify::{MAX_RECIPIENTS, MAX_REMINDERS, Recipient, Reminder};
use crate::domain::webhook::url::is_host_name;
use serde_json::value::RawValue;

/// Longest e-mail address, in bytes (RFC 5321, 4.5.3.1.3).
const MAX_ADDRESS: usize = 254;
/// Longest part of an address before the `@`, in bytes (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;
/// Longest locale, in bytes. RFC 5646 recommends room for 35.
const MAX_LOCALE: usize = 35;

const CHANNELS: &str = "{\"email\": \"ann@example.com\"}, {\"slack\": \"name\"}, \
                        {\"teams\": \"name\"} or {\"webhook\": \"https://…\"}";
const MOMENTS: &str = "{\"after\": \"4h\"} or {\"before\": \"1h\"}";

/// Reads `notify`.
///
/// # Errors
/// `ValidationError`, with the index of the entry.
pub fn parse_notify(text: &str) -> Result<Vec<Recipient>, ApiError> {
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
    let read = |(index, entry): (usize, &&RawValue)| {
        read_recipient(entry.get())
            .map_err(|why| invalid(format!("entry {index}, {}: {why}", excerpt(entry.get()))))
    };
    entries.iter().enumerate().map(read).collect()
}

/// Reads `reminders` of a token that is created at this time and has this timeout.
///
/// # Errors
/// `ValidationError`, with the index of the entry.
pub fn parse_reminders(
    text: &str,
    created_at: Timestamp,
    timeout_at: Option<Timestamp>,
) -> Result<Vec<Reminder>, ApiError> {
    let invalid = |message| invalid("reminders", message);
    let entries = list(text).ok_or_else(|| {
        invalid(format!(
            "{} is not a list. Use a list of {MOMENTS}.",
            excerpt(text)
        ))
    })?;
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

/// The error for reminders of a token that notifies nobody.
#[must_use]
pub fn reminders_without_notify() -> ApiError {
    let message = "reminders need notify, which says whom to remind. Add notify.";
    invalid("reminders", message.to_owned())
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
            return Ok(Recipient::Email { address, locale });
        }
        (None, Some(channel), None, None) => Recipient::Slack(channel),
        (None, None, Some(channel), None) => Recipient::Teams(channel),
        (None, None, None, Some(url)) => Recipient::Webhook(url),
        _ => return Err(format!("it names not exactly one channel. Use {CHANNELS}.")),
    };
    match locale {
        Some(_) => Err("locale is for email alone. Leave it out.".to_owned()),
        None => Ok(recipient),
    }
}

/// Checks that this is an e-mail address and nothing else: what is accepted stands in a header.
fn check_address(address: &str) -> Result<(), String> {
    let why = match address.rsplit_once('@') {
        _ if !address.bytes().all(|byte| byte.is_ascii_graphic()) => {
            "contains white space, a control character or a character beyond ASCII"
        }
        _ if address.len() > MAX_ADDRESS => "is longer than 254 bytes",
        None => "has no @",
        Some((local, _)) if !is_local_part(local) => "has no valid name before the @",
        Some((_, domain)) if !(domain.contains('.') && is_host_name(domain)) => {
            "has no valid domain after the @"
        }
        Some(_) => return Ok(()),
    };
    let given = excerpt(address);
    Err(format!(
        "{given} {why}. Use an address such as ann@example.com."
    ))
}

/// Whether this is a dot-atom (RFC 5322, 3.2.3), as nearly all addresses have.
fn is_local_part(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    text.len() <= MAX_LOCAL_PART
        && text
            .split('.')
            .all(|atom| !atom.is_empty() && atom.bytes().all(fits))
}

fn check_locale(locale: String) -> Result<String, String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if (2..=MAX_LOCALE).contains(&locale.len()) && locale.bytes().all(fits) {
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
        _ => return Err(format!("it has not exactly one moment. Use {MOMENTS}.")),
    };
    match (reminder, timeout_at) {
        (Reminder::Before(_), None) => {
            Err("before needs a timeout. Add timeout, or use after.".to_owned())
        }
        (Reminder::Before(_), Some(_))
            if reminder.due_at(created_at, timeout_at) <= Some(created_at) =>
        {
            Err(
                "it is as long before the timeout as the token lives. Use a shorter time."
                    .to_owned(),
            )
        }
        (Reminder::After(_), Some(timeout))
            if reminder.due_at(created_at, timeout_at) >= Some(timeout) =>
        {
            Err("it is not before the timeout. Use a shorter time.".to_owned())
        }
        _ => Ok(reminder),
    }
}
