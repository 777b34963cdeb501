//! Creates: what they ask for, and the steps to it, as the Worker's route carries them out.
use super::What;
use super::ledger::Ledger;
use super::oracle::{Again, Asked, Oracle, Voters, approver};
use super::receivers::MOST_RECIPIENTS;
use super::world::{Event, HOUR, IDS, SECOND, World, at};
use std::time::Duration;
use waitpoint::domain::token::command::{Command, Reply};
use waitpoint::domain::token::creation::{Answer, Created, Creation, Step};
use waitpoint::domain::token::notify::{Recipient, Reminder};
use waitpoint::domain::token::votes::{MAX_APPROVERS, Quorum};
use waitpoint::domain::token::{DefaultDecision, Key, Output, OutputKind, Token};

/// Which callbacks decide.
const CALLBACK: &str =
    r#"{"accept":{"pointer":"/status","in":["done"]},"verify":{"scheme":"github","secret":"S"}}"#;

impl World<'_> {
    /// A create, a step at a time.
    pub(super) fn create(&mut self, client: usize, own: usize) {
        let next = self.chance.of(&[0, 1, 30, 30, 900, 900, 20 * SECOND]);
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
            .is_some_and(|oracle| oracle.asked.made_by == own);
        self.see(
            id,
            match (id == own, repeated) {
                (_, true) => What::CreateAgain,
                (true, false) => What::Create,
                (false, false) => What::CreateByKey,
            },
        );
        let begun = self.clients[client].begun;
        let mut asked = self.ask(own, begun);
        let recipients = self.chance.of(&[0, 0, 1, 2, MOST_RECIPIENTS]);
        let mut notify: Vec<_> = (0..recipients).map(recipient).collect();
        let mailed = self.chance.of(&[0, 30, 60, 100]);
        for one in 0..asked.voters.map_or(0, |voters| voters.approvers) {
            if self.chance.percent(mailed) {
                notify.push(mail(Some(one)));
            }
        }
        let approvers = notify.iter().map(approver_of).collect::<Vec<_>>();
        asked.recipients.clone_from(&approvers);
        let has_own = self.chance.percent(50);
        let token = Token {
            key: self.keyed[own].then(|| Key {
                text: "key".to_owned(),
                expires_at: None,
            }),
            created_by_request,
            webhook: has_own.then(|| "https://example.com".to_owned()),
            // No callback decides where approvers do.
            callback: (asked.voters.is_none() && self.chance.percent(80))
                .then(|| CALLBACK.to_owned()),
            quorum: asked.voters.map(|voters| Quorum {
                approvers: (0..voters.approvers).map(approver).collect(),
                required: voters.required,
            }),
            notify,
            reminders: asked.again.iter().map(reminder).collect(),
            on_timeout: asked.default.as_ref().map(|text| DefaultDecision {
                output: Some(Output {
                    kind: OutputKind::Json,
                    text: text.clone(),
                }),
            }),
            ..Token::new(at(begun), asked.timeout.map(at), Vec::new())
        };
        let has_callback = token.callback.is_some();
        let reply = self.command(id, Command::Create(Box::new(token)))?;
        if reply == Reply::Created {
            let receivers = self.receivers(has_own, approvers.len());
            let object = &mut self.objects[id];
            assert!(object.oracle.is_none(), "replaced");
            object.has_callback = has_callback;
            object.oracle = Some(Oracle::new(asked));
            object.ledger = Some(Ledger::new(receivers, approvers));
            self.plan_after_creation(id);
        } else {
            self.check_found(id, reply.clone());
        }
        Some(reply)
    }

    /// What a request begun then asks for.
    fn ask(&mut self, own: usize, begun: u64) -> Asked {
        let wait = self
            .chance
            .of(&[None, Some(SECOND), Some(90 * SECOND), Some(50 * HOUR)]);
        let timeout = wait.map(|wait| begun + wait);
        let default = timeout.is_some() && self.chance.percent(40);
        let reminders = self.chance.of(&[0, 0, 1, 2, 3]);
        let mut again = Vec::new();
        for _ in 0..reminders {
            let wait = [500, 10 * SECOND, 80 * SECOND, 2 * HOUR, 49 * HOUR];
            let wait = self.chance.of(&wait);
            again.push(if self.chance.percent(50) {
                Again::After(wait)
            } else {
                Again::Before(wait)
            });
        }
        let most = u64::try_from(MAX_APPROVERS).unwrap();
        let any = 1 + self.chance.below(most);
        let approvers = self.chance.of(&[0, 0, 0, 0, 1, 2, 2, 3, 3, 5, any, most]);
        let voters = (approvers > 0).then(|| Voters {
            approvers: u8::try_from(approvers).unwrap(),
            required: u8::try_from(1 + self.chance.below(approvers)).unwrap(),
        });
        Asked {
            voters,
            made_by: own,
            created: begun,
            timeout,
            default: default.then(|| format!(r#"{{"default":{own}}}"#)),
            again,
            recipients: Vec::new(),
        }
    }

    fn created(&mut self, client: usize, id: usize, own: usize, created: Created) {
        if self.answer_is_lost() {
            return self.again(client);
        }
        let object = &self.objects[id];
        let made_it = object.oracle.as_ref().unwrap().asked.made_by == own;
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

fn recipient(index: u8) -> Recipient {
    match index {
        0 => mail(None),
        1 => Recipient::Slack("deploys".to_owned()),
        _ => Recipient::Webhook("https://example.com".to_owned()),
    }
}

pub(super) fn mail(approver: Option<u8>) -> Recipient {
    Recipient::Email {
        address: "ann@example.com".to_owned(),
        locale: None,
        approver,
    }
}

fn approver_of(recipient: &Recipient) -> Option<u8> {
    match recipient {
        Recipient::Email { approver, .. } => *approver,
        _ => None,
    }
}

fn reminder(again: &Again) -> Reminder {
    match *again {
        Again::After(wait) => Reminder::After(Duration::from_millis(wait)),
        Again::Before(wait) => Reminder::Before(Duration::from_millis(wait)),
    }
}
