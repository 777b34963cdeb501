//! The fields `approvers` and `required` of an approval: who decides by votes, and how many of them
//! must agree.
//!
//! Invariant: approvers that parse can reach a decision, and no two of them may be the same person.

use crate::domain::api::error::ApiError;
use crate::domain::api::excerpt::{excerpt, excerpt_json};
use crate::domain::api::notify::check_locale;
use crate::domain::approval::schema::Approval;
use crate::domain::email_address::check_address;
use crate::domain::json;
use crate::domain::text::{Looks, single_line};
use crate::domain::token::notify::Recipient;
use crate::domain::token::votes::{MAX_APPROVERS, Quorum};
use serde_json::value::RawValue;

/// Longest id of an approver, in characters.
pub const MAX_APPROVER_ID: usize = 128;
/// Longest name of an approver, in characters.
pub const MAX_APPROVER_NAME: usize = 120;

const LIKE: &str = "{\"id\": \"ann\", \"name\": \"Ann Miller\", \"email\": \"ann@example.com\"}";

/// Somebody who votes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver {
    pub id: String,
    pub name: String,
    /// Where their link is sent.
    pub email: Option<String>,
    /// The language of that mail.
    pub locale: Option<String>,
}

impl Approval {
    /// Reads the approvers, in order; none if there are none.
    ///
    /// # Errors
    /// `ValidationError`, with the index of the approver.
    pub fn parse_approvers(&self) -> Result<Vec<Approver>, ApiError> {
        let approvers = self.read_approvers()?;
        check_each_is_another(&approvers)?;
        match self.required {
            Some(_) if approvers.is_empty() => Err(invalid(
                "required says how many approvers must agree. Add approvers, or leave it out.",
            )),
            Some(0) => Err(invalid("required is 0. Use a number from 1 to 20.")),
            Some(required) if usize::from(required) > approvers.len() => Err(invalid(format!(
                "required is {required}, but there are {} approvers. Use at most that many.",
                approvers.len()
            ))),
            _ => Ok(approvers),
        }
    }

    /// The approvers of an approval that was checked when its token was created.
    #[must_use]
    pub fn approvers(&self) -> Vec<Approver> {
        self.read_approvers().unwrap_or_default()
    }

    fn read_approvers(&self) -> Result<Vec<Approver>, ApiError> {
        let Some(text) = &self.approvers else {
            return Ok(Vec::new());
        };
        let entries: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| {
            let given = excerpt_json(text);
            invalid(format!("approvers is {given}. Use a list of {LIKE}."))
        })?;
        if !(1..=MAX_APPROVERS).contains(&entries.len()) {
            return Err(invalid(format!(
                "approvers has {} entries. Use 1 to {MAX_APPROVERS}, or leave it out.",
                entries.len()
            )));
        }
        let entries = entries.iter().enumerate();
        let read = entries.map(|(index, entry)| {
            read_approver(entry.get()).map_err(|why| invalid(format!("approvers[{index}]{why}")))
        });
        read.collect()
    }
}

/// Checks that no two approvers may be one person, who would be a quorum alone.
fn check_each_is_another(approvers: &[Approver]) -> Result<(), ApiError> {
    let (mut ids, mut names) = (Looks::default(), Looks::default());
    for (index, one) in approvers.iter().enumerate() {
        let is_same = |earlier: &Approver| match (&one.email, &earlier.email) {
            (Some(address), Some(earlier)) => address.eq_ignore_ascii_case(earlier),
            _ => false,
        };
        let of_address = approvers.iter().take(index).position(is_same);
        let address = one.email.as_deref().unwrap_or_default();
        for (field, given, earlier) in [
            ("id", one.id.as_str(), ids.add(&one.id)),
            ("name", one.name.as_str(), names.add(&one.name)),
            ("email", address, of_address),
        ] {
            if let Some(earlier) = earlier {
                return Err(invalid(format!(
                    "approvers[{index}].{field} {} is, or looks like, that of approvers[{earlier}]. \
                     Each must be another person.",
                    excerpt(given)
                )));
            }
        }
    }
    Ok(())
}

/// The quorum of these approvers; `None` if there are none.
#[must_use]
pub fn quorum(approvers: &[Approver], required: Option<u8>) -> Option<Quorum> {
    (!approvers.is_empty()).then(|| Quorum {
        approvers: approvers.iter().map(|one| one.id.clone()).collect(),
        required: required.unwrap_or(1),
    })
}

/// Rejects a `callback` of a token with approvers, which it would not decide.
///
/// # Errors
/// `ValidationError`.
pub fn check_no_callback(approvers: &[Approver], callback: Option<&str>) -> Result<(), ApiError> {
    if approvers.is_empty() || callback.is_none() {
        return Ok(());
    }
    let message = "no callback decides a token with approvers. Leave callback or approvers out.";
    Err(ApiError::ValidationError {
        path: "callback",
        message: message.to_owned(),
    })
}

/// Those of the approvers whom a mail can reach.
pub fn recipients(approvers: &[Approver]) -> impl Iterator<Item = Recipient> {
    approvers.iter().enumerate().filter_map(|(index, one)| {
        Some(Recipient::Email {
            address: one.email.clone()?,
            locale: one.locale.clone(),
            approver: u8::try_from(index).ok(),
        })
    })
}

/// The error begins with the pointer within the approver, or a space.
fn read_approver(text: &str) -> Result<Approver, String> {
    let entries = json::entries(text)
        .ok_or_else(|| format!(" is {}. Use an object such as {LIKE}.", excerpt_json(text)))?;
    let mut found: [Option<String>; 4] = Default::default();
    for (key, value) in entries {
        let place = ["id", "name", "email", "locale"]
            .iter()
            .position(|name| *name == key);
        let Some(place) = place.and_then(|place| found.get_mut(place)) else {
            let key = excerpt(&key);
            return Err(format!(
                " has a field {key}. Use id, name, email and locale."
            ));
        };
        let value: Option<String> = serde_json::from_str(value.get())
            .map_err(|_| format!(".{key} is {}. Use a string.", excerpt_json(value.get())))?;
        if place.is_some() {
            return Err(format!(" has the field {key} twice. Use it once."));
        }
        *place = value;
    }
    let [id, name, email, locale] = found;
    let id = readable("id", id, MAX_APPROVER_ID)?;
    let name = readable("name", name, MAX_APPROVER_NAME)?;
    if let Some(address) = &email {
        check_address(address).map_err(|why| format!(".email: {why}"))?;
    }
    if locale.is_some() && email.is_none() {
        return Err(".locale is the language of a mail. Add email, or leave it out.".to_owned());
    }
    let locale = locale.map(check_locale).transpose();
    Ok(Approver {
        id,
        name,
        email,
        locale: locale.map_err(|why| format!(".locale: {why}"))?,
    })
}

/// A text that a person can see.
fn readable(name: &str, text: Option<String>, limit: usize) -> Result<String, String> {
    let text = text.ok_or_else(|| format!(" has no {name}. Use an object such as {LIKE}."))?;
    if text.chars().count() > limit {
        return Err(format!(
            ".{name} is too long. Use at most {limit} characters."
        ));
    }
    if single_line(&text).is_empty() || text.chars().any(char::is_control) {
        return Err(format!(
            ".{name} is empty or has invisible characters. Use a text that can be seen."
        ));
    }
    Ok(text)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::ValidationError {
        path: "approval",
        message: message.into(),
    }
}
