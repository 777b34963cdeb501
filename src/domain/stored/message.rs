//! The messages between the Worker and a token's object. The names in JSON must not change, because
//! the two can have different versions during an update.

use super::line::{Unreadable, pack, unpack};
use super::record::{StoredDecision, StoredToken};
use super::votes::StoredBallot;
use crate::domain::approval::form::Issue;
use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::Token;
use crate::domain::token::command::{Command, Reply};
use crate::domain::token::notify::ReminderOutcome;
use crate::domain::token::transition::Outcome;
use serde::{Deserialize, Serialize};

/// A [`Command`] on its way to an object. The text of its output follows separately.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandMessage {
    /// [`Command::Create`].
    Create(StoredToken),
    /// [`Command::Create`] of a token with approvers. An object of an older build does not know it: it
    /// would store the token without them.
    CreateWithApprovers(StoredToken),
    /// [`Command::Read`].
    Read,
    /// [`Command::Read`] for the approval page. The reply has no long output, so that the Worker does
    /// not hold one per visit.
    ReadForPage,
    /// [`Command::Complete`].
    Complete(StoredDecision),
    /// [`Command::Vote`].
    Vote(StoredBallot),
    /// [`Command::Cancel`].
    Cancel(Option<String>),
    /// [`Command::Extend`], to a time in milliseconds since the epoch.
    Extend(u64),
    /// [`Command::Remind`].
    Remind,
    /// [`Command::CompleteRelayed`].
    #[serde(rename = "relay")]
    CompleteRelayed(StoredToken, StoredDecision),
    /// [`Command::ImportUpstream`].
    #[serde(rename = "learn")]
    ImportUpstream(StoredToken),
}

/// The reply of an object.
#[allow(
    clippy::large_enum_variant,
    reason = "it is not, with pointers of 32 bits"
)]
pub enum TokenReply {
    /// The token does not exist.
    NotFound,
    /// The token is stored.
    Created,
    /// The token's current state. After a create, this is the token that already existed.
    Found(Token),
    /// The outcome of a decision, a cancel or an extension that failed.
    Decided(Outcome),
    /// The output does not match the form of the token's approval.
    Invalid(Vec<Issue>),
    /// What came of a reminder.
    Reminded(ReminderOutcome),
    /// The token lives upstream, which cannot do this.
    LivesUpstream,
}

/// A [`TokenReply`] on its way to the Worker. The text of the token's output follows.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReplyMessage {
    #[serde(rename = "unknown")]
    NotFound,
    Created,
    Found(Box<StoredToken>),
    Decided(OutcomeMessage),
    Invalid(Vec<Issue>),
    Reminded(ReminderMessage),
    LivesUpstream,
}

/// A [`ReminderOutcome`] with its name in JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReminderMessage {
    Sent,
    TooSoon,
    Nobody,
}

/// An [`Outcome`] with its name in JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeMessage {
    Waiting,
    Completed,
    AlreadyCompleted,
    TimedOut,
    Cancelled,
    Extended,
    Ignored,
    Unsigned,
    Voted,
    ApproversOnly,
}

impl CommandMessage {
    /// The message that creates a token.
    #[must_use]
    pub fn create(token: &Token) -> Self {
        let (stored, _) = StoredToken::of(token);
        match token.quorum {
            Some(_) => Self::CreateWithApprovers(stored),
            None => Self::Create(stored),
        }
    }

    /// The command. `text` is the text that followed it.
    pub fn into_command(self, text: String) -> Command {
        let boxed = |token: StoredToken, text| Box::new(token.into_token(text));
        match self {
            Self::Create(token) | Self::CreateWithApprovers(token) => {
                Command::Create(boxed(token, String::new()))
            }
            Self::Read | Self::ReadForPage => Command::Read,
            Self::Complete(decision) => Command::Complete(decision.into_decision(text)),
            Self::Vote(ballot) => Command::Vote(ballot.into_ballot()),
            Self::Cancel(reason) => Command::Cancel(reason),
            Self::Extend(timeout_at) => Command::Extend(Timestamp::from_millis(timeout_at)),
            Self::Remind => Command::Remind,
            Self::CompleteRelayed(token, decision) => {
                Command::CompleteRelayed(boxed(token, String::new()), decision.into_decision(text))
            }
            Self::ImportUpstream(token) => Command::ImportUpstream(boxed(token, text)),
        }
    }
}

impl TokenReply {
    /// A reply. It contains the token that was found.
    pub fn new(reply: Reply, token: Option<Token>) -> Self {
        match (reply, token) {
            (Reply::Found, Some(token)) => Self::Found(token),
            (Reply::Found | Reply::NotFound, _) => Self::NotFound,
            (Reply::Created, _) => Self::Created,
            (Reply::Decided(outcome), _) => Self::Decided(outcome),
            (Reply::Invalid(issues), _) => Self::Invalid(issues),
            (Reply::Reminded(outcome), _) => Self::Reminded(outcome),
            (Reply::LivesUpstream, _) => Self::LivesUpstream,
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
            Self::Invalid(issues) => pack(&ReplyMessage::Invalid(issues.clone()), ""),
            Self::Reminded(outcome) => pack(&ReplyMessage::Reminded((*outcome).into()), ""),
            Self::LivesUpstream => pack(&ReplyMessage::LivesUpstream, ""),
        }
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let (reply, text) = unpack(bytes)?;
        Ok(match reply {
            ReplyMessage::NotFound => Self::NotFound,
            ReplyMessage::Created => Self::Created,
            ReplyMessage::Found(token) => Self::Found(token.read(text)?),
            ReplyMessage::Decided(outcome) => Self::Decided(outcome.into()),
            ReplyMessage::Invalid(issues) => Self::Invalid(issues),
            ReplyMessage::Reminded(outcome) => Self::Reminded(outcome.into()),
            ReplyMessage::LivesUpstream => Self::LivesUpstream,
        })
    }
}

impl From<ReminderOutcome> for ReminderMessage {
    fn from(outcome: ReminderOutcome) -> Self {
        match outcome {
            ReminderOutcome::Sent => Self::Sent,
            ReminderOutcome::TooSoon => Self::TooSoon,
            ReminderOutcome::Nobody => Self::Nobody,
        }
    }
}

impl From<ReminderMessage> for ReminderOutcome {
    fn from(outcome: ReminderMessage) -> Self {
        match outcome {
            ReminderMessage::Sent => Self::Sent,
            ReminderMessage::TooSoon => Self::TooSoon,
            ReminderMessage::Nobody => Self::Nobody,
        }
    }
}

impl From<Outcome> for OutcomeMessage {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Waiting => Self::Waiting,
            Outcome::Completed => Self::Completed,
            Outcome::AlreadyCompleted => Self::AlreadyCompleted,
            Outcome::TimedOut => Self::TimedOut,
            Outcome::Cancelled => Self::Cancelled,
            Outcome::Extended => Self::Extended,
            Outcome::Ignored => Self::Ignored,
            Outcome::Unsigned => Self::Unsigned,
            Outcome::Voted => Self::Voted,
            Outcome::ApproversOnly => Self::ApproversOnly,
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
            OutcomeMessage::Cancelled => Self::Cancelled,
            OutcomeMessage::Extended => Self::Extended,
            OutcomeMessage::Ignored => Self::Ignored,
            OutcomeMessage::Unsigned => Self::Unsigned,
            OutcomeMessage::Voted => Self::Voted,
            OutcomeMessage::ApproversOnly => Self::ApproversOnly,
        }
    }
}
