//! The setting `JURISDICTION`.
//!
//! Invariant: an environment has one jurisdiction at most.

use crate::domain::api::excerpt::excerpt;
use crate::domain::environment_lines as entry;

/// What the platform calls its jurisdictions.
const NAMES: [&str; 4] = ["eu", "us", "fedramp", "fedramp-high"];

/// The jurisdictions in which environments keep their objects.
#[derive(Debug, Default)]
pub struct Jurisdictions {
    /// Environments, and the platform's name of the jurisdiction.
    entries: Vec<(String, &'static str)>,
}

impl Jurisdictions {
    /// Reads `JURISDICTION`: one `[environment id=]jurisdiction` in each line. A line without an id is
    /// for `default`.
    ///
    /// # Errors
    /// A sentence that names the value and its line, and says what would do.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut jurisdictions = Self::default();
        for (number, line) in entry::lines(text) {
            let (id, value) = entry::split(line).unwrap_or(("default", line));
            let wrong = |reason: &str| {
                format!(
                    "{} in line {number} of JURISDICTION is {reason}. Use one \
                     [environment=]jurisdiction per environment, with eu, us, fedramp or fedramp-high.",
                    excerpt(value)
                )
            };
            let name = NAMES.into_iter().find(|name| *name == value);
            let name = name.ok_or_else(|| wrong("not a jurisdiction"))?;
            if jurisdictions.entries.iter().any(|(known, _)| known == id) {
                return Err(wrong("the second one of its environment"));
            }
            jurisdictions.entries.push((id.to_owned(), name));
        }
        Ok(jurisdictions)
    }

    /// The environments that have a jurisdiction, each with the platform's name of it.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.entries.iter().map(|(id, name)| (id.as_str(), *name))
    }
}
