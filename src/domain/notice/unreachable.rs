//! Why a recipient of a notice cannot be notified.
//!
//! Invariant: an agent is told what it can do itself. It never hears how a setting would be changed,
//! because agents may have access to those.

use crate::domain::api::excerpt::excerpt;

/// Why a recipient cannot be notified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// There is no binding for mail.
    NoMailBinding,
    /// `EMAIL_FROM` is not set.
    NoSender,
    /// Mail may not go to the domain of this address.
    Domain(String),
    /// No channel has this name.
    Channel(String),
    /// Nothing may be sent to this URL; the text says why.
    Url(String),
    /// `WEBHOOK_SECRET` is not set.
    NoWebhookSecret,
}

impl Unreachable {
    /// A sentence for those who create tokens with the secret key.
    #[cold]
    #[must_use]
    pub fn for_operator(&self) -> String {
        match self {
            Self::NoMailBinding => {
                "mail needs the binding EMAIL. Add [[send_email]] with name = \"EMAIL\" to wrangler.toml."
                    .to_owned()
            }
            Self::NoSender => {
                "mail needs a sender. Set EMAIL_FROM to an address of yours.".to_owned()
            }
            Self::Domain(address) => format!(
                "the domain of {} is not in NOTIFY_DOMAINS. Use another address, or add its domain.",
                excerpt(address)
            ),
            Self::Channel(name) => format!(
                "{} is not a name in CHANNELS. Add it there as name=https://….",
                excerpt(name)
            ),
            Self::Url(why) => why.clone(),
            Self::NoWebhookSecret => {
                "WEBHOOK_SECRET is not set, so nothing could be signed. Set it.".to_owned()
            }
        }
    }

    /// A sentence for an agent. `channels` are the names of the channels that there are.
    #[cold]
    #[must_use]
    pub fn for_agent(&self, channels: &str) -> String {
        match self {
            Self::NoMailBinding | Self::NoSender => {
                "Mail is not set up here. Use slack or teams, or tell your user.".to_owned()
            }
            Self::Domain(address) => format!(
                "Mail may not go to {}. Use another address that your user has named.",
                excerpt(address)
            ),
            Self::Channel(name) if channels.is_empty() => format!(
                "{} is not a channel here: there are none. Use email, or tell your user.",
                excerpt(name)
            ),
            Self::Channel(name) => format!(
                "{} is not a channel here. Use one of: {channels}.",
                excerpt(name)
            ),
            Self::Url(_) | Self::NoWebhookSecret => {
                "Nothing can be sent there. Use email, slack or teams, or tell your user."
                    .to_owned()
            }
        }
    }
}
