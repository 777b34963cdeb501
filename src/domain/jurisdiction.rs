//! The setting `JURISDICTION`.
//!
//! Invariant: the objects of an environment are in one place. Each line names another environment.

use crate::domain::api::excerpt::excerpt;
use crate::domain::environment_lines as entry;
use std::fmt;

/// What the platform calls its jurisdictions.
const NAMES: [&str; 4] = ["eu", "us", "fedramp", "fedramp-high"];

/// The jurisdictions in which environments keep their objects.
#[derive(Debug, Default)]
pub struct Jurisdictions {
    /// Environments, and the platform's name of the jurisdiction.
    entries: Vec<(String, &'static str)>,
}

/// Why a line of `JURISDICTION` is invalid. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JurisdictionError {
    /// The value of this line is no jurisdiction.
    Unknown(usize, String),
    /// The environment of this line already has a jurisdiction.
    Second(usize, String),
}

impl fmt::Display for JurisdictionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(line, value) => write!(
                f,
                "{} in line {line} of JURISDICTION is not a jurisdiction.",
                excerpt(value)
            ),
            Self::Second(line, environment) => write!(
                f,
                "line {line} of JURISDICTION is the second one of the environment {environment}."
            ),
        }?;
        let [first, second, third, last] = NAMES;
        write!(
            f,
            " Use one [environment=]jurisdiction per environment, with {first}, {second}, {third} or \
             {last}."
        )
    }
}

impl Jurisdictions {
    /// Reads `JURISDICTION`: one `[environment id=]jurisdiction` in each line. A line without an id is
    /// for `default`.
    ///
    /// # Errors
    /// See [`JurisdictionError`].
    pub fn parse(text: &str) -> Result<Self, JurisdictionError> {
        let mut jurisdictions = Self::default();
        for (number, line) in entry::lines(text) {
            let (id, value) = entry::split(line).unwrap_or(("default", line));
            let name = NAMES.into_iter().find(|name| *name == value);
            let name = name.ok_or_else(|| JurisdictionError::Unknown(number, value.to_owned()))?;
            if jurisdictions.entries.iter().any(|(known, _)| known == id) {
                return Err(JurisdictionError::Second(number, id.to_owned()));
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
