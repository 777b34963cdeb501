//! Operators who remind recipients, and what they must be told.
use super::What;
use super::clients::ended;
use super::oracle::End;
use super::world::World;
use waitpoint::domain::token::command::{Command, Reply};
use waitpoint::domain::token::notify::ReminderOutcome;

impl World<'_> {
    pub(super) fn remind(&mut self, client: usize, id: usize) {
        let before = self.expected(id);
        self.see(id, self.what_reminder(id));
        let stored = self.objects[id].record.clone();
        let Some(reply) = self.command(id, Command::Remind) else {
            return self.again(client);
        };
        let now = self.now;
        let object = &mut self.objects[id];
        match &before {
            Some(End::Waiting) => {
                let outcome = object.oracle.as_mut().unwrap().remind_on_request(now);
                assert_eq!(reply, Reply::Reminded(outcome), "acknowledged");
                if outcome == ReminderOutcome::Sent {
                    object.ledger.as_mut().unwrap().reminded(now);
                    self.plan_after_reminder(id);
                } else {
                    assert_eq!(object.record, stored, "written for nothing");
                }
            }
            end => assert_eq!(reply, ended(end.as_ref()), "acknowledged"),
        }
        if self.answer_is_lost() {
            self.again(client);
        }
    }

    fn what_reminder(&self, id: usize) -> What {
        let Some(End::Waiting) = self.expected(id) else {
            return What::Remind;
        };
        let oracle = self.objects[id].oracle.as_ref().unwrap();
        match oracle.on_request(self.now) {
            ReminderOutcome::Sent => What::Remind,
            ReminderOutcome::TooSoon => What::RemindTooSoon,
            ReminderOutcome::Nobody => What::RemindNobody,
        }
    }
}
