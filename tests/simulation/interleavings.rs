//! Twenty approvers at once: votes, vetoes, and what the owner and operators do, interleaved a thousand
//! times.
use super::chance::Chance;
use super::clients::ended;
use super::creates::mail;
use super::oracle::{Asked, End, Oracle, Voters, approver};
use super::voters::{VETO, ballot, outcome_of};
use super::world::at;
use super::{Seed, end_of};
use std::collections::BTreeSet;
use std::time::Duration;
use waitpoint::domain::approval::output::issues_of;
use waitpoint::domain::callback::judge::judge;
use waitpoint::domain::stored::record::{pack_record, unpack_record};
use waitpoint::domain::token::command::{Command, Facts, Reply, apply_command};
use waitpoint::domain::token::delivery::Target;
use waitpoint::domain::token::event::{EventSet, Subscriptions, TokenEvent};
use waitpoint::domain::token::record::Record;
use waitpoint::domain::token::transition::Outcome;
use waitpoint::domain::token::votes::{Ballot, Quorum};
use waitpoint::domain::token::{
    CompletedBy, Decision, DefaultDecision, Output, OutputKind, State, Token,
};

const APPROVERS: u8 = 20;
const INTERLEAVINGS: u64 = 1_000;
const DEADLINE: u64 = 200;
const DEFAULT: &str = r#"{"choice":"default"}"#;
const BY_OWNER: &str = r#"{"choice":"owner"}"#;
const BY_INBOX: &str = r#"{"choice":"inbox"}"#;

fn json(text: &str) -> Option<Output> {
    Some(Output {
        kind: OutputKind::Json,
        text: text.to_owned(),
    })
}

fn decision(is_by_owner: bool) -> Decision {
    Decision {
        output: json(BY_OWNER),
        by: CompletedBy::Api,
        subject: None,
        callback: None,
        is_by_owner,
    }
}

/// Of an operator.
fn inbox() -> Decision {
    Decision {
        output: json(BY_INBOX),
        by: CompletedBy::Inbox,
        subject: Some("operator@example.com".to_owned()),
        ..decision(true)
    }
}

/// What comes, and when.
fn plan(chance: &mut Chance) -> Vec<(u64, Command)> {
    let mut plan = Vec::new();
    // In some, all agree at last, and in some nobody does.
    let agreement = chance.of(&[30, 60, 95]);
    let lasts = chance.of(&[10, DEADLINE, DEADLINE + 20]);
    for approver in 0..APPROVERS {
        for time in 0..chance.below(4) {
            let mut choice = chance.of(&[0, 1, 2]);
            if chance.percent(agreement) {
                choice = 0;
            }
            let comment = chance.percent(30).then(|| format!("{time}"));
            let fields = chance.percent(30).then(|| format!(r#"{{"time":{time}}}"#));
            let vote = Ballot {
                comment,
                fields,
                ..ballot(approver, choice, plan.len())
            };
            let when = chance.below(lasts);
            if time == 0 && chance.percent(20) {
                plan.push((when + chance.below(5), Command::Vote(vote.clone())));
            }
            plan.push((when, Command::Vote(vote)));
        }
    }
    let mut also = |percent, command: &dyn Fn(&mut Chance) -> Command| {
        if chance.percent(percent) {
            let when = chance.below(lasts);
            plan.push((when, command(chance)));
        }
    };
    let any = |chance: &mut Chance| u8::try_from(chance.below(u64::from(APPROVERS))).unwrap();
    also(10, &|chance| Command::Vote(ballot(any(chance), VETO, 0)));
    also(50, &|_| Command::Vote(ballot(APPROVERS, 0, 0)));
    also(15, &|_| Command::Cancel(Some("changed".to_owned())));
    also(10, &|_| Command::Complete(decision(true)));
    also(15, &|_| Command::Complete(inbox()));
    also(80, &|_| Command::Complete(decision(false)));
    for _ in 0..3 {
        also(40, &|_| Command::Remind);
        also(30, &|chance| {
            Command::Extend(at(1 + chance.below(2 * DEADLINE)))
        });
        also(60, &|_| Command::Read);
    }
    plan.push((3 * DEADLINE, Command::Read));
    // Of what comes in the same millisecond either may be first.
    plan.sort_by_cached_key(|(when, _)| (*when, chance.below(1_000)));
    plan
}

struct Interleaving {
    record: Option<Record>,
    oracle: Oracle,
    ends: u32,
    replies: Vec<Reply>,
}

impl Interleaving {
    fn new(chance: &mut Chance) -> Self {
        let voters = Voters {
            approvers: APPROVERS,
            required: u8::try_from(1 + chance.below(u64::from(APPROVERS))).unwrap(),
        };
        let timeout = chance.of(&[None, Some(DEADLINE), Some(DEADLINE)]);
        let default = (timeout.is_some() && chance.percent(30)).then(|| DEFAULT.to_owned());
        let mailed = chance.of(&[0, 10, 100]);
        let approvers = (0..APPROVERS).filter(|_| chance.percent(mailed));
        let mut recipients: Vec<_> = approvers.map(Some).collect();
        if chance.percent(20) {
            recipients.push(None);
        }
        let token = Token {
            notify: recipients.iter().map(|&approver| mail(approver)).collect(),
            quorum: Some(Quorum {
                approvers: (0..APPROVERS).map(approver).collect(),
                required: voters.required,
            }),
            on_timeout: default
                .as_ref()
                .map(|text| DefaultDecision { output: json(text) }),
            ..Token::new(at(0), timeout.map(at), Vec::new())
        };
        Self {
            record: Some(Record::Live(token)),
            oracle: Oracle::new(Asked {
                made_by: 0,
                created: 0,
                timeout,
                default,
                again: Vec::new(),
                voters: Some(voters),
                recipients,
            }),
            ends: 0,
            replies: Vec::new(),
        }
    }

    fn token(&self) -> &Token {
        self.record.as_ref().and_then(Record::token).unwrap()
    }

    fn come(&mut self, now: u64, command: Command) {
        let facts = Facts {
            now: at(now),
            retention: Duration::from_secs(60),
            subscriptions: Subscriptions {
                has_environment: false,
                events: EventSet::NONE,
            },
            has_waiters: &|| false,
            judge,
            issues: issues_of,
        };
        let before = self.record.clone();
        let expected = self.expect(now, &command);
        let (reply, is_changed) = apply_command(&mut self.record, command, &facts);
        assert_eq!(reply, expected, "acknowledged");
        assert_eq!(self.record != before, is_changed, "is it written?");
        let was_waiting = before.as_ref().and_then(Record::token).unwrap().state == State::Waiting;
        assert!(was_waiting || !is_changed, "an end is final");
        self.ends += u32::from(was_waiting && self.token().state != State::Waiting);
        assert_eq!(end_of(self.token()), self.oracle.end(now));
        self.oracle.check(self.token());
        self.check_reminders();
        self.replies.push(reply);
    }

    /// Who has voted is not reminded, nor anybody of what has ended.
    fn check_reminders(&self) {
        let token = self.token();
        let mut reminded = Vec::new();
        for one in &token.deliveries {
            assert!(matches!(one.event, TokenEvent::Reminder(_)), "{one:?}");
            let Target::Recipient(index) = one.target else {
                panic!("{one:?}");
            };
            reminded.push(index);
        }
        let mut expected = Vec::new();
        let last = self.oracle.reminded.last();
        if let (Some(_), State::Waiting) = (last, &token.state) {
            for (index, approver) in (0..).zip(&self.oracle.asked.recipients) {
                if approver.and_then(|one| self.oracle.vote_of(one)).is_none() {
                    expected.push(index);
                }
            }
        }
        assert_eq!(reminded, expected, "who is reminded");
    }

    /// What must be replied.
    fn expect(&mut self, now: u64, command: &Command) -> Reply {
        let oracle = &mut self.oracle;
        let end = oracle.end(now);
        let is_waiting = end == End::Waiting;
        match command {
            Command::Read => Reply::Found,
            _ if !is_waiting => ended(Some(&end)),
            Command::Vote(vote) => {
                Reply::Decided(outcome_of(oracle.vote(now, vote.clone()).unwrap()))
            }
            Command::Cancel(reason) => {
                oracle.cancel(now, reason.clone());
                Reply::Decided(Outcome::Cancelled)
            }
            Command::Extend(to) => {
                oracle.extend(now, to.as_millis());
                Reply::Found
            }
            Command::Remind => Reply::Reminded(oracle.remind_on_request(now)),
            Command::Complete(decision) if decision.is_by_owner => {
                oracle.complete(now, decision);
                Reply::Decided(Outcome::Completed)
            }
            _ => Reply::Decided(Outcome::ApproversOnly),
        }
    }
}

/// What was replied, and what is stored at last. `is_reloaded`: between any two commands it was stored
/// and read again.
fn interleave(seed: u64, is_reloaded: bool) -> (Vec<Reply>, Token) {
    let mut chance = Chance(seed);
    let mut one = Interleaving::new(&mut chance);
    for (now, command) in plan(&mut chance) {
        one.come(now, command);
        if is_reloaded {
            let stored = pack_record(one.record.as_ref().unwrap());
            one.record = unpack_record(&stored).ok();
        }
    }
    let has_ended = one.token().state != State::Waiting;
    assert_eq!(one.ends, u32::from(has_ended), "ended once");
    assert!(
        has_ended || one.token().timeout_at.is_none(),
        "it never ends"
    );
    (
        one.replies,
        one.record.and_then(Record::into_token).unwrap(),
    )
}

#[test]
fn twenty_approvers_bring_about_one_end_however_they_interleave() {
    let (mut ends, mut reminders) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..INTERLEAVINGS {
        let _seed = Seed(seed);
        let (replies, token) = interleave(seed, false);
        assert_eq!(interleave(seed, true), (replies.clone(), token.clone()));
        for reply in replies {
            if let Reply::Reminded(outcome) = reply {
                reminders.insert(format!("{outcome:?}"));
            }
        }
        ends.insert(match end_of(&token) {
            End::Waiting => "none",
            End::Completed(_, output) if output == BY_OWNER => "owner",
            End::Completed(_, output) if output == BY_INBOX => "inbox",
            End::Completed(..) if token.votes.iter().any(|vote| vote.choice == VETO) => "veto",
            End::Completed(..) => "votes",
            End::Defaulted(..) => "default",
            End::TimedOut(_) => "timeout",
            End::Cancelled(..) => "cancel",
        });
    }
    assert_eq!(ends.len(), 8, "{ends:?}");
    assert_eq!(reminders.len(), 3, "{reminders:?}");
}
