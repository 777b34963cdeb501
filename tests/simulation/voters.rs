//! Approvers: what they vote for, and what they must be told.
use super::What;
use super::clients::ended;
use super::oracle::{End, Weight, said};
use super::world::World;
use waitpoint::domain::token::command::{Command, Reply};
use waitpoint::domain::token::transition::Outcome;
use waitpoint::domain::token::votes::Ballot;

/// The choice that needs no other votes.
pub(super) const VETO: u8 = 3;

/// What an approver votes for; `by` tells it from others like it.
pub(super) fn ballot(approver: u8, choice: u8, by: usize) -> Ballot {
    Ballot {
        approver,
        choice,
        is_veto: choice == VETO,
        output: format!(r#"{{"choice":{choice},"by":{by}}}"#),
        comment: None,
        fields: None,
    }
}

/// What a voter is told while the token waits.
pub(super) fn outcome_of(weight: Weight) -> Outcome {
    match weight {
        Weight::Stranger => Outcome::ApproversOnly,
        Weight::Again | Weight::First | Weight::Replaces => Outcome::Voted,
        Weight::Decides => Outcome::Completed,
    }
}

impl World<'_> {
    pub(super) fn vote(&mut self, client: usize, id: usize, wanted: Option<(u8, u8)>) {
        let planned = self.clients[client].ballot.take();
        let ballot = planned.unwrap_or_else(|| self.fill_in(client, id, wanted));
        self.clients[client].ballot = Some(ballot.clone());
        let (before, what) = (self.expected(id), self.what_vote(id, &ballot));
        self.see(id, what);
        let Some(reply) = self.command(id, Command::Vote(ballot.clone())) else {
            return self.again(client);
        };
        let expected = match &before {
            Some(End::Waiting) => Reply::Decided(self.counted(id, ballot)),
            end => ended(end.as_ref()),
        };
        assert_eq!(reply, expected, "acknowledged");
        if self.answer_is_lost() {
            self.again(client);
        }
    }

    /// A vote came to a token that waits. Returns what its voter must be told.
    fn counted(&mut self, id: usize, ballot: Ballot) -> Outcome {
        let object = &mut self.objects[id];
        let approver = ballot.approver;
        let weight = object
            .oracle
            .as_mut()
            .unwrap()
            .vote(self.now, ballot)
            .unwrap();
        if !matches!(weight, Weight::Stranger | Weight::Again) {
            object.ledger.as_mut().unwrap().voted(self.now, approver);
        }
        outcome_of(weight)
    }

    /// Often an approver who has voted, for the same or another choice; sometimes nobody who may vote.
    fn fill_in(&mut self, client: usize, id: usize, wanted: Option<(u8, u8)>) -> Ballot {
        let voters = self.objects[id]
            .oracle
            .as_ref()
            .and_then(|one| one.asked.voters);
        let approvers = voters.map_or(2, |voters| u64::from(voters.approvers));
        let any = if self.chance.percent(10) {
            approvers
        } else {
            self.chance.below(approvers)
        };
        let any = u8::try_from(any).unwrap();
        let choice = self.chance.of(&[0, 1, 2, VETO]);
        let (approver, choice) = wanted.unwrap_or((any, choice));
        let oracle = self.objects[id].oracle.as_ref();
        let last = oracle.and_then(|oracle| oracle.vote_of(approver)).cloned();
        if let (None, Some(last), true) = (wanted, last, self.chance.percent(50)) {
            return last;
        }
        Ballot {
            comment: self.chance.percent(20).then(|| format!("for {client}")),
            fields: self
                .chance
                .percent(20)
                .then(|| format!(r#"{{"by":{client}}}"#)),
            ..ballot(approver, choice, client)
        }
    }

    fn what_vote(&self, id: usize, ballot: &Ballot) -> What {
        let Some(oracle) = self.objects[id].oracle.as_ref() else {
            return What::Vote;
        };
        match (oracle.weigh(ballot), oracle.vote_of(ballot.approver)) {
            (Weight::Stranger, _) => What::VoteOfStranger,
            _ if ballot.is_veto => What::Veto,
            (Weight::Decides, _) if oracle.end(self.now) == End::Waiting => What::VoteDecides,
            (_, None) => What::Vote,
            (_, Some(last)) if said(last) == said(ballot) => What::VoteAgain,
            (_, Some(_)) => What::VoteReplaces,
        }
    }
}
