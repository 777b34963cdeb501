//! Clients: what they want of tokens, as the Worker's routes carry it out, and what they must be told.
use super::oracle::End;
use super::world::{Event, HOUR, SECOND, World, at};
use super::{What, end_of};
use waitpoint::domain::token::command::{Command, Reply};
use waitpoint::domain::token::creation::{Creation, Step};
use waitpoint::domain::token::effects::Input;
use waitpoint::domain::token::history::HistoryKind;
use waitpoint::domain::token::record::Record;
use waitpoint::domain::token::transition::Outcome;
use waitpoint::domain::token::votes::Ballot;
use waitpoint::domain::token::{
    CallbackRequest, CompletedBy, Decision, Output, OutputKind, State, Token,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// By the request that this id comes from.
    Create(usize),
    Complete(usize),
    /// Perhaps this approver for this choice.
    Vote(usize, Option<(u8, u8)>),
    Cancel(usize),
    Extend(usize),
    /// Its recipients, in the inbox.
    Remind(usize),
    Read(usize),
    Wait(usize),
}

pub(super) struct Client {
    wish: Wish,
    /// A create under way, and what is its next step.
    pub(super) creation: Option<(Creation, Step)>,
    /// The vote that it sends, and sends again.
    pub(super) ballot: Option<Ballot>,
    tries: u32,
    pub(super) begun: u64,
}

impl Client {
    pub(super) fn new(wish: Wish) -> Self {
        Self {
            wish,
            creation: None,
            ballot: None,
            tries: 0,
            begun: 0,
        }
    }
}

impl World<'_> {
    pub(super) fn step(&mut self, client: usize) {
        if self.is_faulty && self.chance.percent(5) {
            return self.again(client);
        }
        match self.clients[client].wish {
            Wish::Create(own) => self.create(client, own),
            Wish::Complete(id) => self.complete(client, id),
            Wish::Vote(id, ballot) => self.vote(client, id, ballot),
            Wish::Cancel(id) => self.cancel(client, id),
            Wish::Extend(id) => self.extend(client, id),
            Wish::Remind(id) => self.remind(client, id),
            Wish::Read(id) => {
                self.see(id, What::Read);
                match self.command(id, Command::Read) {
                    Some(reply) => drop(self.check_found(id, reply)),
                    None => self.again(client),
                }
            }
            Wish::Wait(id) => {
                self.see(id, What::Wait);
                let before = self.objects[id].record.clone();
                let Some(reply) = self.request(id, Input::WaiterJoined) else {
                    return self.again(client);
                };
                self.check_written_for_read(id, before.as_ref());
                if let Some(token) = self.check_found(id, reply) {
                    if token.finished_at().is_none() {
                        self.sockets[id].push(client);
                    } else {
                        self.tell(id, &token);
                    }
                }
            }
        }
    }

    /// What a command is replied; nothing if storage failed. A read writes nothing but a timeout.
    pub(super) fn command(&mut self, id: usize, command: Command) -> Option<Reply> {
        let before = self.objects[id].record.clone();
        let is_read = matches!(command, Command::Read | Command::Create(_)) && before.is_some();
        let reply = self.request(id, Input::Command(command))?;
        if is_read {
            self.check_written_for_read(id, before.as_ref());
        }
        // So who comes by makes good for waiters what a panic has left.
        self.objects[id].has_panicked = false;
        Some(reply)
    }

    fn check_written_for_read(&self, id: usize, before: Option<&Record>) {
        let object = &self.objects[id];
        if object.record.as_ref() == before {
            return;
        }
        let was_waiting = before.and_then(Record::token).map(|token| &token.state);
        assert_eq!(was_waiting, Some(&State::Waiting), "written for a read");
        let end = end_of(object.token().unwrap());
        let is_timeout = matches!(end, End::TimedOut(_) | End::Defaulted(..));
        assert!(is_timeout, "written for a read: {end:?}");
    }

    /// The client heard nothing, or trouble: it sends the request again.
    pub(super) fn again(&mut self, client: usize) {
        let client_ = &mut self.clients[client];
        client_.tries += 1;
        client_.creation = None;
        let wait = (SECOND << client_.tries.min(14)).min(6 * HOUR);
        self.push(wait, Event::Client(client));
    }

    pub(super) fn answer_is_lost(&mut self) -> bool {
        self.is_faulty && self.chance.percent(10)
    }

    /// What there is to be found; nothing if it is forgotten.
    pub(super) fn expected(&self, id: usize) -> Option<End> {
        let oracle = self.objects[id].oracle.as_ref()?;
        let is_past_retention = oracle.is_past_retention(self.retention, self.now);
        (!is_past_retention).then(|| oracle.end(self.now))
    }

    /// The token that was found, if there is one.
    pub(super) fn check_found(&self, id: usize, reply: Reply) -> Option<Token> {
        let expected = self.expected(id);
        if reply == Reply::NotFound {
            assert_eq!(expected, None, "not found");
            return None;
        }
        assert_eq!(reply, Reply::Found);
        let token = self.objects[id].token().unwrap();
        assert_eq!(Some(end_of(token)), expected, "found");
        Some(token.clone())
    }

    fn complete(&mut self, client: usize, id: usize) {
        // By the API, the page, an operator, or a callback: one that decides and two that do not.
        let (what, by) = self.chance.of(&[
            (What::Complete, CompletedBy::Api),
            (What::Complete, CompletedBy::Api),
            (What::Complete, CompletedBy::Callback),
            (What::NotAccepted, CompletedBy::Callback),
            (What::NotAccepted, CompletedBy::Callback),
            (What::Unsigned, CompletedBy::Callback),
            (What::Complete, CompletedBy::Page),
            (What::InboxDecides, CompletedBy::Inbox),
            (What::InboxDecides, CompletedBy::Inbox),
        ]);
        let is_by_owner = match by {
            CompletedBy::Api => self.chance.percent(70),
            by => by == CompletedBy::Inbox,
        };
        let is_known = by == CompletedBy::Inbox && self.chance.percent(50);
        let oracle = self.objects[id].oracle.as_ref();
        let is_voted_on = oracle.is_some_and(|oracle| oracle.asked.voters.is_some());
        let may = !is_voted_on || is_by_owner;
        self.see(
            id,
            match what {
                _ if !may => What::NotApprover,
                What::Complete if is_voted_on => What::CompleteByOwner,
                _ => what,
            },
        );
        let status = if what == What::NotAccepted {
            "started"
        } else {
            "done"
        };
        let output = format!(r#"{{"status":"{status}","by":{client}}}"#);
        let before = self.expected(id);
        let decision = Decision {
            callback: (by == CompletedBy::Callback).then(|| CallbackRequest {
                is_signed: what != What::Unsigned,
                headers: Vec::new(),
            }),
            output: Some(Output {
                kind: OutputKind::Json,
                text: output,
            }),
            by,
            subject: is_known.then(|| "operator@example.com".to_owned()),
            is_by_owner,
        };
        let Some(reply) = self.command(id, Command::Complete(decision.clone())) else {
            return self.again(client);
        };
        let now = self.now;
        let object = &mut self.objects[id];
        let is_checked = object.has_callback && by == CompletedBy::Callback;
        let decides = !is_checked || what == What::Complete;
        let expected = match &before {
            Some(_) if is_checked && what == What::Unsigned => Reply::Decided(Outcome::Unsigned),
            Some(End::Waiting) if !decides => Reply::Decided(Outcome::Ignored),
            Some(End::Waiting) if !may => Reply::Decided(Outcome::ApproversOnly),
            Some(End::Waiting) => Reply::Decided(Outcome::Completed),
            end => ended(end.as_ref()),
        };
        assert_eq!(reply, expected, "acknowledged");
        if reply == Reply::Decided(Outcome::Ignored) {
            object.ledger.as_mut().unwrap().ignored(now);
        } else if let (true, Some(_), Some(oracle)) = (decides && may, &before, &mut object.oracle)
        {
            oracle.complete(now, &decision);
        }
        if self.answer_is_lost() {
            self.again(client);
        }
    }

    fn cancel(&mut self, client: usize, id: usize) {
        self.see(id, What::Cancel);
        let before = self.expected(id);
        let reason = self.chance.percent(50).then(|| format!("for {client}"));
        let Some(reply) = self.command(id, Command::Cancel(reason.clone())) else {
            return self.again(client);
        };
        let expected = match &before {
            Some(End::Waiting) => Reply::Decided(Outcome::Cancelled),
            end => ended(end.as_ref()),
        };
        assert_eq!(reply, expected, "acknowledged");
        if before == Some(End::Waiting) {
            let oracle = self.objects[id].oracle.as_mut().unwrap();
            oracle.cancel(self.now, reason);
        }
        if self.answer_is_lost() {
            self.again(client);
        }
    }

    fn extend(&mut self, client: usize, id: usize) {
        let oracle = self.objects[id].oracle.as_ref();
        let timeout = oracle.and_then(|oracle| oracle.timeout());
        let wait = [
            Some(1),
            Some(SECOND),
            Some(40 * SECOND),
            Some(90 * SECOND),
            Some(200 * SECOND),
            Some(5 * HOUR),
            Some(60 * HOUR),
            None,
        ];
        // From now on, by a clock that is behind, or to nearly what it is already.
        let now = self.now - self.chance.of(&[0, 0, 0, 5 * SECOND]);
        let same = timeout.unwrap_or(now) - self.chance.of(&[0, 1]);
        let to = self.chance.of(&wait).map_or(same, |wait| now + wait);
        let is_earlier = timeout.is_none_or(|timeout| to < timeout);
        self.see(
            id,
            if is_earlier {
                What::ExtendToEarlier
            } else {
                What::ExtendToLater
            },
        );
        let before = self.expected(id);
        let Some(reply) = self.command(id, Command::Extend(at(to))) else {
            return self.again(client);
        };
        let expected = match &before {
            Some(End::Waiting) => Reply::Found,
            end => ended(end.as_ref()),
        };
        assert_eq!(reply, expected, "acknowledged");
        if before == Some(End::Waiting) {
            let object = &mut self.objects[id];
            let oracle = object.oracle.as_mut().unwrap();
            let old = oracle.timeout();
            if let Some(told) = oracle.extend(self.now, to) {
                let kind = HistoryKind::Extended(at(oracle.timeout().unwrap()));
                let ledger = object.ledger.as_mut().unwrap();
                ledger.extended(told, kind);
            }
            if !self.reminds(id) {
                self.reminds_of_extension(id, old);
            }
            self.plan_after_extension(id);
        }
        if self.answer_is_lost() {
            self.again(client);
        }
    }
}

/// What somebody is told whose request comes after the end, or finds nothing.
pub(super) fn ended(end: Option<&End>) -> Reply {
    match end {
        None => Reply::NotFound,
        Some(End::Waiting) => unreachable!("it has not ended"),
        Some(End::Completed(..) | End::Defaulted(..)) => Reply::Decided(Outcome::AlreadyCompleted),
        Some(End::TimedOut(_)) => Reply::Decided(Outcome::TimedOut),
        Some(End::Cancelled(..)) => Reply::Decided(Outcome::Cancelled),
    }
}
