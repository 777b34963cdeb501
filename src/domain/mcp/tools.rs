//! The tools, and what their arguments say.

use super::rights::Rights;
use crate::domain::api::excerpt::{excerpt, excerpt_json};
use crate::domain::json::{self, minify_json};
use serde_json::value::RawValue;

const TOOLS: &str = include_str!("tools.json");
const DECISION: &str = include_str!("decision.json");

/// A call of a tool.
#[derive(Debug, PartialEq, Eq)]
pub enum ToolCall {
    /// With its arguments, as JSON text (`ask.rs`).
    AskHuman(String),
    CheckDecision {
        id: String,
    },
    Cancel {
        id: String,
        reason: Option<String>,
    },
    ListWaiting {
        cursor: Option<String>,
    },
}

/// Why a call cannot be read, in a sentence that an agent can act on.
#[derive(Debug, PartialEq, Eq)]
pub enum ToolError {
    /// There is no such tool.
    Unknown(String),
    /// These are no arguments of it.
    Arguments(String),
}

impl From<String> for ToolError {
    fn from(sentence: String) -> Self {
        Self::Arguments(sentence)
    }
}

/// The definitions of the tools for an agent with these rights, as a JSON list. They have the same order
/// each time, so that clients and models can cache them.
#[must_use]
pub fn definitions(rights: Rights) -> String {
    let is_offered = |line: &&str| {
        let is_of_links = ["\"webhook\":", "\"returnLink\":"]
            .iter()
            .any(|name| line.trim_start().starts_with(name));
        rights.links || !is_of_links
    };
    let tools: String = TOOLS.lines().filter(is_offered).collect();
    minify_json(&tools.replace(r##"{ "$ref": "#decision" }"##, DECISION))
}

/// Reads a call. `arguments` is JSON text.
///
/// # Errors
/// See [`ToolError`].
pub fn parse(name: &str, arguments: &str) -> Result<ToolCall, ToolError> {
    let given = |names| Arguments::of(arguments, names);
    match name {
        "ask_human" => Ok(ToolCall::AskHuman(arguments.to_owned())),
        "check_decision" => {
            let id = given(&["id"])?.required("id")?;
            Ok(ToolCall::CheckDecision { id })
        }
        "cancel" => {
            let given = given(&["id", "reason"])?;
            Ok(ToolCall::Cancel {
                id: given.required("id")?,
                reason: given.text("reason")?,
            })
        }
        "list_waiting" => {
            let cursor = given(&["cursor"])?.text("cursor")?;
            Ok(ToolCall::ListWaiting { cursor })
        }
        other => Err(ToolError::Unknown(format!(
            "{} is not a tool. Use ask_human, check_decision, cancel or list_waiting.",
            excerpt(other)
        ))),
    }
}

/// The arguments of a call, each once. What is `null` is left out.
pub(super) struct Arguments<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Arguments<'a> {
    /// Reads them; they have no other names than these.
    pub(super) fn of(json: &'a str, names: &[&str]) -> Result<Self, String> {
        let fields = json::entries(json).ok_or("The arguments are not an object.")?;
        let mut given: Vec<(String, &RawValue)> = Vec::new();
        for (name, value) in fields {
            if !names.contains(&name.as_str()) {
                return Err(format!(
                    "{} is not an argument of this tool. Use {}.",
                    excerpt(&name),
                    names.join(", ")
                ));
            }
            if given.iter().any(|(other, _)| *other == name) {
                return Err(format!("{} is given twice.", excerpt(&name)));
            }
            if value.get() != "null" {
                given.push((name, value));
            }
        }
        Ok(Self(given))
    }

    /// The JSON text of an argument.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(one, _)| one == name);
        found.map(|(_, value)| value.get())
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, String> {
        let Some(raw) = self.raw(name) else {
            return Ok(None);
        };
        let text = serde_json::from_str(raw);
        text.map(Some)
            .map_err(|_| format!("{name} is {}. Use a string.", excerpt_json(raw)))
    }

    pub(super) fn required(&self, name: &str) -> Result<String, String> {
        self.text(name)?
            .ok_or_else(|| format!("{name} is missing. Use a string."))
    }
}
