//! Reads the keywords of a JSON Schema.

use super::Issue;
use super::issues::is_twice;
use crate::domain::api::excerpt::{excerpt, excerpt_json};
use crate::domain::json::{entries, for_each_item};
use crate::domain::text::{Looks, single_line};

/// Which schemas are accepted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Checks {
    /// Those that keep every rule.
    All,
    /// Those that can be read, so that a rule that was added later takes no form from a token.
    None,
}

/// An object of a schema.
pub(super) struct Keywords<'a> {
    pub(super) checks: Checks,
    entries: Vec<(String, &'a str)>,
}

impl<'a> Keywords<'a> {
    /// Reads an object; `wanted` says what kind.
    pub(super) fn read(json: &'a str, wanted: &str, checks: Checks) -> Result<Self, Issue> {
        let Some(entries) = entries(json) else {
            let given = excerpt_json(json);
            return Err(Issue::here(format!(
                "{given} is not an object. Use {wanted}."
            )));
        };
        let entries = entries.into_iter().map(|(key, value)| (key, value.get()));
        Ok(Self {
            checks,
            entries: entries.collect(),
        })
    }

    /// Fails unless a rule holds.
    pub(super) fn ensure(&self, holds: bool, issue: impl FnOnce() -> Issue) -> Result<(), Issue> {
        match holds || self.checks == Checks::None {
            true => Ok(()),
            false => Err(issue()),
        }
    }

    /// Fails if there is another keyword than these, or one of them twice. `owner` is what has them.
    pub(super) fn only(&self, known: &[&str], owner: &str) -> Result<(), Issue> {
        for (index, (key, _)) in self.entries.iter().enumerate() {
            let is_known = known.contains(&key.as_str());
            self.ensure(is_known, || {
                let (given, known) = (excerpt(key), known.join(", "));
                Issue::at(
                    key,
                    format!("{given} is not a keyword of {owner}. Use only {known}."),
                )
            })?;
            // Only known keywords come before this one, so it is compared with few.
            let is_new = self
                .entries
                .iter()
                .take(index)
                .all(|(earlier, _)| earlier != key);
            self.ensure(is_new, || Issue::at(key, is_twice(key)))?;
        }
        Ok(())
    }

    /// The keys with their values, in order.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &'a str)> {
        self.entries
            .iter()
            .map(|(key, value)| (key.as_str(), *value))
    }

    /// The value of a keyword, as JSON text.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        let mut entries = self.iter();
        entries
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    pub(super) fn string(&self, key: &str) -> Result<Option<String>, Issue> {
        let Some(json) = self.get(key) else {
            return Ok(None);
        };
        string(json).map(Some).map_err(|issue| issue.under(key))
    }

    /// A text that people read, of at most so many characters.
    pub(super) fn shown(&self, key: &str, most: usize) -> Result<Option<String>, Issue> {
        let text = self.string(key)?;
        if let Some(text) = &text {
            self.ensure(text.chars().count() <= most, || {
                let given = excerpt(text);
                Issue::at(
                    key,
                    format!("{given} is too long. Use at most {most} characters."),
                )
            })?;
            self.ensure(!single_line(text).is_empty(), || {
                let given = excerpt(text);
                let message = format!(
                    "{given} is empty or invisible. Use a text that can be seen, or leave {key} out."
                );
                Issue::at(key, message)
            })?;
        }
        Ok(text)
    }

    /// A number of characters or options.
    pub(super) fn size(&self, key: &str) -> Result<Option<usize>, Issue> {
        let Some(json) = self.get(key) else {
            return Ok(None);
        };
        // Some languages write whole numbers with decimals.
        let whole = json.trim_end_matches('0').strip_suffix('.').unwrap_or(json);
        whole.parse().map(Some).map_err(|_| {
            let given = excerpt_json(json);
            Issue::at(
                key,
                format!("{given} is not a length. Use a whole number such as 1."),
            )
        })
    }
}

/// Reads a JSON string.
pub(super) fn string(json: &str) -> Result<String, Issue> {
    serde_json::from_str(json)
        .map_err(|_| Issue::here(format!("{} is not a string. Use one.", excerpt_json(json))))
}

/// Reads a list; `like` is an example.
pub(super) fn list<'a>(json: &'a str, like: &str) -> Result<Vec<&'a str>, Issue> {
    let mut items = Vec::new();
    let is_list = for_each_item(json, &mut |item| items.push(item.get()));
    match is_list {
        true => Ok(items),
        false => {
            let given = excerpt_json(json);
            Err(Issue::here(format!(
                "{given} is not a list. Use one such as {like}."
            )))
        }
    }
}

/// The labels of a form or of a list of options.
#[derive(Default)]
pub(super) struct Labels {
    labels: Vec<String>,
    looks: Looks,
}

impl Labels {
    /// Adds a label, unless it looks like an earlier one; then it says so.
    pub(super) fn add(&mut self, label: &str) -> Result<(), String> {
        if let Some(earlier) = self.looks.add(label) {
            let earlier = self.labels.get(earlier).map_or("", String::as_str);
            return Err(format!(
                "{} looks like {}. Use a title that a person can tell apart from it.",
                excerpt(label),
                excerpt(earlier)
            ));
        }
        self.labels.push(label.to_owned());
        Ok(())
    }
}
