//! The page of a token.

use super::facts::facts;
use super::layout::{nonce, page, with_number};
use super::view::{Done, Frame, TokenProblem, TokenView, Written};
use crate::domain::api::limits::MAX_REASON;
use crate::domain::inbox::deadline::{field_of, parse_deadline};
use crate::domain::page::i18n::Words;
use crate::domain::page::{Opened, OperatorPage, RenderContext};
use crate::domain::token::State;
use askama::Template;

#[derive(Template)]
#[template(path = "inbox/token.html")]
struct TokenPage<'a> {
    words: &'a Words,
    nonce: &'a str,
    /// The public id.
    id: &'a str,
    banner: Option<Banner>,
    /// The question with its form, or the end.
    card: String,
    manage: Option<Manage<'a>>,
    facts: String,
}

/// What was done, or why nothing was.
struct Banner {
    sentence: &'static str,
    is_problem: bool,
}

/// What an operator can do besides deciding.
struct Manage<'a> {
    /// The value of the field.
    deadline: String,
    /// Whether its form is open.
    is_deadline_open: bool,
    deadline_fault: Option<&'static str>,
    can_notify: bool,
    notify_fault: Option<&'static str>,
    reason: &'a str,
    /// Whether its form is open.
    is_reason_open: bool,
    reason_fault: Option<String>,
}

/// A token.
#[must_use]
pub fn token(frame: Frame<'_>, view: TokenView<'_>) -> String {
    let words = frame.words;
    let context = RenderContext {
        words,
        now: frame.now,
    };
    let opened = Opened {
        token: view.token,
        nonce: nonce(frame),
        input: view.input,
        error: match view.problem {
            Some(TokenProblem::Form(error)) => Some(error),
            _ => None,
        },
        not_recorded: match view.problem {
            Some(TokenProblem::NotRecorded(why)) => Some(*why),
            _ => None,
        },
    };
    let shown = OperatorPage::of(context, opened);
    let is_waiting = view.token.state == State::Waiting;
    let content = TokenPage {
        words,
        nonce: nonce(frame),
        id: view.id,
        banner: banner(words, view),
        card: shown.html,
        manage: is_waiting.then(|| Manage::of(words, view)),
        facts: facts(words, view.id, view.token),
    };
    let content = content.render().unwrap_or_default();
    page(
        frame,
        &shown.title,
        &format!("token {}", shown.tone),
        &content,
    )
}

fn banner(words: &Words, view: TokenView<'_>) -> Option<Banner> {
    let problem = match view.problem {
        Some(TokenProblem::Ended) => Some(words.inbox.not_waiting),
        Some(TokenProblem::Stale) => Some(words.inbox.stale),
        Some(TokenProblem::Unavailable) => Some(words.inbox.not_confirmed),
        // These stand where they belong.
        Some(
            TokenProblem::Form(_)
            | TokenProblem::NotRecorded(_)
            | TokenProblem::Deadline
            | TokenProblem::ReasonTooLong
            | TokenProblem::RemindedRecently
            | TokenProblem::NobodyToNotify,
        )
        | None => None,
    };
    if let Some(sentence) = problem {
        return Some(Banner {
            sentence,
            is_problem: true,
        });
    }
    let done = view.done.filter(|_| view.problem.is_none());
    done.map(|done| Banner {
        sentence: match done {
            Done::Decided => words.inbox.done_decided,
            Done::Withdrawn => words.inbox.done_withdrawn,
            Done::Extended => words.inbox.done_extended,
            Done::Notified => words.inbox.done_notified,
        },
        is_problem: false,
    })
}

impl<'a> Manage<'a> {
    fn of(words: &Words, view: TokenView<'a>) -> Self {
        let is = |problem| view.problem == Some(&problem);
        let shown = match view.written {
            Written::Deadline(written) => parse_deadline(written).ok_or(written),
            Written::Nothing | Written::Reason(_) => view.token.timeout_at.ok_or(""),
        };
        Self {
            // What cannot be read is shown as it was written.
            deadline: shown.map_or_else(str::to_owned, field_of),
            is_deadline_open: matches!(view.written, Written::Deadline(_)),
            deadline_fault: is(TokenProblem::Deadline).then_some(words.inbox.deadline_passed),
            // Without recipients the problem says so.
            can_notify: !view.token.notify.is_empty() || is(TokenProblem::NobodyToNotify),
            notify_fault: match view.problem {
                Some(TokenProblem::RemindedRecently) => Some(words.inbox.reminded_recently),
                Some(TokenProblem::NobodyToNotify) => Some(words.inbox.nobody_to_notify),
                _ => None,
            },
            reason: match view.written {
                Written::Reason(written) => written,
                Written::Nothing | Written::Deadline(_) => "",
            },
            is_reason_open: matches!(view.written, Written::Reason(_)),
            reason_fault: is(TokenProblem::ReasonTooLong)
                .then(|| with_number(words.inbox.reason_long, MAX_REASON)),
        }
    }
}
