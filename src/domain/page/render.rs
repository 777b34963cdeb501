//! Renders the state of a page as HTML.

use super::answers::{details as field_details, shortened};
use super::document::{Detail, Document, End, Heading, Question, TimeElement, Tone, Voting};
use super::form::Form;
use super::votes;
use crate::domain::approval::schema::{Approval, MAX_COMMENT, Style};
use crate::domain::page::decide::{FormError, FormInput, NotRecorded, approval_of};
use crate::domain::page::i18n::Words;
use crate::domain::page::state::{PageState, Reads, Submission};
use crate::domain::text::{single_line, strip_invisible};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::{CompletedBy, Decision, State, Token};

/// The language and the time of a rendering.
#[derive(Clone, Copy)]
pub struct RenderContext<'a> {
    /// The language.
    pub words: &'a Words,
    /// The time, for the countdown.
    pub now: Timestamp,
}

/// The page as HTML.
#[must_use]
pub fn render(context: RenderContext<'_>, state: PageState<'_>) -> String {
    let words = context.words;
    let document = match state {
        PageState::Waiting {
            token,
            nonce,
            input,
            error,
        } => {
            return asking(context, token, None, nonce, input, error);
        }
        PageState::Voting {
            token,
            approver,
            nonce,
            input,
            error,
        } => {
            return asking(context, token, Some(approver), nonce, input, error);
        }
        // Nothing here addresses the reader: without an approval there is no question to show.
        PageState::ShownOnly { token } => Document {
            end: Some(End::new(
                words.waits,
                match token.quorum {
                    Some(_) => words.approvers_decide,
                    None => words.shown_only,
                },
            )),
            progress: votes::progress(words, token),
            deadline: token
                .timeout_at
                .filter(|_| token.quorum.is_some())
                .map(TimeElement::of),
            question: (token.approval.as_ref())
                .map(|_| question(words, &approval_of(token, words))),
            ..Document::of_token(words, context.now)
        },
        PageState::Finished {
            token,
            reads,
            submission,
        } => finished(context, token, reads, submission),
        PageState::LinkExpired { token, reads } => {
            let title_only = Question {
                requested_by: None,
                description: None,
                ..question(words, &approval_of(token, words))
            };
            Document {
                tone: Tone::Late,
                end: Some(End::new(words.expired, words.request_new_link)),
                question: (reads != Reads::Nothing).then_some(title_only),
                ..Document::of_token(words, context.now)
            }
        }
        PageState::LinkNotFound => message(words, words.unknown, words.link_truncated),
        PageState::Unavailable { submitted: true } => {
            message(words, words.trouble, words.try_again)
        }
        PageState::Unavailable { submitted: false } => message(words, words.trouble, words.wait),
        PageState::Busy { submitted: true } => message(words, words.busy, words.try_again),
        PageState::Busy { submitted: false } => message(words, words.busy, words.wait),
        PageState::CrossSite => message(words, words.cross_site_title, words.cross_site_help),
        PageState::TooLarge => message(words, words.too_large, words.shorten),
    };
    document.write()
}

/// The page of a token that waits, with its form.
fn asking(
    context: RenderContext<'_>,
    token: &Token,
    approver: Option<u8>,
    nonce: &str,
    input: &FormInput,
    error: Option<&FormError>,
) -> String {
    let words = context.words;
    let approval = approval_of(token, words);
    let fields = approval.form();
    let document = Document {
        deadline: token.timeout_at.map(TimeElement::of),
        form: Some(Form::of(words, &approval, &fields, nonce, input, error)),
        question: Some(question(words, &approval)),
        voting: approver.map(|approver| Voting::of(words, token, &approval, approver)),
        ..Document::of_token(words, context.now)
    };
    document.write()
}

/// A page without a token.
fn message<'a>(words: &'a Words, heading: &'a str, sentence: &'a str) -> Document<'a> {
    Document {
        tone: Tone::Trouble,
        end: Some(End::new(heading, sentence)),
        ..Document::new(words)
    }
}

/// The page of a token that no longer waits.
pub(super) fn finished<'a>(
    context: RenderContext<'a>,
    token: &Token,
    reads: Reads,
    submission: Option<Submission<'_>>,
) -> Document<'a> {
    let words = context.words;
    let approval = approval_of(token, words);
    let mut details = Vec::new();
    let (tone, heading) = match &token.state {
        State::Completed { decision, .. } if reads == Reads::Everything => {
            let has_votes = !token.votes.is_empty();
            decided(words, &approval, decision, has_votes, &mut details)
        }
        // Neither the heading nor the colour may reveal the decision. A token that waits here was decided
        // and purged.
        State::Completed { .. } | State::Waiting => (Tone::Decided, Heading::Words(words.decided)),
        State::TimedOut => (Tone::Late, Heading::Words(words.timed_out)),
        State::Cancelled { reason, .. } => {
            if let (Reads::Everything, Some(reason)) = (reads, reason) {
                details.push(Detail::text(words.reason, "text", reason));
            }
            (Tone::Withdrawn, Heading::Words(words.withdrawn))
        }
    };
    if reads == Reads::Everything {
        let label = match token.state {
            State::Completed { .. } => words.decided_at,
            State::Cancelled { .. } => words.withdrawn_at,
            State::Waiting | State::TimedOut => words.timed_out_at,
        };
        details.extend(token.finished_at().map(|at| Detail::time(label, at)));
    }
    if reads == Reads::Everything {
        details.extend(votes::details(words, token, &approval));
    }
    let unsent = submission.map_or("", |submission| submission.input.comment.as_str());
    if !unsent.trim().is_empty() {
        details.push(Detail::text(words.comment_not_sent, "text", unsent));
    }
    let sentence = match submission.map(|submission| submission.not_recorded) {
        Some(NotRecorded::AlreadyDecided) => words.not_taken,
        Some(NotRecorded::CommentNotAdded) => words.same,
        Some(NotRecorded::TooLate) => words.too_late,
        Some(NotRecorded::Withdrawn) => words.withdrawn_not_recorded,
        Some(NotRecorded::Undisclosed) | None => match token.state {
            State::TimedOut => words.nobody_decided,
            State::Cancelled { .. } => words.request_withdrawn,
            State::Completed { .. } | State::Waiting => words.nothing_to_do,
        },
    };
    Document {
        tone,
        end: Some(End { heading, sentence }),
        question: (reads != Reads::Nothing).then(|| question(words, &approval)),
        details,
        ..Document::of_token(words, context.now)
    }
}

/// Sets the colour and the heading of a decision, and adds its other data to `details`.
fn decided<'a>(
    words: &'a Words,
    approval: &Approval,
    decision: &Decision,
    has_votes: bool,
    details: &mut Vec<Detail<'a>>,
) -> (Tone, Heading<'a>) {
    let output = decision.output.as_ref();
    let chosen = approval.choice_of(output.map_or("", |output| output.text.as_str()));
    if let Some((choice, comment, fields)) = &chosen {
        details.push(Detail::text(words.decision, "strong", &choice.label));
        if let Some(fields) = fields {
            details.extend(field_details(words, &approval.form(), fields));
        }
        if !comment.is_empty() {
            details.push(Detail::text(
                words.comment,
                "text",
                &shortened(comment, MAX_COMMENT),
            ));
        }
    }
    // Who has voted is listed with the votes.
    if !has_votes || decision.by != CompletedBy::Page {
        details.push(Detail::text(words.decided_by, "", decider(words, decision)));
    }
    match chosen {
        Some((choice, ..)) => {
            let tone = match choice.style {
                Style::Primary => Tone::Approved,
                Style::Danger => Tone::Rejected,
                Style::Neutral => Tone::Decided,
            };
            (tone, Heading::Label(single_line(&choice.label)))
        }
        None => (Tone::Decided, Heading::Words(words.decided)),
    }
}

/// Who has decided.
#[must_use]
pub fn decider<'a>(words: &'a Words, decision: &'a Decision) -> &'a str {
    match (&decision.subject, decision.by) {
        (Some(subject), _) => subject,
        (None, CompletedBy::Page) => words.by_page,
        (None, CompletedBy::Api | CompletedBy::Upstream) => words.by_api,
        (None, CompletedBy::Timeout) => words.by_timeout,
        (None, CompletedBy::Callback) => words.by_callback,
        (None, CompletedBy::Inbox) => words.by_inbox,
    }
}

pub(super) fn question(words: &Words, approval: &Approval) -> Question {
    let title = approval.title.as_deref();
    Question {
        title: title.map_or(words.question.to_owned(), single_line),
        requested_by: approval.requested_by.as_deref().map(single_line),
        description: approval.description.as_deref().map(strip_invisible),
    }
}
