//! The settings of e-mail: `EMAIL_FROM` and `NOTIFY_DOMAINS`.

use crate::domain::api::excerpt::excerpt;
use std::fmt;

/// Who sends mail, and where it may go.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MailSettings {
    /// The sender; `None` if `EMAIL_FROM` is not set.
    pub from: Option<Sender>,
    /// The domains to which mail may go, in lower case; anywhere if there are none.
    domains: Vec<String>,
}

/// The sender of mail.
#[derive(Debug, PartialEq, Eq)]
pub struct Sender {
    /// The name that mail programs show; may be empty.
    pub name: String,
    /// The address.
    pub address: String,
}

/// Why one of the settings is invalid; each carries the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailSettingsError {
    /// `EMAIL_FROM` is no sender.
    From(String),
    /// `NOTIFY_DOMAINS` has this, which is no domain.
    Domain(String),
}

impl fmt::Display for MailSettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(value) => write!(
                f,
                "{} in EMAIL_FROM is not a sender. Use an address such as approvals@example.com, \
                 or Approvals <approvals@example.com>.",
                excerpt(value)
            ),
            Self::Domain(value) => write!(
                f,
                "{} in NOTIFY_DOMAINS is not a domain. Use domains such as example.com or \
                 *.example.com, with commas or line breaks between.",
                excerpt(value)
            ),
        }
    }
}

impl MailSettings {
    /// Reads `EMAIL_FROM` and `NOTIFY_DOMAINS`. Either may be empty.
    ///
    /// # Errors
    /// See [`MailSettingsError`].
    pub fn parse(from: &str, domains: &str) -> Result<Self, MailSettingsError> {
        let from = match from.trim() {
            "" => None,
            from => {
                Some(read_sender(from).ok_or_else(|| MailSettingsError::From(from.to_owned()))?)
            }
        };
        let domains = domains.split([',', '\n']).map(str::trim);
        let domains = domains.filter(|domain| !domain.is_empty()).map(read_domain);
        Ok(Self {
            from,
            domains: domains.collect::<Result<_, _>>()?,
        })
    }

    /// Whether mail may go to some domains alone.
    #[must_use]
    pub fn has_domains(&self) -> bool {
        !self.domains.is_empty()
    }

    /// Whether mail may go to this address.
    #[must_use]
    pub fn allows(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        let domain = domain.to_ascii_lowercase();
        let is_of = |allowed: &String| match allowed.strip_prefix('*') {
            // With its dot, so that another domain that ends alike is not one of these.
            Some(parent) => domain.ends_with(parent),
            None => domain == *allowed,
        };
        self.domains.is_empty() || self.domains.iter().any(is_of)
    }
}

fn read_sender(text: &str) -> Option<Sender> {
    let (name, address) = match text.strip_suffix('>') {
        Some(rest) => rest.split_once('<')?,
        None => ("", text),
    };
    let name = name.trim().trim_matches('"');
    let is_plain = !name.chars().any(char::is_control) && !name.contains(['<', '>', '"']);
    let has_two_parts = address
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'));
    let fits = |b: u8| b.is_ascii_graphic() && !b"<>\",;".contains(&b);
    (is_plain && has_two_parts && address.bytes().all(fits)).then(|| Sender {
        name: name.to_owned(),
        address: address.to_owned(),
    })
}

fn read_domain(text: &str) -> Result<String, MailSettingsError> {
    let domain = text.to_ascii_lowercase();
    let name = domain.strip_prefix("*.").unwrap_or(&domain);
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    let is_domain = name.contains('.')
        && name.bytes().all(fits)
        && name.split('.').all(|label| !label.is_empty());
    if is_domain {
        Ok(domain)
    } else {
        Err(MailSettingsError::Domain(text.to_owned()))
    }
}
