//! Invariant: neither a secret nor the body of a delivery is shown, only its progress.
//!
//! A delivery, as its owner and the operator see it.

use crate::domain::json::to_json;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::Token;
use crate::domain::token::delivery::{
    AttemptResult, Delivery, DeliveryId, Progress, Target, UpstreamConflict,
};
use crate::domain::token::notify::Recipient;
use serde::Serialize;

/// The state of a delivery.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryBody<'a> {
    pub(crate) event: &'static str,
    pub(crate) target: &'static str,
    /// The address of a mail, or the name of a channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<&'a str>,
    pub(crate) status: &'static str,
    pub(crate) attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_attempt_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_attempt_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) difference: Option<&'static str>,
}

impl<'a> DeliveryBody<'a> {
    pub(crate) fn of(delivery: &Delivery, token: &'a Token) -> Self {
        let recipient = |index: u8| match token.notify.get(usize::from(index)) {
            Some(Recipient::Email { address, .. }) => ("email", Some(address.as_str()), None),
            Some(Recipient::Slack(channel)) => ("slack", Some(channel.as_str()), None),
            Some(Recipient::Teams(channel)) => ("teams", Some(channel.as_str()), None),
            Some(Recipient::Webhook(url)) => ("webhook", None, Some(url.as_str())),
            None => ("unknown", None, None),
        };
        let (target, to, url) = match delivery.target {
            Target::Environment => ("environment", None, None),
            Target::Token => ("token", None, token.webhook.as_deref()),
            Target::Upstream => ("upstream", None, None),
            Target::Recipient(index) => recipient(index),
        };
        let (last_status, last_error) = match delivery.last.map(|last| last.result) {
            None => (None, None),
            Some(AttemptResult::Status(status)) => (Some(status), None),
            Some(AttemptResult::NoResponse) => {
                (None, Some("not reached, or no answer within 10 seconds"))
            }
            Some(AttemptResult::NotSendable) => (
                None,
                Some("its URL, its secret, its channel or the mail binding cannot be used"),
            ),
            Some(AttemptResult::MailAccepted) => (None, None),
            Some(AttemptResult::MailFailed) => {
                (None, Some("the mail service did not take the mail"))
            }
            Some(AttemptResult::MailRefused) => {
                (None, Some("the mail service refused the mail for good"))
            }
        };
        Self {
            event: token.event_name(delivery.event).as_str(),
            target,
            to,
            url,
            status: match delivery.progress {
                Progress::Pending(_) => "pending",
                Progress::Delivered => "delivered",
                Progress::Failed => "failed",
            },
            attempts: delivery.attempts,
            next_attempt_at: delivery.due_at(),
            last_attempt_at: delivery.last.map(|last| last.at),
            last_status,
            last_error,
            difference: delivery.conflict.map(|conflict| match conflict {
                UpstreamConflict::TimedOutUpstream => "it had timed out upstream",
                UpstreamConflict::DecidedOtherwiseUpstream => {
                    "it had been completed upstream with another output"
                }
            }),
        }
    }
}

/// The log entry for the last attempt at a delivery; `None` if it succeeded. It leaves out the URL, which
/// may be a credential, and whom a mail is for.
#[must_use]
pub fn failed_attempt_json(id: &str, token: &Token, delivery: DeliveryId) -> Option<String> {
    #[derive(Serialize)]
    struct Line<'a> {
        event: &'static str,
        token: &'a str,
        delivery: DeliveryBody<'a>,
    }
    let delivery = token.delivery(delivery)?;
    (delivery.progress != Progress::Delivered).then(|| {
        to_json(&Line {
            event: "not delivered",
            token: id,
            delivery: DeliveryBody {
                to: None,
                url: None,
                ..DeliveryBody::of(delivery, token)
            },
        })
    })
}
