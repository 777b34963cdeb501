//! What was filled in, as details of a decision.

use super::document::Detail;
use crate::domain::approval::form::{
    DEFAULT_MAX_LENGTH, Field, FieldKind, FieldOption, Form, TextFormat,
};
use crate::domain::page::i18n::Words;
use crate::domain::text::{prefix, single_line};
use crate::domain::time::timestamp::Timestamp;
use serde::Deserialize;

/// The fields of an output, in the order of the form. What is not of its field's type is left out: it
/// came through the API.
pub(super) fn details<'a>(words: &'a Words, form: &Form, json: &str) -> Vec<Detail<'a>> {
    let values = form.values_of(json).unwrap_or_default();
    let detail = |(field, value): (&Field, Option<&str>)| {
        let detail = detail(words, &field.kind, value?)?;
        Some(detail.of_field(field.label()))
    };
    form.fields.iter().zip(values).filter_map(detail).collect()
}

fn detail<'a>(words: &'a Words, kind: &FieldKind, json: &str) -> Option<Detail<'a>> {
    let text = |text: &str| Detail::text("", "text", text);
    Some(match kind {
        FieldKind::Text { max, format, .. } => {
            let value: String = read(json)?;
            match (format, Timestamp::parse_iso(&value)) {
                (Some(TextFormat::DateTime), Some(at)) => Detail::time("", at),
                _ => text(&shortened(&value, *max)),
            }
        }
        FieldKind::Number { .. } => {
            // JSON that begins so is a number. Reading it would round it.
            let is_number = json.starts_with(|first: char| first == '-' || first.is_ascii_digit());
            is_number.then(|| text(&shortened(json, DEFAULT_MAX_LENGTH)))?
        }
        FieldKind::Boolean { .. } => text(if read(json)? { words.yes } else { words.no }),
        FieldKind::One { options, .. } => text(&label(options, &read::<String>(json)?)),
        FieldKind::Many { options, .. } => {
            let values: Vec<String> = read(json)?;
            let labels = values.iter().take(options.len());
            let labels: Vec<_> = labels.map(|value| label(options, value)).collect();
            text(&labels.join("\n"))
        }
    })
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    serde_json::from_str(json).ok()
}

/// The label of an option. A value that is none came through the API.
fn label(options: &[FieldOption], value: &str) -> String {
    let option = options.iter().find(|option| option.value == value);
    match option {
        Some(option) => single_line(option.label()),
        None => shortened(&single_line(value), DEFAULT_MAX_LENGTH),
    }
}

/// At most this many characters of a text, which can be longer if it came through the API.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    let shown = prefix(text, limit);
    let end = if shown.len() < text.len() { "…" } else { "" };
    format!("{shown}{end}")
}
