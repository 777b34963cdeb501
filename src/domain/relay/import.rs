//! Invariants:
//! - A response that cannot be read as a token is rejected; no field is guessed.
//! - Tags and an approval that exceed create's limits are dropped.
//!
//! A token in upstream's responses. Source of the formats: trigger.dev's `ApiWaitpointPresenter` and
//! `waitpointCompletionPacket`.

use crate::domain::api::create::read_tags;
use crate::domain::api::limits::{MAX_CREATE, MAX_CREATE_WITH_APPROVAL};
use crate::domain::approval::schema::Approval;
use crate::domain::auth::token_id::internal_id;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::home::Home;
use crate::domain::token::status::Status;
use crate::domain::token::{CompletedBy, Decision, Key, Output, OutputKind, State, Token};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The id in the response to a create, without its prefix.
#[must_use]
pub fn created_id(json: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Created {
        id: String,
    }
    let created: Created = serde_json::from_str(json).ok()?;
    internal_id(&created.id).map(str::to_owned)
}

/// The token in upstream's response to a retrieve; `None` if it cannot be read. `origin` is ours.
#[must_use]
pub fn read_token(json: &str, origin: &str) -> Option<Token> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Fields<'a> {
        status: &'a str,
        created_at: &'a str,
        timeout_at: Option<&'a str>,
        completed_at: Option<&'a str>,
        output: Option<String>,
        output_type: Option<&'a str>,
        #[serde(borrow)]
        tags: Option<&'a RawValue>,
        idempotency_key: Option<String>,
        user_provided_idempotency_key: Option<bool>,
        idempotency_key_expires_at: Option<&'a str>,
        #[serde(borrow)]
        approval: Option<&'a RawValue>,
    }
    let fields: Fields<'_> = serde_json::from_str(json).ok()?;
    let moment = |text: Option<&str>| text.and_then(Timestamp::parse_iso);
    let status = Status::parse(fields.status)?;
    let created_at = Timestamp::parse_iso(fields.created_at)?;
    let timeout_at = moment(fields.timeout_at);
    let ended_at = moment(fields.completed_at).unwrap_or(created_at);
    let key = fields.idempotency_key;
    Some(Token {
        state: match status {
            Status::Waiting => State::Waiting,
            Status::TimedOut => State::TimedOut,
            Status::Completed => State::Completed {
                at: ended_at,
                decision: Decision {
                    output: fields.output.map(|text| {
                        read_output(text, fields.output_type.unwrap_or("application/json"))
                    }),
                    by: CompletedBy::Upstream,
                    subject: None,
                    callback: None,
                    is_by_owner: false,
                },
            },
        },
        approval: fields
            .approval
            .map(RawValue::get)
            .filter(|text| text.len() <= MAX_CREATE_WITH_APPROVAL)
            .filter(|text| Approval::parse(text).is_ok())
            .map(str::to_owned),
        origin: origin.to_owned(),
        key: key
            .filter(|_| fields.user_provided_idempotency_key == Some(true))
            .map(|text| Key {
                text,
                expires_at: moment(fields.idempotency_key_expires_at),
            }),
        home: Home::Upstream,
        // A token that timed out had a timeout.
        ..Token::new(
            created_at,
            match status {
                Status::TimedOut => timeout_at.or(Some(ended_at)),
                Status::Waiting | Status::Completed => timeout_at,
            },
            // Create's limits apply, because these are stored here and in every row of a list.
            fields
                .tags
                .filter(|raw| raw.get().len() <= MAX_CREATE)
                .and_then(|raw| read_tags(raw).ok())
                .unwrap_or_default(),
        )
    })
}

/// An output as it is stored here. In trigger.dev's superjson the value is under `json`.
fn read_output(text: String, media_type: &str) -> Output {
    #[derive(Deserialize)]
    struct SuperJson<'a> {
        #[serde(borrow)]
        json: &'a RawValue,
    }
    let json = |text: String| Output {
        kind: OutputKind::Json,
        text,
    };
    match media_type {
        "application/json" => json(text),
        "application/super+json" => match serde_json::from_str::<SuperJson<'_>>(&text) {
            Ok(plain) => json(plain.json.get().to_owned()),
            Err(_) => json(text),
        },
        "application/store" => Output {
            kind: OutputKind::Stored,
            text,
        },
        _ => Output {
            kind: OutputKind::Text,
            text,
        },
    }
}
