//! What is planned: requests and faults about the times that matter to a token.
use super::clients::{Client, Wish};
use super::world::{Event, HOUR, IDS, SECOND, World};

const MOST_CLIENTS: usize = 90;

impl World<'_> {
    pub(super) fn wish(&mut self, wait: u64, wish: Wish) {
        self.clients.push(Client::new(wish));
        self.push(wait, Event::Client(self.clients.len() - 1));
    }

    /// Something happens to this token about `wait` from now.
    pub(super) fn plan(&mut self, id: usize, wait: u64) {
        let wait = match self.chance.below(7) {
            0 => wait.saturating_sub(1),
            1 | 2 => wait,
            3 => wait + 1,
            5 => wait.saturating_sub(self.chance.below(5 * SECOND)),
            4 => wait + self.chance.below(5 * SECOND),
            _ => self.chance.below(wait + 1),
        };
        let other = usize::try_from(self.chance.below(IDS as u64)).unwrap();
        match self.chance.below(19) {
            0 => self.push(wait, Event::Crash(id)),
            1 => self.push(wait, Event::Evict(id)),
            _ if self.clients.len() > MOST_CLIENTS => {}
            2 | 3 => self.wish(wait, Wish::Create(id)),
            4 | 5 => self.wish(wait, Wish::Create(other)),
            6 | 7 => self.wish(wait, Wish::Complete(id)),
            8 => self.wish(wait, Wish::Read(id)),
            9 => self.wish(wait, Wish::Cancel(id)),
            10 | 11 => self.wish(wait, Wish::Extend(id)),
            12..=14 => self.wish(wait, Wish::Vote(id, None)),
            15 | 16 => self.wish(wait, Wish::Remind(id)),
            _ => self.wish(wait, Wish::Wait(id)),
        }
    }

    pub(super) fn plan_after_creation(&mut self, id: usize) {
        for _ in 0..5 {
            self.plan_while_waiting(id);
        }
        self.plan_votes(id);
    }

    /// Most approvers vote, many of them at once, or when something else is due.
    fn plan_votes(&mut self, id: usize) {
        let oracle = self.objects[id].oracle.as_ref().unwrap();
        let Some(voters) = oracle.asked.voters else {
            return;
        };
        let until = |at: Option<u64>| at.map_or(HOUR, |at| at.saturating_sub(self.now));
        let (timeout, reminder) = (until(oracle.timeout()), until(oracle.next_reminder()));
        let wait = self.chance.of(&[300, SECOND, reminder, timeout, timeout]);
        let favourite = self.chance.of(&[0, 1]);
        for approver in 0..voters.approvers {
            if self.clients.len() > MOST_CLIENTS || self.chance.percent(20) {
                continue;
            }
            let wait = match self.chance.below(6) {
                0 => wait.saturating_sub(1),
                1 => wait + 1,
                2 => self.chance.below(wait + 1),
                _ => wait,
            };
            let choice = if self.chance.percent(70) {
                favourite
            } else {
                self.chance.of(&[0, 1, 2])
            };
            self.wish(wait, Wish::Vote(id, Some((approver, choice))));
        }
    }

    pub(super) fn plan_after_extension(&mut self, id: usize) {
        for _ in 0..2 {
            self.plan_while_waiting(id);
        }
    }

    /// An operator is impatient, or waits for just as long as must be.
    pub(super) fn plan_after_reminder(&mut self, id: usize) {
        if self.clients.len() < MOST_CLIENTS && self.chance.percent(70) {
            let wait = [10, 59_999, 60_000, 60_000, 61_000];
            let wait = self.chance.of(&wait);
            self.wish(wait, Wish::Remind(id));
        }
    }

    fn plan_while_waiting(&mut self, id: usize) {
        let oracle = self.objects[id].oracle.as_ref().unwrap();
        let (timeout, reminder) = (oracle.timeout(), oracle.next_reminder());
        let until = |at: u64| at.saturating_sub(self.now);
        let timeout = timeout.map_or(HOUR, until);
        let reminder = reminder.map_or(timeout, until);
        let wait = self.chance.of(&[
            300,
            reminder,
            timeout,
            timeout,
            timeout + self.retention,
            timeout + self.retention,
        ]);
        self.plan(id, wait);
    }

    pub(super) fn plan_after_end(&mut self, id: usize) {
        for _ in 0..5 {
            let wait = self
                .chance
                .of(&[10, 8 * SECOND, self.retention, self.retention]);
            self.plan(id, wait);
        }
        let oracle = self.objects[id].oracle.as_ref();
        if oracle.is_some_and(|oracle| oracle.has_votes()) {
            for wait in [10, 20 * SECOND] {
                let wait = self.chance.below(wait);
                self.wish(wait, Wish::Vote(id, None));
            }
        }
    }

    pub(super) fn plan_after_forgetting(&mut self, id: usize) {
        if self.is_faulty && self.clients.len() < MOST_CLIENTS && self.chance.percent(40) {
            let wait = self.chance.of(&[0, 1, 30]);
            self.wish(wait, Wish::Create(id));
        }
    }
}
