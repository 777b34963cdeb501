//! Sends rows to a month of the index in batches. With a request for each row, the month's object
//! would be overloaded.
//!
//! All objects of the isolate share these batches, so nothing that belongs to one request is stored
//! here. A timer belongs to one object and is lost with it. So the first three objects that add a row
//! each set a timer, and after a failure every object does. The first timer that fires sends the
//! batch.

use super::client::put_rows;
use super::row::Row;
use crate::domain::list::month::Month;
use crate::domain::time::timestamp::Timestamp;
use crate::worker::guard;
use crate::worker::objects::ObjectName;
use crate::worker::{log_error, now};
use std::cell::{Cell, RefCell};
use std::time::Duration;
use worker::{Delay, Env};

const TIMERS: u32 = 3;
/// How long rows are collected.
const BATCH_DELAY: Duration = Duration::from_millis(20);
/// The least time between two batches of a month.
const BATCH_INTERVAL: Duration = Duration::from_millis(100);
/// A batch that is overdue by this much is sent with the next row: either its timers were lost, or it
/// ran out of attempts.
const OVERDUE_AFTER: Duration = Duration::from_millis(200);
const MAX_ROWS: usize = 1_000;
const MAX_ATTEMPTS: u32 = 10;
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Rows that are sent together.
struct Batch {
    /// A number that no other batch of the isolate has.
    number: u64,
    rows: Vec<Row>,
    due: Timestamp,
    attempt: u32,
    timers: u32,
}

/// The state of a month: its batch, or when the last one was sent.
struct WaitingMonth {
    name: ObjectName,
    batch: Option<Batch>,
    /// When the last batch was sent.
    sent: Timestamp,
}

/// How long until a batch is sent, and its number.
type Timer = (Duration, u64);

thread_local! {
    static MONTHS: RefCell<Vec<WaitingMonth>> = const { RefCell::new(Vec::new()) };
}

/// Calls `act` with a month. A month without a batch is dropped as soon as a new batch would not have
/// to wait.
fn with_month<T>(
    name: &ObjectName,
    now: Timestamp,
    act: impl FnOnce(&mut WaitingMonth) -> Option<T>,
) -> Option<T> {
    MONTHS.with_borrow_mut(|months| {
        months.retain(|month| month.batch.is_some() || now < month.sent.plus(BATCH_INTERVAL));
        if !months.iter().any(|month| month.name == *name) {
            months.push(WaitingMonth {
                name: name.clone(),
                batch: None,
                sent: Timestamp::from_millis(0),
            });
        }
        months
            .iter_mut()
            .find(|month| month.name == *name)
            .and_then(act)
    })
}

/// Sends a row to its month soon, in a batch. The caller is not told whether it arrives.
pub(crate) fn enqueue_row(env: &Env, environment: &str, created_at: Timestamp, row: Row) {
    let month = ObjectName::of_month(environment, &Month::of(created_at));
    let now = now();
    let timer = with_month(&month, now, |waiting| waiting.enqueue_row(row, now));
    schedule_flush(env, &month, timer);
}

impl WaitingMonth {
    fn enqueue_row(&mut self, row: Row, now: Timestamp) -> Option<Timer> {
        let Some(batch) = &mut self.batch else {
            return self.start_batch(vec![row], 0, now);
        };
        if now > batch.due.plus(OVERDUE_AFTER) {
            let mut rows = std::mem::take(&mut batch.rows);
            rows.push(row);
            // A batch that gave up is retried once per later row.
            let attempt = batch.attempt.min(MAX_ATTEMPTS - 1);
            return self.start_batch(rows, attempt, now);
        }
        if batch.rows.len() < MAX_ROWS {
            batch.rows.push(row);
        }
        let needs_timer = batch.timers < TIMERS || batch.attempt > 0;
        needs_timer.then(|| batch.timer(now))
    }

    /// Starts a batch of these rows. After a failure it waits longer. Rows beyond the limit are
    /// dropped; the next alarms of their tokens send them again.
    fn start_batch(&mut self, mut rows: Vec<Row>, attempt: u32, now: Timestamp) -> Option<Timer> {
        thread_local! {
            static LAST_NUMBER: Cell<u64> = const { Cell::new(0) };
        }
        rows.drain(..rows.len().saturating_sub(MAX_ROWS));
        let pause = if attempt == 0 {
            let next = self.sent.plus(BATCH_INTERVAL).as_millis();
            Duration::from_millis(next.saturating_sub(now.as_millis()))
                .clamp(BATCH_DELAY, BATCH_INTERVAL)
        } else {
            (Duration::from_secs(1) * 2_u32.saturating_pow(attempt)).min(LONGEST_PAUSE)
        };
        let number = LAST_NUMBER.get() + 1;
        LAST_NUMBER.set(number);
        let batch = self.batch.insert(Batch {
            number,
            rows,
            due: now.plus(pause),
            attempt,
            timers: 0,
        });
        (attempt < MAX_ATTEMPTS).then(|| batch.timer(now))
    }

    /// Takes the batch with this number; `None` if it was sent or merged into another.
    fn take(&mut self, number: u64, now: Timestamp) -> Option<Batch> {
        let batch = self.batch.take_if(|batch| batch.number == number)?;
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

fn schedule_flush(env: &Env, month: &ObjectName, timer: Option<Timer>) {
    let Some((wait, number)) = timer else { return };
    let (env, month) = (env.clone(), month.clone());
    guard::spawn(async move {
        Delay::from(wait).await;
        flush(&env, &month, number).await;
    });
}

async fn flush(env: &Env, month: &ObjectName, number: u64) {
    let sent = now();
    let batch = with_month(month, sent, |month| month.take(number, sent));
    let Some(batch) = batch else { return };
    let Err((why, mut rows)) = put_rows(env, month, batch.rows).await else {
        return;
    };
    log_error(
        "the index could not be reached, so the rows will be sent again",
        &why,
    );
    let failed = now();
    let timer = with_month(month, failed, |month| {
        if let Some(later) = month.batch.take() {
            rows.extend(later.rows);
        }
        month.start_batch(rows, batch.attempt + 1, failed)
    });
    schedule_flush(env, month, timer);
}
