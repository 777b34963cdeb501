//! The query of a list request. Source of the parameters: trigger.dev's `ApiWaitpointListPresenter`.
//!
//! Invariant: an invalid value is an error, and all errors are reported at once. trigger.dev ignores
//! invalid values, so its response contains tokens that were not asked for.

use super::cursor::Cursor;
use super::statuses::Statuses;
use crate::domain::api::error::{ApiError, QueryIssue};
use crate::domain::api::excerpt::{EXCERPT, excerpt, shortened};
use crate::domain::api::form::form_fields;
use crate::domain::api::limits::MAX_TAG;
use crate::domain::encoding::digits;
use crate::domain::time::period::{PERIOD_FORMS, parse_since};
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::status::Status;

/// The number of rows on a page without `page[size]`.
pub const DEFAULT_SIZE: usize = 25;
/// The most rows on a page.
pub const MAX_SIZE: usize = 100;
/// The most tags of a filter. Each is compared with each tag of each row.
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

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListQuery {
    /// The most rows on the page.
    pub size: usize,
    pub start: PageStart,
    pub status: Statuses,
    pub idempotency_key: Option<String>,
    /// A token must have one of these tags. Empty means no filter.
    pub tags: Vec<String>,
    /// The earliest time of creation.
    pub from: Option<Timestamp>,
    /// The latest time of creation.
    pub to: Option<Timestamp>,
}

/// Where the page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageStart {
    Newest,
    /// With the rows older than this one, newest first.
    After(Cursor),
    /// With the rows newer than this one, oldest first.
    Before(Cursor),
}

impl ListQuery {
    /// Parses a query string without its `?`. The last value of a repeated name counts. An empty
    /// value means that the parameter is absent, except for the size. Unknown names are ignored.
    ///
    /// # Errors
    /// `InvalidQuery` with all errors.
    pub fn parse(query: &str, now: Timestamp) -> Result<Self, ApiError> {
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
            return Err(ApiError::InvalidQuery(issues.0));
        }

        Ok(Self {
            size,
            start: match (before, after) {
                (Some(cursor), _) => PageStart::Before(cursor),
                (None, Some(cursor)) => PageStart::After(cursor),
                (None, None) => PageStart::Newest,
            },
            status: status.unwrap_or(Statuses::ALL),
            idempotency_key: given(key),
            tags: tags.unwrap_or_default(),
            // Of two bounds the later one counts. `None` compares as less than any.
            from: from.max(since),
            to,
        })
    }
}

/// The errors of the query so far.
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
            format!("{text} is not a valid page size. Use an integer from 1 to {MAX_SIZE}.")
        })
}

fn read_cursor(text: &str) -> Result<Cursor, String> {
    Cursor::parse(text).ok_or_else(|| {
        let text = excerpt(text);
        format!("{text} is not a valid cursor. Use one from the `pagination` of a page, unchanged.")
    })
}

fn read_statuses(text: &str) -> Result<Statuses, String> {
    let mut statuses = Statuses {
        waiting: false,
        completed: false,
        timed_out: false,
    };
    let mut unknown = String::new();
    for name in comma_separated(text) {
        match Status::parse(name) {
            Some(Status::Waiting) => statuses.waiting = true,
            Some(Status::Completed) => statuses.completed = true,
            Some(Status::TimedOut) => statuses.timed_out = true,
            None => {
                unknown += if unknown.is_empty() { "" } else { ", " };
                unknown += name;
            }
        }
    }
    if !unknown.is_empty() {
        let unknown = shortened(&unknown, EXCERPT);
        return Err(format!(
            "Invalid status values: {unknown}. Use WAITING, COMPLETED or TIMED_OUT."
        ));
    }
    // A list with only commas has no items.
    let any = statuses.waiting || statuses.completed || statuses.timed_out;
    Ok(if any { statuses } else { Statuses::ALL })
}

fn read_tags(text: &str) -> Result<Vec<String>, String> {
    let tags: Vec<_> = comma_separated(text).map(str::to_owned).collect();
    if tags.len() > MAX_FILTER_TAGS {
        return Err(format!(
            "{} tags are too many. Use at most {MAX_FILTER_TAGS}.",
            tags.len()
        ));
    }
    // No token has a longer tag, and the filter is parsed again for each month.
    match tags.iter().find(|tag| tag.chars().count() > MAX_TAG) {
        Some(tag) => Err(format!(
            "{} is too long for a tag. Use at most {MAX_TAG} characters.",
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
            format!("{text} is not a valid date. Use milliseconds since 1970 or ISO 8601.")
        })
}

fn read_period(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    parse_since(text, now).ok_or_else(|| {
        format!(
            "{} is not a valid period. Use {PERIOD_FORMS}.",
            excerpt(text)
        )
    })
}

/// The items of a comma-separated list, without empty ones.
fn comma_separated(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').filter(|item| !item.is_empty())
}
