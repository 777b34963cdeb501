//! What an operator wants to see: a view, filters, and where the page begins.
//!
//! Invariants:
//! - [`InboxQuery::parse`] reads what [`InboxQuery::to_query`] writes.
//! - Tokens that wait are in the order of their deadlines, those without one last; tokens that ended, the
//!   last one first. No two tokens have the same [`Position`].

use crate::domain::api::form::form_fields;
use crate::domain::api::limits::MAX_TAG;
use crate::domain::auth::token_id::{PREFIX, internal_id};
use crate::domain::encoding::{digits, percent_encode};
use crate::domain::list::row::Row;
use crate::domain::text::prefix;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::status::Status;
use std::time::Duration;

/// Longest text that is searched for, in characters.
pub const MAX_TEXT: usize = 120;

/// Characters of the internal ids that are made here.
const ID_LENGTH: usize = 25;

/// Shortest text that is searched for in ids without their prefix, in bytes.
const MIN_TEXT_IN_ID: usize = 6;

/// Rows on a page, and on a large one.
pub const SIZES: [usize; 2] = [50, 200];

/// The end of a token that has no deadline.
pub const NEVER: Timestamp = Timestamp::MAX;

/// Which tokens are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    #[default]
    Waiting,
    Decided,
    TimedOut,
    Withdrawn,
}

/// A time that a filter names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    Hour,
    Day,
    Week,
    Month,
}

/// A filter by the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It comes in at most this time.
    Within(Span),
    /// There is none.
    Never,
}

/// A page of the inbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboxQuery {
    pub view: View,
    /// A part of the title or the id, without regard to case in the title; empty for any.
    pub text: String,
    /// A tag; empty for any.
    pub tag: String,
    /// The token was created at least this long ago.
    pub age: Option<Span>,
    /// Of tokens that wait only.
    pub due: Option<Due>,
    /// Whether a delivery of the token must have failed.
    pub has_failed: bool,
    /// Whether the page is a large one.
    pub is_large: bool,
    /// The page begins behind this position.
    pub after: Option<Position>,
}

/// The place of a token in the order of the page: when it ended or will end, and what tells it from others
/// that end then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// [`NEVER`] for a token that waits without a deadline.
    pub end: Timestamp,
    pub created_at: Timestamp,
    /// The internal id.
    pub id: String,
}

impl View {
    pub const ALL: [Self; 4] = [
        Self::Waiting,
        Self::Decided,
        Self::TimedOut,
        Self::Withdrawn,
    ];

    /// The name in a query.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Decided => "decided",
            Self::TimedOut => "timed-out",
            Self::Withdrawn => "withdrawn",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|view| view.as_str() == name)
    }

    /// The view that shows a token.
    #[must_use]
    pub fn of(row: &Row, now: Timestamp) -> Self {
        match row.status(now) {
            Status::Waiting => Self::Waiting,
            Status::Completed => Self::Decided,
            Status::TimedOut if row.is_cancelled => Self::Withdrawn,
            Status::TimedOut => Self::TimedOut,
        }
    }
}

impl Span {
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The name in a query.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "1d",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    #[must_use]
    pub fn duration(self) -> Duration {
        const HOUR: u64 = 60 * 60;
        Duration::from_secs(match self {
            Self::Hour => HOUR,
            Self::Day => 24 * HOUR,
            Self::Week => 7 * 24 * HOUR,
            Self::Month => 30 * 24 * HOUR,
        })
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|span| span.as_str() == name)
    }
}

impl Due {
    /// Those that are offered.
    pub const ALL: [Self; 4] = [
        Self::Within(Span::Hour),
        Self::Within(Span::Day),
        Self::Within(Span::Week),
        Self::Never,
    ];

    /// The name in a query.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Within(span) => span.as_str(),
            Self::Never => "none",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|due| due.as_str() == name)
    }
}

impl Position {
    /// The place of a row.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        Self {
            end: row.ended_at.or(row.timeout_at).unwrap_or(NEVER),
            created_at: row.created_at,
            id: row.id.clone(),
        }
    }

    /// The text in a query.
    #[must_use]
    pub fn to_text(&self) -> String {
        let (end, created) = (self.end.as_millis(), self.created_at.as_millis());
        format!("{end}_{created}_{}", self.id)
    }

    /// Reads only what [`to_text`](Self::to_text) writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (end, rest) = text.split_once('_')?;
        let (created, id) = rest.split_once('_')?;
        let position = Self {
            end: Timestamp::from_millis(digits(end)?),
            created_at: Timestamp::from_millis(digits(created)?),
            id: internal_id(id)?.to_owned(),
        };
        (position.to_text() == text).then_some(position)
    }
}

/// The first characters of a text. A space at their end would be gone when it is read again.
fn first(text: &str, limit: usize) -> String {
    prefix(text, limit).trim_end().to_owned()
}

impl InboxQuery {
    /// Reads a query without its `?`. A value that no form of the inbox sends counts as none, and the page
    /// shows which filters it has.
    #[must_use]
    pub fn parse(query: &str) -> Self {
        let mut parsed = Self::default();
        for (name, value) in form_fields(query) {
            let value = value.trim();
            match name.as_str() {
                "view" => parsed.view = View::parse(value).unwrap_or_default(),
                "text" => parsed.text = first(value, MAX_TEXT),
                "tag" => parsed.tag = first(value, MAX_TAG),
                "age" => parsed.age = Span::parse(value),
                "due" => parsed.due = Due::parse(value),
                "failed" => parsed.has_failed = value == "1",
                "size" => parsed.is_large = value == "200",
                "after" => parsed.after = Position::parse(value),
                _ => {}
            }
        }
        if parsed.view != View::Waiting {
            parsed.due = None;
        }
        parsed
    }

    /// The query, with its `?` unless it is empty.
    #[must_use]
    pub fn to_query(&self) -> String {
        let after = self.after.as_ref().map(Position::to_text);
        let view = Some(self.view).filter(|&view| view != View::default());
        let pairs = [
            ("view", view.map_or("", View::as_str)),
            ("text", &self.text),
            ("tag", &self.tag),
            ("age", self.age.map_or("", Span::as_str)),
            ("due", self.due.map_or("", Due::as_str)),
            ("failed", if self.has_failed { "1" } else { "" }),
            ("size", if self.is_large { "200" } else { "" }),
            ("after", after.as_deref().unwrap_or_default()),
        ];
        let mut query = String::new();
        for (name, value) in pairs {
            if !value.is_empty() {
                query.push(if query.is_empty() { '?' } else { '&' });
                query += name;
                query.push('=');
                percent_encode(value, &mut query);
            }
        }
        query
    }

    /// The same view with the same filters, from its first row.
    #[must_use]
    pub fn from_start(&self) -> Self {
        self.behind(None)
    }

    /// The same view with the same filters, behind this position.
    #[must_use]
    pub fn behind(&self, after: Option<Position>) -> Self {
        Self {
            after,
            ..self.clone()
        }
    }

    /// Another view with the same filters.
    #[must_use]
    pub fn of_view(&self, view: View) -> Self {
        Self {
            view,
            due: self.due.filter(|_| view == View::Waiting),
            ..self.from_start()
        }
    }

    /// Whether some tokens of the view may not be shown.
    #[must_use]
    pub fn has_filters(&self) -> bool {
        !self.text.is_empty() || self.has_filters_besides_text()
    }

    /// Whether there are filters besides the text that is searched for.
    #[must_use]
    pub fn has_filters_besides_text(&self) -> bool {
        let has_tag = !self.tag.is_empty();
        has_tag || self.age.is_some() || self.due.is_some() || self.has_failed
    }

    /// The most rows on the page.
    #[must_use]
    pub fn size(&self) -> usize {
        let [small, large] = SIZES;
        if self.is_large { large } else { small }
    }

    /// The id that is searched for, if the text is a whole public one.
    #[must_use]
    pub fn searched_id(&self) -> Option<&str> {
        let id = internal_id(&self.text)?;
        (self.text.starts_with(PREFIX) && id.len() == ID_LENGTH).then_some(id)
    }

    /// The text that is searched for in ids; `None` if it is so short that ids would have it by chance.
    #[must_use]
    pub fn text_in_id(&self) -> Option<&str> {
        let named = self
            .text
            .strip_prefix(PREFIX)
            .filter(|rest| !rest.is_empty());
        let long = Some(self.text.as_str()).filter(|text| text.len() >= MIN_TEXT_IN_ID);
        named.or(long)
    }

    /// The latest creation of the tokens that are shown.
    #[must_use]
    pub fn created_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.age.map(|age| now.minus(age.duration()))
    }

    /// The first and the last end of the tokens that are shown.
    #[must_use]
    pub fn ends(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        const MILLISECOND: Duration = Duration::from_millis(1);
        match (self.view, self.due) {
            (View::Waiting, None) => (now.plus(MILLISECOND), NEVER),
            (View::Waiting, Some(Due::Never)) => (NEVER, NEVER),
            (View::Waiting, Some(Due::Within(span))) => {
                (now.plus(MILLISECOND), now.plus(span.duration()))
            }
            (View::Decided | View::TimedOut | View::Withdrawn, _) => {
                (Timestamp::from_millis(0), NEVER)
            }
        }
    }

    /// Whether the first of two positions comes first on the page.
    #[must_use]
    pub fn is_before(&self, one: &Position, other: &Position) -> bool {
        match self.view {
            View::Waiting => one < other,
            View::Decided | View::TimedOut | View::Withdrawn => one > other,
        }
    }

    /// Whether a row is shown. The index says the same in SQL; tests compare pages with this.
    #[must_use]
    pub fn matches(&self, row: &Row, now: Timestamp) -> bool {
        let position = Position::of(row);
        let (first, last) = self.ends(now);
        let title = row.title.as_deref().unwrap_or_default().to_lowercase();
        let has_text = self.text.is_empty()
            || title.contains(&self.text.to_lowercase())
            || (self.text_in_id()).is_some_and(|text| row.id.contains(text));
        View::of(row, now) == self.view
            && (first..=last).contains(&position.end)
            && has_text
            && (self.tag.is_empty() || row.tags.contains(&self.tag))
            && (self.created_until(now)).is_none_or(|until| row.created_at <= until)
            && (!self.has_failed || row.failed_deliveries > 0)
            && (self.after.as_ref()).is_none_or(|after| self.is_before(after, &position))
    }
}
