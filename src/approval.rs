//! What a token asks of a person: the `approval` field of create.
//!
//! Invariant: an approval that parses can be shown and decided; whoever holds the link chooses among
//! what its creator wrote, and adds at most a comment.

use crate::error::{Refusal, excerpt};
use serde::Deserialize;
use serde::de::IgnoredAny;
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
/// Most choices.
pub const MAX_CHOICES: usize = 6;
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

impl Approval {
    /// Reads the JSON text of an `approval` field.
    ///
    /// # Errors
    /// `Invalid`, naming the field and what it may be.
    pub fn parse(json: &str) -> Result<Self, Refusal> {
        // serde would take an array of the fields as well.
        if !json.trim_start().starts_with('{') {
            return Err(invalid(format!("{} is no object", excerpt(json))));
        }
        let approval: Self = serde_json::from_str(json).map_err(|why| {
            let why = why.to_string();
            // The place in a text that was cut out of another means nothing to the caller.
            invalid(why.split(" at line ").next().unwrap_or(&why).to_owned())
        })?;
        approval.check()?;
        Ok(approval)
    }

    fn check(&self) -> Result<(), Refusal> {
        let text = |name: &str, text: Option<&String>, limit| match text {
            Some(text) if text.trim().is_empty() => Err(invalid(format!("{name} is empty"))),
            Some(text) if text.chars().count() > limit => Err(invalid(format!(
                "{name} must be {limit} characters or less"
            ))),
            _ => Ok(()),
        };
        text("title", self.title.as_ref(), MAX_TITLE)?;
        text("description", self.description.as_ref(), MAX_DESCRIPTION)?;
        text("requestedBy", self.requested_by.as_ref(), MAX_REQUESTED_BY)?;
        if self.choices.len() > MAX_CHOICES {
            return Err(invalid(format!("choices must be {MAX_CHOICES} or less")));
        }
        for (index, choice) in self.choices.iter().enumerate() {
            let name = format!("choices[{index}].label");
            text(&name, Some(&choice.label), MAX_LABEL)?;
            let same = |other: &Choice| is_same_word(&other.label, &choice.label);
            if self.choices.iter().filter(|other| same(other)).count() > 1 {
                return Err(invalid(format!("{name} stands twice")));
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
        let comment =
            serde_json::from_str::<Commented>(output).map_or(String::new(), |it| it.comment);
        let found = self
            .choices
            .iter()
            .find(|choice| choice.output(&comment) == output);
        found.map(|choice| (choice, comment)).or_else(|| {
            let found = self
                .choices
                .iter()
                .find(|choice| choice.output("") == output);
            found.map(|choice| (choice, String::new()))
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

/// Whether a person who types one word means the other. Letters beyond ASCII must be typed as they
/// stand: the tables of their cases would be a tenth of the Worker.
#[must_use]
pub fn is_same_word(typed: &str, label: &str) -> bool {
    typed.trim().eq_ignore_ascii_case(label.trim())
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn invalid(message: String) -> Refusal {
    Refusal::Invalid {
        path: "approval",
        message,
    }
}
