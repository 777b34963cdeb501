//! What a list request asks, and what its page says.
//!
//! Invariants:
//! - Rows are ordered by [`Cursor`]: time of creation, then id. No two are equal, so a page's end is
//!   a place, and following cursors meets each matching row exactly once, in either direction.
//! - A page is shown newest first, whichever way it was asked for.
//!
//! Source of the parameters: trigger.dev's `ApiWaitpointListPresenter`. What it ignores because it cannot
//! read it is an error here, as the answer would hold tokens that were not asked for.

use crate::error::{EXCERPT, QueryIssue, Refusal, excerpt, shortened};
use crate::route::internal_id;
use crate::time::{PERIOD_FORMS, Timestamp, parse_since};
use crate::wire::{MAX_TAG, form_fields};
use std::fmt;

/// Rows of a page if `page[size]` does not say.
pub const DEFAULT_SIZE: usize = 25;
/// Most rows of a page.
pub const MAX_SIZE: usize = 100;

/// Most tags of a filter: each row's are compared with each of them.
pub const MAX_FILTER_TAGS: usize = 20;

const SIZE: &str = "page[size]";
const AFTER: &str = "page[after]";
const BEFORE: &str = "page[before]";
const STATUS: &str = "filter[status]";
const KEY: &str = "filter[idempotencyKey]";
const TAGS: &str = "filter[tags]";
const PERIOD: &str = "filter[createdAt][period]";
const FROM: &str = "filter[createdAt][from]";
const TO: &str = "filter[createdAt][to]";

/// Where a token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody has decided.
    Waiting,
    /// Somebody has.
    Completed,
    /// Nobody did in time.
    TimedOut,
}

impl Status {
    /// As `status` names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Completed => "COMPLETED",
            Self::TimedOut => "TIMED_OUT",
        }
    }
}

/// A set of [`Status`]es.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statuses {
    /// Holds [`Status::Waiting`].
    pub waiting: bool,
    /// Holds [`Status::Completed`].
    pub completed: bool,
    /// Holds [`Status::TimedOut`].
    pub timed_out: bool,
}

impl Statuses {
    /// Every status: no filter.
    pub const ALL: Statuses = Statuses {
        waiting: true,
        completed: true,
        timed_out: true,
    };

    /// Whether it holds a status.
    #[must_use]
    pub fn has(self, status: Status) -> bool {
        match status {
            Status::Waiting => self.waiting,
            Status::Completed => self.completed,
            Status::TimedOut => self.timed_out,
        }
    }
}

/// A row's place in the order of all rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// When the token was created.
    pub created_at: Timestamp,
    /// Its internal id.
    pub id: String,
}

impl Cursor {
    /// The text that a client sends back. It needs no escaping in a URL.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}_{}", self.created_at.as_millis(), self.id)
    }

    /// Reads what [`to_text`](Self::to_text) has written, and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (millis, id) = text.split_once('_')?;
        let created_at = Timestamp::from_millis(digits(millis)?);
        let cursor = Self {
            created_at,
            id: internal_id(id)?.to_owned(),
        };
        (cursor.to_text() == text).then_some(cursor)
    }
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At the newest row.
    Newest,
    /// With the rows older than this, the newest of them first.
    After(Cursor),
    /// With the rows newer than this, the oldest of them first.
    Before(Cursor),
}

/// A month of UTC, such as `2026-11`; later is greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(String);

impl Month {
    /// The month in which an instant lies.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let mut text = at.to_string();
        text.truncate("2026-11".len());
        Self(text)
    }

    /// Reads `2026-11`, `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let first = Timestamp::parse_iso(&format!("{text}-01"))?;
        Some(Self::of(first)).filter(|month| month.0 == text)
    }

    /// Its text, `2026-11`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the index knows of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The internal id.
    pub id: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it times out, if ever.
    pub timeout_at: Option<Timestamp>,
    /// When somebody decided, `None` after a timeout too.
    pub completed_at: Option<Timestamp>,
    /// Its tags, in the caller's order.
    pub tags: Vec<String>,
    /// The idempotency key that it was created with.
    pub idempotency_key: Option<String>,
    /// Until when that key leads to it.
    pub key_expires_at: Option<Timestamp>,
}

impl Row {
    /// Its place.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor {
            created_at: self.created_at,
            id: self.id.clone(),
        }
    }

    /// Where the token stands at `now`, whether or not its timeout was noticed.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        if self.completed_at.is_some() {
            Status::Completed
        } else if self.timeout_at.is_some_and(|at| at <= now) {
            Status::TimedOut
        } else {
            Status::Waiting
        }
    }

    /// When it ended: a timeout at its time, whenever that was noticed.
    #[must_use]
    pub fn finished_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.completed_at
            .or(self.timeout_at.filter(|&at| at <= now))
    }
}

/// A page, newest row first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its rows.
    pub rows: Vec<Row>,
    /// After which row older ones follow.
    pub next: Option<Cursor>,
    /// Before which row newer ones stand.
    pub previous: Option<Cursor>,
}

/// What a list request asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// Most rows of the page.
    pub size: usize,
    /// Where it begins.
    pub place: Place,
    /// The statuses to show.
    pub status: Statuses,
    /// The idempotency key to show.
    pub idempotency_key: Option<String>,
    /// Any of these tags must be there; empty: no filter.
    pub tags: Vec<String>,
    /// The earliest creation to show.
    pub from: Option<Timestamp>,
    /// The latest creation to show.
    pub to: Option<Timestamp>,
}

impl ListQuery {
    /// Reads a raw query, without its `?`. Of a name that repeats the last value counts, an empty
    /// value but a size is none, an unknown name means nothing.
    ///
    /// # Errors
    /// `Query`, with everything that is wrong.
    pub fn parse(query: &str, now: Timestamp) -> Result<Self, Refusal> {
        let names = [SIZE, AFTER, BEFORE, STATUS, KEY, TAGS, PERIOD, FROM, TO];
        let mut values = names.map(|_| None);
        for (name, value) in form_fields(query) {
            let slot = names
                .iter()
                .zip(&mut values)
                .find(|(known, _)| **known == name);
            if let Some((_, slot)) = slot {
                *slot = Some(value);
            }
        }
        let [size, after, before, status, key, tags, period, from, to] = values;
        let given = |value: Option<String>| value.filter(|text| !text.is_empty());

        let mut issues = Issues(Vec::new());
        let size = issues.read(SIZE, size, read_size).unwrap_or(DEFAULT_SIZE);
        let after = issues.read(AFTER, given(after), read_cursor);
        let before = issues.read(BEFORE, given(before), read_cursor);
        let status = issues.read(STATUS, given(status), read_statuses);
        let since = issues.read(PERIOD, given(period), |text| read_period(text, now));
        let tags = issues.read(TAGS, given(tags), read_tags);
        let from = issues.read(FROM, given(from), read_date);
        let to = issues.read(TO, given(to), read_date);
        if !issues.0.is_empty() {
            return Err(Refusal::Query(issues.0));
        }

        Ok(Self {
            size,
            place: match (before, after) {
                (Some(cursor), _) => Place::Before(cursor),
                (None, Some(cursor)) => Place::After(cursor),
                (None, None) => Place::Newest,
            },
            status: status.unwrap_or(Statuses::ALL),
            idempotency_key: given(key),
            tags: tags.unwrap_or_default(),
            // Of two starts the later one, as `None` is less than any.
            from: from.max(since),
            to,
        })
    }

    /// How many rows the index is asked for: one more than the page shows, to tell whether others follow.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.size + 1
    }

    /// Of the months that hold rows, those that may hold rows of this page, in the order in which
    /// they must be asked until there are [`wanted`](Self::wanted) rows.
    #[must_use]
    pub fn months(&self, known: &[Month]) -> Vec<Month> {
        let month = |cursor: &Cursor| Month::of(cursor.created_at);
        let (newest, oldest) = match &self.place {
            Place::Newest => (None, None),
            Place::After(cursor) => (Some(month(cursor)), None),
            Place::Before(cursor) => (None, Some(month(cursor))),
        };
        let from = oldest.max(self.from.map(Month::of));
        let to = self.to.map(Month::of);
        let fits = |known: &&Month| {
            let not_after = |end: &Option<Month>| end.as_ref().is_none_or(|end| *known <= end);
            from.as_ref().is_none_or(|from| *known >= from) && not_after(&to) && not_after(&newest)
        };
        let mut months = Vec::new();
        for month in known.iter().filter(fits) {
            insert(&mut months, month);
        }
        months.dedup();
        if !matches!(self.place, Place::Before(_)) {
            months.reverse();
        }
        months.into_iter().cloned().collect()
    }

    /// Whether the filters let a row through and it lies on the page's side of the cursor.
    #[must_use]
    pub fn admits(&self, row: &Row, now: Timestamp) -> bool {
        let placed = match &self.place {
            Place::Newest => true,
            Place::After(cursor) => row.cursor() < *cursor,
            Place::Before(cursor) => row.cursor() > *cursor,
        };
        placed
            && self.status.has(row.status(now))
            && (self.idempotency_key.is_none() || self.idempotency_key == row.idempotency_key)
            && (self.tags.is_empty() || self.tags.iter().any(|tag| row.tags.contains(tag)))
            && self.from.is_none_or(|from| row.created_at >= from)
            && self.to.is_none_or(|to| row.created_at <= to)
    }

    /// The page, of the first [`wanted`](Self::wanted) rows that it [`admits`](Self::admits), nearest to
    /// its place first: oldest first for [`Place::Before`], else newest first.
    #[must_use]
    pub fn page(&self, mut rows: Vec<Row>) -> Page {
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        let backward = matches!(self.place, Place::Before(_));
        if backward {
            rows.reverse();
        }
        // Behind the cursor lies at least the row that it was taken from.
        let (newer, older) = match self.place {
            Place::Newest => (false, more),
            Place::After(_) => (true, more),
            Place::Before(_) => (more, true),
        };
        Page {
            next: rows.last().filter(|_| older).map(Row::cursor),
            previous: rows.first().filter(|_| newer).map(Row::cursor),
            rows,
        }
    }
}

/// What is wrong with the query so far.
struct Issues(Vec<QueryIssue>);

impl Issues {
    fn read<T>(
        &mut self,
        name: &'static str,
        value: Option<String>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        match read(&value?) {
            Ok(value) => Some(value),
            Err(message) => {
                self.0.push(QueryIssue { name, message });
                None
            }
        }
    }
}

fn read_size(text: &str) -> Result<usize, String> {
    digits(text)
        .and_then(|size| usize::try_from(size).ok())
        .filter(|size| (1..=MAX_SIZE).contains(size))
        .ok_or_else(|| {
            let text = excerpt(text);
            format!("{text} is no page size; give an integer from 1 to {MAX_SIZE}")
        })
}

fn read_cursor(text: &str) -> Result<Cursor, String> {
    Cursor::parse(text).ok_or_else(|| {
        let text = excerpt(text);
        format!("{text} is no cursor; give what a page's pagination says, as it is")
    })
}

fn read_statuses(text: &str) -> Result<Statuses, String> {
    let mut statuses = Statuses {
        waiting: false,
        completed: false,
        timed_out: false,
    };
    let mut unknown = String::new();
    for name in items(text) {
        match name {
            "WAITING" => statuses.waiting = true,
            "COMPLETED" => statuses.completed = true,
            "TIMED_OUT" => statuses.timed_out = true,
            _ => {
                unknown += if unknown.is_empty() { "" } else { ", " };
                unknown += name;
            }
        }
    }
    if !unknown.is_empty() {
        let unknown = shortened(&unknown, EXCERPT);
        return Err(format!(
            "Invalid status values: {unknown}; give WAITING, COMPLETED or TIMED_OUT"
        ));
    }
    // Commas alone name nothing.
    let any = statuses.waiting || statuses.completed || statuses.timed_out;
    Ok(if any { statuses } else { Statuses::ALL })
}

fn read_tags(text: &str) -> Result<Vec<String>, String> {
    let tags: Vec<_> = items(text).map(str::to_owned).collect();
    if tags.len() > MAX_FILTER_TAGS {
        return Err(format!(
            "{} tags are too many; give at most {MAX_FILTER_TAGS}",
            tags.len()
        ));
    }
    // No token has a longer one, and the filter is read again for each row.
    match tags.iter().find(|tag| tag.chars().count() > MAX_TAG) {
        Some(tag) => Err(format!(
            "{} is no tag; give at most {MAX_TAG} characters",
            excerpt(tag)
        )),
        None => Ok(tags),
    }
}

fn read_date(text: &str) -> Result<Timestamp, String> {
    digits(text)
        .map(Timestamp::from_millis)
        .or_else(|| Timestamp::parse_iso(text))
        .ok_or_else(|| {
            let text = excerpt(text);
            format!("Invalid date {text}; give milliseconds since 1970 or ISO 8601")
        })
}

fn read_period(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    parse_since(text, now)
        .ok_or_else(|| format!("{} is no period; give {PERIOD_FORMS}", excerpt(text)))
}

/// A number of decimal digits alone.
fn digits(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// The items of a list with commas, but for empty ones.
fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').filter(|item| !item.is_empty())
}

/// Puts an item in its place. Lists here are short, and `sort` is kilobytes of the Worker.
pub(crate) fn insert<T: Ord>(list: &mut Vec<T>, item: T) {
    let place = list.partition_point(|other| *other <= item);
    list.insert(place, item);
}
