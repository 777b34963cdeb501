//! What must come of a token, by the times of its requests and alarms alone.
use super::world::at;
use waitpoint::domain::token::notify::ReminderOutcome;
use waitpoint::domain::token::votes::{Ballot, Vote};
use waitpoint::domain::token::{CompletedBy, Decision, State, Token};

/// How a token stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Waiting,
    Completed(u64, String),
    /// Completed by its default decision.
    Defaulted(u64, String),
    TimedOut(u64),
    Cancelled(u64, Option<String>),
}

impl End {
    /// When that was; nothing while it waits.
    pub(super) fn at(&self) -> Option<u64> {
        match self {
            Self::Waiting => None,
            Self::Completed(at, _)
            | Self::Defaulted(at, _)
            | Self::TimedOut(at)
            | Self::Cancelled(at, _) => Some(*at),
        }
    }
}

/// When recipients want to be told again: so long after the creation, or before the timeout.
#[derive(Clone, Copy, Debug)]
pub(super) enum Again {
    After(u64),
    Before(u64),
}

/// Who decides by votes: so many approvers, so many of whom must agree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voters {
    pub(super) approvers: u8,
    pub(super) required: u8,
}

/// What a vote is to a token that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Nothing: it is of nobody who may vote.
    Stranger,
    /// What its approver's vote is already.
    Again,
    /// The approver's first vote.
    First,
    /// A vote instead of the approver's last one.
    Replaces,
    /// Enough for the end.
    Decides,
}

/// What the request to create it wants of a token.
pub(super) struct Asked {
    /// The request.
    pub(super) made_by: usize,
    pub(super) created: u64,
    pub(super) timeout: Option<u64>,
    /// The output of its default decision.
    pub(super) default: Option<String>,
    pub(super) again: Vec<Again>,
    /// Without them whoever comes decides.
    pub(super) voters: Option<Voters>,
    /// Who is notified and reminded; of an approver, which one.
    pub(super) recipients: Vec<Option<u8>>,
}

/// One token from its creation until nothing of it is left.
pub(super) struct Oracle {
    pub(super) asked: Asked,
    /// When its timeout was moved, and to when.
    pub(super) extensions: Vec<(u64, u64)>,
    /// What somebody decided.
    first: Option<End>,
    /// The votes that counted, and when.
    votes: Vec<(u64, Ballot)>,
    /// Where the decision came from, and who made it.
    decided_by: Option<(CompletedBy, Option<String>)>,
    /// When recipients were told again.
    pub(super) reminded: Vec<u64>,
}

/// The shortest time between two reminders.
const GAP: u64 = 60_000;

impl Oracle {
    pub(super) fn new(asked: Asked) -> Self {
        Self {
            asked,
            extensions: Vec::new(),
            first: None,
            votes: Vec::new(),
            decided_by: None,
            reminded: Vec::new(),
        }
    }

    /// Its timeout after it was moved so often.
    pub(super) fn timeout_after(&self, extensions: usize) -> Option<u64> {
        match extensions.checked_sub(1) {
            None => self.asked.timeout,
            Some(last) => Some(self.extensions[last].1),
        }
    }

    pub(super) fn timeout(&self) -> Option<u64> {
        self.timeout_after(self.extensions.len())
    }

    /// Somebody decides who may without a vote, and is told so if nobody did before.
    pub(super) fn complete(&mut self, now: u64, decision: &Decision) {
        if self.end(now) == End::Waiting {
            let output = decision.output.as_ref().unwrap().text.clone();
            self.first = Some(End::Completed(now, output));
            self.decided_by = Some((decision.by, decision.subject.clone()));
        }
    }

    /// The vote of an approver.
    pub(super) fn vote_of(&self, approver: u8) -> Option<&Ballot> {
        let mut votes = self.votes.iter().rev().map(|(_, vote)| vote);
        votes.find(|vote| vote.approver == approver)
    }

    pub(super) fn has_votes(&self) -> bool {
        !self.votes.is_empty()
    }

    pub(super) fn weigh(&self, ballot: &Ballot) -> Weight {
        let voters = self.asked.voters;
        let Some(voters) = voters.filter(|voters| ballot.approver < voters.approvers) else {
            return Weight::Stranger;
        };
        let mut agree = 1;
        for other in (0..voters.approvers).filter(|&one| one != ballot.approver) {
            agree += u8::from(self.vote_of(other).map(|vote| vote.choice) == Some(ballot.choice));
        }
        match self.vote_of(ballot.approver) {
            _ if ballot.is_veto || agree >= voters.required => Weight::Decides,
            None => Weight::First,
            Some(last) if said(last) == said(ballot) => Weight::Again,
            Some(_) => Weight::Replaces,
        }
    }

    /// Somebody votes. Nothing if the token has ended.
    pub(super) fn vote(&mut self, now: u64, ballot: Ballot) -> Option<Weight> {
        if self.end(now) != End::Waiting {
            return None;
        }
        let weight = self.weigh(&ballot);
        if weight == Weight::Decides {
            self.first = Some(End::Completed(now, ballot.output.clone()));
            let voter = approver(ballot.approver);
            self.decided_by = Some((CompletedBy::Page, Some(voter)));
        }
        if !matches!(weight, Weight::Stranger | Weight::Again) {
            self.votes.push((now, ballot));
        }
        Some(weight)
    }

    /// Each approver's last vote, in the order in which these were cast.
    fn standing_votes(&self) -> Vec<Vote> {
        let votes = self.votes.iter().enumerate();
        let last = votes.filter(|(index, (_, vote))| {
            let later = &self.votes[index + 1..];
            later
                .iter()
                .all(|(_, other)| other.approver != vote.approver)
        });
        let vote = |(_, (when, vote)): (usize, &(u64, Ballot))| Vote {
            approver: vote.approver,
            choice: vote.choice,
            at: at(*when),
            comment: vote.comment.clone(),
            fields: vote.fields.clone(),
        };
        last.map(vote).collect()
    }

    /// The owner withdraws it.
    pub(super) fn cancel(&mut self, now: u64, reason: Option<String>) {
        if self.end(now) == End::Waiting {
            self.first = Some(End::Cancelled(now, reason));
        }
    }

    /// The owner moves its timeout, which is told as of a time that no other extension has. Nothing if it
    /// has ended, or has that timeout already.
    pub(super) fn extend(&mut self, now: u64, to: u64) -> Option<u64> {
        let is_waiting = self.end(now) == End::Waiting;
        let is_new = self.timeout() != Some(to.max(now + 1));
        (is_waiting && is_new).then(|| {
            let last = self.extensions.last();
            let told = last.map_or(now, |(last, _)| now.max(last + 1));
            self.extensions.push((told, to.max(now + 1)));
            told
        })
    }

    /// An alarm or an extension comes: recipients are told again, as of when that was due, if it was.
    pub(super) fn remind(&mut self, now: u64) -> Option<u64> {
        let due = self.next_reminder().filter(|&due| due <= now)?;
        (self.end(now) == End::Waiting).then(|| {
            self.reminded.push(now);
            due
        })
    }

    /// The timeout was moved from `old`: recipients are told again if a time before it was still to come
    /// and has passed now, but not within a minute of the last time.
    pub(super) fn remind_of_extension(&mut self, old: Option<u64>, now: u64) -> Option<u64> {
        let (old, timeout) = (old?, self.timeout()?);
        let is_passed = |again: &Again| match *again {
            Again::Before(wait) => old > now + wait && timeout <= now + wait,
            Again::After(_) => false,
        };
        (!self.was_just_reminded(now) && self.asked.again.iter().any(is_passed)).then(|| {
            self.reminded.push(now);
            now
        })
    }

    fn was_just_reminded(&self, now: u64) -> bool {
        self.reminded.last().is_some_and(|last| last + GAP > now)
    }

    /// What an operator must be told who wants to remind recipients of a token that waits.
    pub(super) fn on_request(&self, now: u64) -> ReminderOutcome {
        let mut recipients = self.asked.recipients.iter();
        let needs_it = |one: &Option<u8>| one.and_then(|one| self.vote_of(one)).is_none();
        if !recipients.any(needs_it) {
            ReminderOutcome::Nobody
        } else if self.was_just_reminded(now) {
            ReminderOutcome::TooSoon
        } else {
            ReminderOutcome::Sent
        }
    }

    /// An operator reminds recipients. What came of it.
    pub(super) fn remind_on_request(&mut self, now: u64) -> ReminderOutcome {
        let outcome = self.on_request(now);
        if outcome == ReminderOutcome::Sent {
            self.reminded.push(now);
        }
        outcome
    }

    /// When they must be told again, if nothing happens until then.
    pub(super) fn next_reminder(&self) -> Option<u64> {
        if self.first.is_some() {
            return None;
        }
        let last = self.reminded.last().copied();
        let mut next = None;
        for again in &self.asked.again {
            let due = match (*again, self.timeout()) {
                (Again::After(wait), _) => self.asked.created + wait,
                (Again::Before(wait), Some(timeout)) if timeout >= wait => timeout - wait,
                (Again::Before(_), _) => continue,
            };
            // Whoever was told since knows.
            if due > last.unwrap_or(self.asked.created) && next.is_none_or(|next| due < next) {
                next = Some(due);
            }
        }
        let next = next?.max(last.map_or(0, |last| last + GAP));
        let is_late = self.timeout().is_some_and(|timeout| timeout <= next);
        (!is_late).then_some(next)
    }

    pub(super) fn end(&self, now: u64) -> End {
        if let Some(first) = &self.first {
            return first.clone();
        }
        match (self.timeout(), &self.asked.default) {
            (Some(at), Some(output)) if at <= now => End::Defaulted(at, output.clone()),
            (Some(at), None) if at <= now => End::TimedOut(at),
            _ => End::Waiting,
        }
    }

    /// Whether it has ended by its timeout.
    pub(super) fn is_overdue(&self, now: u64) -> bool {
        matches!(self.end(now), End::TimedOut(_) | End::Defaulted(..))
    }

    /// What is stored besides the end is just this.
    pub(super) fn check(&self, token: &Token) {
        assert_eq!(token.timeout_at, self.timeout().map(at), "timeout");
        assert_eq!(token.extensions as usize, self.extensions.len());
        let reminded = self.reminded.last().map(|&last| at(last));
        assert_eq!(token.reminded_at, reminded, "reminded");
        let is_apart = |pair: &[u64]| pair[0] + GAP <= pair[1];
        assert!(self.reminded.windows(2).all(is_apart), "reminded too often");
        if token.state == State::Waiting {
            assert_eq!(token.next_reminder(), self.next_reminder().map(at));
        }
        let has_default = self.asked.default.is_some() && token.state == State::Waiting;
        assert_eq!(token.on_timeout.is_some(), has_default, "default");
        assert_eq!(token.votes, self.standing_votes(), "votes");
        if let State::Completed { decision, .. } = &token.state {
            let default = (CompletedBy::Timeout, None);
            let decided_by = self.decided_by.clone().unwrap_or(default);
            let stored = (decision.by, decision.subject.clone());
            assert_eq!(stored, decided_by, "who decided");
        }
    }

    pub(super) fn is_past_retention(&self, retention: u64, now: u64) -> bool {
        let end = self.end(now).at();
        end.is_some_and(|at| at + retention <= now)
    }
}

/// The id of an approver.
pub(super) fn approver(index: u8) -> String {
    format!("approver {index}")
}

/// What a vote says.
pub(super) fn said(vote: &Ballot) -> (u8, Option<&str>, Option<&str>) {
    (vote.choice, vote.comment.as_deref(), vote.fields.as_deref())
}
