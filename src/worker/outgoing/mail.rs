//! Mail, by the platform's e-mail service.

use crate::domain::notice::email::Email;
use crate::domain::notice::mail_settings::Sender;
use crate::domain::token::delivery::AttemptResult;
use crate::worker::bindings::{settled, variable};
use crate::worker::log_error;
use futures_util::future::{Either, select};
use js_sys::{JsString, Object, Promise, Reflect};
use std::time::Duration;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::{Delay, EmailAddress, Env, SendEmailBuilder};

/// The binding, as wrangler.toml names it.
const BINDING: &str = "EMAIL";

#[wasm_bindgen]
extern "C" {
    type MailService;

    /// `worker::SendEmail::send_with_builder` is async, and catches nothing that `send` throws before it
    /// returns a promise.
    #[wasm_bindgen(method, catch)]
    fn send(this: &MailService, message: &SendEmailBuilder) -> Result<JsValue, JsValue>;
}

/// A mail to one person.
pub(crate) struct Mail {
    pub(crate) from: &'static Sender,
    pub(crate) to: String,
    pub(crate) email: Email,
}

/// Whether mail can be sent.
pub(crate) fn is_bound(env: &Env) -> bool {
    !variable(env, BINDING).is_undefined()
}

/// Sends a mail. The service has `within` to take it.
pub(crate) async fn send(env: &Env, mail: &Mail, within: Duration) -> AttemptResult {
    let Ok(message) = message(mail) else {
        return AttemptResult::NotSendable;
    };
    let binding = variable(env, BINDING);
    if binding.is_undefined() {
        return AttemptResult::NotSendable;
    }
    let service: &MailService = binding.unchecked_ref();
    let sending = match service.send(&message) {
        // Whatever it returned is a promise then.
        Ok(sending) => settled(Promise::resolve(&sending)),
        Err(error) => return failed(&error),
    };
    match select(sending, Delay::from(within)).await {
        Either::Left((Ok(_), _)) => AttemptResult::MailAccepted,
        Either::Left((Err(error), _)) => failed(&error),
        Either::Right(_) => AttemptResult::NoResponse,
    }
}

fn message(mail: &Mail) -> Result<SendEmailBuilder, JsValue> {
    let headers = Object::new();
    // Nobody's absence note answers it (RFC 3834).
    Reflect::set(&headers, &"Auto-Submitted".into(), &"auto-generated".into())?;
    let Sender { name, address } = mail.from;
    let message = SendEmailBuilder::builder(address, &mail.to, &mail.email.subject)
        .html(&mail.email.html)
        .text(&mail.email.text)
        .build();
    message.set_headers(headers.unchecked_ref::<Object<JsString>>());
    if !name.is_empty() {
        let from = EmailAddress::new(name, address);
        message.set_from_with_email_address(&from);
    }
    Ok(message)
}

/// What an error of the service means. Its message may hold the address, so only the code is logged.
/// Source of the codes: developers.cloudflare.com/email-service/api/send-emails/workers-api.
fn failed(error: &JsValue) -> AttemptResult {
    let code = Reflect::get(error, &"code".into()).ok();
    let code = code.and_then(|code| code.as_string()).unwrap_or_default();
    let known = if code.starts_with("E_") {
        code.as_str()
    } else {
        "an error without a code"
    };
    log_error("the mail service did not take a mail", &known.into());
    match known {
        // It will say the same of the same mail. Whatever an operator can mend is tried again.
        "E_RECIPIENT_SUPPRESSED"
        | "E_VALIDATION_ERROR"
        | "E_FIELD_MISSING"
        | "E_CONTENT_TOO_LARGE" => AttemptResult::MailRefused,
        _ => AttemptResult::MailFailed,
    }
}
