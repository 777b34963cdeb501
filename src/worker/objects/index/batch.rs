//! Rows on their way to a month of the index, gathered: a month's object would be busy with a
//! request for each.
//!
//! All objects of the isolate share these batches, so nothing that belongs to one request is kept
//! here. A timer belongs to one object and is lost with it, so the first three objects that add a row
//! set one each, and every object does after a failure. The first timer that fires sends the batch.

use crate::domain::time::timestamp::Timestamp;
use crate::worker::guard;
use crate::worker::objects::index::{self, Row};
use crate::worker::{log_error, now};
use std::cell::RefCell;
use std::time::Duration;
use worker::{Delay, Env};

const TIMERS: u32 = 3;
/// How long rows are gathered.
const GATHER: Duration = Duration::from_millis(20);
/// How far apart a month is sent some.
const APART: Duration = Duration::from_millis(100);
/// How long after its time a batch is sent with the next row instead: its timers are lost by then, or
/// wait for the next attempt.
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

/// A month's object. It stays while the isolate lives: there are few.
struct Month {
    name: String,
    waiting: Option<Batch>,
    /// When it was last sent some.
    sent: Timestamp,
    last_number: u64,
}

/// How long until a batch is sent, and its number.
type Timer = (Duration, u64);

thread_local! {
    static MONTHS: RefCell<Vec<Month>> = const { RefCell::new(Vec::new()) };
}

fn with_month<T>(name: &str, act: impl FnOnce(&mut Month) -> Option<T>) -> Option<T> {
    MONTHS.with_borrow_mut(|months| {
        if !months.iter().any(|month| month.name == name) {
            months.push(Month {
                name: name.to_owned(),
                waiting: None,
                sent: Timestamp::from_millis(0),
                last_number: 0,
            });
        }
        months
            .iter_mut()
            .find(|month| month.name == name)
            .and_then(act)
    })
}

/// Sends a row to the month's object of this name soon, with others. Nothing tells whether it comes there.
pub(crate) fn enqueue_row(env: &Env, month: &str, row: Row) {
    let timer = with_month(month, |month| month.enqueue(row, now()));
    set_timer(env, month, timer);
}

impl Month {
    fn enqueue(&mut self, row: Row, now: Timestamp) -> Option<Timer> {
        let Some(batch) = &mut self.waiting else {
            return self.start(vec![row], 0, now);
        };
        if now > batch.due.plus(ORPHANED) {
            let mut rows = std::mem::take(&mut batch.rows);
            rows.push(row);
            // One that gave up is tried once for each row that comes later.
            let attempt = batch.attempt.min(MOST_ATTEMPTS - 1);
            return self.start(rows, attempt, now);
        }
        if batch.rows.len() < MOST_ROWS {
            batch.rows.push(row);
        }
        let needs_timer = batch.timers < TIMERS || batch.attempt > 0;
        needs_timer.then(|| batch.timer(now))
    }

    /// Sends these rows soon, or later if that has failed; what is too much comes with the tokens'
    /// next alarms.
    fn start(&mut self, mut rows: Vec<Row>, attempt: u32, now: Timestamp) -> Option<Timer> {
        rows.drain(..rows.len().saturating_sub(MOST_ROWS));
        let pause = if attempt == 0 {
            let next = self.sent.plus(APART).as_millis();
            Duration::from_millis(next.saturating_sub(now.as_millis())).clamp(GATHER, APART)
        } else {
            (Duration::from_secs(1) * 2_u32.saturating_pow(attempt)).min(LONGEST_PAUSE)
        };
        self.last_number += 1;
        let batch = self.waiting.insert(Batch {
            number: self.last_number,
            rows,
            due: now.plus(pause),
            attempt,
            timers: 0,
        });
        (attempt < MOST_ATTEMPTS).then(|| batch.timer(now))
    }

    /// The batch of this number; else it is sent, or another has taken it along.
    fn take(&mut self, number: u64, now: Timestamp) -> Option<Batch> {
        let batch = self.waiting.take_if(|batch| batch.number == number)?;
        self.sent = now;
        Some(batch)
    }
}

impl Batch {
    fn timer(&mut self, now: Timestamp) -> Timer {
        self.timers += 1;
        let wait = self.due.as_millis().saturating_sub(now.as_millis());
        (Duration::from_millis(wait), self.number)
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
    let batch = with_month(month, |month| month.take(number, now()));
    let Some(batch) = batch else { return };
    let Err((why, mut rows)) = index::put_rows(env, month, batch.rows).await else {
        return;
    };
    log_error("the index was not reached; it will be told again", &why);
    let timer = with_month(month, |month| {
        if let Some(later) = month.waiting.take() {
            rows.extend(later.rows);
        }
        month.start(rows, batch.attempt + 1, now())
    });
    set_timer(env, month, timer);
}
