//! A world in which everything goes wrong that may, driven by a seed: the pure core between objects that
//! crash, clients that repeat themselves, receivers and an index that fail. What comes of it is compared
//! with an oracle that knows requests and times alone, after every event.
//!
//! `SIMULATION_SEED=<number>` repeats one seed and prints its events.
mod chance;
mod clients;
mod creates;
mod index;
mod interleavings;
mod ledger;
mod object;
mod operators;
mod oracle;
mod plans;
mod platform;
mod receivers;
mod voters;
mod world;

use self::oracle::End;
use self::world::World;
use std::collections::BTreeSet;
use std::env;
use waitpoint::domain::token::{CompletedBy, State, Token};

/// How a token stands when something happens to it, and whether somebody has still to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Absent,
    Waiting,
    /// It waits, and some have voted.
    Voting,
    /// Its timeout has come, and nobody has noticed.
    Overdue,
    Completed,
    /// Completed by its default decision.
    Defaulted,
    TimedOut,
    Cancelled,
    /// And not yet gone.
    Forgotten,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Create,
    CreateAgain,
    CreateByKey,
    Complete,
    /// Where approvers decide.
    CompleteByOwner,
    /// Nor its owner.
    NotApprover,
    /// An operator decides.
    InboxDecides,
    /// An approver's first vote.
    Vote,
    /// An approver's vote comes again.
    VoteAgain,
    VoteReplaces,
    /// One for a choice that others have chosen, too: it is enough.
    VoteDecides,
    Veto,
    VoteOfStranger,
    /// A callback whose body is none of those that decide.
    NotAccepted,
    /// A callback without the signature that the token wants.
    Unsigned,
    Cancel,
    /// Or to a timeout where it had none.
    ExtendToEarlier,
    ExtendToLater,
    /// An operator reminds recipients,
    Remind,
    /// within a minute of the last reminder,
    RemindTooSoon,
    /// or where there is nobody to remind.
    RemindNobody,
    Read,
    Wait,
    AlarmEarly,
    AlarmOnTime,
    AlarmLate,
    AlarmAgain,
    /// An alarm finds that recipients are to be told again.
    ReminderDue,
    // What comes of telling of an end,
    Received,
    Refused,
    Gone,
    Unanswered,
    // and of anything else.
    NoticeReceived,
    NoticeRefused,
    NoticeGone,
    NoticeUnanswered,
    IndexTold,
    IndexUnreachable,
    Crash,
    Panic,
    Evict,
}

type Seen = BTreeSet<((Standing, bool), What)>;

const STANDINGS: [(Standing, bool); 17] = [
    (Standing::Absent, false),
    (Standing::Waiting, false),
    (Standing::Waiting, true),
    (Standing::Voting, false),
    (Standing::Voting, true),
    (Standing::Overdue, false),
    (Standing::Overdue, true),
    (Standing::Completed, false),
    (Standing::Completed, true),
    (Standing::Defaulted, false),
    (Standing::Defaulted, true),
    (Standing::TimedOut, false),
    (Standing::TimedOut, true),
    (Standing::Cancelled, false),
    (Standing::Cancelled, true),
    (Standing::Forgotten, false),
    (Standing::Forgotten, true),
];

const WHATS: [What; 41] = [
    What::Create,
    What::CreateAgain,
    What::CreateByKey,
    What::Complete,
    What::CompleteByOwner,
    What::NotApprover,
    What::InboxDecides,
    What::Vote,
    What::VoteAgain,
    What::VoteReplaces,
    What::VoteDecides,
    What::Veto,
    What::VoteOfStranger,
    What::NotAccepted,
    What::Unsigned,
    What::Cancel,
    What::ExtendToEarlier,
    What::ExtendToLater,
    What::Remind,
    What::RemindTooSoon,
    What::RemindNobody,
    What::Read,
    What::Wait,
    What::AlarmEarly,
    What::AlarmOnTime,
    What::AlarmLate,
    What::AlarmAgain,
    What::ReminderDue,
    What::Received,
    What::Refused,
    What::Gone,
    What::Unanswered,
    What::NoticeReceived,
    What::NoticeRefused,
    What::NoticeGone,
    What::NoticeUnanswered,
    What::IndexTold,
    What::IndexUnreachable,
    What::Crash,
    What::Panic,
    What::Evict,
];

/// The first seeds are always run, as is every one until all has been seen.
const FIRST: u64 = 500;
const LAST: u64 = 10_000;

/// A record in the oracle's words.
fn end_of(token: &Token) -> End {
    match &token.state {
        State::Waiting => End::Waiting,
        State::Completed { at, decision } => {
            let output = decision.output.as_ref().unwrap().text.clone();
            match decision.by {
                CompletedBy::Timeout => End::Defaulted(at.as_millis(), output),
                _ => End::Completed(at.as_millis(), output),
            }
        }
        State::TimedOut => End::TimedOut(token.timeout_at.unwrap().as_millis()),
        State::Cancelled { at, reason } => End::Cancelled(at.as_millis(), reason.clone()),
    }
}

/// Tells the seed of a failure.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SIMULATION_SEED={} repeats it", self.0);
        }
    }
}

fn run(seed: u64, seen: &mut Seen, is_loud: bool) -> u64 {
    let _seed = Seed(seed);
    World::new(seed, seen).run(is_loud)
}

/// Whether this must be seen to happen to a token that stands so; `owes`: a receiver or the index must
/// still be told.
fn is_wanted((standing, owes): (Standing, bool), what: What) -> bool {
    let is_open = matches!(standing, Standing::Waiting | Standing::Voting);
    let is_waiting = is_open || standing == Standing::Overdue;
    let exists = standing != Standing::Absent;
    match what {
        // Nothing can come of it before the end, or when all is done.
        What::Received | What::Refused | What::Gone | What::Unanswered => {
            owes && !is_waiting && exists
        }
        // Of what nobody needs any more something may come, but need not.
        What::NoticeReceived | What::NoticeRefused | What::NoticeGone | What::NoticeUnanswered => {
            owes && exists
        }
        What::ReminderDue | What::RemindTooSoon | What::RemindNobody => is_open,
        What::VoteDecides => is_open,
        // Nobody has voted yet.
        What::VoteAgain | What::VoteReplaces => exists && standing != Standing::Waiting,
        What::CompleteByOwner | What::NotApprover | What::Veto | What::VoteOfStranger => exists,
        // Of where anybody decides.
        What::Complete | What::NotAccepted | What::Unsigned => standing != Standing::Voting,
        // A row before the end is seldom confirmed while something is owed, and it is not gone before.
        What::IndexTold => exists,
        // Seldom, and without a consequence.
        What::IndexUnreachable => exists,
        // Its alarm went with it; and again is what is there already.
        What::AlarmOnTime | What::AlarmLate | What::CreateAgain => exists,
        // It has no timeout that could be earlier.
        What::ExtendToLater => exists,
        // Its alarm is past.
        What::AlarmEarly => !matches!(standing, Standing::Absent | Standing::Overdue),
        _ => true,
    }
}

fn missing(seen: &Seen) -> Vec<((Standing, bool), What)> {
    let pairs = STANDINGS
        .iter()
        .flat_map(|&standing| WHATS.map(|what| (standing, what)));
    pairs
        .filter(|pair| is_wanted(pair.0, pair.1) && !seen.contains(pair))
        .collect()
}

#[test]
fn whatever_goes_wrong_a_token_ends_once_and_all_are_told() {
    let mut seen = Seen::new();
    if let Ok(seed) = env::var("SIMULATION_SEED") {
        run(seed.parse().unwrap(), &mut seen, true);
        return;
    }
    let (mut seed, mut events) = (0, 0);
    while seed < FIRST || !missing(&seen).is_empty() {
        assert!(seed < LAST, "never seen: {:?}", missing(&seen));
        events += run(seed, &mut seen, false);
        seed += 1;
    }
    println!("{} pairs, {seed} seeds, {events} events", seen.len());
}
