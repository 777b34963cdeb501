//! Votes: one end, by enough people or by a veto.

use super::{NOBODY, at, cancel, complete, decision, extend, token};
use proptest::collection::vec;
use proptest::prelude::*;
use waitpoint::domain::stored::record::{pack_record, unpack_record};
use waitpoint::domain::token::delivery::Target;
use waitpoint::domain::token::event::{EventSet, Subscriptions, TokenEvent};
use waitpoint::domain::token::history::HistoryKind;
use waitpoint::domain::token::notify::{Recipient, Reminder};
use waitpoint::domain::token::record::Record;
use waitpoint::domain::token::transition::{Event, Outcome};
use waitpoint::domain::token::votes::{Ballot, Quorum, Vote};
use waitpoint::domain::token::{CompletedBy, Decision, State, Token};

fn voted_on(required: u8, approvers: u8) -> Token {
    Token {
        quorum: Some(Quorum {
            approvers: (0..approvers).map(|one| format!("p{one}")).collect(),
            required,
        }),
        ..token(None)
    }
}

fn ballot(approver: u8, choice: u8) -> Ballot {
    Ballot {
        approver,
        choice,
        is_veto: false,
        output: choice.to_string(),
        comment: None,
        fields: None,
    }
}

fn vote(token: &mut Token, ballot: Ballot, now: u64) -> (Outcome, bool) {
    token.apply(Event::Vote(ballot), at(now), NOBODY)
}

fn output(token: &Token) -> Option<&str> {
    match &token.state {
        State::Completed { decision, .. } => decision.output.as_ref().map(|one| one.text.as_str()),
        _ => None,
    }
}

#[test]
fn it_completes_when_enough_people_chose_the_same() {
    let mut token = voted_on(2, 3);
    assert_eq!(vote(&mut token, ballot(0, 0), 1), (Outcome::Voted, true));
    assert_eq!(vote(&mut token, ballot(1, 1), 2), (Outcome::Voted, true));
    assert_eq!(
        vote(&mut token, ballot(2, 1), 3),
        (Outcome::Completed, true)
    );
    let State::Completed { at: end, decision } = &token.state else {
        panic!("{:?}", token.state);
    };
    assert_eq!((*end, decision.by), (at(3), CompletedBy::Page));
    assert_eq!(decision.subject.as_deref(), Some("p2"));
    assert_eq!(output(&token), Some("1"));
    assert_eq!(token.votes.len(), 3);
    assert_eq!(
        vote(&mut token, ballot(0, 1), 4),
        (Outcome::AlreadyCompleted, false)
    );
}

#[test]
fn a_second_vote_replaces_the_first_until_the_end() {
    let mut token = voted_on(2, 2);
    vote(&mut token, ballot(0, 0), 1);
    assert_eq!(vote(&mut token, ballot(0, 0), 2), (Outcome::Voted, false));
    assert_eq!(vote(&mut token, ballot(0, 1), 3), (Outcome::Voted, true));
    let expected = Vote {
        approver: 0,
        choice: 1,
        at: at(3),
        comment: None,
        fields: None,
    };
    assert_eq!(token.votes, [expected]);
    // A person alone is no quorum, however often they vote.
    assert_eq!(token.state, State::Waiting);
    assert_eq!(vote(&mut token, ballot(1, 0), 4), (Outcome::Voted, true));
    assert_eq!(
        vote(&mut token, ballot(1, 1), 5),
        (Outcome::Completed, true)
    );
    let voted = |kind: &HistoryKind| matches!(kind, HistoryKind::Voted(_));
    assert_eq!(
        token.history.iter().filter(|one| voted(&one.kind)).count(),
        4
    );
}

#[test]
fn a_changed_comment_is_a_new_vote() {
    let mut token = voted_on(2, 2);
    vote(&mut token, ballot(0, 0), 1);
    let again = Ballot {
        comment: Some("because".to_owned()),
        ..ballot(0, 0)
    };
    assert_eq!(vote(&mut token, again, 2), (Outcome::Voted, true));
    assert_eq!(token.votes[0].comment.as_deref(), Some("because"));
}

#[test]
fn a_veto_is_enough() {
    let mut token = voted_on(3, 3);
    let veto = Ballot {
        is_veto: true,
        ..ballot(1, 1)
    };
    assert_eq!(vote(&mut token, veto, 1), (Outcome::Completed, true));
    assert_eq!(output(&token), Some("1"));
}

#[test]
fn nobody_else_decides_but_the_owner() {
    let mut token = voted_on(1, 1);
    let refused = (Outcome::ApproversOnly, false);
    for by in [CompletedBy::Api, CompletedBy::Callback, CompletedBy::Page] {
        let decision = Decision {
            by,
            ..decision("1")
        };
        assert_eq!(
            token.apply(Event::Complete(decision), at(1), NOBODY),
            refused
        );
    }
    assert_eq!(vote(&mut token, ballot(1, 0), 1), refused);
    assert_eq!(vote(&mut super::token(None), ballot(0, 0), 1), refused);
    let owned = Decision {
        is_by_owner: true,
        ..decision("1")
    };
    let (outcome, _) = token.apply(Event::Complete(owned), at(1), NOBODY);
    assert_eq!(outcome, Outcome::Completed);
    // What has ended is told, whoever asks.
    let (outcome, _) = token.apply(complete("2"), at(2), NOBODY);
    assert_eq!(outcome, Outcome::AlreadyCompleted);
}

#[test]
fn an_operator_ends_it_in_the_inbox_and_that_is_no_vote() {
    let mut token = voted_on(2, 3);
    vote(&mut token, ballot(0, 1), 1);
    let votes = token.votes.clone();
    let decided = Decision {
        by: CompletedBy::Inbox,
        subject: Some("operator@example.com".to_owned()),
        is_by_owner: true,
        ..decision("0")
    };
    // Only as the owner, whoever says so.
    let unowned = Decision {
        is_by_owner: false,
        ..decided.clone()
    };
    let refused = token.apply(Event::Complete(unowned), at(2), NOBODY);
    assert_eq!(refused, (Outcome::ApproversOnly, false));
    let event = Event::Complete(decided.clone());
    let ended = token.apply(event.clone(), at(3), NOBODY);
    assert_eq!(ended, (Outcome::Completed, true));
    let state = State::Completed {
        at: at(3),
        decision: decided,
    };
    assert_eq!((&token.state, &token.votes), (&state, &votes));
    assert_eq!(token.history.len(), 1);
    // A vote and another operator come too late.
    let late = (Outcome::AlreadyCompleted, false);
    assert_eq!(vote(&mut token, ballot(1, 1), 4), late);
    assert_eq!(token.apply(event, at(4), NOBODY), late);
    assert_eq!(token.state, state);
    let stored = Record::Live(token);
    assert_eq!(unpack_record(&pack_record(&stored)).unwrap(), stored);
}

#[test]
fn the_last_vote_races_the_deadline() {
    for (now, outcome) in [(9, Outcome::Completed), (10, Outcome::TimedOut)] {
        let mut token = Token {
            timeout_at: Some(at(10)),
            ..voted_on(2, 2)
        };
        vote(&mut token, ballot(0, 0), 1);
        assert_eq!(vote(&mut token, ballot(1, 0), now), (outcome, true));
    }
}

#[test]
fn an_approver_who_voted_is_not_reminded() {
    let mail = |approver| Recipient::Email {
        address: "ann@example.com".to_owned(),
        locale: None,
        approver,
    };
    let mut token = Token {
        notify: vec![mail(None), mail(Some(0)), mail(Some(1))],
        reminders: vec![Reminder::After(std::time::Duration::from_millis(5))],
        ..voted_on(2, 2)
    };
    let nothing = Subscriptions {
        has_environment: false,
        events: EventSet::NONE,
    };
    token.announce_creation(at(0), nothing);
    assert_eq!(token.deliveries.len(), 3);
    vote(&mut token, ballot(0, 0), 1);
    assert!(token.remind_if_due(at(5), nothing));
    let is_reminder = |event| matches!(event, TokenEvent::Reminder(_));
    let reminded = token.deliveries.iter().filter(|one| is_reminder(one.event));
    assert_eq!(reminded.count(), 2);
}

#[test]
fn an_approver_who_votes_before_a_reminder_is_received_does_not_get_it_any_more() {
    let mail = |approver| Recipient::Email {
        address: "ann@example.com".to_owned(),
        locale: None,
        approver: Some(approver),
    };
    let mut token = Token {
        notify: vec![mail(0), mail(1)],
        reminders: vec![Reminder::After(std::time::Duration::from_millis(5))],
        ..voted_on(2, 2)
    };
    token.announce_creation(at(0), NOBODY);
    assert!(token.remind_if_due(at(5), NOBODY));
    assert_eq!(token.deliveries.len(), 4);
    vote(&mut token, ballot(0, 0), 6);
    let left: Vec<_> = token.deliveries.iter().map(|one| one.target).collect();
    let to = Target::Recipient;
    assert_eq!(left, [to(0), to(1), to(1)]);
}

proptest! {
    /// The end is that of the first moment at which a rule of the votes so far was met.
    #[test]
    fn it_ends_once_and_when_it_should(
        required in 1..4_u8,
        events in vec((0..4_u8, 0..3_u8, any::<bool>(), 0..12_u8), 0..30),
    ) {
        let mut token = voted_on(required, 4);
        let (mut latest, mut expected) = ([None; 4], None);
        for (now, (approver, choice, is_veto, what)) in events.into_iter().enumerate() {
            let now = now as u64 + 1;
            let event = match what {
                0 => cancel(),
                1 => extend(now + 1_000),
                2 => complete("other"),
                _ => Event::Vote(Ballot { is_veto: is_veto && choice == 2, ..ballot(approver, choice) }),
            };
            if expected.is_none() {
                match &event {
                    Event::Cancel(_) => expected = Some(None),
                    Event::Vote(one) => {
                        latest[usize::from(approver)] = Some(choice);
                        let count = latest.iter().filter(|one| **one == Some(choice)).count();
                        if one.is_veto || count >= usize::from(required) {
                            expected = Some(Some(choice.to_string()));
                        }
                    }
                    _ => {}
                }
            }
            token.apply(event, at(now), NOBODY);
            prop_assert_eq!(token.state != State::Waiting, expected.is_some());
        }
        prop_assert_eq!(output(&token).map(str::to_owned), expected.flatten());
        let mut voters: Vec<_> = token.votes.iter().map(|vote| vote.approver).collect();
        voters.sort_unstable();
        voters.dedup();
        prop_assert_eq!(voters.len(), token.votes.len());
    }
}

#[test]
fn who_votes_again_and_again_does_not_push_out_the_history_of_others() {
    let mut token = voted_on(3, 3);
    vote(&mut token, ballot(1, 0), 1);
    for now in 2..300 {
        vote(&mut token, ballot(0, u8::try_from(now % 2).unwrap()), now);
    }
    let first = token.history.first().unwrap();
    assert_eq!((first.at, first.kind), (at(1), HistoryKind::Voted(1)));
    assert_eq!(token.history.len(), 99);
    assert_eq!(token.history.last().unwrap().at, at(299));
}

#[test]
fn the_page_gets_no_long_fields() {
    let mut token = voted_on(2, 2);
    for (approver, length) in [(0, 10), (1, 11)] {
        let fields = Some("x".repeat(length));
        vote(
            &mut token,
            Ballot {
                fields,
                ..ballot(approver, approver)
            },
            1,
        );
    }
    token.leave_out_long_votes(10);
    let lengths = token
        .votes
        .iter()
        .map(|vote| vote.fields.as_ref().map(String::len));
    assert_eq!(lengths.collect::<Vec<_>>(), [Some(10), None]);
}
