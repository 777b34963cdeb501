//! The list.

use super::layout::{nonce, page, with_number};
use super::view::Frame;
use crate::domain::auth::token_id::public_id;
use crate::domain::inbox::decision::decision_in;
use crate::domain::inbox::page::InboxPage;
use crate::domain::inbox::query::{Due, InboxQuery, NEVER, Position, SIZES, Span, View};
use crate::domain::list::row::Row;
use crate::domain::page::TimeElement;
use crate::domain::page::i18n::Words;
use crate::domain::text::{single_line, strip_invisible};
use crate::domain::time::timestamp::Timestamp;
use askama::Template;

#[derive(Template)]
#[template(path = "inbox/list.html")]
struct List<'a> {
    words: &'a Words,
    nonce: &'a str,
    query: &'a InboxQuery,
    /// The name of the view; empty for the first one.
    view: &'static str,
    tabs: Vec<Tab>,
    has_open_filters: bool,
    ages: Vec<SelectOption>,
    /// Only tokens that wait are filtered by their deadline: in other views it is empty.
    dues: Vec<SelectOption>,
    /// The number of rows of a large page, and the sentence with it.
    many: usize,
    many_rows: String,
    /// The query without filters, if there are some.
    clear: Option<String>,
    rows: Vec<RowView>,
    /// Whether rows can be marked.
    is_markable: bool,
    /// What stands before the time of a row.
    when: &'static str,
    /// Why there are no rows.
    empty: Option<&'static str>,
    searched_to: Option<SearchedTo>,
    next: Option<String>,
    first: Option<String>,
}

struct Tab {
    query: String,
    label: &'static str,
    is_current: bool,
}

struct SelectOption {
    value: &'static str,
    label: &'static str,
    is_chosen: bool,
}

struct RowView {
    /// The public id.
    id: String,
    title: String,
    tags: Vec<String>,
    created: TimeElement,
    /// When it ended or will end.
    when: Option<TimeElement>,
    /// Whether little time is left.
    is_soon: bool,
    has_failed: bool,
    /// What it was decided.
    decision: Option<String>,
}

/// Where the search stopped: a sentence with a time in it, or with "no deadline".
struct SearchedTo {
    before: &'static str,
    time: Option<TimeElement>,
    after: &'static str,
}

/// The list.
#[must_use]
pub fn list(frame: Frame<'_>, query: &InboxQuery, found: &InboxPage) -> String {
    let words = frame.words;
    let label = |view| match view {
        View::Waiting => words.inbox.waiting,
        View::Decided => words.decided,
        View::TimedOut => words.inbox.timed_out,
        View::Withdrawn => words.withdrawn,
    };
    let is_waiting = query.view == View::Waiting;
    let position = found.next.as_ref();
    let next = position.map(|at| query.behind(Some(at.clone())).to_query());
    let without_filters = InboxQuery {
        view: query.view,
        is_large: query.is_large,
        ..InboxQuery::default()
    };
    let [_, many] = SIZES;
    let list = List {
        words,
        nonce: nonce(frame),
        query,
        view: if is_waiting { "" } else { query.view.as_str() },
        tabs: View::ALL
            .map(|view| Tab::of(query, view, label(view)))
            .into(),
        has_open_filters: query.has_filters_besides_text() || query.is_large,
        ages: ages(words, query),
        dues: if is_waiting {
            dues(words, query)
        } else {
            Vec::new()
        },
        many,
        many_rows: with_number(words.inbox.many_rows, many),
        clear: query.has_filters().then(|| without_filters.to_query()),
        rows: found
            .rows
            .iter()
            .map(|row| RowView::of(words, row, is_waiting, frame.now))
            .collect(),
        is_markable: is_waiting,
        when: if is_waiting {
            words.inbox.due
        } else {
            label(query.view)
        },
        empty: empty(words, query, found),
        searched_to: position
            .filter(|_| found.is_partial)
            .map(|at| SearchedTo::of(words, at)),
        next,
        first: query.after.as_ref().map(|_| query.from_start().to_query()),
    };
    let content = list.render().unwrap_or_default();
    page(frame, label(query.view), "list", &content)
}

fn empty(words: &Words, query: &InboxQuery, found: &InboxPage) -> Option<&'static str> {
    if !found.rows.is_empty() || found.is_partial {
        return None;
    }
    Some(match query.view {
        _ if query.has_filters() => words.inbox.nothing_matches,
        View::Waiting => words.inbox.nothing_waits,
        View::Decided | View::TimedOut | View::Withdrawn => words.inbox.nothing_here,
    })
}

fn span(words: &Words, span: Span) -> &'static str {
    let [hour, day, week, month] = words.inbox.spans;
    match span {
        Span::Hour => hour,
        Span::Day => day,
        Span::Week => week,
        Span::Month => month,
    }
}

fn ages(words: &Words, query: &InboxQuery) -> Vec<SelectOption> {
    let any = SelectOption::any(words, query.age.is_none());
    let option = |age: Span| SelectOption {
        value: age.as_str(),
        label: span(words, age),
        is_chosen: query.age == Some(age),
    };
    std::iter::once(any).chain(Span::ALL.map(option)).collect()
}

fn dues(words: &Words, query: &InboxQuery) -> Vec<SelectOption> {
    let any = SelectOption::any(words, query.due.is_none());
    let option = |due: Due| SelectOption {
        value: due.as_str(),
        label: match due {
            Due::Within(within) => span(words, within),
            Due::Never => words.inbox.no_deadline,
        },
        is_chosen: query.due == Some(due),
    };
    std::iter::once(any).chain(Due::ALL.map(option)).collect()
}

impl Tab {
    fn of(query: &InboxQuery, view: View, label: &'static str) -> Self {
        Self {
            query: query.of_view(view).to_query(),
            label,
            is_current: query.view == view,
        }
    }
}

impl SelectOption {
    fn any(words: &Words, is_chosen: bool) -> Self {
        Self {
            value: "",
            label: words.inbox.any,
            is_chosen,
        }
    }
}

impl RowView {
    fn of(words: &Words, row: &Row, is_waiting: bool, now: Timestamp) -> Self {
        let when = match is_waiting {
            true => row.timeout_at,
            false => row.finished_at(now),
        };
        let soon = now.plus(Span::Hour.duration());
        Self {
            id: public_id(&row.id),
            title: row.title.as_deref().map(single_line).unwrap_or_default(),
            tags: row.tags.iter().map(|tag| strip_invisible(tag)).collect(),
            created: TimeElement::of(row.created_at),
            when: when.map(TimeElement::of),
            is_soon: is_waiting && when.is_some_and(|at| at <= soon),
            has_failed: row.failed_deliveries > 0,
            decision: (row.decision.as_deref()).map(|made| decision_in(words, made)),
        }
    }
}

impl SearchedTo {
    fn of(words: &Words, at: &Position) -> Self {
        let sentence = words.inbox.searched_to;
        let (before, after) = sentence.split_once("{t}").unwrap_or((sentence, ""));
        Self {
            before,
            time: (at.end != NEVER).then(|| TimeElement::of(at.end)),
            after,
        }
    }
}
