//! What an agent asks: the arguments of `ask_human`, as the body of a create.
//!
//! Invariant: a question reaches somebody who is not the agent: it notifies somebody, or the agent may have
//! the link and has asked for it, to show it.

use super::tools::Arguments;
use crate::domain::api::excerpt::excerpt_json;
use crate::domain::json;
use serde_json::value::RawValue;

/// The tag of every token that an agent has asked. A key of `AGENT_KEYS` sees these tokens alone.
pub const AGENT_TAG: &str = "mcp";

/// How long a question waits if the agent does not say.
const DEFAULT_TIMEOUT: &str = "\"1d\"";

const ARGUMENTS: [&str; 8] = [
    "title",
    "description",
    "choices",
    "form",
    "notify",
    "timeout",
    "idempotencyKey",
    "returnLink",
];

/// A question, to be created.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    /// The body of the create, as JSON text. It is checked as any other.
    pub body: String,
    /// Whether the agent gets the link to decide by.
    pub returns_link: bool,
}

impl Question {
    /// Reads the arguments of `ask_human`. `may_have_link` says whether the agent may get the link, by which
    /// it could decide itself.
    ///
    /// # Errors
    /// What is wrong, in a sentence that an agent can act on.
    pub fn parse(arguments: &str, may_have_link: bool) -> Result<Self, String> {
        let given = Arguments::of(arguments, &ARGUMENTS)?;
        given.required("title")?;
        let returns_link = match given.raw("returnLink") {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                return Err(format!(
                    "returnLink is {}. Use true or false.",
                    excerpt_json(other)
                ));
            }
        };
        if returns_link && !may_have_link {
            return Err(
                "returnLink is not allowed here: whoever asks may not decide. Use notify, such as \
                 [{\"email\": \"ann@example.com\"}]."
                    .to_owned(),
            );
        }
        let notify = given.raw("notify").unwrap_or("[]");
        if !may_have_link && tells_webhook(notify) {
            return Err(
                "notify may not name a webhook here, because its receiver gets the link: whoever asks \
                 may not decide. Use email, slack or teams."
                    .to_owned(),
            );
        }
        let is_heard = notify
            .chars()
            .any(|c| c != '[' && c != ']' && !c.is_ascii_whitespace());
        if !is_heard && !returns_link {
            return Err(
                "Nobody would hear of this question. Use notify, such as [{\"email\": \
                 \"ann@example.com\"}], or returnLink: true to show the link to the person yourself."
                    .to_owned(),
            );
        }
        let mut approval = String::new();
        for name in ["title", "description", "choices", "form"] {
            push_field(&mut approval, name, given.raw(name));
        }
        let mut body = String::new();
        push_field(
            &mut body,
            "timeout",
            Some(given.raw("timeout").unwrap_or(DEFAULT_TIMEOUT)),
        );
        push_field(&mut body, "idempotencyKey", given.raw("idempotencyKey"));
        push_field(&mut body, "tags", Some(&format!("[\"{AGENT_TAG}\"]")));
        push_field(&mut body, "approval", Some(&format!("{{{approval}}}")));
        push_field(&mut body, "notify", Some(notify).filter(|_| is_heard));
        Ok(Self {
            body: format!("{{{body}}}"),
            returns_link,
        })
    }
}

/// Whether a notice goes to a URL that the agent has chosen.
fn tells_webhook(notify: &str) -> bool {
    let receivers: Vec<&RawValue> = serde_json::from_str(notify).unwrap_or_default();
    let fields = receivers
        .into_iter()
        .filter_map(|receiver| json::entries(receiver.get()));
    fields.flatten().any(|(name, _)| name == "webhook")
}

fn push_field(object: &mut String, name: &str, value: Option<&str>) {
    let Some(value) = value else { return };
    if !object.is_empty() {
        object.push(',');
    }
    *object += &format!("\"{name}\":{value}");
}
