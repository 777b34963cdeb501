//! What Worker and object say to each other. The names in JSON stay as they are: during an update the two may
//! be of different versions.

use super::line::{Unreadable, pack, unpack};
use super::record::{StoredDecision, StoredToken};
use crate::domain::token::Token;
use crate::domain::token::command::{Command, Reply};
use crate::domain::token::transition::Outcome;
use serde::{Deserialize, Serialize};

/// A [`Command`] on its way to an object, but for the text of an output, which follows.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandMessage {
    /// [`Command::Create`].
    Create(StoredToken),
    /// [`Command::Read`].
    Read,
    /// The same for the approval page, which shows no long output: the Worker would hold one a visit.
    ReadForPage,
    /// [`Command::Complete`].
    Complete(StoredDecision),
    /// [`Command::CompleteRelayed`].
    #[serde(rename = "relay")]
    CompleteRelayed(StoredToken, StoredDecision),
    /// [`Command::ImportUpstream`].
    #[serde(rename = "learn")]
    ImportUpstream(StoredToken),
}

/// What an object replies.
#[allow(
    clippy::large_enum_variant,
    reason = "it is not, with pointers of 32 bits"
)]
pub enum TokenReply {
    /// There is no such token.
    NotFound,
    /// The token is stored.
    Created,
    /// The token as it stands; after a create, the one that was there before.
    Found(Token),
    /// What a decision came to.
    Decided(Outcome),
}

/// A [`TokenReply`] on its way; the text of a token's output follows.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReplyMessage {
    #[serde(rename = "unknown")]
    NotFound,
    Created,
    Found(Box<StoredToken>),
    Decided(OutcomeMessage),
}

/// An [`Outcome`], which knows no JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeMessage {
    Waiting,
    Completed,
    AlreadyCompleted,
    TimedOut,
}

impl CommandMessage {
    /// The command; `text` is what followed.
    pub fn into_command(self, text: String) -> Command {
        let boxed = |token: StoredToken, text| Box::new(token.into_token(text));
        match self {
            Self::Create(token) => Command::Create(boxed(token, String::new())),
            Self::Read | Self::ReadForPage => Command::Read,
            Self::Complete(decision) => Command::Complete(decision.into_decision(text)),
            Self::CompleteRelayed(token, decision) => {
                Command::CompleteRelayed(boxed(token, String::new()), decision.into_decision(text))
            }
            Self::ImportUpstream(token) => Command::ImportUpstream(boxed(token, text)),
        }
    }
}

impl TokenReply {
    /// A reply, with the token that was found.
    pub fn new(reply: Reply, token: Option<Token>) -> Self {
        match (reply, token) {
            (Reply::Found, Some(token)) => Self::Found(token),
            (Reply::Found | Reply::NotFound, _) => Self::NotFound,
            (Reply::Created, _) => Self::Created,
            (Reply::Decided(outcome), _) => Self::Decided(outcome),
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::NotFound => pack(&ReplyMessage::NotFound, ""),
            Self::Created => pack(&ReplyMessage::Created, ""),
            Self::Found(token) => {
                let (token, text) = StoredToken::of(token);
                pack(&ReplyMessage::Found(Box::new(token)), text)
            }
            Self::Decided(outcome) => pack(&ReplyMessage::Decided((*outcome).into()), ""),
        }
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let (reply, text) = unpack(bytes)?;
        Ok(match reply {
            ReplyMessage::NotFound => Self::NotFound,
            ReplyMessage::Created => Self::Created,
            ReplyMessage::Found(token) => Self::Found(token.read(text)?),
            ReplyMessage::Decided(outcome) => Self::Decided(outcome.into()),
        })
    }
}

impl From<Outcome> for OutcomeMessage {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Waiting => Self::Waiting,
            Outcome::Completed => Self::Completed,
            Outcome::AlreadyCompleted => Self::AlreadyCompleted,
            Outcome::TimedOut => Self::TimedOut,
        }
    }
}

impl From<OutcomeMessage> for Outcome {
    fn from(outcome: OutcomeMessage) -> Self {
        match outcome {
            OutcomeMessage::Waiting => Self::Waiting,
            OutcomeMessage::Completed => Self::Completed,
            OutcomeMessage::AlreadyCompleted => Self::AlreadyCompleted,
            OutcomeMessage::TimedOut => Self::TimedOut,
        }
    }
}
