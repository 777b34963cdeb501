//! Rows on their way to a month of the index, gathered: a month's object would be busy with a request for each.
//!
//! All objects of the isolate share what is here, so nothing that belongs to one request lies here: a timer is an
//! object's, and goes with it. So the first few who bring a row set one each, and after trouble everybody; the first
//! whose timer is over sends them all.

use super::index::{self, Row};
use super::{guard, log_error, now};
use crate::time::Timestamp;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;
use worker::{Delay, Env};

const TIMERS: u32 = 3;
/// How long rows are gathered.
const GATHER: Duration = Duration::from_millis(20);
/// How far apart a month is sent some.
const APART: Duration = Duration::from_millis(100);
/// How long after its time a batch is taken along by whoever comes with another row: its timers have gone by then, or
/// wait to try again.
const ORPHANED: Duration = Duration::from_millis(200);
const MOST_ROWS: usize = 1_000;
const MOST_ATTEMPTS: u32 = 10;
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Rows that are sent together.
struct Batch {
    /// Tells it from the batches of the same month before and after.
    number: u64,
    rows: Vec<Row>,
    due: Timestamp,
    attempt: u32,
    timers: u32,
}

#[derive(Default)]
struct Batches {
    /// By the name of the month's object.
    waiting: BTreeMap<String, Batch>,
    /// When each month was last sent some.
    sent: BTreeMap<String, Timestamp>,
    last_number: u64,
}

thread_local! {
    static BATCHES: RefCell<Batches> = RefCell::default();
}

/// Sends a row to the month's object of this name soon, with others. Nothing tells whether it comes there.
pub(super) fn enqueue_row(env: &Env, month: &str, row: Row) {
    let now = now();
    let timer = BATCHES.with_borrow_mut(|batches| match batches.waiting.get_mut(month) {
        None => batches.start(month, vec![row], 0, now),
        Some(batch) if now > batch.due.plus(ORPHANED) => {
            let mut rows = std::mem::take(&mut batch.rows);
            rows.push(row);
            // One that gave up is tried once for each row that comes later.
            let attempt = batch.attempt.min(MOST_ATTEMPTS - 1);
            batches.start(month, rows, attempt, now)
        }
        Some(batch) => {
            if batch.rows.len() < MOST_ROWS {
                batch.rows.push(row);
            }
            let needs_timer = batch.timers < TIMERS || batch.attempt > 0;
            needs_timer.then(|| batch.timer(now))
        }
    });
    set_timer(env, month, timer);
}

/// How long until a batch is sent, and its number.
type Timer = (Duration, u64);

impl Batch {
    fn timer(&mut self, now: Timestamp) -> Timer {
        self.timers += 1;
        let wait = self.due.as_millis().saturating_sub(now.as_millis());
        (Duration::from_millis(wait), self.number)
    }
}

impl Batches {
    /// Sends these rows soon, or later if that has failed; what is too much comes with the tokens' next alarms.
    fn start(
        &mut self,
        month: &str,
        mut rows: Vec<Row>,
        attempt: u32,
        now: Timestamp,
    ) -> Option<Timer> {
        rows.drain(..rows.len().saturating_sub(MOST_ROWS));
        let pause = if attempt == 0 {
            let sent = self
                .sent
                .get(month)
                .map_or(0, |sent| sent.plus(APART).as_millis());
            Duration::from_millis(sent.saturating_sub(now.as_millis())).clamp(GATHER, APART)
        } else {
            (Duration::from_secs(1) * 2_u32.saturating_pow(attempt)).min(LONGEST_PAUSE)
        };
        self.last_number += 1;
        let mut batch = Batch {
            number: self.last_number,
            rows,
            due: now.plus(pause),
            attempt,
            timers: 0,
        };
        let timer = (attempt < MOST_ATTEMPTS).then(|| batch.timer(now));
        self.waiting.insert(month.to_owned(), batch);
        timer
    }
}

fn set_timer(env: &Env, month: &str, timer: Option<Timer>) {
    let Some((wait, number)) = timer else { return };
    let (env, month) = (env.clone(), month.to_owned());
    guard::spawn(async move {
        Delay::from(wait).await;
        flush(&env, &month, number).await;
    });
}

async fn flush(env: &Env, month: &str, number: u64) {
    let batch = BATCHES.with_borrow_mut(|batches| {
        // They are sent, or another has taken them along.
        batches
            .waiting
            .get(month)
            .filter(|batch| batch.number == number)?;
        batches.sent.insert(month.to_owned(), now());
        batches.waiting.remove(month)
    });
    let Some(batch) = batch else { return };
    let Err((why, mut rows)) = index::put_rows(env, month, batch.rows).await else {
        return;
    };
    log_error("the index was not reached; it will be told again", &why);
    let timer = BATCHES.with_borrow_mut(|batches| {
        if let Some(later) = batches.waiting.remove(month) {
            rows.extend(later.rows);
        }
        batches.start(month, rows, batch.attempt + 1, now())
    });
    set_timer(env, month, timer);
}
