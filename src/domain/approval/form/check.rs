//! Checks the values of a form's fields, wherever they came from.

use super::decimal::Decimal;
use super::{FaultReason, Field, FieldFault, FieldKind, FieldOption, Form, TextFormat};
use crate::domain::json::{for_each_entry, for_each_item};

/// The most issues that are reported of one output.
pub const MAX_ISSUES: usize = 100;

/// What is wrong with a value.
pub(super) struct Fault {
    /// The index of the item of a list; `None` if the whole value is meant.
    pub(super) item: Option<usize>,
    pub(super) why: FaultReason,
}

impl From<FaultReason> for Fault {
    fn from(why: FaultReason) -> Self {
        Self { item: None, why }
    }
}

impl Form {
    /// Checks the fields of an output: the text of a JSON object. Without one, no field is filled in.
    /// Only the first fault of each field is told, and what is no field of the form is ignored; see
    /// [`Form::issues`].
    #[must_use]
    pub fn check(&self, fields: Option<&str>) -> Vec<FieldFault> {
        let values = self.values_of(fields.unwrap_or("{}"));
        let fault_of = |(index, field): (usize, &Field)| {
            let why = match &values {
                Some(values) => {
                    let value = values.get(index).copied().flatten();
                    field.faults(value).into_iter().next()?.why
                }
                None => FaultReason::WrongType,
            };
            Some(FieldFault { field: index, why })
        };
        self.fields
            .iter()
            .enumerate()
            .filter_map(fault_of)
            .collect()
    }

    /// The value of each field in the text of a JSON object, as JSON; `None` if the text is no object.
    pub(crate) fn values_of<'a>(&self, fields: &'a str) -> Option<Vec<Option<&'a str>>> {
        let mut values = vec![None; self.fields.len()];
        let is_object = for_each_entry(fields, &mut |name, value| {
            let slot = self.position(&name).and_then(|at| values.get_mut(at));
            if let Some(slot) = slot {
                slot.get_or_insert(value.get());
            }
        });
        is_object.then_some(values)
    }

    /// The index of the field of this name.
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}

impl Field {
    /// What is wrong with the value of the field, as JSON text; `None` if it is left out.
    pub(super) fn faults(&self, value: Option<&str>) -> Vec<Fault> {
        let fault = match value {
            Some(value) => match &self.kind {
                FieldKind::Many {
                    options, min, max, ..
                } => return list_faults(value, options, *min, *max),
                kind => kind.fault(value),
            },
            None if self.is_required => Some(FaultReason::Missing),
            None => None,
        };
        fault.into_iter().map(Fault::from).collect()
    }
}

impl FieldKind {
    /// What is wrong with a value that is no list.
    fn fault(&self, json: &str) -> Option<FaultReason> {
        match self {
            Self::Text {
                min, max, format, ..
            } => {
                let Some(text) = string(json) else {
                    return Some(FaultReason::WrongType);
                };
                let length = text.chars().count();
                match format {
                    // These have a length of their own.
                    Some(format @ (TextFormat::Date | TextFormat::DateTime)) => format.fault(&text),
                    _ if length < *min => Some(FaultReason::TooShort(*min)),
                    _ if length > *max => Some(FaultReason::TooLong(*max)),
                    Some(format) => format.fault(&text),
                    None => None,
                }
            }
            Self::Number {
                is_integer,
                minimum,
                maximum,
                ..
            } => {
                if !json.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
                    return Some(FaultReason::WrongType);
                }
                let Some(number) = Decimal::parse(json) else {
                    return Some(FaultReason::NotNumber);
                };
                if *is_integer && !number.is_integer() {
                    return Some(FaultReason::NotInteger);
                }
                let passes = |bound: &Option<String>, is_past: &dyn Fn(&Decimal) -> bool| {
                    let bound = bound.as_ref();
                    bound
                        .filter(|bound| Decimal::parse(bound).is_some_and(|bound| is_past(&bound)))
                        .cloned()
                };
                let below = passes(minimum, &|bound| number.is_less_than(bound));
                let above = passes(maximum, &|bound| bound.is_less_than(&number));
                below
                    .map(FaultReason::TooSmall)
                    .or_else(|| above.map(FaultReason::TooLarge))
            }
            Self::Boolean { .. } => {
                let is_boolean = matches!(json, "true" | "false");
                (!is_boolean).then_some(FaultReason::WrongType)
            }
            Self::One { options, .. } => option_of(json, options).err(),
            Self::Many { .. } => None,
        }
    }
}

/// What is wrong with a list of options, and with its items.
fn list_faults(json: &str, options: &[FieldOption], min: usize, max: usize) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut count = 0;
    let mut is_chosen = vec![false; options.len()];
    let is_list = for_each_item(json, &mut |item| {
        // A list may be as long as an output. Its first items say enough.
        if count < MAX_ISSUES {
            let why = match option_of(item.get(), options) {
                Ok(option) => match is_chosen.get_mut(option) {
                    Some(true) => Some(FaultReason::Repeated),
                    Some(is_chosen) => {
                        *is_chosen = true;
                        None
                    }
                    None => None,
                },
                Err(why) => Some(why),
            };
            let item = Some(count);
            faults.extend(why.map(|why| Fault { item, why }));
        }
        count += 1;
    });
    if !is_list {
        return vec![FaultReason::WrongType.into()];
    }
    if count < min {
        faults.push(FaultReason::TooFew(min).into());
    }
    if count > max {
        faults.push(FaultReason::TooMany(max).into());
    }
    faults
}

/// The index of the option that a value is.
fn option_of(json: &str, options: &[FieldOption]) -> Result<usize, FaultReason> {
    let value = string(json).ok_or(FaultReason::WrongType)?;
    let index = options.iter().position(|option| option.value == value);
    index.ok_or(FaultReason::NotAnOption)
}

fn string(json: &str) -> Option<String> {
    let is_string = json.starts_with('"');
    is_string.then(|| serde_json::from_str(json).ok())?
}
