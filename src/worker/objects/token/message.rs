//! What is sent for an event: to webhooks, by mail, to Slack and Teams.

use super::outbox::{Message, Outbox};
use crate::domain::api::route::token_url;
use crate::domain::auth::access_token::Lifetime;
use crate::domain::auth::short_link::{self, LinkPurpose};
use crate::domain::auth::token_id::public_id;
use crate::domain::callback::config::verify_json;
use crate::domain::notice::{Notice, email, slack, teams};
use crate::domain::page::i18n::{self, Words};
use crate::domain::token::Token;
use crate::domain::token::delivery::{DeliveryId, Target};
use crate::domain::token::event::TokenEvent;
use crate::domain::token::notify::Recipient;
use crate::domain::webhook::body::{message_id, webhook_json};
use crate::domain::webhook::url::{check_url, is_loopback_origin};
use crate::worker::now;
use crate::worker::outgoing::Post;
use crate::worker::outgoing::mail::Mail;
use crate::worker::settings;
use js_sys::Uint8Array;

impl Outbox<'_> {
    /// The message of a delivery; `None` if a setting for it is missing or invalid. `token` is as of
    /// the event.
    pub(super) fn message(&self, token: &Token, delivery: DeliveryId) -> Option<Message> {
        let DeliveryId { event, target } = delivery;
        let recipient = match target {
            Target::Environment => {
                let url = settings::webhooks(self.env).ok()?.url(self.environment)?;
                return self.webhook(token, event, url, None);
            }
            Target::Token => return self.webhook(token, event, token.webhook.as_deref()?, None),
            Target::Recipient(index) => token.notify.get(usize::from(index))?,
            Target::Upstream => return None,
        };
        let link = self.short_url(token, event, recipient)?;
        match recipient {
            Recipient::Email {
                address, locale, ..
            } => {
                let words = i18n::choose(locale.as_deref().unwrap_or_default(), "");
                let notice = Notice::of(token, event, words, &link);
                let settings = settings::mail(self.env).ok()?;
                let is_allowed = settings.allows(address);
                Some(Message::Mail(Mail {
                    from: settings.from.as_ref().filter(|_| is_allowed)?,
                    to: address.clone(),
                    email: email::render(words, &notice),
                }))
            }
            Recipient::Slack(channel) => self.post_to(token, event, channel, &link, slack::render),
            Recipient::Teams(channel) => self.post_to(token, event, channel, &link, teams::render),
            Recipient::Webhook(url) => self.webhook(token, event, url, Some(&link)),
        }
    }

    /// A short link that lives from the event on, the same for each attempt. An approver gets their own.
    fn short_url(&self, token: &Token, event: TokenEvent, recipient: &Recipient) -> Option<String> {
        let environment = settings::keyring(self.env).ok()?.by_id(self.environment)?;
        let since = token.event_at(event);
        let approver = match recipient {
            Recipient::Email { approver, .. } => *approver,
            Recipient::Slack(_) | Recipient::Teams(_) | Recipient::Webhook(_) => None,
        };
        let verify = token.callback.as_deref().and_then(verify_json);
        let purpose = approver.map_or(LinkPurpose::of_token(verify), LinkPurpose::Vote);
        let lifetime = Lifetime::of(since, token.timeout_at, now());
        let credential = environment.short_link(purpose, self.id, lifetime);
        Some(short_link::short_url(&token.origin, self.id, &credential))
    }

    /// A message for a channel.
    fn post_to(
        &self,
        token: &Token,
        event: TokenEvent,
        channel: &str,
        link: &str,
        render: fn(&Words, &Notice<'_>) -> String,
    ) -> Option<Message> {
        let url = settings::channels(self.env).ok()?.url(channel)?;
        check_url(url, is_loopback_origin(&token.origin)).ok()?;
        let words = i18n::choose("", "");
        let body = render(words, &Notice::of(token, event, words, link));
        Some(Message::Post(Post {
            url: url.to_owned(),
            headers: vec![
                ("content-type".into(), "application/json".into()),
                ("user-agent".into(), "waitpoint".into()),
            ],
            body: Uint8Array::from(body.as_bytes()),
        }))
    }

    /// A webhook; `None` if its URL is not allowed or there is no secret to sign it.
    fn webhook(
        &self,
        token: &Token,
        event: TokenEvent,
        url: &str,
        short_url: Option<&str>,
    ) -> Option<Message> {
        check_url(url, is_loopback_origin(&token.origin)).ok()?;
        let public = public_id(self.id);
        let at = token_url(&token.origin, self.id);
        let body = webhook_json(&public, &at, short_url, event, token);
        let id = message_id(self.id, event);
        let seconds = now().as_secs();
        let webhooks = settings::webhooks(self.env).ok()?;
        let signature = webhooks.sign(self.environment, &id, seconds, body.as_bytes())?;
        Some(Message::Post(Post {
            url: url.to_owned(),
            headers: vec![
                ("content-type".into(), "application/json".into()),
                ("user-agent".into(), "waitpoint".into()),
                ("webhook-id".into(), id.into()),
                ("webhook-timestamp".into(), seconds.to_string().into()),
                ("webhook-signature".into(), signature.into()),
            ],
            body: Uint8Array::from(body.as_bytes()),
        }))
    }
}
