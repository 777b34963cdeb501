//! What an agent asks: the arguments of `ask_human`, as a create.
//!
//! Invariants:
//! - A question reaches somebody who is not the agent: it notifies somebody, or the agent may have the link
//!   and has asked for it, to show it.
//! - What agents have asked can be told from everything else: only they have [`AGENT_TAG`], and their
//!   idempotency keys are never the key of another token.

use super::rights::Rights;
use super::tools::Arguments;
use crate::domain::api::create::CreateRequest;
use crate::domain::api::error::ApiError;
use crate::domain::api::excerpt::{excerpt, excerpt_json};
use crate::domain::api::notify::parse_notify;
use crate::domain::approval::schema::Approval;
use crate::domain::auth::token_id::public_id;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::Token;
use crate::domain::token::notify::Recipient;

/// The tag of every token that an agent has asked for. A key of `AGENT_KEYS` sees these tokens alone. No
/// tag and no idempotency key of the API begins with it.
pub const AGENT_TAG: &str = "waitpoint:agent";

/// Who asks, as people are told.
const REQUESTED_BY: &str = "\"AI agent\"";

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
    pub request: CreateRequest,
    pub recipients: Vec<Recipient>,
    /// Whether the agent gets the link to decide by.
    pub returns_link: bool,
}

impl Question {
    /// Reads the arguments of `ask_human`.
    ///
    /// # Errors
    /// What is wrong, in a sentence that an agent can act on.
    pub fn parse(arguments: &str, rights: Rights, now: Timestamp) -> Result<Self, String> {
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
        let recipients = parse_notify(given.raw("notify")).map_err(sentence)?;
        check_rights(&recipients, returns_link, rights)?;
        let mut approval = String::new();
        for name in ["title", "description", "choices", "form"] {
            push_field(&mut approval, name, given.raw(name));
        }
        push_field(&mut approval, "requestedBy", Some(REQUESTED_BY));
        let mut body = String::new();
        let timeout = given.raw("timeout").unwrap_or(DEFAULT_TIMEOUT);
        push_field(&mut body, "timeout", Some(timeout));
        push_field(&mut body, "idempotencyKey", given.raw("idempotencyKey"));
        push_field(&mut body, "approval", Some(&format!("{{{approval}}}")));
        push_field(&mut body, "notify", given.raw("notify"));
        let body = format!("{{{body}}}");
        let mut request = CreateRequest::parse_bounded(body.as_bytes(), now).map_err(sentence)?;
        request.tags.push(AGENT_TAG.to_owned());
        if let Some(key) = &mut request.key {
            key.text = format!("{AGENT_TAG}:{}", key.text);
        }
        Ok(Self {
            request,
            recipients,
            returns_link,
        })
    }
}

fn check_rights(
    recipients: &[Recipient],
    returns_link: bool,
    rights: Rights,
) -> Result<(), String> {
    let has = |is_kind: fn(&Recipient) -> bool| recipients.iter().any(is_kind);
    let refused = if returns_link && !rights.links {
        "returnLink is not allowed here: an agent may not decide what it asks. Use notify."
    } else if !rights.links && has(|one| matches!(one, Recipient::Webhook(_))) {
        "notify may not name a webhook here: its receiver gets the link, and an agent may not decide what \
         it asks. Use email, slack or teams."
    } else if !rights.mail && has(|one| matches!(one, Recipient::Email { .. })) {
        "notify may not name an e-mail address here: as NOTIFY_DOMAINS is not set, the address could be \
         your own. Use slack or teams, or tell your user."
    } else if !recipients.is_empty() || returns_link {
        return Ok(());
    } else if rights.links {
        "Nobody would hear of this question. Use notify, such as [{\"email\": \"ann@example.com\"}], or \
         returnLink: true to show the link to the person yourself."
    } else {
        "Nobody would hear of this question. Use notify, such as [{\"email\": \"ann@example.com\"}], with \
         whom your user has named."
    };
    Err(refused.to_owned())
}

/// An error of create, for an agent, which knows no field `approval`.
fn sentence(error: ApiError) -> String {
    let mut sentence = match error {
        ApiError::ValidationError {
            path: "approval",
            message,
        } => format!("The arguments are not valid: {message}"),
        error => error.to_string(),
    };
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

/// Whether an agent has asked for this token.
#[must_use]
pub fn is_of_agent(token: &Token) -> bool {
    token.tags.iter().any(|tag| tag == AGENT_TAG)
}

/// Refuses a create by the API whose token would look like one of an agent.
///
/// # Errors
/// `ValidationError`.
pub fn check_not_of_agent(request: &CreateRequest) -> Result<(), ApiError> {
    let key = request.key.as_ref().map(|key| &key.text);
    let reserved = |(path, text): (&'static str, &String)| {
        text.starts_with(AGENT_TAG).then(|| {
            let message = format!("{} is reserved for agents. Use another one.", excerpt(text));
            ApiError::ValidationError { path, message }
        })
    };
    let tags = request.tags.iter().map(|tag| ("tags", tag));
    let key = key.into_iter().map(|key| ("idempotencyKey", key));
    tags.chain(key).find_map(reserved).map_or(Ok(()), Err)
}

/// Refuses to answer a question with the decision of another one that had the same idempotency key.
///
/// # Errors
/// What the agent can do, in a sentence.
pub fn check_same_question(asked: Option<&str>, id: &str, found: &Token) -> Result<(), String> {
    if asked == found.approval.as_deref() {
        return Ok(());
    }
    let approval = found.approval.as_deref().map(Approval::read);
    let title = approval
        .and_then(Result::ok)
        .and_then(|approval| approval.title);
    Err(format!(
        "This idempotencyKey has asked something else before: {}. Use another key, or check_decision with \
         the id {}.",
        excerpt(&title.unwrap_or_default()),
        public_id(id)
    ))
}

fn push_field(object: &mut String, name: &str, value: Option<&str>) {
    let Some(value) = value else { return };
    if !object.is_empty() {
        object.push(',');
    }
    *object += &format!("\"{name}\":{value}");
}
