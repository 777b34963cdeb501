//! A token's page in the inbox, and what is done there.

use super::operator::Operator;
use super::{Form, redirect};
use crate::domain::api::error::ApiError;
use crate::domain::api::form::form_fields;
use crate::domain::api::life::read_reason;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::approval::schema::Approval;
use crate::domain::auth::token_id::{internal_id, public_id};
use crate::domain::inbox::deadline::parse_deadline;
use crate::domain::inbox::render::{self, Done, Message, TokenProblem, TokenView, Written};
use crate::domain::inbox::sent::SentForm;
use crate::domain::page::{self, FormError, FormInput, NotRecorded};
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::domain::token::notify::ReminderOutcome;
use crate::domain::token::transition::Outcome;
use crate::domain::token::{State, Token};
use crate::worker::http::rate_limit::{Permit, enforce};
use crate::worker::http::response::Reply;
use crate::worker::http::routes::complete::complete_token;
use crate::worker::http::token_object::send;

/// What came of a form: what was done, or the status of the page and why nothing was.
type Submitted = Result<Done, (u16, TokenProblem)>;

pub(super) async fn show(operator: &Operator<'_>, raw_id: &str) -> Result<Reply, ApiError> {
    let id = internal_id(raw_id).ok_or(ApiError::TokenNotFound)?;
    let permit = operator.permit().await?;
    let token = operator.read(&permit, id).await?;
    let query = operator.visit.context.head.query().trim_start_matches('?');
    let done = form_fields(query).find(|(name, _)| name == "done");
    let done = done.and_then(|(_, value)| Done::ALL.into_iter().find(|one| one.as_str() == value));
    let done = done.filter(|done| done.is_seen_on(&token));
    let view = TokenView {
        id: &public_id(id),
        token: &token,
        input: &FormInput::default(),
        problem: None,
        written: Written::Nothing,
        done,
    };
    Ok(operator.html(200, render::token(operator.frame(), view)))
}

pub(super) async fn submit(
    operator: &Operator<'_>,
    raw_id: &str,
    form: &Form,
) -> Result<Reply, ApiError> {
    let id = internal_id(raw_id).ok_or(ApiError::TokenNotFound)?;
    let permit = operator.permit().await?;
    let token = operator.read(&permit, id).await?;
    let input = match form.get("action") {
        "" | "decide" => FormInput::of(|name| form.all(name).collect()),
        // The other forms hold nothing of the decision's, which then is as on a fresh page.
        _ => FormInput::default(),
    };
    let submitted = match operator.opened_at(form) {
        None => Err((403, TokenProblem::Stale)),
        Some(shown_at) => {
            let submission = Submission {
                operator,
                permit,
                id,
                sent: operator.sent(shown_at),
            };
            let result = match form.get("action") {
                "withdraw" => submission.withdraw(form.get("reason")).await,
                "extend" => submission.extend(&token, form.get("timeout")).await,
                "notify" => submission.notify().await,
                "" | "decide" => submission.decide(&token, &input).await,
                // No page sends such a form.
                _ => return Ok(operator.message(422, Message::Stale)),
            };
            match result {
                Err(ApiError::StorageUnavailable) => Err((503, TokenProblem::Unavailable)),
                Err(ApiError::TooManyRequests(_)) => {
                    Err((429, TokenProblem::Form(FormError::Busy)))
                }
                result => result?,
            }
        }
    };
    match submitted {
        Ok(done) => {
            let id = public_id(id);
            Ok(redirect(&format!("/inbox/{id}?done={}", done.as_str())))
        }
        Err((status, problem)) => {
            let written = match form.get("action") {
                "withdraw" => Written::Reason(form.get("reason")),
                "extend" => Written::Deadline(form.get("timeout")),
                _ => Written::Nothing,
            };
            show_again(operator, id, (status, &problem), &input, written).await
        }
    }
}

/// The page of the token as it is now, with what was sent and why nothing was done.
async fn show_again(
    operator: &Operator<'_>,
    id: &str,
    (status, problem): (u16, &TokenProblem),
    input: &FormInput,
    written: Written<'_>,
) -> Result<Reply, ApiError> {
    let permit = operator.permit().await?;
    let token = operator.read(&permit, id).await?;
    let view = TokenView {
        id: &public_id(id),
        token: &token,
        input,
        problem: Some(problem),
        written,
        done: None,
    };
    Ok(operator.html(status, render::token(operator.frame(), view)))
}

/// A form that may do something to a token.
struct Submission<'a> {
    operator: &'a Operator<'a>,
    permit: Permit,
    id: &'a str,
    sent: SentForm<'a>,
}

impl Submission<'_> {
    async fn decide(&self, token: &Token, input: &FormInput) -> Result<Submitted, ApiError> {
        let (context, environment) = (self.operator.visit.context, self.operator.environment);
        let approval = page::approval_of(token, self.operator.visit.words);
        if token.state != State::Waiting {
            return Ok(self.of_ended(token, &approval, input));
        }
        let output = match page::decide(&approval, input) {
            Ok(output) => output,
            Err(faults) => {
                let problem = TokenProblem::Form(FormError::Input(faults));
                return Ok(Err((422, problem)));
            }
        };
        let limit = RateLimitKey::Decisions(&environment.id, self.id);
        let permit = enforce(context, limit).await?;
        let decision = self.operator.decision(output);
        match complete_token(context, &permit, environment, self.id, &decision).await? {
            Outcome::Completed => Ok(Ok(Done::Decided)),
            // Somebody else has decided in the meantime.
            _ => {
                let token = self.operator.read(&permit, self.id).await?;
                Ok(self.of_ended(&token, &approval, input))
            }
        }
    }

    /// What came of a decision on a token that does not wait any more.
    fn of_ended(&self, token: &Token, approval: &Approval, input: &FormInput) -> Submitted {
        let output = page::decide(approval, input).unwrap_or_default();
        match page::compare(token, approval, input) {
            Some(why) => Err((409, TokenProblem::NotRecorded(why))),
            None if self.sent.has_decided(token, &output) => Ok(Done::Decided),
            // Somebody has decided the same.
            None => {
                let why = NotRecorded::AlreadyDecided;
                Err((409, TokenProblem::NotRecorded(why)))
            }
        }
    }

    async fn withdraw(&self, reason: &str) -> Result<Submitted, ApiError> {
        let Ok(reason) = read_reason(reason) else {
            return Ok(Err((422, TokenProblem::ReasonTooLong)));
        };
        let withdraw = CommandMessage::Cancel(reason.clone());
        let reply = self.send(&withdraw).await?;
        if matches!(reply, TokenReply::Decided(Outcome::Cancelled)) {
            // Perhaps it was withdrawn before.
            let token = self.operator.read(&self.permit, self.id).await?;
            if self.sent.has_withdrawn(&token, reason.as_deref()) {
                return Ok(Ok(Done::Withdrawn));
            }
        }
        refused(&reply)
    }

    async fn extend(&self, token: &Token, timeout: &str) -> Result<Submitted, ApiError> {
        if token.state != State::Waiting {
            return Ok(Err((409, TokenProblem::Ended)));
        }
        let now = self.operator.visit.context.now;
        let Some(at) = parse_deadline(timeout).filter(|&at| at > now) else {
            return Ok(Err((422, TokenProblem::Deadline)));
        };
        match self.send(&CommandMessage::Extend(at.as_millis())).await? {
            TokenReply::Found(_) => Ok(Ok(Done::Extended)),
            reply => refused(&reply),
        }
    }

    async fn notify(&self) -> Result<Submitted, ApiError> {
        match self.send(&CommandMessage::Remind).await? {
            TokenReply::Reminded(ReminderOutcome::Sent) => Ok(Ok(Done::Notified)),
            TokenReply::Reminded(ReminderOutcome::TooSoon) => {
                Ok(Err((429, TokenProblem::RemindedRecently)))
            }
            TokenReply::Reminded(ReminderOutcome::Nobody) => {
                Ok(Err((409, TokenProblem::NobodyToNotify)))
            }
            reply => refused(&reply),
        }
    }

    async fn send(&self, command: &CommandMessage) -> Result<TokenReply, ApiError> {
        let (context, environment) = (self.operator.visit.context, self.operator.environment);
        send(context, &self.permit, environment, self.id, command, "").await
    }
}

/// Why a command did nothing.
fn refused(reply: &TokenReply) -> Result<Submitted, ApiError> {
    match reply {
        TokenReply::Decided(_) => Ok(Err((409, TokenProblem::Ended))),
        _ => Err(ApiError::TokenNotFound),
    }
}
