//! Reads the options of a field from its JSON Schema.

use super::issues::is_twice;
use super::keywords::{Checks, Keywords, Labels, list, string};
use super::{FieldOption, Issue, MAX_OPTIONS};
use crate::domain::api::excerpt::excerpt;
use crate::domain::text::single_line;

/// Longest title of a field or an option, in characters.
pub const MAX_FIELD_TITLE: usize = 120;
/// Longest value of an option that has a title, in characters.
pub const MAX_OPTION_VALUE: usize = 500;

/// The keywords that list options.
pub(super) const OPTIONS: [&str; 3] = ["enum", "oneOf", "anyOf"];
/// Examples.
pub(super) const ENUM: &str = r#"["small", "large"]"#;
pub(super) const ITEMS: &str = r#"{"type": "string", "enum": ["small", "large"]}"#;
const TITLED: &str = r#"{"const": "s", "title": "Small"}"#;

/// The options that one of the keywords lists.
pub(super) fn options(keywords: &Keywords<'_>) -> Result<Vec<FieldOption>, Issue> {
    let mut lists = OPTIONS
        .iter()
        .filter_map(|key| Some((*key, keywords.get(key)?)));
    let Some((keyword, json)) = lists.next() else {
        let message = format!("there are no options. Use {ITEMS}.");
        return Err(Issue::here(message));
    };
    if let Some((second, _)) = lists.next() {
        keywords.ensure(false, || {
            let message = format!("{keyword} lists options already. Use one of the two.");
            Issue::at(second, message)
        })?;
    }
    read_options(keyword, json, keywords).map_err(|issue| issue.under(keyword))
}

fn read_options(
    keyword: &str,
    json: &str,
    keywords: &Keywords<'_>,
) -> Result<Vec<FieldOption>, Issue> {
    let is_titled = keyword != "enum";
    let like = if is_titled {
        format!("[{TITLED}]")
    } else {
        ENUM.to_owned()
    };
    let items = list(json, &like)?;
    let count = items.len();
    keywords.ensure(count > 0, || {
        Issue::here(format!("[] has no options. Use some, such as {like}."))
    })?;
    keywords.ensure(count <= MAX_OPTIONS, || {
        Issue::here(format!(
            "{count} options are too many. Use at most {MAX_OPTIONS}."
        ))
    })?;
    let mut options: Vec<FieldOption> = Vec::with_capacity(count);
    let mut labels = Labels::default();
    for (index, item) in items.into_iter().enumerate() {
        let under = |issue: Issue| issue.under(&index.to_string());
        let option = match is_titled {
            true => titled(item, keywords.checks),
            false => string(item).map(|value| FieldOption { value, title: None }),
        };
        let option = option.map_err(under)?;
        if keywords.checks == Checks::All {
            check_option(&option, &options, &mut labels).map_err(under)?;
        }
        options.push(option);
    }
    Ok(options)
}

fn titled(json: &str, checks: Checks) -> Result<FieldOption, Issue> {
    let item = Keywords::read(json, TITLED, checks)?;
    item.only(&["const", "title"], "an option")?;
    let missing = |key: &str| Issue::here(format!("{key} is missing. Use {TITLED}."));
    let title = item.shown("title", MAX_FIELD_TITLE)?;
    item.ensure(title.is_some(), || missing("title"))?;
    Ok(FieldOption {
        value: item.string("const")?.ok_or_else(|| missing("const"))?,
        title,
    })
}

fn check_option(
    option: &FieldOption,
    earlier: &[FieldOption],
    labels: &mut Labels,
) -> Result<(), Issue> {
    let value = option.value.as_str();
    let key = option.title.is_some().then_some("const");
    let fault = |key: Option<&str>, message: String| {
        let issue = Issue::here(message);
        Err(key.into_iter().fold(issue, Issue::under))
    };
    let given = excerpt(value);
    let most = if key.is_some() {
        MAX_OPTION_VALUE
    } else {
        MAX_FIELD_TITLE
    };
    if value.chars().count() > most {
        return fault(
            key,
            format!("{given} is too long. Use at most {most} characters."),
        );
    }
    if value.is_empty() {
        let message =
            "\"\" is not an option: it cannot be told from an empty field. Use another value.";
        return fault(key, message.to_owned());
    }
    // Pages send line breaks in a form of their own.
    if value.contains(char::is_control) {
        return fault(
            key,
            format!("{given} has a control character. Use a value without."),
        );
    }
    if earlier.iter().any(|earlier| earlier.value == value) {
        return fault(key, is_twice(value));
    }
    if single_line(option.label()).is_empty() {
        return fault(
            key,
            format!("{given} is invisible. Use oneOf with a title."),
        );
    }
    let key = option.title.is_some().then_some("title");
    labels
        .add(option.label())
        .or_else(|message| fault(key, message))
}
