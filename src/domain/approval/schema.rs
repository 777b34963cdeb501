//! The question that a token asks a person: the `approval` field of create.
//!
//! Invariant: an approval that parses can be shown and decided. Whoever holds the link picks one of
//! the choices that the creator wrote, and can add a comment.

use crate::domain::api::error::ApiError;
use crate::domain::api::excerpt::{excerpt, shortened};
use crate::domain::api::limits::MAX_CREATE_WITH_APPROVAL;
use crate::domain::approval::form::Form;
use crate::domain::approval::form::schema::MAX_TEXTS;
pub use crate::domain::json::minify_json;
use crate::domain::text::{Looks, single_line};
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::value::RawValue;

/// Longest title, in characters.
pub const MAX_TITLE: usize = 120;
/// Longest description, in characters.
pub const MAX_DESCRIPTION: usize = 4_000;
/// Longest name of the requester, in characters.
pub const MAX_REQUESTED_BY: usize = 120;
/// Longest label of a choice, in characters.
pub const MAX_LABEL: usize = 40;
/// Whether checks use Unicode's tables. They would be a fifth of `waitpoint/server`, so that module
/// leaves these checks to the Worker.
const KNOWS_UNICODE: bool = cfg!(not(feature = "server"));
/// Most choices.
pub const MAX_CHOICES: usize = 6;
/// Longest output that is compared with the choices, in bytes. A choice's data and the options of its
/// form are shorter than the body of create, and a comment of 2,000 characters, the texts of a form and
/// its numbers than the rest: a character can have 6 bytes. A longer output came through the API, and
/// comparing it would take several times its memory.
pub const MAX_CHOICE_OUTPUT: usize = MAX_CREATE_WITH_APPROVAL + 20 * 1024 + 6 * MAX_TEXTS;
/// Longest comment, in characters.
pub const MAX_COMMENT: usize = 2_000;

const NO_CHOICES: &str = "Use at least one choice, or leave choices out for Approve and Reject.";

/// The question to a person.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Approval {
    /// The question, in one line.
    pub title: Option<String>,
    /// The information that is needed to decide: plain text with line breaks.
    pub description: Option<String>,
    /// The name of the requester.
    pub requested_by: Option<String>,
    /// The choices. If empty, they are to approve and to reject.
    #[serde(deserialize_with = "objects")]
    pub choices: Vec<Choice>,
    /// Whether the page asks for a comment.
    pub comment: Comment,
    /// How a person confirms the decision.
    pub confirm: Confirm,
    /// Who decides by votes: JSON text that [`Approval::parse_approvers`] reads.
    #[serde(deserialize_with = "raw_or_null")]
    pub approvers: Option<String>,
    /// How many approvers must vote for the same choice; one if `None`.
    pub required: Option<u8>,
    /// The JSON Schema of the form that a person fills in, as JSON text.
    #[serde(deserialize_with = "raw_or_null")]
    pub form: Option<String>,
    /// Which outputs must match the form.
    pub validate: Validate,
}

/// One of the possible decisions.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Choice {
    /// The text of its button.
    pub label: String,
    /// The token's output if this choice is made, as JSON text. The default is `{"choice": <label>}`.
    #[serde(default, deserialize_with = "raw")]
    pub data: Option<String>,
    /// The look of its button.
    #[serde(default)]
    pub style: Style,
    /// Whether one vote for it is enough.
    #[serde(default, rename = "veto")]
    pub is_veto: bool,
    /// Whether it sends the form, if there is one.
    #[serde(default = "yes")]
    pub form: bool,
}

fn yes() -> bool {
    true
}

/// The style of a choice's button.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// The expected choice.
    Primary,
    /// A choice that stops or destroys something.
    Danger,
    /// Neither of these.
    #[default]
    Neutral,
}

/// Whether the page asks for a comment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Comment {
    /// The comment may be empty.
    #[default]
    Optional,
    /// A comment is required to decide.
    Required,
    /// The page has no field for a comment.
    None,
}

/// How a person confirms the decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirm {
    /// By pressing the choice's button.
    #[default]
    Click,
    /// By selecting a choice and then sending the form.
    Choose,
    /// By typing the choice's label.
    Typed,
}

/// Which outputs must match the form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validate {
    /// Those of the page.
    #[default]
    Page,
    /// Those of the API and of callbacks as well.
    All,
}

fn raw_or_null<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let raw: Option<Box<RawValue>> = Deserialize::deserialize(deserializer)?;
    Ok(raw.map(|raw| raw.get().to_owned()))
}

fn raw<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let raw: Box<RawValue> = Deserialize::deserialize(deserializer)?;
    Ok(Some(raw.get().to_owned()))
}

/// Reads choices. serde alone would also accept an array of a choice's fields.
fn objects<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Choice>, D::Error> {
    let raws: Vec<Box<RawValue>> = Deserialize::deserialize(deserializer)?;
    let mut choices = Vec::with_capacity(raws.len());
    for raw in &raws {
        if !raw.get().starts_with('{') {
            return Err(D::Error::custom(format!(
                "{} is not a choice: it must be an object",
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
    /// `ValidationError` with the field, and which values are valid.
    pub fn parse(json: &str) -> Result<Self, ApiError> {
        let approval = Self::read(json)?;
        // Whoever filters choices and is left with none does not mean Approve and Reject. Without a
        // choice, this stands only at the top: quotes within texts are escaped.
        if approval.choices.is_empty() && minify_json(json).contains(r#""choices":[]"#) {
            return Err(invalid(format!("choices is []. {NO_CHOICES}")));
        }
        approval.check()?;
        Ok(approval)
    }

    /// Reads what [`Approval::parse`] accepted when the token was created. Checks that were added
    /// later are skipped. Otherwise the page would lose its choices and ask another question.
    ///
    /// # Errors
    /// `ValidationError`, if it is not an approval.
    pub fn read(json: &str) -> Result<Self, ApiError> {
        // serde alone would also accept an array of the fields.
        if !json.trim_start().starts_with('{') {
            return Err(invalid(format!(
                "{} is not an approval. Use an object.",
                excerpt(json)
            )));
        }
        serde_json::from_str(json).map_err(|why| {
            let why = why.to_string();
            // The position is relative to this field, so it means nothing to the caller.
            let why = match why.split(" at line ").next().unwrap_or(&why) {
                // serde's words for an enum that is neither a text nor an object.
                "expected value" => {
                    "style, comment, confirm and validate must be strings. Leave them out for their defaults."
                }
                "invalid type: null, expected a sequence" => {
                    return invalid(format!("choices is null. {NO_CHOICES}"));
                }
                why if why.ends_with(", expected u8") => {
                    "required must be a whole number from 1 to 20, of approvers."
                }
                why => why,
            };
            // The message quotes the caller's value.
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
                "{name} is too long. Use at most {limit} characters."
            ))),
            Some(text) if is_blank(text) => Err(invalid(format!(
                "{name} is empty or invisible. Use a text that can be seen, or leave {name} out."
            ))),
            _ => Ok(()),
        };
        text("title", self.title.as_ref(), MAX_TITLE)?;
        text("description", self.description.as_ref(), MAX_DESCRIPTION)?;
        text("requestedBy", self.requested_by.as_ref(), MAX_REQUESTED_BY)?;
        if self.choices.len() > MAX_CHOICES {
            return Err(invalid(format!(
                "{} choices are too many. Use at most {MAX_CHOICES}.",
                self.choices.len()
            )));
        }
        // The reader of approvers is left to the Worker as well.
        let has_approvers = !KNOWS_UNICODE || !self.parse_approvers()?.is_empty();
        if let (false, Some(index)) = (
            has_approvers,
            self.choices.iter().position(|one| one.is_veto),
        ) {
            return Err(invalid(format!(
                "choices[{index}].veto needs approvers, whose votes it overrules. Add approvers, \
                 or leave it out."
            )));
        }
        let mut looks = Looks::default();
        for (index, choice) in self.choices.iter().enumerate() {
            let name = format!("choices[{index}].label");
            text(&name, Some(&choice.label), MAX_LABEL)?;
            let others = || self.choices.iter().take(index);
            let earlier = KNOWS_UNICODE.then(|| looks.add(&choice.label));
            if let Some(earlier) = earlier.flatten() {
                return Err(invalid(format!(
                    "{name} {} looks like choices[{earlier}].label. Use a label that a person can \
                     tell apart from it.",
                    excerpt(&choice.label)
                )));
            }
            // If two choices had the same output, nobody could tell which of them was made.
            let same = |other: &Choice| {
                [("", None), ("x", None), ("", Some("{}")), ("x", Some("{}"))]
                    .iter()
                    .any(|(comment, fields)| {
                        minify_json(&other.output(comment, *fields))
                            == minify_json(&choice.output(comment, *fields))
                    })
            };
            if others().any(same) {
                return Err(invalid(format!(
                    "choices[{index}].data is the same as that of an earlier choice. Use different data \
                     for each choice."
                )));
            }
            if !choice.form && self.form.is_none() {
                return Err(invalid(format!(
                    "choices[{index}].form is false, but there is no form. Add form, or leave it out of \
                     the choice."
                )));
            }
            if self.form.is_some() && choice.holds("fields") {
                return Err(invalid(format!(
                    "choices[{index}].data has a field \"fields\", which stands for the form's fields. \
                     Rename the field."
                )));
            }
            if self.comment != Comment::None && choice.holds("comment") {
                return Err(invalid(format!(
                    "choices[{index}].data has a field \"comment\", which the person's comment would \
                     replace. Rename the field, or set comment to \"none\"."
                )));
            }
        }
        self.check_form()
    }

    fn check_form(&self) -> Result<(), ApiError> {
        let Some(form) = &self.form else {
            return match self.validate {
                Validate::Page => Ok(()),
                Validate::All => Err(invalid(
                    "validate is \"all\", but there is no form. Add form, or leave validate out."
                        .to_owned(),
                )),
            };
        };
        if !self.choices.is_empty() && !self.choices.iter().any(|choice| choice.form) {
            return Err(invalid(
                "form is false for each choice, so nobody could send the form. Leave it out of a choice."
                    .to_owned(),
            ));
        }
        if KNOWS_UNICODE {
            Form::parse(form)?;
        }
        Ok(())
    }

    /// The form; without fields if there is none.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form.as_deref().map(Form::read).unwrap_or_default()
    }

    /// Whether a choice sends the form.
    #[must_use]
    pub fn sends_form(&self, choice: &Choice) -> bool {
        self.form.is_some() && choice.form
    }
}

fn invalid(message: String) -> ApiError {
    ApiError::ValidationError {
        path: "approval",
        message,
    }
}

/// The title of an approval that was stored, in one line; empty if it has none.
#[must_use]
pub fn title_of(approval: &str) -> String {
    #[derive(Deserialize)]
    struct Titled {
        title: Option<String>,
    }
    let titled: Option<Titled> = serde_json::from_str(approval).ok();
    let title = titled.and_then(|approval| approval.title);
    title.map_or(String::new(), |title| single_line(&title))
}
