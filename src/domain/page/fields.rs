//! The controls of a form's fields.
//!
//! Invariant: a control is named by the index of its field, and an option by its own index. So no name
//! or value that a creator wrote is changed on its way through a browser.

use super::fault::{sentence, with};
use crate::domain::approval::form::{FaultReason, Field, FieldKind, FieldOption, Form, TextFormat};
use crate::domain::page::decide::FormInput;
use crate::domain::page::i18n::Words;
use crate::domain::text::{single_line, strip_invisible};
use crate::domain::time::timestamp::Timestamp;
use askama::Template;
use std::borrow::Cow;

/// Longest text that has a control of one line, in characters.
const MAX_LINE: usize = 200;
/// The most options that are shown as radio buttons.
const MAX_RADIO_BUTTONS: usize = 5;

/// A field of the page.
#[derive(Template)]
#[template(path = "field.html")]
pub(super) struct FieldView<'a> {
    words: &'a Words,
    /// The name and the id of its control, or of its first one.
    pub(super) id: String,
    pub(super) label: String,
    /// What the creator says about it.
    hint: Option<String>,
    /// What the page says about it.
    rule: Option<String>,
    is_optional: bool,
    /// Whether the browser may insist on a value.
    is_required: bool,
    pub(super) fault: Option<String>,
    control: Control<'a>,
}

enum Control<'a> {
    Input(Input<'a>),
    TextArea {
        value: Cow<'a, str>,
        min_length: Option<usize>,
    },
    Select {
        options: Vec<OptionView>,
        is_empty: bool,
    },
    CheckBox {
        is_checked: bool,
    },
    Group {
        kind: Buttons,
        options: Vec<OptionView>,
    },
}

/// The buttons of a group: of radio buttons one is chosen, of check boxes some.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Buttons {
    Radio,
    CheckBox,
}

struct Input<'a> {
    kind: &'static str,
    value: Cow<'a, str>,
    mode: Option<&'static str>,
    step: Option<&'static str>,
    min: Option<&'a str>,
    max: Option<&'a str>,
    min_length: Option<usize>,
}

struct OptionView {
    index: usize,
    label: String,
    is_chosen: bool,
}

/// Who checks the input first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Checks {
    /// The browser. Whatever it lets pass is checked again.
    Browser,
    /// The server alone, as only the choice tells whether the fields are sent.
    Server,
}

/// The fields, with what was sent for them, or else their defaults.
pub(super) fn views<'a>(
    words: &'a Words,
    form: &'a Form,
    checks: Checks,
    input: &'a FormInput,
    fault_of: impl Fn(usize) -> Option<&'a FaultReason>,
) -> Vec<FieldView<'a>> {
    let view = |(index, field): (usize, &'a Field)| {
        let fault = fault_of(index).map(|why| sentence(words, Some(field), why));
        FieldView {
            words,
            id: format!("field-{index}"),
            label: single_line(field.label()),
            hint: field.description.as_deref().map(strip_invisible),
            // A fault may say the same.
            rule: rule(words, &field.kind).filter(|rule| fault.as_ref() != Some(rule)),
            is_optional: !field.is_required && !matches!(field.kind, FieldKind::Boolean { .. }),
            is_required: field.is_required && checks == Checks::Browser,
            fault,
            control: Control::of(field, checks, input.sent(index)),
        }
    };
    form.fields.iter().enumerate().map(view).collect()
}

/// What the page says about a field before something is wrong with it.
fn rule(words: &Words, kind: &FieldKind) -> Option<String> {
    match kind {
        FieldKind::Text {
            format: Some(TextFormat::DateTime),
            ..
        } => Some(words.utc_hint.to_owned()),
        FieldKind::Text {
            min, format: None, ..
        } if *min > 1 => Some(with(words, words.too_short, min)),
        FieldKind::Many {
            options, min, max, ..
        } => {
            let few = (*min > 1).then(|| with(words, words.too_few, min));
            let many = (*max < options.len()).then(|| with(words, words.too_many, max));
            let rules: Vec<_> = few.into_iter().chain(many).collect();
            (!rules.is_empty()).then(|| rules.join(" "))
        }
        _ => None,
    }
}

impl FieldView<'_> {
    /// The ids of the texts about it, with spaces between; empty if there are none.
    fn described_by(&self) -> String {
        let texts = [
            ("hint", self.hint.is_some()),
            ("rule", self.rule.is_some()),
            ("fault", self.fault.is_some()),
        ];
        let ids = texts.iter().filter(|(_, is_there)| *is_there);
        let ids: Vec<_> = ids.map(|(text, _)| format!("{}-{text}", self.id)).collect();
        ids.join(" ")
    }

    /// The id of an option's control. The first one is the field's own, for links to the field.
    fn option_id(&self, index: &usize) -> String {
        match index {
            0 => self.id.clone(),
            _ => format!("{}-{index}", self.id),
        }
    }
}

impl Buttons {
    fn is_radio(self) -> bool {
        self == Self::Radio
    }

    fn name(self) -> &'static str {
        match self {
            Self::Radio => "radio",
            Self::CheckBox => "checkbox",
        }
    }
}

impl<'a> Control<'a> {
    /// `sent` is `None` if the page is fresh.
    fn of(field: &'a Field, checks: Checks, sent: Option<&'a [String]>) -> Self {
        let typed = sent.map(|sent| sent.first().map_or("", String::as_str));
        match &field.kind {
            FieldKind::Text {
                min,
                max,
                format,
                default,
            } => {
                let value = typed.map_or_else(
                    || Cow::Owned(strip_invisible(default.as_deref().unwrap_or_default())),
                    Cow::Borrowed,
                );
                let min = (*min > 1 && checks == Checks::Browser).then_some(*min);
                if format.is_none() && (*max > MAX_LINE || value.contains('\n')) {
                    return Self::TextArea {
                        value,
                        min_length: min,
                    };
                }
                Self::Input(Input {
                    min_length: min,
                    ..Input::of_text(*format, value, checks)
                })
            }
            FieldKind::Number {
                is_integer,
                minimum,
                maximum,
                default,
            } => {
                let value = typed.or(default.as_deref()).unwrap_or_default();
                let (minimum, maximum) = (minimum.as_deref(), maximum.as_deref());
                Self::Input(Input::of_number(
                    *is_integer,
                    minimum,
                    maximum,
                    value,
                    checks,
                ))
            }
            FieldKind::Boolean { default } => Self::CheckBox {
                is_checked: sent.map_or(*default, |sent| sent.iter().any(|value| value == "true")),
            },
            FieldKind::One { options, default } => {
                let default = default.as_slice();
                let options = option_views(options, sent, default);
                if field.is_required && options.len() <= MAX_RADIO_BUTTONS {
                    return Self::Group {
                        kind: Buttons::Radio,
                        options,
                    };
                }
                let is_empty = !options.iter().any(|option| option.is_chosen);
                Self::Select { options, is_empty }
            }
            FieldKind::Many {
                options, default, ..
            } => Self::Group {
                kind: Buttons::CheckBox,
                options: option_views(options, sent, default),
            },
        }
    }
}

fn option_views(
    options: &[FieldOption],
    sent: Option<&[String]>,
    default: &[String],
) -> Vec<OptionView> {
    let view = |(index, option): (usize, &FieldOption)| OptionView {
        index,
        label: single_line(option.label()),
        is_chosen: match sent {
            Some(sent) => sent.iter().any(|sent| *sent == index.to_string()),
            None => default.contains(&option.value),
        },
    };
    options.iter().enumerate().map(view).collect()
}

impl<'a> Input<'a> {
    fn new(kind: &'static str, value: Cow<'a, str>) -> Self {
        Self {
            kind,
            value,
            mode: None,
            step: None,
            min: None,
            max: None,
            min_length: None,
        }
    }

    fn of_text(format: Option<TextFormat>, value: Cow<'a, str>, checks: Checks) -> Self {
        let strict = |kind, mode| match checks {
            Checks::Browser => (kind, None),
            Checks::Server => ("text", Some(mode)),
        };
        let (kind, mode) = match format {
            None => ("text", None),
            Some(TextFormat::Email) => strict("email", "email"),
            Some(TextFormat::Uri) => strict("url", "url"),
            Some(TextFormat::Date) => ("date", None),
            Some(TextFormat::DateTime) => {
                return Self {
                    // Browsers would count whole minutes from the seconds of a default.
                    step: Some("any"),
                    ..Self::new("datetime-local", in_utc(value))
                };
            }
        };
        Self {
            mode,
            ..Self::new(kind, value)
        }
    }

    fn of_number(
        is_integer: bool,
        minimum: Option<&'a str>,
        maximum: Option<&'a str>,
        value: &'a str,
        checks: Checks,
    ) -> Self {
        let are_strict = checks == Checks::Browser;
        // Browsers count steps from the minimum or else from the value, so these must be integers.
        let steps = is_integer
            && are_strict
            && [minimum.unwrap_or_default(), value]
                .iter()
                .all(|it| is_digits(it));
        // The keyboards of phones for these modes have no minus sign.
        let is_positive = minimum.is_some_and(|minimum| !minimum.starts_with('-'));
        Self {
            mode: is_positive.then_some(if is_integer { "numeric" } else { "decimal" }),
            step: Some(if steps { "1" } else { "any" }),
            min: minimum.filter(|_| are_strict),
            max: maximum.filter(|_| are_strict),
            ..Self::new("number", Cow::Borrowed(value))
        }
    }

    /// Whether its text may be from right to left.
    fn is_text(&self) -> bool {
        matches!(self.kind, "text" | "email" | "url")
    }
}

fn is_digits(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A date-time without its offset, in UTC. What is no such time stays as it is.
fn in_utc(text: Cow<'_, str>) -> Cow<'_, str> {
    let Some(at) = Timestamp::parse_iso(&text).filter(|_| text.contains(['T', 't'])) else {
        // A time before 1970.
        return match text.strip_suffix(['Z', 'z']) {
            Some(local) => Cow::Owned(local.to_owned()),
            None => text,
        };
    };
    let iso = at.to_string();
    let local = iso.trim_end_matches('Z').trim_end_matches(".000");
    Cow::Owned(local.strip_suffix(":00").unwrap_or(local).to_owned())
}
