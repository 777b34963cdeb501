//! Those who are told: webhooks and recipients that answer well, ill or not at all.
use super::ledger::{Taken, taken};
use super::oracle::End;
use super::world::{Mood, SECOND, World, at};
use super::{What, end_of};
use std::time::Duration;
use waitpoint::domain::token::delivery::{
    AttemptResult, DeliveryId, MAX_ATTEMPTS, Progress, Target,
};
use waitpoint::domain::token::effects::{FinishedAttempt, Input};
use waitpoint::domain::token::event::{EventName, TokenEvent};
use waitpoint::domain::token::notify::Recipient;
use waitpoint::domain::token::{State, Token};

const WELL: &[Mood] = &[(true, AttemptResult::Status(200), None)];
const ILL: &[Mood] = &[
    (true, AttemptResult::Status(500), None),
    (false, AttemptResult::NoResponse, None),
];
const MIXED: &[Mood] = &[
    (true, AttemptResult::Status(200), None),
    (true, AttemptResult::Status(500), None),
    (true, AttemptResult::Status(429), Some(30 * SECOND)),
    (true, AttemptResult::Status(503), Some(u64::MAX)),
    (true, AttemptResult::Status(410), None),
    (false, AttemptResult::NoResponse, None),
    (true, AttemptResult::NoResponse, None),
    (false, AttemptResult::NotSendable, None),
];
const MAIL: &[Mood] = &[
    (true, AttemptResult::MailAccepted, None),
    (true, AttemptResult::MailAccepted, None),
    (true, AttemptResult::MailFailed, None),
    (false, AttemptResult::MailFailed, None),
    (false, AttemptResult::MailRefused, None),
    (false, AttemptResult::NotSendable, None),
];

/// How a webhook may be, and how a recipient.
pub(super) const MOODS: [&[Mood]; 4] = [WELL, ILL, MIXED, MIXED];
pub(super) const RECIPIENTS: [&[Mood]; 5] = [WELL, ILL, MIXED, MAIL, MAIL];

/// The most recipients of a token here who are no approvers.
pub(super) const MOST_RECIPIENTS: u8 = 3;

impl World<'_> {
    /// Who must hear of a token's events, and of which.
    pub(super) fn receivers(
        &self,
        has_own: bool,
        recipients: usize,
    ) -> Vec<(Target, Vec<EventName>)> {
        let mut receivers = Vec::new();
        if self.is_subscribed {
            receivers.push((Target::Environment, self.events.clone()));
        }
        if has_own {
            receivers.push((Target::Token, self.events.clone()));
        }
        let notices = vec![EventName::Created, EventName::Reminder];
        for recipient in (0..recipients).map(|index| u8::try_from(index).unwrap()) {
            receivers.push((Target::Recipient(recipient), notices.clone()));
        }
        receivers
    }

    /// Begins an attempt, and plans how it ends.
    pub(super) fn attempt(
        &mut self,
        id: usize,
        token: &Token,
        delivery: DeliveryId,
    ) -> (u64, Input) {
        let one = token.delivery(delivery).unwrap();
        assert!(
            matches!(one.progress, Progress::Pending(due) if due <= at(self.now)),
            "attempted too early"
        );
        let moods = match delivery.target {
            Target::Environment => self.moods[0],
            Target::Token => self.moods[1],
            Target::Recipient(recipient) => self.moods[2 + usize::from(recipient.min(3))],
            Target::Upstream => unreachable!("no token here lives upstream"),
        };
        let (arrives, result, pause) = self.chance.of(moods);
        self.check_sent(id, token, delivery);
        let ledger = self.objects[id].ledger.as_mut().unwrap();
        ledger.attempt(delivery, arrives, result);
        let attempt = FinishedAttempt {
            result,
            pause: pause.map(Duration::from_millis),
            may_conflict: false,
        };
        let wait = self.chance.of(&[1, 80, 9_999]);
        (wait, Input::DeliveryFinished(delivery, attempt))
    }

    /// What is sent is written, and is what happened.
    fn check_sent(&self, id: usize, token: &Token, delivery: DeliveryId) {
        assert_eq!(self.objects[id].token(), Some(token), "sent before written");
        let oracle = self.objects[id].oracle.as_ref().unwrap();
        match delivery.event {
            TokenEvent::Created => {}
            TokenEvent::Ended => {
                assert_eq!(end_of(token), oracle.end(self.now), "sent");
                assert_ne!(end_of(token), End::Waiting, "sent before the end");
            }
            TokenEvent::Reminder(due) => {
                assert_eq!(token.state, State::Waiting, "reminded after the end");
                assert!(due <= at(self.now), "reminded too early");
                if let Target::Recipient(index) = delivery.target
                    && let Recipient::Email { approver, .. } = token.notify[usize::from(index)]
                {
                    let vote = approver.and_then(|one| oracle.vote_of(one));
                    assert_eq!(vote, None, "reminded who has voted");
                }
            }
            TokenEvent::Extended(told) => {
                // Its receiver hears of the latest timeout.
                let latest = oracle.extensions.last().unwrap();
                assert_eq!(told, at(latest.0), "of an extension that is past");
                assert_eq!(token.timeout_at, Some(at(latest.1)), "of another timeout");
            }
        }
    }

    /// The result of an attempt is written.
    pub(super) fn attempted(&mut self, id: usize, delivery: DeliveryId, result: AttemptResult) {
        let now = self.now;
        let ledger = self.objects[id].ledger.as_mut().unwrap();
        let failed_before = ledger.failed();
        ledger.result(delivery, result, now);
        let has_failed = ledger.failed() > failed_before;
        let token = self.objects[id].token().unwrap();
        let Some(one) = token.delivery(delivery) else {
            // It was dropped meanwhile.
            return;
        };
        match (taken(result), one.progress) {
            (Taken::Yes, progress) => assert_eq!(progress, Progress::Delivered),
            (Taken::Never, progress) => assert_eq!(progress, Progress::Failed),
            (_, Progress::Pending(next)) => assert!(next > at(self.now), "tried at once"),
            (_, progress) => {
                assert_eq!((progress, one.attempts), (Progress::Failed, MAX_ATTEMPTS));
            }
        }
        self.objects[id].is_failure_news |= has_failed;
    }
}

/// What a task of the actor is seen as when it ends.
pub(super) fn what_ended(input: &Input) -> Option<What> {
    match input {
        Input::RowConfirmed(_) => Some(What::IndexTold),
        Input::RowFailed => Some(What::IndexUnreachable),
        Input::DeliveryFinished(delivery, attempt) => {
            let is_end = delivery.event == TokenEvent::Ended;
            Some(match (taken(attempt.result), attempt.result) {
                (Taken::Yes, _) if is_end => What::Received,
                (Taken::Yes, _) => What::NoticeReceived,
                (Taken::Never, _) if is_end => What::Gone,
                (Taken::Never, _) => What::NoticeGone,
                (_, AttemptResult::Status(_)) if is_end => What::Refused,
                (_, AttemptResult::Status(_) | AttemptResult::MailFailed) => What::NoticeRefused,
                _ if is_end => What::Unanswered,
                _ => What::NoticeUnanswered,
            })
        }
        _ => None,
    }
}
