//! How a token's record and an object's alarm are stored.

use super::bindings::{settled, sync_kv};
use crate::time::Timestamp;
use js_sys::{Date, Uint8Array};
use std::pin::Pin;
use wasm_bindgen::{JsCast, JsValue};
use worker::{ScheduledTime, State, wasm_bindgen_futures};

/// Whether and what was written is durable.
pub(super) type Saving = Pin<Box<dyn Future<Output = Result<(), JsValue>>>>;

/// workerd counts alarms in nanoseconds of 63 bits, which end in the year 2262.
const LAST_ALARM: u64 = 9_200_000_000_000;

/// A record of any length lies in chunks, since SQLite holds at most 2 MB a row. The last chunk is
/// never full, empty if need be, so it tells the end.
const CHUNK: usize = 1_900_000;
const FIRST: &str = "token";

/// Milliseconds since the epoch.
fn alarm_date(at: Timestamp) -> Date {
    Date::new(&(at.as_millis().min(LAST_ALARM) as f64).into())
}

/// Never from an integer: `ScheduledTime` takes that for milliseconds from now.
fn alarm_time(at: Timestamp) -> ScheduledTime {
    ScheduledTime::new(alarm_date(at))
}

fn chunk_key(index: usize) -> String {
    format!("{FIRST}/{index}")
}

pub(super) fn load_record(state: &State) -> Result<Option<Vec<u8>>, JsValue> {
    let kv = sync_kv(state)?;
    let read = |key: &str| -> Result<Option<Uint8Array>, JsValue> {
        let value = kv.get(key)?;
        Ok((!value.is_undefined()).then(|| value.unchecked_into()))
    };
    let Some(first) = read(FIRST)? else {
        return Ok(None);
    };
    let mut bytes = first.to_vec();
    let mut index = 1;
    while bytes.len() == index * CHUNK {
        match read(&chunk_key(index))? {
            Some(chunk) => bytes.extend(chunk.to_vec()),
            None => break,
        }
        index += 1;
    }
    Ok(Some(bytes))
}

/// What to do with the alarm when the record is written.
pub(super) use crate::token::Alarm;

/// Writes the record and the alarm before it returns. A write that fails leaves those before it in place, so they come in
/// an order in which that does no harm: an alarm too many finds nothing to do, a chunk too many is read by nobody, and
/// the first chunk, last, makes it all true.
pub(super) fn save_record(state: &State, bytes: &[u8], alarm: Alarm) -> Result<Saving, JsValue> {
    let raw = state.as_raw().storage()?;
    let options = JsValue::NULL.unchecked_into::<js_sys::Object>();
    // By the raw storage: that of `worker` would set it when it is first polled, behind the record.
    let alarm = match alarm {
        Alarm::Keep => None,
        Alarm::Set(None) => Some(raw.delete_alarm(options)?),
        Alarm::Set(Some(at)) => Some(raw.set_alarm(alarm_date(at), options)?),
    };
    let alarm = alarm.map(settled);
    let kv = sync_kv(state)?;
    let mut chunks: Vec<&[u8]> = bytes.chunks(CHUNK).collect();
    if bytes.len().is_multiple_of(CHUNK) {
        chunks.push(&[]);
    }
    for (index, chunk) in chunks.into_iter().enumerate().rev() {
        let chunk = Uint8Array::from(chunk);
        match index {
            0 => kv.put_bytes(FIRST, &chunk)?,
            index => kv.put_bytes(&chunk_key(index), &chunk)?,
        }
    }
    let storage = state.storage();
    Ok(Box::pin(async move {
        if let Some(alarm) = alarm {
            alarm.await?;
        }
        Ok(storage.sync().await?)
    }))
}

/// Resolves when all that was written is durable.
pub(super) fn synced(state: &State) -> Saving {
    let storage = state.storage();
    Box::pin(async move { Ok(storage.sync().await?) })
}

/// Sets the alarm, or none.
pub(super) async fn set_alarm(state: &State, at: Option<Timestamp>) -> Result<(), JsValue> {
    match at {
        Some(at) => state.storage().set_alarm(alarm_time(at)).await?,
        None => state.storage().delete_alarm().await?,
    }
    Ok(())
}

/// Sets the alarm unless there is a sooner one.
pub(super) async fn set_alarm_by(state: &State, at: Timestamp) -> Result<(), JsValue> {
    let set = state.storage().get_alarm().await?;
    let is_sooner = |set: i64| u64::try_from(set).unwrap_or(0) <= at.as_millis();
    if set.is_some_and(is_sooner) {
        return Ok(());
    }
    set_alarm(state, Some(at)).await
}

/// Sets the alarm if there is none.
pub(super) async fn set_alarm_unless_set(state: &State, at: Timestamp) -> Result<(), JsValue> {
    match state.storage().get_alarm().await? {
        Some(_) => Ok(()),
        None => set_alarm(state, Some(at)).await,
    }
}

/// Leaves nothing of the object, its alarm included.
pub(super) async fn delete_all(state: &State) -> Result<(), JsValue> {
    Ok(state.storage().delete_all().await?)
}

/// A stored text.
pub(super) fn get_text(state: &State, key: &str) -> Result<Option<String>, JsValue> {
    Ok(sync_kv(state)?.get(key)?.as_string())
}

pub(super) fn put_text(state: &State, key: &str, text: &str) -> Result<(), JsValue> {
    sync_kv(state)?.put_text(key, text)
}

pub(super) fn delete_text(state: &State, key: &str) -> Result<(), JsValue> {
    sync_kv(state)?.delete(key).map(drop)
}

/// The name that the object was addressed by.
pub(super) fn object_name(state: &State) -> String {
    state.id().name().unwrap_or_default()
}
