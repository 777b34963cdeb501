//! Who must be told of what, and what came of it: by the events of a token and the results of attempts
//! alone.
use super::oracle::End;
use super::world::at;
use waitpoint::domain::token::Token;
use waitpoint::domain::token::delivery::{AttemptResult, DeliveryId, Progress, Target};
use waitpoint::domain::token::event::{EventName, TokenEvent};
use waitpoint::domain::token::history::HistoryKind;

/// Attempts at one receiver.
const MOST_ATTEMPTS: u32 = 10;
/// Entries of the history that are kept.
const MOST_ENTRIES: usize = 99;
/// Notices that are kept, and those of the end.
const MOST_KEPT: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Owed,
    Received,
    Failed,
    /// Nobody needs it any more: another took its place, its receiver has voted, or the token has ended.
    Dropped,
    /// It was over, and made room for a new one.
    Evicted,
}

/// An event, and one who must hear of it.
#[derive(Debug)]
struct Notice {
    id: DeliveryId,
    stage: Stage,
    attempts: u32,
    /// How often it came there and was taken.
    arrivals: u32,
}

/// What is owed to whom for one token.
pub(super) struct Ledger {
    receivers: Vec<(Target, Vec<EventName>)>,
    /// Which recipients are approvers.
    approvers: Vec<Option<u8>>,
    /// Approvers who have voted.
    voted: Vec<u8>,
    notices: Vec<Notice>,
    /// When, and what.
    history: Vec<(u64, HistoryKind)>,
    /// How many notices that were kept had failed, at most.
    pub(super) most_failed: u32,
    has_ended: bool,
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Yes,
    NotYet,
    Never,
}

pub(super) fn taken(result: AttemptResult) -> Taken {
    match result {
        AttemptResult::Status(200) | AttemptResult::MailAccepted => Taken::Yes,
        AttemptResult::Status(410) | AttemptResult::MailRefused => Taken::Never,
        _ => Taken::NotYet,
    }
}

impl Ledger {
    /// Of a new token, for receivers that each want some events, and recipients who may be approvers.
    pub(super) fn new(
        receivers: Vec<(Target, Vec<EventName>)>,
        approvers: Vec<Option<u8>>,
    ) -> Self {
        let mut ledger = Self {
            receivers,
            approvers,
            voted: Vec::new(),
            notices: Vec::new(),
            history: Vec::new(),
            most_failed: 0,
            has_ended: false,
        };
        ledger.owe(EventName::Created, TokenEvent::Created);
        ledger
    }

    fn owe(&mut self, name: EventName, event: TokenEvent) {
        let wants = |(_, wanted): &&(Target, Vec<EventName>)| wanted.contains(&name);
        let targets = self.receivers.iter().filter(wants).map(|one| one.0);
        for target in targets.collect::<Vec<_>>() {
            let id = DeliveryId { event, target };
            if self.is_reminder_of_voter(id) || !self.has_room(event) {
                continue;
            }
            self.notices.push(Notice {
                id,
                stage: Stage::Owed,
                attempts: 0,
                arrivals: 0,
            });
        }
    }

    fn is_reminder_of_voter(&self, id: DeliveryId) -> bool {
        let Target::Recipient(index) = id.target else {
            return false;
        };
        let has_voted =
            self.approvers[usize::from(index)].is_some_and(|one| self.voted.contains(&one));
        has_voted && matches!(id.event, TokenEvent::Reminder(_))
    }

    /// Whether this is kept, too. What is over makes room, the oldest first.
    fn has_room(&mut self, event: TokenEvent) -> bool {
        let is_kept = |one: &&Notice| !matches!(one.stage, Stage::Dropped | Stage::Evicted);
        if self.notices.iter().filter(is_kept).count() < MOST_KEPT {
            return true;
        }
        let is_over = |one: &&mut Notice| matches!(one.stage, Stage::Received | Stage::Failed);
        match self.notices.iter_mut().find(is_over) {
            Some(oldest) => oldest.stage = Stage::Evicted,
            None => return event == TokenEvent::Ended,
        }
        true
    }

    fn drop_owed(&mut self, is_dropped: impl Fn(TokenEvent) -> bool) {
        for notice in &mut self.notices {
            if notice.stage == Stage::Owed && is_dropped(notice.id.event) {
                notice.stage = Stage::Dropped;
            }
        }
    }

    /// An approver's vote counts.
    pub(super) fn voted(&mut self, now: u64, approver: u8) {
        self.history.push((now, HistoryKind::Voted(approver)));
        self.voted.push(approver);
        for index in 0..self.notices.len() {
            let Notice { id, stage, .. } = self.notices[index];
            if stage == Stage::Owed && self.is_reminder_of_voter(id) {
                self.notices[index].stage = Stage::Dropped;
            }
        }
    }

    /// Recipients are told again, as of `due`: an alarm found it due, or somebody wants it.
    pub(super) fn reminded(&mut self, due: u64) {
        self.drop_owed(|event| matches!(event, TokenEvent::Reminder(_)));
        self.owe(EventName::Reminder, TokenEvent::Reminder(at(due)));
    }

    /// The timeout was moved, as of `told`.
    pub(super) fn extended(&mut self, told: u64, kind: HistoryKind) {
        self.history.push((told, kind));
        self.drop_owed(|event| matches!(event, TokenEvent::Extended(_)));
        self.owe(EventName::Extended, TokenEvent::Extended(at(told)));
    }

    pub(super) fn ignored(&mut self, now: u64) {
        self.history.push((now, HistoryKind::CallbackIgnored));
    }

    /// The end is written.
    pub(super) fn ended(&mut self, end: &End) {
        let name = match end {
            End::Waiting => return,
            _ if self.has_ended => return,
            End::Completed(..) | End::Defaulted(..) => EventName::Completed,
            End::TimedOut(_) => EventName::TimedOut,
            End::Cancelled(..) => EventName::Cancelled,
        };
        self.has_ended = true;
        self.drop_owed(|event| matches!(event, TokenEvent::Reminder(_)));
        self.owe(name, TokenEvent::Ended);
    }

    /// An attempt begins. It must be at something owed.
    pub(super) fn attempt(&mut self, id: DeliveryId, arrives: bool, result: AttemptResult) {
        let notice = self.notices.iter_mut().find(|one| one.id == id);
        let notice = notice.expect("nobody wants to hear of it");
        assert_eq!(notice.stage, Stage::Owed, "attempted in vain: {id:?}");
        assert!(notice.attempts < MOST_ATTEMPTS);
        notice.arrivals += u32::from(arrives && taken(result) == Taken::Yes);
    }

    /// The result of an attempt is written.
    pub(super) fn result(&mut self, id: DeliveryId, result: AttemptResult, now: u64) {
        let notice = self.notices.iter_mut().find(|one| one.id == id);
        let notice = notice.expect("nobody wants to hear of it");
        if notice.stage != Stage::Owed {
            return;
        }
        notice.attempts += 1;
        notice.stage = match taken(result) {
            Taken::Yes => Stage::Received,
            Taken::Never => Stage::Failed,
            Taken::NotYet if notice.attempts == MOST_ATTEMPTS => Stage::Failed,
            Taken::NotYet => Stage::Owed,
        };
        if let (Stage::Received, Target::Recipient(recipient)) = (notice.stage, id.target) {
            let kind = match id.event {
                TokenEvent::Created => HistoryKind::Notified(recipient),
                _ => HistoryKind::Reminded(recipient),
            };
            self.history.push((now, kind));
        }
        self.most_failed = self.most_failed.max(self.failed());
    }

    /// How many notices operators should know of: those that failed, and those that were tried in vain
    /// three times.
    pub(super) fn failed(&self) -> u32 {
        let is_failed = |one: &&Notice| match one.stage {
            Stage::Failed => true,
            Stage::Owed => one.attempts >= 3,
            Stage::Received => one.attempts > 3,
            Stage::Dropped | Stage::Evicted => false,
        };
        u32::try_from(self.notices.iter().filter(is_failed).count()).unwrap()
    }

    /// What is stored is just this.
    pub(super) fn check(&self, token: &Token) {
        let mut kept = 0;
        for notice in &self.notices {
            let stored = token.delivery(notice.id);
            if matches!(notice.stage, Stage::Dropped | Stage::Evicted) {
                assert_eq!(stored, None, "not dropped");
                continue;
            }
            kept += 1;
            let stored = stored.unwrap_or_else(|| panic!("not owed: {:?}", notice.id));
            let stage = match stored.progress {
                Progress::Pending(_) => Stage::Owed,
                Progress::Delivered => Stage::Received,
                Progress::Failed => Stage::Failed,
            };
            let expected = (notice.stage, notice.attempts);
            assert_eq!((stage, stored.attempts), expected, "{:?}", notice.id);
        }
        assert_eq!(token.deliveries.len(), kept, "told without a reason");
        assert_eq!(token.failed_deliveries(), self.failed(), "failures");
        let stored = token.history.iter();
        let stored: Vec<_> = stored.map(|one| (one.at.as_millis(), one.kind)).collect();
        let skipped = self.history.len().saturating_sub(MOST_ENTRIES);
        assert_eq!(stored, self.history[skipped..], "history");
    }

    /// It goes: everybody heard, at least once, or will not.
    pub(super) fn check_over(&self) {
        assert!(self.has_ended, "gone before its end");
        for notice in &self.notices {
            assert_ne!(notice.stage, Stage::Owed, "never told: {notice:?}");
            let is_told = notice.stage != Stage::Received || notice.arrivals > 0;
            assert!(is_told, "recorded and never received: {notice:?}");
        }
    }
}
