//! Several tokens at once: the summary that is confirmed, and the outcomes.

use super::layout::{link, nonce, page, status, with_number};
use super::view::{Frame, Outcomes, Review, ReviewProblem};
use crate::domain::api::limits::MAX_REASON;
use crate::domain::approval::schema::Comment;
use crate::domain::auth::token_id::public_id;
use crate::domain::inbox::bulk::{BulkAction, BulkOutcome, Marked, NotRead};
use crate::domain::page::i18n::Words;
use crate::domain::page::{TimeElement, approval_of, button_class, progress};
use crate::domain::text::single_line;
use crate::domain::token::State;
use askama::Template;

#[derive(Template)]
#[template(path = "inbox/review.html")]
struct ReviewPage<'a> {
    words: &'a Words,
    nonce: &'a str,
    note: Option<&'static str>,
    waiting: Vec<Item>,
    /// Those that no longer wait, or are not known here.
    ended: Vec<Item>,
    /// Those whose state is not known.
    unreached: Vec<Item>,
    choices: Vec<Button<'a>>,
    has_comment: bool,
    is_comment_required: bool,
    comment: &'a str,
    comment_fault: Option<&'static str>,
    reason: &'a str,
    reason_fault: Option<String>,
}

#[derive(Template)]
#[template(path = "inbox/outcomes.html")]
struct OutcomesPage<'a> {
    heading: &'a str,
    /// Whether the heading is the label of a choice.
    is_label: bool,
    counts: Vec<Count>,
    items: Vec<Item>,
}

struct Item {
    /// The public id.
    id: String,
    /// The link to its page.
    link: String,
    status: &'static str,
    class: &'static str,
    /// Whether the link does not show the id.
    has_title: bool,
    requested_by: Option<String>,
    tags: Vec<String>,
    deadline: Option<TimeElement>,
    /// How many approvers have voted, if there are some.
    votes: Option<String>,
}

struct Button<'a> {
    label: &'a str,
    class: &'static str,
}

struct Count {
    label: &'static str,
    number: usize,
}

/// The summary of marked tokens, to be confirmed.
#[must_use]
pub fn review(frame: Frame<'_>, review: Review<'_>) -> String {
    let words = frame.words;
    let (mut waiting, mut ended, mut unreached) = (Vec::new(), Vec::new(), Vec::new());
    for one in review.marked {
        let items = match &one.token {
            Ok(token) if token.state == State::Waiting => &mut waiting,
            Ok(_) | Err(NotRead::NotFound) => &mut ended,
            Err(NotRead::Unavailable) => &mut unreached,
        };
        items.push(Item::of(words, one));
    }
    let note = if !waiting.is_empty() {
        (review.choices.is_empty()).then_some(words.inbox.nothing_shared)
    } else if unreached.is_empty() {
        Some(words.inbox.none_waits)
    } else {
        Some(words.inbox.nothing_done)
    };
    let (reason, comment) = match review.problem {
        Some(ReviewProblem::ReasonTooLong) => (review.written, ""),
        _ => ("", review.written),
    };
    let choices = review.choices.iter().filter(|_| !waiting.is_empty());
    let content = ReviewPage {
        words,
        nonce: nonce(frame),
        note,
        ended,
        unreached,
        choices: choices
            .map(|choice| Button {
                label: &choice.label,
                class: button_class(choice.style),
            })
            .collect(),
        waiting,
        has_comment: review.comment != Comment::None,
        is_comment_required: review.comment == Comment::Required,
        comment,
        comment_fault: match review.problem {
            Some(ReviewProblem::CommentMissing) => Some(words.comment_missing),
            Some(ReviewProblem::CommentTooLong) => Some(words.comment_long),
            Some(ReviewProblem::ReasonTooLong) | None => None,
        },
        reason,
        reason_fault: (review.problem == Some(ReviewProblem::ReasonTooLong))
            .then(|| with_number(words.inbox.reason_long, MAX_REASON)),
    };
    let content = content.render().unwrap_or_default();
    page(frame, words.inbox.marked, "single review", &content)
}

/// What was done to marked tokens.
#[must_use]
pub fn outcomes(frame: Frame<'_>, outcomes: Outcomes<'_>) -> String {
    let words = frame.words;
    let heading = match outcomes.action {
        BulkAction::Decide { label, .. } => single_line(label),
        BulkAction::Withdraw { .. } => words.inbox.withdraw.to_owned(),
    };
    let item = |(one, outcome): &(Marked, BulkOutcome)| Item {
        status: word(words, *outcome),
        class: match outcome {
            BulkOutcome::Done => "ok",
            BulkOutcome::Unavailable => "bad",
            _ => "",
        },
        ..Item::of(words, one)
    };
    let count = |outcome| {
        let those = outcomes.outcomes.iter().filter(|(_, one)| *one == outcome);
        let number = those.count();
        let label = word(words, outcome);
        (number > 0).then_some(Count { label, number })
    };
    let content = OutcomesPage {
        heading: &heading,
        is_label: matches!(outcomes.action, BulkAction::Decide { .. }),
        counts: EACH.into_iter().filter_map(count).collect(),
        items: outcomes.outcomes.iter().map(item).collect(),
    };
    let content = content.render().unwrap_or_default();
    page(frame, words.inbox.outcome, "single", &content)
}

const EACH: [BulkOutcome; 7] = [
    BulkOutcome::Done,
    BulkOutcome::AlreadyDecided,
    BulkOutcome::TimedOut,
    BulkOutcome::Withdrawn,
    BulkOutcome::NotOffered,
    BulkOutcome::NotFound,
    BulkOutcome::Unavailable,
];

fn word(words: &Words, outcome: BulkOutcome) -> &'static str {
    match outcome {
        BulkOutcome::Done => words.inbox.done,
        BulkOutcome::AlreadyDecided => words.inbox.already_decided,
        BulkOutcome::TimedOut => words.inbox.timed_out,
        BulkOutcome::Withdrawn => words.withdrawn,
        BulkOutcome::NotOffered => words.inbox.not_offered,
        BulkOutcome::NotFound => words.inbox.not_found,
        BulkOutcome::Unavailable => words.inbox.unconfirmed,
    }
}

impl Item {
    fn of(words: &Words, one: &Marked) -> Self {
        let id = public_id(&one.id);
        let token = one.token.as_ref().ok();
        let approval = token
            .map(|token| approval_of(token, words))
            .unwrap_or_default();
        let tags = token.map_or(&[][..], |token| &token.tags);
        Self {
            link: link(
                &id,
                &approval
                    .title
                    .as_deref()
                    .map(single_line)
                    .unwrap_or_default(),
            ),
            id,
            status: match &one.token {
                Ok(token) => status(words, token),
                Err(NotRead::NotFound) => words.inbox.not_found,
                Err(NotRead::Unavailable) => words.inbox.not_reached,
            },
            class: "",
            has_title: approval.title.is_some(),
            requested_by: approval.requested_by.as_deref().map(single_line),
            tags: tags.iter().map(|tag| single_line(tag)).collect(),
            deadline: token
                .and_then(|token| token.timeout_at)
                .map(TimeElement::of),
            votes: token.and_then(|token| progress(words, token)),
        }
    }
}
