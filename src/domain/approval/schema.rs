//! What a token asks of a person: the `approval` field of create.
//!
//! Invariant: an approval that parses can be shown and decided; whoever holds the link chooses among
//! what its creator wrote, and adds at most a comment.

use crate::domain::api::error::ApiError;
use crate::domain::api::excerpt::{excerpt, shortened};
use crate::domain::text::{Look, single_line};
use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Longest title, in characters.
pub const MAX_TITLE: usize = 120;
/// Longest description, in characters.
pub const MAX_DESCRIPTION: usize = 4_000;
/// Longest name of who asks, in characters.
pub const MAX_REQUESTED_BY: usize = 120;
/// Longest label of a choice, in characters.
pub const MAX_LABEL: usize = 40;
/// Whether checks go by Unicode's tables, a fifth of `waitpoint/server`: that leaves them to the
/// Worker, which checks all that is sent to it.
const KNOWS_UNICODE: bool = cfg!(not(feature = "server"));
/// Most choices.
pub const MAX_CHOICES: usize = 6;
/// Longest output that is looked at to tell which choice led to it, in bytes. A choice's data and a comment
/// are shorter; what is longer came by the API, and comparing it would take several times its memory.
pub const MAX_CHOICE_OUTPUT: usize = 64 * 1024;
/// Longest comment of a person, in characters.
pub const MAX_COMMENT: usize = 2_000;

/// What a person is asked.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Approval {
    /// The question, in a line.
    pub title: Option<String>,
    /// What one must know to decide; plain text, its line breaks count.
    pub description: Option<String>,
    /// Who asks.
    pub requested_by: Option<String>,
    /// None means to approve or to reject.
    #[serde(deserialize_with = "objects")]
    pub choices: Vec<Choice>,
    /// Whether a comment is asked for.
    pub comment: Comment,
    /// How sure the page makes of the decision.
    pub confirm: Confirm,
}

/// One of the decisions that can be made.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Choice {
    /// What its button says.
    pub label: String,
    /// What the token is completed with, as JSON text; by default `{"choice": <label>}`.
    #[serde(default, deserialize_with = "raw")]
    pub data: Option<String>,
    /// What its button looks like.
    #[serde(default)]
    pub style: Style,
}

/// What a choice means to the eye.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// The way on.
    Primary,
    /// The way that stops or destroys something.
    Danger,
    /// Neither.
    #[default]
    Neutral,
}

/// Whether a comment is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Comment {
    /// It may be left empty.
    #[default]
    Optional,
    /// No decision without it.
    Required,
    /// No field for it.
    None,
}

/// How sure the page makes of the decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirm {
    /// A press of the choice's button.
    #[default]
    Click,
    /// The choice is marked first, then sent.
    Choose,
    /// The choice's label is typed.
    Typed,
}

fn raw<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let raw: Box<RawValue> = Deserialize::deserialize(deserializer)?;
    Ok(Some(raw.get().to_owned()))
}

/// Choices; serde would take an array of its fields for one as well.
fn objects<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Choice>, D::Error> {
    let raws: Vec<Box<RawValue>> = Deserialize::deserialize(deserializer)?;
    let mut choices = Vec::with_capacity(raws.len());
    for raw in &raws {
        if !raw.get().starts_with('{') {
            return Err(D::Error::custom(format!(
                "{} is no choice",
                excerpt(raw.get())
            )));
        }
        choices.push(serde_json::from_str(raw.get()).map_err(D::Error::custom)?);
    }
    Ok(choices)
}

impl Approval {
    /// Reads the JSON text of an `approval` field, and checks that it can be shown and decided.
    ///
    /// # Errors
    /// `ValidationError`, naming the field and what it may be.
    pub fn parse(json: &str) -> Result<Self, ApiError> {
        let approval = Self::read(json)?;
        approval.check()?;
        Ok(approval)
    }

    /// Reads what [`Approval::parse`] accepted when the token was created. Checks that were added since
    /// then do not count: a page without its choices would ask another question.
    ///
    /// # Errors
    /// `ValidationError`, if it is no approval.
    pub fn read(json: &str) -> Result<Self, ApiError> {
        // serde would take an array of the fields as well.
        if !json.trim_start().starts_with('{') {
            return Err(invalid(format!("{} is no object", excerpt(json))));
        }
        serde_json::from_str(json).map_err(|why| {
            let why = why.to_string();
            // The place in a text that was cut out of another means nothing to the caller.
            let why = why.split(" at line ").next().unwrap_or(&why);
            // It quotes the caller.
            invalid(shortened(why, 200))
        })
    }

    fn check(&self) -> Result<(), ApiError> {
        let is_blank = |text: &str| match KNOWS_UNICODE {
            true => single_line(text).is_empty(),
            false => text.trim().is_empty(),
        };
        let text = |name: &str, text: Option<&String>, limit| match text {
            Some(text) if text.chars().count() > limit => Err(invalid(format!(
                "{name} must be {limit} characters or less"
            ))),
            Some(text) if is_blank(text) => Err(invalid(format!(
                "{name} is empty, or nothing of it can be seen; give it a text, or leave it out"
            ))),
            _ => Ok(()),
        };
        text("title", self.title.as_ref(), MAX_TITLE)?;
        text("description", self.description.as_ref(), MAX_DESCRIPTION)?;
        text("requestedBy", self.requested_by.as_ref(), MAX_REQUESTED_BY)?;
        if self.choices.len() > MAX_CHOICES {
            return Err(invalid(format!("choices must be {MAX_CHOICES} or less")));
        }
        let mut looks: Vec<Look> = Vec::with_capacity(self.choices.len());
        for (index, choice) in self.choices.iter().enumerate() {
            let name = format!("choices[{index}].label");
            text(&name, Some(&choice.label), MAX_LABEL)?;
            let others = || self.choices.iter().take(index);
            let look = KNOWS_UNICODE.then(|| Look::of(&choice.label));
            let is_like = |earlier: &Look| look.as_ref().is_some_and(|look| look.is_like(earlier));
            if let Some(earlier) = looks.iter().position(is_like) {
                return Err(invalid(format!(
                    "{name} {} looks like choices[{earlier}].label; give it a word that a person \
                     can tell apart",
                    excerpt(&choice.label)
                )));
            }
            looks.extend(look);
            // Else nobody could tell afterwards which of them was chosen.
            let same = |other: &Choice| {
                ["", "x"].iter().any(|comment| {
                    minify_json(&other.output(comment)) == minify_json(&choice.output(comment))
                })
            };
            if others().any(same) {
                return Err(invalid(format!(
                    "choices[{index}].data is the same as an earlier one's"
                )));
            }
            if self.comment != Comment::None && choice.holds_comment() {
                return Err(invalid(format!(
                    "choices[{index}].data has a field \"comment\", which the person's comment would \
                     replace; rename it, or set comment to \"none\""
                )));
            }
        }
        Ok(())
    }

    /// The choice that led to this output, and the comment that was added; `None` if none did.
    #[must_use]
    pub fn choice_of(&self, output: &str) -> Option<(&Choice, String)> {
        #[derive(Deserialize)]
        struct Commented {
            comment: String,
        }
        if output.len() > MAX_CHOICE_OUTPUT {
            return None;
        }
        let output = minify_json(output);
        let comment =
            serde_json::from_str::<Commented>(&output).map_or(String::new(), |it| it.comment);
        [comment, String::new()].into_iter().find_map(|comment| {
            let made = |choice: &&Choice| minify_json(&choice.output(&comment)) == output;
            self.choices
                .iter()
                .find(made)
                .map(|choice| (choice, comment.clone()))
        })
    }
}

impl Choice {
    /// The output of this choice, as JSON text; an empty comment is none.
    #[must_use]
    pub fn output(&self, comment: &str) -> String {
        let data = match &self.data {
            Some(data) => data.clone(),
            None => format!(r#"{{"choice":{}}}"#, quoted(&self.label)),
        };
        if comment.is_empty() {
            return data;
        }
        let comment = quoted(comment);
        match data
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        {
            Some(fields) if fields.trim().is_empty() => format!(r#"{{"comment":{comment}}}"#),
            Some(fields) => format!(r#"{{{fields},"comment":{comment}}}"#),
            None => format!(r#"{{"data":{data},"comment":{comment}}}"#),
        }
    }

    fn holds_comment(&self) -> bool {
        let data = self.data.as_deref().unwrap_or("");
        serde_json::from_str::<BTreeMap<String, IgnoredAny>>(data)
            .is_ok_and(|fields| fields.contains_key("comment"))
    }
}

/// JSON without the white space that means nothing.
#[must_use]
pub fn minify_json(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let keep = |c: &char| {
        let kept = quoted || !matches!(c, ' ' | '\t' | '\n' | '\r');
        quoted ^= *c == '"' && !escaped;
        escaped = quoted && *c == '\\' && !escaped;
        kept
    };
    json.chars().filter(keep).collect()
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn invalid(message: String) -> ApiError {
    ApiError::ValidationError {
        path: "approval",
        message,
    }
}
