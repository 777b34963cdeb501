//! Clients: what they want of tokens, as the Worker's routes carry it out, and what they must be told.
use super::oracle::{End, Oracle};
use super::world::{Event, HOUR, IDS, SECOND, World, at};
use super::{What, end_of};
use waitpoint::domain::token::command::{Command, Reply};
use waitpoint::domain::token::creation::{Answer, Created, Creation, Step};
use waitpoint::domain::token::effects::Input;
use waitpoint::domain::token::record::Record;
use waitpoint::domain::token::transition::Outcome;
use waitpoint::domain::token::{
    CallbackRequest, CompletedBy, Decision, Key, Output, OutputKind, State, Token,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// By the request that this id comes from.
    Create(usize),
    Complete(usize),
    Read(usize),
    Wait(usize),
}

pub(super) struct Client {
    wish: Wish,
    /// A create under way, and what is its next step.
    creation: Option<(Creation, Step)>,
    tries: u32,
    begun: u64,
}

impl Client {
    pub(super) fn new(wish: Wish) -> Self {
        Self {
            wish,
            creation: None,
            tries: 0,
            begun: 0,
        }
    }
}

/// Which callbacks decide.
const CALLBACK: &str =
    r#"{"accept":{"pointer":"/status","in":["done"]},"verify":{"scheme":"github","secret":"S"}}"#;

impl World<'_> {
    pub(super) fn step(&mut self, client: usize) {
        if self.is_faulty && self.chance.percent(5) {
            return self.again(client);
        }
        match self.clients[client].wish {
            Wish::Create(own) => self.create(client, own),
            Wish::Complete(id) => self.complete(client, id),
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
    fn command(&mut self, id: usize, command: Command) -> Option<Reply> {
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
        let is_written = object.record.as_ref() != before;
        let timed_out = object
            .token()
            .is_some_and(|token| token.state == State::TimedOut);
        assert!(!is_written || timed_out, "written for a read");
    }

    /// The client heard nothing, or trouble: it sends the request again.
    fn again(&mut self, client: usize) {
        let client_ = &mut self.clients[client];
        client_.tries += 1;
        client_.creation = None;
        let wait = (SECOND << client_.tries.min(14)).min(6 * HOUR);
        self.push(wait, Event::Client(client));
    }

    fn answer_is_lost(&mut self) -> bool {
        self.is_faulty && self.chance.percent(10)
    }

    /// What there is to be found; nothing if it is forgotten.
    pub(super) fn expected(&self, id: usize) -> Option<End> {
        let oracle = self.objects[id].oracle.as_ref()?;
        let is_past_retention = oracle.is_past_retention(self.retention, self.now);
        (!is_past_retention).then(|| oracle.end(self.now))
    }

    /// The token that was found, if there is one.
    fn check_found(&self, id: usize, reply: Reply) -> Option<Token> {
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
        // By the API, or a callback: one that decides and two that do not.
        let what = self.chance.of(&[
            (What::Complete, CompletedBy::Api),
            (What::Complete, CompletedBy::Callback),
            (What::NotAccepted, CompletedBy::Callback),
            (What::Unsigned, CompletedBy::Callback),
        ]);
        let (what, by) = what;
        self.see(id, what);
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
                text: output.clone(),
            }),
            by,
            subject: None,
        };
        let Some(reply) = self.command(id, Command::Complete(decision)) else {
            return self.again(client);
        };
        if let (What::Complete, Some(oracle), Some(_)) =
            (what, &mut self.objects[id].oracle, &before)
        {
            oracle.complete(self.now, &output);
        }
        let expected = match before {
            None => Reply::NotFound,
            Some(_) if what == What::Unsigned => Reply::Decided(Outcome::Unsigned),
            Some(End::Waiting) if what == What::NotAccepted => Reply::Decided(Outcome::Ignored),
            Some(End::Waiting) => Reply::Decided(Outcome::Completed),
            Some(End::Completed(..)) => Reply::Decided(Outcome::AlreadyCompleted),
            Some(End::TimedOut(_)) => Reply::Decided(Outcome::TimedOut),
        };
        assert_eq!(reply, expected, "acknowledged");
        if self.answer_is_lost() {
            self.again(client);
        }
    }

    /// A create, a step at a time.
    fn create(&mut self, client: usize, own: usize) {
        let next = self.chance.of(&[0, 1, 30, 900]);
        let Some((mut creation, step)) = self.clients[client].creation.take() else {
            self.clients[client].begun = self.now;
            let begun = Creation::begin(own.to_string(), self.keyed[own]);
            self.clients[client].creation = Some(begun);
            return self.push(next, Event::Client(client));
        };
        let at = creation.id().parse().ok();
        let answer = match step {
            Step::ClaimKey => Answer::KeyClaimed(self.claim(own).to_string()),
            Step::ReleaseKey => {
                self.release(at.unwrap());
                Answer::KeyReleased
            }
            Step::Store => {
                let id = at.unwrap();
                let by = creation.created_by_request().map(str::to_owned);
                let Some(reply) = self.store(client, id, own, by) else {
                    return self.again(client);
                };
                match reply {
                    Reply::Created => Answer::Stored,
                    Reply::Found => {
                        let token = self.objects[id].token().unwrap();
                        Answer::Found(token.created_by_request.clone())
                    }
                    _ => Answer::NotStored,
                }
            }
            Step::Done(_) | Step::Failed => unreachable!("it has ended"),
        };
        match creation.handle(answer, || own.to_string()) {
            Step::Done(created) => {
                self.created(client, creation.id().parse().unwrap(), own, created)
            }
            Step::Failed => self.again(client),
            step => {
                self.clients[client].creation = Some((creation, step));
                self.push(next, Event::Client(client));
            }
        }
    }

    fn claim(&mut self, own: usize) -> usize {
        let stands =
            |(_, until): &(usize, Option<u64>)| until.is_none_or(|until| self.now <= until);
        if let Some((id, _)) = self.key.filter(stands) {
            return id;
        }
        let lasts = self.chance.of(&[None, None, Some(500), Some(600 * SECOND)]);
        self.key = Some((own, lasts.map(|lasts| self.now + lasts)));
        own
    }

    pub(super) fn release(&mut self, id: usize) {
        self.key = self.key.filter(|(stands_for, _)| *stands_for != id);
    }

    fn store(
        &mut self,
        client: usize,
        id: usize,
        own: usize,
        created_by_request: Option<String>,
    ) -> Option<Reply> {
        let repeated = self.objects[id]
            .oracle
            .as_ref()
            .is_some_and(|oracle| oracle.made_by == own);
        self.see(
            id,
            match (id == own, repeated) {
                (_, true) => What::CreateAgain,
                (true, false) => What::Create,
                (false, false) => What::CreateByKey,
            },
        );
        let begun = self.clients[client].begun;
        let timeout = self
            .chance
            .of(&[None, Some(SECOND), Some(90 * SECOND), Some(50 * HOUR)]);
        let timeout = timeout.map(|timeout| begun + timeout);
        let webhook = self.chance.percent(50);
        let token = Token {
            key: self.keyed[own].then(|| Key {
                text: "key".to_owned(),
                expires_at: None,
            }),
            created_by_request,
            webhook: webhook.then(|| "https://example.com".to_owned()),
            callback: Some(CALLBACK.to_owned()),
            ..Token::new(at(begun), timeout.map(at), Vec::new())
        };
        let reply = self.command(id, Command::Create(Box::new(token)))?;
        if reply == Reply::Created {
            assert!(self.objects[id].oracle.is_none(), "replaced");
            self.objects[id].oracle = Some(Oracle::new(own, timeout));
            self.plan_after_creation(id, timeout);
        } else {
            self.check_found(id, reply);
        }
        Some(reply)
    }

    fn created(&mut self, client: usize, id: usize, own: usize, created: Created) {
        if self.answer_is_lost() {
            return self.again(client);
        }
        let object = &self.objects[id];
        let made_it = object.oracle.as_ref().unwrap().made_by == own;
        assert_eq!(created.is_cached, !made_it, "isCached");
        let created_at = object.token().unwrap().created_at.as_millis();
        if made_it {
            self.makers.insert((id, created_at, own));
        }
        let makers = self
            .makers
            .range((id, created_at, 0)..=(id, created_at, IDS));
        assert!(makers.count() <= 1, "two were told that they made it");
    }
}
