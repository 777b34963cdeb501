//! Several tokens at once: the summary, and what is done to them.

use super::operator::Operator;
use super::{AT_ONCE, Form, redirect};
use crate::domain::api::error::ApiError;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::approval::schema::Comment;
use crate::domain::auth::token_id::{internal_id, public_id};
use crate::domain::inbox::bulk::{
    BulkAction, BulkOutcome, MAX_MARKED, Marked, NotRead, ReviewProblem, outcome_of_ended,
    output_of, read_action, shared_choices, shared_comment,
};
use crate::domain::inbox::render::{self, Message, Outcomes, Review};
use crate::domain::inbox::sent::SentForm;
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::domain::token::transition::Outcome;
use crate::domain::token::{State, Token};
use crate::worker::http::rate_limit::enforce;
use crate::worker::http::response::Reply;
use crate::worker::http::routes::complete::complete_token;
use crate::worker::http::token_object::send;
use futures_util::future::join_all;

pub(super) async fn bulk(operator: &Operator<'_>, form: &Form) -> Result<Reply, ApiError> {
    let Some(shown_at) = operator.opened_at(form) else {
        return Ok(operator.message(403, Message::Stale));
    };
    let mut ids: Vec<&str> = Vec::new();
    for id in form.all("id").filter_map(internal_id) {
        if !ids.contains(&id) {
            ids.push(id);
        }
        if ids.len() > MAX_MARKED {
            return Ok(operator.message(422, Message::TooManyMarked));
        }
    }
    if ids.is_empty() {
        return Ok(operator.message(422, Message::NothingMarked));
    }
    let mut marked = Vec::with_capacity(ids.len());
    for ids in ids.chunks(AT_ONCE) {
        marked.extend(join_all(ids.iter().map(|id| read(operator, id))).await);
    }
    let comment = shared_comment(&marked, operator.visit.words);
    match read_action(|name| form.get(name), comment) {
        Ok(Some(action)) => Ok(perform(operator, marked, &action, operator.sent(shown_at)).await),
        // Alone, it may offer more on its own page.
        Ok(None)
            if marked.len() == 1 && shared_choices(&marked, operator.visit.words).is_empty() =>
        {
            let id = marked
                .first()
                .map_or(String::new(), |one| public_id(&one.id));
            Ok(redirect(&format!("/inbox/{id}")))
        }
        Ok(None) => Ok(review(operator, &marked, comment, "", None)),
        Err((problem, written)) => Ok(review(operator, &marked, comment, written, Some(problem))),
    }
}

async fn read(operator: &Operator<'_>, id: &str) -> Marked {
    let token = async {
        let permit = operator.permit().await?;
        operator.read(&permit, id).await
    };
    Marked {
        id: id.to_owned(),
        token: token.await.map_err(|error| match error {
            ApiError::TokenNotFound => NotRead::NotFound,
            _ => NotRead::Unavailable,
        }),
    }
}

fn review(
    operator: &Operator<'_>,
    marked: &[Marked],
    comment: Comment,
    written: &str,
    problem: Option<ReviewProblem>,
) -> Reply {
    let review = Review {
        marked,
        choices: &shared_choices(marked, operator.visit.words),
        comment,
        written,
        problem,
    };
    let status = if problem.is_some() { 422 } else { 200 };
    operator.html(status, render::review(operator.frame(), review))
}

async fn perform(
    operator: &Operator<'_>,
    marked: Vec<Marked>,
    action: &BulkAction,
    sent: SentForm<'_>,
) -> Reply {
    let mut outcomes = Vec::with_capacity(marked.len());
    for marked in marked.chunks(AT_ONCE) {
        let done = marked.iter().map(|one| apply(operator, one, action, sent));
        outcomes.extend(join_all(done).await);
    }
    let outcomes: Vec<_> = marked.into_iter().zip(outcomes).collect();
    let outcomes = Outcomes {
        action,
        outcomes: &outcomes,
    };
    operator.html(200, render::outcomes(operator.frame(), outcomes))
}

async fn apply(
    operator: &Operator<'_>,
    marked: &Marked,
    action: &BulkAction,
    sent: SentForm<'_>,
) -> BulkOutcome {
    let words = operator.visit.words;
    let of_ended = |token: &Token| outcome_of_ended(token, action, words, sent);
    match &marked.token {
        Err(NotRead::NotFound) => BulkOutcome::NotFound,
        Err(NotRead::Unavailable) => BulkOutcome::Unavailable,
        Ok(token) if token.state != State::Waiting => of_ended(token),
        Ok(token) => match apply_to(operator, &marked.id, token, action).await {
            Ok(Some(Outcome::Completed)) => BulkOutcome::Done,
            Ok(None) => BulkOutcome::NotOffered,
            // It was withdrawn, or somebody was faster: perhaps this form, if it was sent twice.
            Ok(Some(_)) => match read(operator, &marked.id).await.token {
                Ok(token) => of_ended(&token),
                Err(_) => BulkOutcome::Unavailable,
            },
            Err(ApiError::TokenNotFound) => BulkOutcome::NotFound,
            Err(_) => BulkOutcome::Unavailable,
        },
    }
}

/// Does it to a token that waits. `None` if the token does not offer that.
async fn apply_to(
    operator: &Operator<'_>,
    id: &str,
    token: &Token,
    action: &BulkAction,
) -> Result<Option<Outcome>, ApiError> {
    let (context, environment) = (operator.visit.context, operator.environment);
    let permit = enforce(context, RateLimitKey::Decisions(&environment.id, id)).await?;
    match action {
        BulkAction::Decide { label, comment } => {
            let Some(output) = output_of(token, operator.visit.words, label, comment) else {
                return Ok(None);
            };
            let decision = operator.decision(output);
            let outcome = complete_token(context, &permit, environment, id, &decision).await?;
            Ok(Some(outcome))
        }
        BulkAction::Withdraw { reason } => {
            let command = CommandMessage::Cancel(reason.clone());
            match send(context, &permit, environment, id, &command, "").await? {
                TokenReply::Decided(outcome) => Ok(Some(outcome)),
                _ => Err(ApiError::TokenNotFound),
            }
        }
    }
}
