//! The fields of an output, from what the controls of a page sent.

use super::decimal::to_json_number;
use super::{FaultReason, Field, FieldFault, FieldKind, Form, TextFormat};
use crate::domain::json::to_json;

impl Form {
    /// The fields of the output, as the text of a JSON object, from what was sent for each field: the
    /// values of all controls of its name. A text has one; a ticked box has `true`, and one that is not
    /// ticked nothing; a list has those of its ticked boxes.
    ///
    /// What was left empty is left out.
    ///
    /// # Errors
    /// What is wrong with the fields: one fault of each, in their order.
    pub fn fields_json<'a>(
        &self,
        sent: &dyn Fn(usize) -> Vec<&'a str>,
    ) -> Result<String, Vec<FieldFault>> {
        let mut json = String::from("{");
        let mut faults = Vec::new();
        for (index, field) in self.fields.iter().enumerate() {
            let value = field.value(&sent(index));
            let why = match &value {
                Ok(value) => field
                    .faults(value.as_deref())
                    .into_iter()
                    .next()
                    .map(|fault| fault.why),
                Err(why) => Some(why.clone()),
            };
            if let Some(why) = why {
                faults.push(FieldFault { field: index, why });
            } else if let Ok(Some(value)) = value {
                if json.len() > 1 {
                    json.push(',');
                }
                json += &to_json(&field.name);
                json.push(':');
                json += &value;
            }
        }
        json.push('}');
        match faults.is_empty() {
            true => Ok(json),
            false => Err(faults),
        }
    }
}

impl Field {
    /// The value that was sent, as JSON text, not yet checked; `None` if it was left empty.
    fn value(&self, sent: &[&str]) -> Result<Option<String>, FaultReason> {
        let first = || sent.first().copied().unwrap_or("");
        let json = match &self.kind {
            FieldKind::Text { format, .. } => {
                let text = sent_text(first());
                let text = match format {
                    Some(TextFormat::DateTime) => with_offset(&text),
                    _ => text,
                };
                (!text.is_empty()).then(|| to_json(&text))
            }
            FieldKind::Number { .. } => match first().trim() {
                "" => None,
                typed => Some(to_json_number(typed).ok_or(FaultReason::NotNumber)?),
            },
            FieldKind::Boolean { .. } => Some(to_json(&sent.contains(&"true"))),
            // An option is never empty.
            FieldKind::One { .. } => Some(first()).filter(|value| !value.is_empty()).map(to_json),
            FieldKind::Many { min, .. } => {
                let chosen: Vec<&str> = sent
                    .iter()
                    .copied()
                    .filter(|value| !value.is_empty())
                    .collect();
                let is_empty_list = self.is_required && *min == 0;
                (!chosen.is_empty() || is_empty_list).then(|| to_json(&chosen))
            }
        };
        Ok(json)
    }
}

/// A text without white space at its ends. Browsers send line breaks as CR LF.
pub(super) fn sent_text(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.trim().to_owned()
}

/// A date and time with seconds and an offset, from what a browser sends, which may lack them. Without an
/// offset it is UTC. Any other text is kept, and no date and time.
fn with_offset(text: &str) -> String {
    let Some((date, time)) = text.split_once(['T', 't', ' ']) else {
        return text.to_owned();
    };
    let Some((minutes, rest)) = time.split_at_checked(5) else {
        return text.to_owned();
    };
    let seconds = if rest.starts_with(':') { "" } else { ":00" };
    let has_offset = rest.contains(['Z', 'z', '+', '-']);
    let offset = if has_offset { "" } else { "Z" };
    format!("{date}T{minutes}{seconds}{rest}{offset}")
}
