//! Reads a form from its JSON Schema: an object of fields.

use super::issues::{is_twice, one_of};
use super::keywords::{Checks, Keywords, Labels, list, string};
use super::kinds::read_field;
use super::{Field, FieldKind, Form, Issue, MAX_FIELDS};
use crate::domain::api::error::ApiError;
use crate::domain::api::excerpt::{excerpt, excerpt_json};
use crate::domain::text::single_line;

/// Longest name of a field, in characters.
pub const MAX_NAME: usize = 64;
/// Longest texts of all fields together, in characters.
pub const MAX_TEXTS: usize = 20_000;
/// Most items of all lists together: each is a field of the form that the page sends, which may have
/// a thousand.
pub const MAX_TICKED: usize = 900;

const SCHEMA: &str = "https://json-schema.org/draft/2020-12/schema";
const KEYWORDS: [&str; 5] = [
    "$schema",
    "type",
    "properties",
    "required",
    "additionalProperties",
];
const EXAMPLE: &str =
    r#"{"type": "object", "properties": {"reason": {"type": "string"}}, "required": ["reason"]}"#;

impl Form {
    /// Reads the JSON Schema of a form, and checks that it can be shown and filled in.
    ///
    /// # Errors
    /// `ValidationError`, whose message begins with the place of the fault.
    pub fn parse(json: &str) -> Result<Self, ApiError> {
        read(json, Checks::All).map_err(|issue| {
            let issue = issue.under("form");
            ApiError::ValidationError {
                path: "approval",
                message: format!("{}: {}", issue.pointer, issue.message),
            }
        })
    }

    /// Reads what [`Form::parse`] accepted when the token was created. Checks that were added later are
    /// skipped. A form that cannot be read has no fields.
    #[must_use]
    pub fn read(json: &str) -> Self {
        read(json, Checks::None).unwrap_or_default()
    }
}

fn read(json: &str, checks: Checks) -> Result<Form, Issue> {
    let root = Keywords::read(json, EXAMPLE, checks)?;
    for key in ["title", "description"] {
        root.ensure(root.get(key).is_none(), || {
            let message = format!("a form has no {key} of its own. Use that of the approval.");
            Issue::at(key, message)
        })?;
    }
    root.only(&KEYWORDS, "a form")?;
    for (key, wanted) in [
        ("$schema", format!("\"{SCHEMA}\"")),
        ("type", "\"object\"".to_owned()),
        ("additionalProperties", "false".to_owned()),
    ] {
        let given = root.get(key);
        let is_missing = given.is_none() && key == "type";
        root.ensure(!is_missing, || {
            Issue::here(format!("type is missing. Use \"type\": {wanted}."))
        })?;
        let is_same = given.is_none_or(|given| match string(given) {
            Ok(text) => excerpt(&text) == wanted,
            Err(_) => given == wanted,
        });
        root.ensure(is_same, || {
            let given = excerpt_json(given.unwrap_or_default());
            Issue::at(key, format!("{given} is not supported. Use {wanted}."))
        })?;
    }
    let Some(properties) = root.get("properties") else {
        let message = format!("properties is missing. Use a schema such as {EXAMPLE}.");
        return Err(Issue::here(message));
    };
    let fields = read_fields(properties, checks).map_err(|issue| issue.under("properties"))?;
    let mut form = Form { fields };
    if let Some(required) = root.get("required") {
        form.mark_required(required, &root)
            .map_err(|issue| issue.under("required"))?;
    }
    Ok(form)
}

fn read_fields(json: &str, checks: Checks) -> Result<Vec<Field>, Issue> {
    let like = r#"one such as {"reason": {"type": "string"}}"#;
    let properties = Keywords::read(json, like, checks)?;
    let count = properties.iter().len();
    properties.ensure(count > 0, || {
        Issue::here("{} has no fields. Use at least one, or leave form out.".to_owned())
    })?;
    properties.ensure(count <= MAX_FIELDS, || {
        Issue::here(format!(
            "{count} fields are too many. Use at most {MAX_FIELDS}."
        ))
    })?;
    let mut fields: Vec<Field> = Vec::with_capacity(count);
    let mut labels = Labels::default();
    for (name, json) in properties.iter() {
        properties.ensure((1..=MAX_NAME).contains(&name.chars().count()), || {
            Issue::here(format!(
                "the name {} is not valid. Use 1 to {MAX_NAME} characters.",
                excerpt(name)
            ))
        })?;
        // Not even a stored form may have it: the output could not hold both.
        if fields.iter().any(|earlier| earlier.name == name) {
            return Err(Issue::at(name, is_twice(name)));
        }
        let field = read_field(name, json, checks).map_err(|issue| issue.under(name))?;
        if checks == Checks::All {
            check_label(&field, &mut labels).map_err(|issue| issue.under(name))?;
        }
        fields.push(field);
    }
    let lengths = fields.iter().map(|field| match field.kind {
        FieldKind::Text { max, .. } => max,
        _ => 0,
    });
    let length: usize = lengths.sum();
    properties.ensure(length <= MAX_TEXTS, || {
        Issue::here(format!(
            "the texts can have {length} characters together. Use maxLength so that they have at most \
             {MAX_TEXTS}."
        ))
    })?;
    let ticked = fields.iter().map(|field| match field.kind {
        FieldKind::Many { max, .. } => max,
        _ => 0,
    });
    let ticked: usize = ticked.sum();
    properties.ensure(ticked <= MAX_TICKED, || {
        Issue::here(format!(
            "the lists can have {ticked} items together. Use maxItems so that they have at most \
             {MAX_TICKED}."
        ))
    })?;
    Ok(fields)
}

/// A field's label must be visible and look unlike the earlier ones.
fn check_label(field: &Field, labels: &mut Labels) -> Result<(), Issue> {
    let label = field.label();
    if single_line(label).is_empty() {
        let message = format!(
            "the name {} is invisible. Add a title that can be seen.",
            excerpt(label)
        );
        return Err(Issue::here(message));
    }
    labels.add(label).map_err(|message| match field.title {
        Some(_) => Issue::at("title", message),
        None => Issue::here(message),
    })
}

impl Form {
    fn mark_required(&mut self, json: &str, root: &Keywords<'_>) -> Result<(), Issue> {
        for (index, item) in list(json, r#"["reason"]"#)?.into_iter().enumerate() {
            let under = |issue: Issue| issue.under(&index.to_string());
            let name = string(item).map_err(under)?;
            let names = one_of(self.fields.iter().map(|field| field.name.as_str()));
            let field = self.fields.iter_mut().find(|field| field.name == name);
            let is_field = field.is_some();
            root.ensure(is_field, || {
                let message = format!("{} is not a field. Use {names}.", excerpt(&name));
                under(Issue::here(message))
            })?;
            if let Some(field) = field {
                let is_new = !field.is_required;
                root.ensure(is_new, || under(Issue::here(is_twice(&name))))?;
                field.is_required = true;
            }
        }
        Ok(())
    }
}
