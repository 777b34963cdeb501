//! Several tokens at once: the summary, and what is done to them.

use super::operator::Operator;
use super::token::read_reason;
use super::{Form, html};
use crate::domain::api::error::ApiError;
use crate::domain::api::rate_limit::RateLimitKey;
use crate::domain::approval::schema::{Comment, MAX_COMMENT};
use crate::domain::auth::token_id::internal_id;
use crate::domain::inbox::bulk::{
    BulkAction, BulkOutcome, MAX_MARKED, Marked, NotRead, outcome_of_ended, output_of,
    shared_choices, shared_comment,
};
use crate::domain::inbox::render::{self, Message, Outcomes, Review, ReviewProblem};
use crate::domain::stored::message::{CommandMessage, TokenReply};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::transition::Outcome;
use crate::domain::token::{State, Token};
use crate::worker::http::rate_limit::enforce;
use crate::worker::http::response::Reply;
use crate::worker::http::routes::complete::complete_token;
use crate::worker::http::token_object::send;
use futures_util::future::join_all;

/// How many objects are asked at the same time.
const AT_ONCE: usize = 20;

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
    match action(form, comment) {
        Ok(Some(action)) => perform(operator, marked, &action, shown_at).await,
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

/// What the form wants; `None` if it only shows the summary.
fn action(form: &Form, wanted: Comment) -> Result<Option<BulkAction>, (ReviewProblem, &str)> {
    let label = form.get("decide");
    if !label.is_empty() {
        let written = form.get("comment");
        let comment = written.trim().replace("\r\n", "\n");
        if comment.is_empty() && wanted == Comment::Required {
            return Err((ReviewProblem::CommentMissing, written));
        }
        if comment.chars().count() > MAX_COMMENT {
            return Err((ReviewProblem::CommentTooLong, written));
        }
        let label = label.to_owned();
        return Ok(Some(BulkAction::Decide { label, comment }));
    }
    if !form.get("withdraw").is_empty() {
        let written = form.get("reason");
        let reason = read_reason(written).map_err(|()| (ReviewProblem::ReasonTooLong, written))?;
        return Ok(Some(BulkAction::Withdraw { reason }));
    }
    Ok(None)
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
    html(status, render::review(operator.frame(), review))
}

async fn perform(
    operator: &Operator<'_>,
    marked: Vec<Marked>,
    action: &BulkAction,
    shown_at: Timestamp,
) -> Result<Reply, ApiError> {
    let mut outcomes = Vec::with_capacity(marked.len());
    for marked in marked.chunks(AT_ONCE) {
        let done = marked
            .iter()
            .map(|one| act(operator, one, action, shown_at));
        outcomes.extend(join_all(done).await);
    }
    let outcomes: Vec<_> = marked.into_iter().zip(outcomes).collect();
    let outcomes = Outcomes {
        action,
        outcomes: &outcomes,
    };
    Ok(html(200, render::outcomes(operator.frame(), outcomes)))
}

async fn act(
    operator: &Operator<'_>,
    marked: &Marked,
    action: &BulkAction,
    shown_at: Timestamp,
) -> BulkOutcome {
    match &marked.token {
        Err(NotRead::NotFound) => BulkOutcome::NotFound,
        Err(NotRead::Unavailable) => BulkOutcome::Unavailable,
        Ok(token) if token.state != State::Waiting => {
            let (words, subject) = (operator.visit.words, operator.person.as_deref());
            outcome_of_ended(token, action, words, subject, shown_at)
        }
        Ok(token) => match act_on(operator, &marked.id, token, action).await {
            Ok(Some(Outcome::Completed)) => BulkOutcome::Done,
            Ok(Some(Outcome::Cancelled)) if matches!(action, BulkAction::Withdraw { .. }) => {
                BulkOutcome::Done
            }
            // Somebody was faster.
            Ok(Some(Outcome::Cancelled)) => BulkOutcome::Withdrawn,
            Ok(Some(Outcome::TimedOut)) => BulkOutcome::TimedOut,
            Ok(Some(_)) => BulkOutcome::AlreadyDecided,
            Ok(None) => BulkOutcome::NotOffered,
            Err(ApiError::TokenNotFound) => BulkOutcome::NotFound,
            Err(_) => BulkOutcome::Unavailable,
        },
    }
}

/// Does it to a token that waits. `None` if the token does not offer that.
async fn act_on(
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
