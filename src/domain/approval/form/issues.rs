//! What is wrong with an output, for the API.

use super::check::MAX_ISSUES;
use super::{FaultReason, Field, FieldKind, FieldOption, Form, Issue, TextFormat};
use crate::domain::api::excerpt::{EXCERPT, excerpt, excerpt_json, shortened};
use crate::domain::json::{for_each_entry, for_each_item};

/// The most fields or options that a sentence names.
const NAMED: usize = 8;
const EXAMPLE: &str = r#"Use an object such as {"fields": {}}."#;

impl Issue {
    /// What is wrong with the value itself.
    #[cold]
    pub(super) fn here(message: String) -> Self {
        Self {
            pointer: String::new(),
            message,
        }
    }

    /// What is wrong with a value in an object or a list.
    #[cold]
    pub(super) fn at(key: &str, message: String) -> Self {
        Self::here(message).under(key)
    }

    /// The same, as seen from the object or the list that has this key or index.
    #[cold]
    pub(super) fn under(self, key: &str) -> Self {
        let key = shortened(key, EXCERPT)
            .replace('~', "~0")
            .replace('/', "~1");
        Self {
            pointer: format!("/{key}{}", self.pointer),
            message: self.message,
        }
    }
}

impl Form {
    /// What is wrong with an output, given as JSON text: its `fields` must be those of the form. All
    /// issues at once, at most [`MAX_ISSUES`].
    #[must_use]
    pub fn issues(&self, output: &str) -> Vec<Issue> {
        let mut fields = Vec::new();
        let is_object = for_each_entry(output, &mut |key, value| {
            if key == "fields" && fields.len() < 2 {
                fields.push(value.get());
            }
        });
        match fields[..] {
            _ if !is_object => {
                let given = excerpt_json(output);
                vec![Issue::here(format!("{given} is not an object. {EXAMPLE}"))]
            }
            [] => self.issues_of_fields("{}"),
            [fields] => self.issues_of_fields(fields),
            _ => vec![Issue::at("fields", is_twice("fields"))],
        }
    }

    fn issues_of_fields(&self, json: &str) -> Vec<Issue> {
        let mut values = vec![None; self.fields.len()];
        let mut others = Vec::new();
        let is_object = for_each_entry(json, &mut |name, value| {
            let slot = self.position(&name).and_then(|at| values.get_mut(at));
            let message = match slot {
                Some(slot @ None) => {
                    *slot = Some(value.get());
                    return;
                }
                _ if others.len() == MAX_ISSUES => return,
                Some(Some(_)) => is_twice(&name),
                None => {
                    let names = self.fields.iter().map(|field| field.name.as_str());
                    format!("{} is not a field. Use {}.", excerpt(&name), one_of(names))
                }
            };
            others.push(Issue::at(&name, message));
        });
        if !is_object {
            let given = excerpt_json(json);
            let message = format!("{given} is not an object. {EXAMPLE}");
            return vec![Issue::at("fields", message)];
        }
        let mut issues = Vec::new();
        for (field, value) in self.fields.iter().zip(values) {
            let of_field = field.issues(value).into_iter();
            issues.extend(of_field.map(|issue| issue.under(&field.name)));
        }
        let issues = issues.into_iter().chain(others);
        let issues = issues.map(|issue| issue.under("fields"));
        issues.take(MAX_ISSUES).collect()
    }
}

impl Field {
    /// What is wrong with the value of the field, as JSON text; `None` if it is left out.
    pub(super) fn issues(&self, value: Option<&str>) -> Vec<Issue> {
        let mut issues = Vec::new();
        let mut items = Vec::new();
        for fault in self.faults(value) {
            match fault.item {
                Some(item) => items.push((item, fault.why)),
                None => {
                    let value = value.unwrap_or_default();
                    issues.push(Issue::here(
                        self.sentence(value, &fault.why, &|| self.wanted()),
                    ));
                }
            }
        }
        if items.is_empty() {
            return issues;
        }
        let mut index = 0;
        let mut items = items.into_iter().peekable();
        for_each_item(value.unwrap_or("[]"), &mut |item| {
            if let Some((_, why)) = items.next_if(|(at, _)| *at == index) {
                let wanted = || match &self.kind {
                    FieldKind::One { options, .. } | FieldKind::Many { options, .. } => {
                        one_option(options)
                    }
                    _ => self.wanted(),
                };
                let issue = Issue::here(self.sentence(item.get(), &why, &wanted));
                issues.push(issue.under(&index.to_string()));
            }
            index += 1;
        });
        issues
    }

    /// What is wrong with a value, given as JSON text, and what would do, which is `wanted`.
    fn sentence(&self, json: &str, why: &FaultReason, wanted: &dyn Fn() -> String) -> String {
        let given = excerpt_json(json);
        match why {
            FaultReason::Missing => {
                format!("{} is missing. Use {}.", excerpt(&self.name), wanted())
            }
            FaultReason::TooShort(min) => {
                format!(
                    "{given} is too short. Use at least {}.",
                    count(*min, "character")
                )
            }
            FaultReason::TooLong(max) => {
                format!(
                    "{given} is too long. Use at most {}.",
                    count(*max, "character")
                )
            }
            FaultReason::TooSmall(min) => format!("{given} is too small. Use at least {min}."),
            FaultReason::TooLarge(max) => format!("{given} is too large. Use at most {max}."),
            FaultReason::TooFew(min) => {
                format!(
                    "{given} has too few items. Use at least {}.",
                    count(*min, "option")
                )
            }
            FaultReason::TooMany(max) => {
                format!(
                    "{given} has too many items. Use at most {}.",
                    count(*max, "option")
                )
            }
            FaultReason::Repeated => format!("{given} is there twice. Keep one."),
            FaultReason::NotNumber => format!(
                "{given} is too long or too large a number. Use at most 100 characters, and an \
                 exponent from -200 to 200."
            ),
            FaultReason::NotInteger
            | FaultReason::NotEmail
            | FaultReason::NotUri
            | FaultReason::NotDate
            | FaultReason::NotDateTime
            | FaultReason::NotAnOption
            | FaultReason::WrongType => format!("{given} is not valid. Use {}.", wanted()),
        }
    }

    /// What the field takes.
    fn wanted(&self) -> String {
        let wanted = match &self.kind {
            FieldKind::Text { format, .. } => match format {
                None => "a string",
                Some(TextFormat::Email) => r#"an e-mail address such as "ann@example.com""#,
                Some(TextFormat::Uri) => r#"a URI such as "https://example.com""#,
                Some(TextFormat::Date) => r#"a date such as "2026-01-31""#,
                Some(TextFormat::DateTime) => {
                    r#"a date and time with an offset, such as "2026-01-31T14:30:00Z""#
                }
            },
            FieldKind::Number {
                is_integer: true, ..
            } => "an integer such as 12",
            FieldKind::Number { .. } => "a number such as 12.5",
            FieldKind::Boolean { .. } => "true or false",
            FieldKind::One { options, .. } => return one_option(options),
            FieldKind::Many { options, .. } => return format!("a list of {}", one_option(options)),
        };
        wanted.to_owned()
    }
}

fn one_option(options: &[FieldOption]) -> String {
    one_of(options.iter().map(|option| option.value.as_str()))
}

/// Names the first of these, as JSON strings.
pub(super) fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<String> = names.take(NAMED + 1).map(excerpt).collect();
    match names.len() {
        0 | 1 => names.concat(),
        2..=NAMED => {
            let last = names.pop().unwrap_or_default();
            format!("{} or {last}", names.join(", "))
        }
        _ => {
            names.truncate(NAMED);
            format!("{}, …", names.join(", "))
        }
    }
}

pub(super) fn is_twice(name: &str) -> String {
    format!("{} is there twice. Keep one.", excerpt(name))
}

pub(super) fn count(number: usize, unit: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{end}")
}
