//! What the page at `token.url` shows for a token. No HTTP, no clock: a token goes in, a document comes
//! out.
//!
//! Invariant: every text that a caller or a person wrote is escaped by the template (`www/page.html`),
//! stands in an element's content or a quoted attribute, and is isolated in its own direction.

use crate::domain::approval::schema::{
    Approval, Choice, Comment, Confirm, MAX_COMMENT, MAX_LABEL, Style, minify_json,
};
use crate::domain::page::i18n::Words;
use crate::domain::text::{is_same_word, single_line, strip_invisible};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::{CompletedBy, State, Token};
use askama::Template;
use std::borrow::Cow;

pub mod i18n;

/// Stands in the page; the response's policy names its hash.
pub const CSS: &str = include_str!("../../../www/page.css");
/// Stands in the page; the response's policy names its hash.
pub const JS: &str = include_str!("../../../www/page.js");

/// Largest body of the page's form, in bytes: a comment of the longest has 24,000 as a form.
pub const MAX_FORM: usize = 32 * 1024;
/// The field of the form that tells it from what a machine posts.
pub const NONCE_FIELD: &str = "waitpoint_nonce";

/// What a person filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormInput {
    /// The index of a choice.
    pub choice: String,
    /// The label of a choice, typed.
    pub typed: String,
    /// A comment.
    pub comment: String,
}

/// Why the form is shown again. Nothing was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormError {
    /// The nonce is too old, or not this page's.
    Stale,
    /// No choice was made.
    ChooseOne,
    /// What was typed is no choice's label.
    TypeExactly,
    /// A comment is required.
    CommentMissing,
    /// It is longer than [`MAX_COMMENT`].
    CommentLong,
    /// Too many attempts.
    Busy,
    /// Storage did not answer.
    Trouble,
}

/// What there is to add about a token that is no longer waiting, or whose link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// Somebody decided otherwise before.
    NotTaken,
    /// The same was decided before, without this comment.
    Same,
    /// The decision came after the timeout.
    TooLate,
    /// The link has expired; the token may still wait.
    Expired,
}

/// A page without a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// No such link.
    Unknown,
    /// Storage did not answer whoever only looked.
    Trouble,
    /// Storage did not answer whoever decided.
    TroubleDeciding,
    /// Too many have asked, and one of them only looked.
    Busy,
    /// Likewise, and one of them decided.
    BusyDeciding,
    /// A form of another site, or nothing that this page sends.
    Foreign,
    /// A form that is too large.
    TooLarge,
}

/// Who looks, and when.
#[derive(Clone, Copy)]
pub struct RenderContext<'a> {
    /// In which language.
    pub words: &'a Words,
    /// When.
    pub now: Timestamp,
    /// What the credential lets them read once the token is finished.
    pub reads: Reads,
}

/// What a credential lets its holder read of a token that is finished. While it waits, whoever may decide it
/// reads what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// What was asked and what was decided.
    Everything,
    /// What was asked.
    Question,
    /// That it is finished.
    Nothing,
}

/// What became of a draft for a token that is no longer waiting; `None` if it is what was decided.
#[must_use]
pub fn compare(token: &Token, approval: &Approval, draft: &FormInput) -> Option<Remark> {
    let State::Completed { decision, .. } = &token.state else {
        return Some(Remark::TooLate);
    };
    let stored = decision
        .output
        .as_ref()
        .map_or("", |output| output.text.as_str());
    let Ok(wanted) = decide(approval, draft) else {
        return Some(Remark::NotTaken);
    };
    if minify_json(&wanted) == minify_json(stored) {
        return None;
    }
    let label = |output| approval.choice_of(output).map(|(choice, _)| &choice.label);
    match (label(&wanted), label(stored)) {
        (Some(wanted), Some(stored)) if wanted == stored => Some(Remark::Same),
        _ => Some(Remark::NotTaken),
    }
}

/// What a token asks, in the words of a language where its creator said nothing.
#[must_use]
pub fn approval_of(token: &Token, words: &Words) -> Approval {
    let text = token.approval.as_deref().unwrap_or("{}");
    // It was checked when the token was created.
    let mut approval = Approval::read(text).unwrap_or_default();
    if approval.choices.is_empty() {
        let choice = |label: &str, status, style| Choice {
            label: label.to_owned(),
            data: Some(format!(r#"{{"status":"{status}"}}"#)),
            style,
        };
        approval.choices = vec![
            choice(words.approve, "approved", Style::Primary),
            choice(words.reject, "rejected", Style::Danger),
        ];
    }
    approval
}

/// The output that a draft decides for.
///
/// # Errors
/// What is missing.
pub fn decide(approval: &Approval, draft: &FormInput) -> Result<String, FormError> {
    let choice = match approval.confirm {
        Confirm::Click | Confirm::Choose => {
            let index = draft.choice.parse::<usize>().ok();
            index
                .and_then(|index| approval.choices.get(index))
                .ok_or(FormError::ChooseOne)?
        }
        Confirm::Typed => {
            let typed = |choice: &&Choice| is_same_word(&draft.typed, &choice.label);
            approval
                .choices
                .iter()
                .find(typed)
                .ok_or(FormError::TypeExactly)?
        }
    };
    // Browsers send line breaks of a form as CR LF.
    let comment = draft.comment.replace("\r\n", "\n");
    let comment = match approval.comment {
        Comment::None => "",
        Comment::Optional | Comment::Required => comment.trim(),
    };
    if comment.chars().count() > MAX_COMMENT {
        return Err(FormError::CommentLong);
    }
    if comment.is_empty() && approval.comment == Comment::Required {
        return Err(FormError::CommentMissing);
    }
    Ok(choice.output(comment))
}

/// The page of a token. While it waits, and unless the link has expired, with the form.
#[must_use]
pub fn of_token(
    view: RenderContext<'_>,
    token: &Token,
    nonce: &str,
    draft: &FormInput,
    fault: Option<FormError>,
    remark: Option<Remark>,
) -> String {
    let words = view.words;
    let expired = remark == Some(Remark::Expired);
    let approval = approval_of(token, words);
    let question = Question {
        title: approval
            .title
            .as_deref()
            .map_or(words.question.to_owned(), single_line),
        requested_by: approval
            .requested_by
            .as_deref()
            .map(single_line)
            .filter(|_| !expired),
        description: approval
            .description
            .as_deref()
            .map(strip_invisible)
            .filter(|_| !expired),
    };
    let open = token.state == State::Waiting && !expired;
    let question = (open || view.reads != Reads::Nothing).then_some(question);
    let reads_decision = view.reads == Reads::Everything;
    let form = open.then(|| Form::of(words, &approval, nonce, draft, fault));
    let (tone, headline, mut facts) = match &token.state {
        // The colour and the headline tell which choice it was, as the details do.
        State::Completed { .. } if !reads_decision => (Tone::Decided, words.decided, Vec::new()),
        _ => standing(words, token, &approval),
    };
    if expired || !reads_decision {
        facts.clear();
    }
    if !open && !draft.comment.trim().is_empty() {
        facts.push(Detail::text(words.comment_not_sent, "text", &draft.comment));
    }
    let sentence = match remark {
        Some(Remark::NotTaken) => words.not_taken,
        Some(Remark::Same) => words.same,
        Some(Remark::TooLate) => words.too_late,
        Some(Remark::Expired) => words.request_new_link,
        None if token.state == State::TimedOut => words.nobody_decided,
        None => words.nothing_to_do,
    };
    let end = (!open).then_some(End {
        headline: if expired { words.expired } else { headline },
        sentence,
    });
    let title = match (&end, &question) {
        (Some(end), Some(question)) => format!("{} · {}", end.headline, question.title),
        (Some(end), None) => end.headline.to_owned(),
        (None, Some(question)) => question.title.clone(),
        (None, None) => words.question.to_owned(),
    };
    render(&Document {
        words,
        title: &title,
        tone: if expired { Tone::Late } else { tone },
        now: TimeElement::of(view.now).iso,
        end,
        question,
        deadline: token.timeout_at.filter(|_| open).map(TimeElement::of),
        facts,
        form,
        scripted: true,
        css: CSS,
        js: JS,
    })
}

/// A page without a token.
#[must_use]
pub fn of_notice(words: &Words, notice: Notice) -> String {
    let (headline, sentence) = match notice {
        Notice::Unknown => (words.unknown, words.link_truncated),
        Notice::Trouble => (words.trouble, words.wait),
        Notice::TroubleDeciding => (words.trouble, words.try_again),
        Notice::Busy => (words.busy, words.wait),
        Notice::BusyDeciding => (words.busy, words.try_again),
        Notice::Foreign => (words.cross_site_title, words.cross_site_help),
        Notice::TooLarge => (words.too_large, words.comment_long),
    };
    render(&Document {
        words,
        title: headline,
        tone: Tone::Trouble,
        now: String::new(),
        end: Some(End { headline, sentence }),
        question: None,
        deadline: None,
        facts: Vec::new(),
        form: None,
        scripted: false,
        css: CSS,
        js: JS,
    })
}

/// How a token stands: its colour, its headline, and what is known of its end.
fn standing<'a>(
    words: &'a Words,
    token: &Token,
    approval: &Approval,
) -> (Tone, &'a str, Vec<Detail<'a>>) {
    let ended = |label| token.finished_at().map(|at| Detail::time(label, at));
    match &token.state {
        State::Waiting => (Tone::Waiting, words.question, Vec::new()),
        State::TimedOut => (
            Tone::Late,
            words.timed_out,
            ended(words.timed_out_at).into_iter().collect(),
        ),
        State::Completed { decision, .. } => {
            let output = decision
                .output
                .as_ref()
                .map_or("", |output| output.text.as_str());
            let chosen = approval.choice_of(output);
            let (tone, headline) = match chosen.as_ref().map(|(choice, _)| choice.style) {
                Some(Style::Primary) => (Tone::Approved, words.approved),
                Some(Style::Danger) => (Tone::Rejected, words.rejected),
                Some(Style::Neutral) | None => (Tone::Decided, words.decided),
            };
            let by = match (&decision.subject, decision.by) {
                (Some(subject), _) => subject.as_str(),
                (None, CompletedBy::Page) => words.by_page,
                (None, CompletedBy::Api | CompletedBy::Upstream) => words.by_api,
                (None, CompletedBy::Callback) => words.by_callback,
            };
            let mut facts = Vec::new();
            if let Some((choice, comment)) = &chosen {
                facts.push(Detail::text(words.decision, "strong", &choice.label));
                if !comment.is_empty() {
                    facts.push(Detail::text(words.comment, "text", &shown_comment(comment)));
                }
            }
            facts.push(Detail::text(words.decided_by, "", by));
            facts.extend(ended(words.decided_at));
            (tone, headline, facts)
        }
    }
}

/// At most [`MAX_COMMENT`] characters of a comment: by the API it can be longer than by the page.
fn shown_comment(comment: &str) -> Cow<'_, str> {
    let shown = prefix(comment, MAX_COMMENT);
    if shown.len() < comment.len() {
        Cow::Owned(format!("{shown}…"))
    } else {
        Cow::Borrowed(comment)
    }
}

/// At most so many characters.
fn prefix(text: &str, most: usize) -> &str {
    let end = text.char_indices().nth(most).map(|(end, _)| end);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

#[derive(Template)]
#[template(path = "page.html")]
struct Document<'a> {
    words: &'a Words,
    title: &'a str,
    tone: Tone,
    now: String,
    end: Option<End<'a>>,
    question: Option<Question>,
    deadline: Option<TimeElement>,
    facts: Vec<Detail<'a>>,
    form: Option<Form<'a>>,
    scripted: bool,
    css: &'static str,
    js: &'static str,
}

/// What is over, in a word and a sentence.
struct End<'a> {
    headline: &'a str,
    sentence: &'a str,
}

struct Question {
    title: String,
    requested_by: Option<String>,
    description: Option<String>,
}

struct Detail<'a> {
    label: &'a str,
    class: &'static str,
    text: String,
    time: Option<TimeElement>,
}

impl<'a> Detail<'a> {
    fn text(label: &'a str, class: &'static str, text: &str) -> Self {
        Self {
            label,
            class,
            text: strip_invisible(text),
            time: None,
        }
    }

    fn time(label: &'a str, at: Timestamp) -> Self {
        Self {
            label,
            class: "",
            text: String::new(),
            time: Some(TimeElement::of(at)),
        }
    }
}

/// An instant for the script, and for whoever has none.
struct TimeElement {
    iso: String,
    utc: String,
}

impl TimeElement {
    fn of(at: Timestamp) -> Self {
        let iso = at.to_string();
        let utc = match iso.split_once('T') {
            Some((date, time)) => format!("{date} {} UTC", time.get(..5).unwrap_or(time)),
            None => iso.clone(),
        };
        Self { iso, utc }
    }
}

struct Form<'a> {
    nonce: &'a str,
    alert: Option<&'a str>,
    bad_word: bool,
    bad_comment: bool,
    choices: Vec<Button>,
    chooses: bool,
    types: bool,
    typed: &'a str,
    comments: bool,
    comment_required: bool,
    comment: &'a str,
}

struct Button {
    index: usize,
    label: String,
    class: &'static str,
    chosen: bool,
}

impl<'a> Form<'a> {
    fn of(
        words: &'a Words,
        approval: &Approval,
        nonce: &'a str,
        draft: &'a FormInput,
        fault: Option<FormError>,
    ) -> Self {
        let button = |(index, choice): (usize, &Choice)| Button {
            index,
            label: single_line(&choice.label),
            class: match choice.style {
                Style::Primary => "primary",
                Style::Danger => "danger",
                Style::Neutral => "neutral",
            },
            chosen: draft.choice == index.to_string(),
        };
        Self {
            nonce,
            alert: fault.map(|fault| match fault {
                FormError::Stale => words.stale,
                FormError::ChooseOne => words.choose_one,
                FormError::TypeExactly => words.type_exactly,
                FormError::CommentMissing => words.comment_missing,
                FormError::CommentLong => words.comment_long,
                FormError::Busy => words.wait,
                FormError::Trouble => words.try_again,
            }),
            bad_word: fault == Some(FormError::TypeExactly),
            bad_comment: matches!(
                fault,
                Some(FormError::CommentMissing | FormError::CommentLong)
            ),
            choices: approval.choices.iter().enumerate().map(button).collect(),
            chooses: approval.confirm == Confirm::Choose,
            types: approval.confirm == Confirm::Typed,
            typed: prefix(&draft.typed, 4 * MAX_LABEL),
            comments: approval.comment != Comment::None,
            comment_required: approval.comment == Comment::Required,
            comment: &draft.comment,
        }
    }
}

/// What a page is about, at a glance; never by colour alone.
#[derive(Clone, Copy)]
enum Tone {
    Waiting,
    Approved,
    Rejected,
    Decided,
    Late,
    Trouble,
}

impl Tone {
    fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Decided => "decided",
            Self::Late => "late",
            Self::Trouble => "trouble",
        }
    }

    /// The path of its sign, in a square of 24.
    fn icon(self) -> &'static str {
        match self {
            Self::Waiting | Self::Late => "M12 4v8l5 3",
            Self::Approved => "M4 13l5 5L20 6",
            Self::Rejected => "M5 5l14 14M19 5L5 19",
            Self::Decided => "M4 12h16",
            Self::Trouble => "M12 3v11M12 20v.1",
        }
    }
}

fn render(document: &Document<'_>) -> String {
    // Only writing can fail, and that into a string does not.
    document.render().unwrap_or_default()
}
