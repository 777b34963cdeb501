//! Reads a field of a form from its JSON Schema.

use super::decimal::{Decimal, MAX_NUMBER};
use super::keywords::{Checks, Keywords, list, string};
use super::options::{ENUM, ITEMS, MAX_FIELD_TITLE, OPTIONS, options};
use super::values::sent_text;
use super::{DEFAULT_MAX_LENGTH, Field, FieldKind, FieldOption, Issue, TextFormat};
use crate::domain::api::excerpt::{excerpt, excerpt_json};

/// Longest description of a field, in characters.
pub const MAX_FIELD_DESCRIPTION: usize = 500;
/// Longest `maxLength`.
pub const MAX_LENGTH: usize = 10_000;

const TYPES: &str = r#""string", "number", "integer", "boolean" or "array""#;

/// Reads a field. Whether it is required stands outside of it.
pub(super) fn read_field(name: &str, json: &str, checks: Checks) -> Result<Field, Issue> {
    let keywords = Keywords::read(json, r#"one such as {"type": "string"}"#, checks)?;
    let Some(kind) = keywords.get("type") else {
        return Err(Issue::here(format!("type is missing. Use {TYPES}.")));
    };
    let kind = match string(kind).as_deref() {
        Ok("string") if OPTIONS.iter().any(|key| keywords.get(key).is_some()) => one(&keywords)?,
        Ok("string") => text(&keywords)?,
        Ok("number") => number(&keywords, false)?,
        Ok("integer") => number(&keywords, true)?,
        Ok("boolean") => boolean(&keywords)?,
        Ok("array") => many(&keywords)?,
        _ => {
            let message = format!(
                "{} is not a type of a field. Use {TYPES}.",
                excerpt_json(kind)
            );
            return Err(Issue::at("type", message));
        }
    };
    let field = Field {
        name: name.to_owned(),
        title: keywords.shown("title", MAX_FIELD_TITLE)?,
        description: keywords.shown("description", MAX_FIELD_DESCRIPTION)?,
        is_required: false,
        kind,
    };
    if let Some(default) = keywords.get("default") {
        let issue = field.issues(Some(default)).into_iter().next();
        keywords.ensure(issue.is_none(), || {
            let issue = issue.unwrap_or_else(|| Issue::here(String::new()));
            issue.under("default")
        })?;
    }
    Ok(field)
}

/// The keywords that a field may have.
fn only(keywords: &Keywords<'_>, of_kind: &[&str], owner: &str) -> Result<(), Issue> {
    let of_all = ["type", "title", "description", "default"];
    keywords.only(&[of_kind, &of_all].concat(), owner)
}

fn text(keywords: &Keywords<'_>) -> Result<FieldKind, Issue> {
    only(keywords, &["minLength", "maxLength", "format"], "a text")?;
    let format = match keywords.string("format")? {
        Some(name) => Some(TextFormat::named(&name).ok_or_else(|| {
            let message = format!(
                "{} is not supported. Use \"email\", \"uri\", \"date\" or \"date-time\".",
                excerpt(&name)
            );
            Issue::at("format", message)
        })?),
        None => None,
    };
    if matches!(format, Some(TextFormat::Date | TextFormat::DateTime)) {
        for key in ["minLength", "maxLength"] {
            keywords.ensure(keywords.get(key).is_none(), || {
                Issue::at(
                    key,
                    format!("the format gives the length. Leave {key} out."),
                )
            })?;
        }
    }
    let lengths = format.map_or(1..=usize::MAX, TextFormat::lengths);
    let min = keywords.size("minLength")?.unwrap_or(0);
    let max = keywords.size("maxLength")?;
    keywords.ensure(max.is_none_or(|max| max <= MAX_LENGTH), || {
        let given = max.unwrap_or_default();
        Issue::at(
            "maxLength",
            format!("{given} is too large. Use at most {MAX_LENGTH}."),
        )
    })?;
    let max = max.unwrap_or(DEFAULT_MAX_LENGTH).min(*lengths.end());
    keywords.ensure(max >= *lengths.start(), || {
        let least = lengths.start();
        let message = format!("{max} is too small to fill the field in. Use at least {least}.");
        Issue::at("maxLength", message)
    })?;
    keywords.ensure(min <= max, || {
        Issue::at(
            "minLength",
            format!(
                "{min} is more than {max}, the longest text. Use at most that, or set maxLength."
            ),
        )
    })?;
    let default = keywords.string("default")?;
    if let Some(text) = &default {
        let sent = sent_text(text);
        keywords.ensure(sent == *text, || {
            let message = format!(
                "{} has white space at an end, or carriage returns, which a page does not keep. Use {}.",
                excerpt(text),
                excerpt(&sent)
            );
            Issue::at("default", message)
        })?;
    }
    Ok(FieldKind::Text {
        min,
        max,
        format,
        default,
    })
}

fn number(keywords: &Keywords<'_>, is_integer: bool) -> Result<FieldKind, Issue> {
    let (noun, like) = if is_integer {
        ("an integer", "12")
    } else {
        ("a number", "12.5")
    };
    only(keywords, &["minimum", "maximum"], noun)?;
    let bound = |key: &str| -> Result<Option<(String, Decimal)>, Issue> {
        let Some(json) = keywords.get(key) else {
            return Ok(None);
        };
        let number = Decimal::parse(json).filter(|number| !is_integer || number.is_integer());
        let number = number.ok_or_else(|| {
            let given = excerpt_json(json);
            let message = format!(
                "{given} is not {noun} of at most {MAX_NUMBER} characters. Use one such as {like}."
            );
            Issue::at(key, message)
        })?;
        Ok(Some((json.to_owned(), number)))
    };
    let (minimum, maximum) = (bound("minimum")?, bound("maximum")?);
    if let (Some((low, least)), Some((high, most))) = (&minimum, &maximum) {
        keywords.ensure(!most.is_less_than(least), || {
            let message = format!("{low} is more than maximum, which is {high}. Use at most that.");
            Issue::at("minimum", message)
        })?;
    }
    Ok(FieldKind::Number {
        is_integer,
        minimum: minimum.map(|(text, _)| text),
        maximum: maximum.map(|(text, _)| text),
        default: keywords.get("default").map(str::to_owned),
    })
}

fn boolean(keywords: &Keywords<'_>) -> Result<FieldKind, Issue> {
    only(keywords, &[], "a boolean")?;
    Ok(FieldKind::Boolean {
        default: keywords.get("default") == Some("true"),
    })
}

fn one(keywords: &Keywords<'_>) -> Result<FieldKind, Issue> {
    only(keywords, &OPTIONS, "a text with options")?;
    Ok(FieldKind::One {
        options: options(keywords)?,
        default: keywords.string("default")?,
    })
}

fn many(keywords: &Keywords<'_>) -> Result<FieldKind, Issue> {
    only(
        keywords,
        &["items", "minItems", "maxItems", "uniqueItems"],
        "a list",
    )?;
    let unique = keywords.get("uniqueItems");
    keywords.ensure(unique.is_none_or(|unique| unique == "true"), || {
        let given = excerpt_json(unique.unwrap_or_default());
        let message = format!("{given} is not supported. Use true: an option can be chosen once.");
        Issue::at("uniqueItems", message)
    })?;
    let Some(items) = keywords.get("items") else {
        let message = format!("items is missing. Use \"items\": {ITEMS}.");
        return Err(Issue::here(message));
    };
    let options = read_items(items, keywords.checks).map_err(|issue| issue.under("items"))?;
    let count = options.len();
    let min = keywords.size("minItems")?.unwrap_or(0);
    let max = keywords.size("maxItems")?.unwrap_or(count);
    keywords.ensure(min <= count, || {
        let message =
            format!("{min} is more than the number of options, {count}. Use at most that.");
        Issue::at("minItems", message)
    })?;
    let least = min.max(1);
    keywords.ensure(max >= least, || {
        Issue::at(
            "maxItems",
            format!("{max} is too small. Use at least {least}."),
        )
    })?;
    let mut default = Vec::new();
    if let Some(json) = keywords.get("default") {
        let items = list(json, ENUM).map_err(|issue| issue.under("default"))?;
        // What is no string is told with the rest of the default.
        default.extend(items.into_iter().filter_map(|item| string(item).ok()));
    }
    Ok(FieldKind::Many {
        options,
        min,
        max: max.min(count),
        default,
    })
}

fn read_items(json: &str, checks: Checks) -> Result<Vec<FieldOption>, Issue> {
    let items = Keywords::read(json, ITEMS, checks)?;
    items.only(&["type", "enum", "oneOf", "anyOf"], "the items of a list")?;
    let kind = items.string("type")?;
    let is_enum = items.get("enum").is_some();
    items.ensure(kind.is_some() || !is_enum, || {
        Issue::here("type is missing. Use \"type\": \"string\".".to_owned())
    })?;
    let is_string = kind.as_deref().is_none_or(|kind| kind == "string");
    items.ensure(is_string, || {
        let given = excerpt(kind.as_deref().unwrap_or_default());
        Issue::at("type", format!("{given} is not supported. Use \"string\"."))
    })?;
    options(&items)
}
