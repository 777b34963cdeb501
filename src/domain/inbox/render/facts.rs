//! What is known of a token besides its question and its decision.

use super::layout::{status, with_number};
use crate::domain::api::delivery_body::DeliveryBody;
use crate::domain::api::history_body::{EntryBody, EntryKind, RecipientBody, history};
use crate::domain::api::token_body::status as status_name;
use crate::domain::json::minify_json;
use crate::domain::page::i18n::Words;
use crate::domain::page::{TimeElement, approval_of, decider};
use crate::domain::text::{prefix, single_line, strip_invisible};
use crate::domain::token::delivery::{Delivery, Progress, Target};
use crate::domain::token::{Output, OutputKind, State, Token};
use askama::Template;

/// The longest output that is shown, in characters.
pub const MAX_OUTPUT: usize = 8_000;
/// The deepest indentation of JSON, which keeps an output of brackets small.
const MAX_DEPTH: usize = 12;

#[derive(Template)]
#[template(path = "inbox/facts.html")]
struct Facts<'a> {
    words: &'a Words,
    /// For the script.
    status_name: &'static str,
    /// For the script.
    deadline: String,
    /// What changes with each vote, for the script.
    votes: String,
    /// The public id.
    id: &'a str,
    status: &'static str,
    created: TimeElement,
    /// The default decision.
    at_deadline: Option<String>,
    tags: Vec<String>,
    key: Option<String>,
    output: Option<String>,
    deliveries: Vec<DeliveryView<'a>>,
    history: Vec<EntryView<'a>>,
}

struct DeliveryView<'a> {
    status: &'a str,
    class: &'static str,
    event: &'static str,
    target: String,
    attempts: String,
    /// An English sentence, as the API has it.
    problem: Option<String>,
    next: Option<TimeElement>,
}

struct EntryView<'a> {
    label: &'a str,
    /// The new deadline.
    until: Option<TimeElement>,
    /// What stands before the text. Who decided is named in the case that follows it.
    before: Option<&'a str>,
    text: Option<String>,
    at: TimeElement,
}

pub(super) fn facts(words: &Words, id: &str, token: &Token) -> String {
    let deliveries = token.deliveries.iter();
    let entries = history(token).into_iter();
    let facts = Facts {
        words,
        status_name: status_name(token),
        deadline: token
            .timeout_at
            .map(|at| at.to_string())
            .unwrap_or_default(),
        id,
        votes: (token.votes.last()).map_or(String::new(), |last| last.at.to_string()),
        status: status(words, token),
        created: TimeElement::of(token.created_at),
        at_deadline: default_decision(words, token),
        tags: token.tags.iter().map(|tag| strip_invisible(tag)).collect(),
        key: token.key.as_ref().map(|key| strip_invisible(&key.text)),
        output: match &token.state {
            State::Completed { decision, .. } => decision.output.as_ref().and_then(shown),
            State::Waiting | State::TimedOut | State::Cancelled { .. } => None,
        },
        deliveries: deliveries
            .map(|one| DeliveryView::of(words, one, token))
            .collect(),
        history: entries
            .map(|entry| EntryView::of(words, &entry, token))
            .collect(),
    };
    facts.render().unwrap_or_default()
}

/// What is decided at the deadline, while the token waits.
fn default_decision(words: &Words, token: &Token) -> Option<String> {
    let default = token
        .on_timeout
        .as_ref()
        .filter(|_| token.state == State::Waiting)?;
    let Some(output) = &default.output else {
        return Some(words.decided.to_owned());
    };
    let approval = approval_of(token, words);
    let label = approval
        .choice_of(&output.text)
        .map(|(choice, ..)| single_line(&choice.label));
    label.or_else(|| shown(output))
}

/// An output as it is shown; `None` if there is nothing to show.
fn shown(output: &Output) -> Option<String> {
    if output.text.is_empty() {
        return None;
    }
    let text = prefix(&output.text, MAX_OUTPUT);
    let end = if text.len() < output.text.len() {
        "…"
    } else {
        ""
    };
    let text = strip_invisible(text);
    Some(match output.kind {
        OutputKind::Json => pretty(&text) + end,
        OutputKind::Text | OutputKind::Stored => text + end,
    })
}

/// JSON with line breaks, and each number as it was written.
fn pretty(json: &str) -> String {
    let mut shown = String::new();
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    // The last character outside of strings.
    let mut last = ' ';
    for c in minify_json(json).chars() {
        let is_closing = !quoted && matches!(c, '}' | ']');
        if is_closing {
            depth = depth.saturating_sub(1);
        }
        let begins_line = match last {
            '{' | '[' => !is_closing,
            ',' => true,
            _ => is_closing,
        };
        if !quoted && begins_line {
            shown.push('\n');
            shown.push_str(&"  ".repeat(depth.min(MAX_DEPTH)));
        }
        shown.push(c);
        if !quoted {
            match c {
                ':' => shown.push(' '),
                '{' | '[' => depth += 1,
                _ => {}
            }
            last = c;
        }
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
    }
    shown
}

impl<'a> DeliveryView<'a> {
    fn of(words: &'a Words, delivery: &Delivery, token: &Token) -> Self {
        let inbox = &words.inbox;
        let body = DeliveryBody::of(delivery, token);
        let (status, class) = match delivery.progress {
            Progress::Pending(_) => (inbox.pending, ""),
            Progress::Delivered => (inbox.delivered, "ok"),
            Progress::Failed => (inbox.failed, "bad"),
        };
        let target = match delivery.target {
            Target::Environment => inbox.environment_webhook.to_owned(),
            Target::Token => {
                format!("{} {}", inbox.request_webhook, body.url.unwrap_or_default())
            }
            Target::Upstream => inbox.upstream.to_owned(),
            Target::Recipient(_) => {
                let to = body.to.or(body.url).unwrap_or_default();
                format!("{} {to}", body.target)
            }
        };
        let http = body
            .last_status
            .filter(|_| delivery.progress != Progress::Delivered);
        let problem = body.difference.or(body.last_error).map(str::to_owned);
        Self {
            status,
            class,
            event: body.event,
            target: single_line(&target),
            attempts: with_number(inbox.attempts, usize::try_from(body.attempts).unwrap_or(0)),
            problem: problem.or_else(|| http.map(|status| format!("HTTP {status}"))),
            next: body.next_attempt_at.map(TimeElement::of),
        }
    }
}

impl<'a> EntryView<'a> {
    fn of(words: &'a Words, entry: &EntryBody<'_>, token: &Token) -> Self {
        let inbox = &words.inbox;
        let label = match entry.kind {
            EntryKind::Created => inbox.created,
            EntryKind::Notified => inbox.notified,
            EntryKind::Reminded => inbox.reminded,
            EntryKind::Extended => inbox.new_deadline,
            EntryKind::Voted => inbox.voted,
            EntryKind::CallbackIgnored => inbox.callback_ignored,
            EntryKind::Completed => words.decided,
            EntryKind::Cancelled => words.withdrawn,
            EntryKind::TimedOut => inbox.timed_out,
        };
        let to = entry.to.as_ref().map(|to| match to {
            RecipientBody::Email(to)
            | RecipientBody::Slack(to)
            | RecipientBody::Teams(to)
            | RecipientBody::Webhook(to) => *to,
        });
        let by = match &token.state {
            State::Completed { decision, .. } if entry.kind == EntryKind::Completed => {
                Some(decider(words, decision))
            }
            _ => entry.by,
        };
        Self {
            label,
            until: entry.timeout_at.map(TimeElement::of),
            before: (entry.kind == EntryKind::Completed).then_some(words.decided_by),
            text: to.or(by).or(entry.reason).map(single_line),
            at: TimeElement::of(entry.at),
        }
    }
}
