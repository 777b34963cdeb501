//! The outputs of an approval's choices.
//!
//! Invariant: an output that a choice makes tells the choice, the comment and the fields.

use crate::domain::api::excerpt::excerpt;
use crate::domain::approval::form::Issue;
use crate::domain::approval::schema::{Approval, Choice, MAX_CHOICE_OUTPUT, Validate};
use crate::domain::json::{for_each_entry, minify_json, to_json};
use crate::domain::token::{Decision, Output, OutputKind};

impl Choice {
    /// The output of this choice, as JSON text. `fields` is the text of a JSON object. An empty comment is
    /// left out, and so are fields of a choice that sends none.
    #[must_use]
    pub fn output(&self, comment: &str, fields: Option<&str>) -> String {
        let data = match &self.data {
            Some(data) => data.clone(),
            None => format!(r#"{{"choice":{}}}"#, to_json(&self.label)),
        };
        let comment = (!comment.is_empty()).then(|| format!(r#""comment":{}"#, to_json(comment)));
        let fields = fields.map(|fields| format!(r#""fields":{fields}"#));
        if comment.is_none() && fields.is_none() {
            return data;
        }
        let inner = data
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        let own = match inner {
            Some(inner) => Some(inner.to_owned()).filter(|inner| !inner.trim().is_empty()),
            None => Some(format!(r#""data":{data}"#)),
        };
        let parts: Vec<String> = [own, comment, fields].into_iter().flatten().collect();
        format!("{{{}}}", parts.join(","))
    }

    /// Whether the data is an object with this key.
    pub(super) fn holds(&self, key: &str) -> bool {
        let mut holds = false;
        let data = self.data.as_deref().unwrap_or("");
        for_each_entry(data, &mut |name, _| holds |= name == key) && holds
    }
}

/// Why a decision's output does not match the form of an `approval`, which is JSON text.
#[must_use]
pub fn issues_of(approval: &str, decision: &Decision) -> Vec<Issue> {
    // Reading an approval takes longer than a completion, and few are checked.
    // A key can be written with escapes.
    if !approval.contains("\"validate\"") && !approval.contains("\\u") {
        return Vec::new();
    }
    let approval = Approval::read(approval).unwrap_or_default();
    approval.issues_of(decision.output.as_ref())
}

impl Approval {
    /// The choice that led to this output, the added comment, and the fields of the form as JSON text;
    /// `None` if no choice did.
    #[must_use]
    pub fn choice_of(&self, output: &str) -> Option<(&Choice, String, Option<String>)> {
        if output.len() > MAX_CHOICE_OUTPUT {
            return None;
        }
        let output = minify_json(output);
        let (mut comment, mut fields) = (String::new(), None);
        for_each_entry(&output, &mut |key, value| match key.as_str() {
            "comment" => comment = serde_json::from_str(value.get()).unwrap_or_default(),
            "fields" => fields = Some(value.get()),
            _ => {}
        });
        let found = [
            (&*comment, fields),
            (&*comment, None),
            ("", fields),
            ("", None),
        ];
        found.into_iter().find_map(|(comment, fields)| {
            let made = |choice: &&Choice| {
                (fields.is_none() || self.sends_form(choice))
                    && minify_json(&choice.output(comment, fields)) == output
            };
            let choice = self.choices.iter().find(made)?;
            Some((choice, comment.to_owned(), fields.map(str::to_owned)))
        })
    }

    /// Why an output is not accepted although it did not come from the page. There are issues only with
    /// [`Validate::All`]; the output of a choice that sends no form has none.
    #[must_use]
    pub fn issues_of(&self, output: Option<&Output>) -> Vec<Issue> {
        if self.validate != Validate::All {
            return Vec::new();
        }
        let issue = |message: String| {
            let pointer = String::new();
            vec![Issue { pointer, message }]
        };
        match output {
            None => issue("The output is missing. Use a JSON object with fields.".to_owned()),
            Some(output) if output.kind != OutputKind::Json => {
                let given = excerpt(&output.text);
                issue(format!(
                    "{given} is not JSON. Use a JSON object with fields."
                ))
            }
            Some(output) => match self.choice_of(&output.text) {
                Some((choice, ..)) if !choice.form => Vec::new(),
                _ => self.form().issues(&output.text),
            },
        }
    }
}
