//! Clients: what they want of tokens, as `src/worker/http/api.rs` carries it out, and what they must be told.
use super::oracle::{End, Oracle};
use super::world::{Event, HOUR, IDS, SECOND, World, at};
use super::{What, end_of};
use waitpoint::domain::token::command::{Ask, Reply};
use waitpoint::domain::token::transition::Outcome;
use waitpoint::domain::token::{CompletedBy, Decision, Key, Output, OutputKind, Token};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// By the request that this id comes from.
    Create(usize),
    Complete(usize),
    Read(usize),
    Wait(usize),
}

/// How far a create has come.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Claim,
    Store(usize),
    /// The token that the key stood for is forgotten.
    Heal(usize),
    StoreAgain(usize),
}

pub(super) struct Client {
    wish: Wish,
    stage: Stage,
    tries: u32,
    begun: u64,
}

impl Client {
    pub(super) fn new(wish: Wish) -> Self {
        Self {
            wish,
            stage: Stage::Claim,
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
            Wish::Read(id) => {
                self.see(id, What::Read);
                let expected = self.expected(id);
                let (reply, found) = self.apply(id, Ask::Read);
                self.check_found(reply, found, expected);
                self.decided(id);
            }
            Wish::Wait(id) => {
                self.see(id, What::Wait);
                let expected = self.expected(id);
                let (reply, found) = self.apply(id, Ask::Read);
                if let Some(token) = self.check_found(reply, found, expected) {
                    self.admitted(id);
                    if token.finished_at().is_none() {
                        self.sockets[id].push(client);
                    } else {
                        self.tell(id, &token);
                    }
                }
            }
        }
    }

    /// The client heard nothing, or trouble: it sends the request again.
    fn again(&mut self, client: usize) {
        let client_ = &mut self.clients[client];
        client_.tries += 1;
        client_.stage = Stage::Claim;
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

    fn check_found(
        &self,
        reply: Reply,
        found: Option<Token>,
        expected: Option<End>,
    ) -> Option<Token> {
        if reply == Reply::Unknown {
            assert_eq!(expected, None, "not found");
            return None;
        }
        assert_eq!(reply, Reply::Found);
        let token = found.unwrap();
        assert_eq!(Some(end_of(&token)), expected, "found");
        Some(token)
    }

    fn complete(&mut self, client: usize, id: usize) {
        self.see(id, What::Complete);
        let output = client.to_string();
        let before = self.expected(id);
        if let (Some(oracle), Some(_)) = (&mut self.objects[id].oracle, &before) {
            oracle.complete(self.now, &output);
        }
        let decision = Decision {
            output: Some(Output {
                kind: OutputKind::Json,
                text: output.clone(),
            }),
            by: CompletedBy::Api,
            subject: None,
        };
        let (reply, _) = self.apply(id, Ask::Complete(decision));
        self.decided(id);
        let expected = match before {
            None => Reply::Unknown,
            Some(End::Waiting) => Reply::Decided(Outcome::Completed),
            Some(End::Completed(..)) => Reply::Decided(Outcome::AlreadyCompleted),
            Some(End::TimedOut(_)) => Reply::Decided(Outcome::TimedOut),
        };
        assert_eq!(reply, expected, "acknowledged");
        if self.answer_is_lost() {
            self.again(client);
        }
    }

    /// `create` of `src/worker/http/api.rs`, a stage at a time.
    fn create(&mut self, client: usize, own: usize) {
        let keyed = self.keyed[own];
        let next = self.chance.of(&[0, 1, 30, 900]);
        let stage = match self.clients[client].stage {
            Stage::Claim => {
                self.clients[client].begun = self.now;
                Stage::Store(if keyed { self.claim(own) } else { own })
            }
            Stage::Store(id) => match self.store(client, id, own) {
                Reply::Unknown if keyed => Stage::Heal(id),
                reply => return self.created(client, id, own, reply),
            },
            Stage::Heal(id) => {
                self.release(id);
                Stage::StoreAgain(self.claim(own))
            }
            Stage::StoreAgain(id) => {
                let reply = self.store(client, id, own);
                return self.created(client, id, own, reply);
            }
        };
        self.clients[client].stage = stage;
        self.push(next, Event::Client(client));
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

    fn store(&mut self, client: usize, id: usize, own: usize) -> Reply {
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
            creator: (id != own).then(|| own.to_string()),
            webhook: webhook.then(|| "https://example.com".to_owned()),
            ..Token::new(at(begun), timeout.map(at), Vec::new())
        };
        let expected = self.expected(id);
        let (reply, found) = self.apply(id, Ask::Create(Box::new(token)));
        if reply == Reply::Created {
            assert!(self.objects[id].oracle.is_none(), "replaced");
            self.objects[id].oracle = Some(Oracle::new(own, timeout));
            self.plan_after_creation(id, timeout);
        } else {
            self.check_found(reply, found, expected);
        }
        self.decided(id);
        reply
    }

    fn created(&mut self, client: usize, id: usize, own: usize, reply: Reply) {
        if self.answer_is_lost() || reply == Reply::Unknown {
            return self.again(client);
        }
        let object = &self.objects[id];
        let token = object.record.as_ref().unwrap();
        let creator = token.creator.clone().unwrap_or(id.to_string());
        let is_cached = reply != Reply::Created && creator != own.to_string();
        let made_it = object.oracle.as_ref().unwrap().made_by == own;
        assert_eq!(is_cached, !made_it, "isCached");
        let created = token.created_at.as_millis();
        if !is_cached {
            self.makers.insert((id, created, own));
        }
        let makers = self.makers.range((id, created, 0)..=(id, created, IDS));
        assert!(makers.count() <= 1, "two were told that they made it");
    }
}
