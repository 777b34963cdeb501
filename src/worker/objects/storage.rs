//! Stores a token's record and an object's alarm.

use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::schedule::Alarm;
use crate::worker::bindings::{SyncKv, TOKEN, settled, sync_kv};
use js_sys::{Date, JsString, Uint8Array};
use std::pin::Pin;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use worker::{ScheduledTime, State, Storage};

/// Resolves when the write is durable; fails if it could not be written.
pub(crate) type Saving = Pin<Box<dyn Future<Output = Result<(), JsValue>>>>;

/// The latest alarm. workerd stores alarms in nanoseconds of 63 bits, which end in the year 2262.
const LAST_ALARM: u64 = 9_200_000_000_000;

/// A record is stored in chunks, because a row of SQLite holds at most 2 MB. The last chunk is
/// shorter than the others, and may be empty. That marks the end.
const CHUNK: usize = 1_900_000;

/// The time as a `Date`.
fn alarm_date(at: Timestamp) -> Date {
    Date::new(&(at.as_millis().min(LAST_ALARM) as f64).into())
}

/// `ScheduledTime` must be built from a `Date`: it reads an integer as milliseconds from now.
fn alarm_time(at: Timestamp) -> ScheduledTime {
    ScheduledTime::new(alarm_date(at))
}

/// The key of a later chunk. That of the first is `TOKEN`.
fn chunk_key(index: usize) -> JsString {
    format!("token/{index}").into()
}

/// The storage of an object, looked up once.
pub(crate) struct Stored {
    storage: Rc<Storage>,
    kv: SyncKv,
}

impl Stored {
    pub(crate) fn of(state: &State) -> Self {
        let storage = state.storage();
        Self {
            kv: sync_kv(&storage),
            storage: Rc::new(storage),
        }
    }

    pub(crate) fn load_record(&self) -> Result<Option<Vec<u8>>, JsValue> {
        let read = |key: &JsString| -> Result<Option<Uint8Array>, JsValue> {
            let value = self.kv.get(key)?;
            Ok((!value.is_undefined()).then(|| value.unchecked_into()))
        };
        let Some(first) = TOKEN.with(read)? else {
            return Ok(None);
        };
        let mut bytes = first.to_vec();
        let mut index = 1;
        while bytes.len() == index * CHUNK {
            let chunk = read(&chunk_key(index))?.ok_or("a chunk of the record is missing")?;
            bytes.extend(chunk.to_vec());
            index += 1;
        }
        Ok(Some(bytes))
    }

    /// Writes the record and the alarm before it returns. If a write fails, the earlier ones stay. So
    /// the order is: the alarm, the later chunks, then the first chunk. An early alarm finds nothing
    /// to do, surplus chunks are never read, and the first chunk makes the record valid.
    pub(crate) fn save_record(&self, bytes: &[u8], alarm: Alarm) -> Result<Saving, JsValue> {
        let raw = self.storage.as_raw();
        let options = JsValue::NULL.unchecked_into::<js_sys::Object>();
        // The platform's storage sets the alarm at once. That of `worker` would set it when first
        // polled, after the record.
        let alarm = match alarm {
            Alarm::Keep => None,
            Alarm::Set(None) => Some(raw.delete_alarm(options)?),
            Alarm::Set(Some(at)) => Some(raw.set_alarm(alarm_date(at), options)?),
        };
        let alarm = alarm.map(settled);
        let mut chunks: Vec<&[u8]> = bytes.chunks(CHUNK).collect();
        if bytes.len().is_multiple_of(CHUNK) {
            chunks.push(&[]);
        }
        for (index, chunk) in chunks.into_iter().enumerate().rev() {
            let chunk = Uint8Array::from(chunk);
            match index {
                0 => TOKEN.with(|key| self.kv.put_bytes(key, &chunk))?,
                index => self.kv.put_bytes(&chunk_key(index), &chunk)?,
            }
        }
        let storage = Rc::clone(&self.storage);
        Ok(Box::pin(async move {
            if let Some(alarm) = alarm {
                alarm.await?;
            }
            Ok(storage.sync().await?)
        }))
    }

    /// Resolves when everything that was written is durable.
    pub(crate) fn synced(&self) -> Saving {
        let storage = Rc::clone(&self.storage);
        Box::pin(async move { Ok(storage.sync().await?) })
    }

    /// Sets or deletes the alarm.
    pub(crate) async fn set_alarm(&self, at: Option<Timestamp>) -> Result<(), JsValue> {
        match at {
            Some(at) => self.storage.set_alarm(alarm_time(at)).await?,
            None => self.storage.delete_alarm().await?,
        }
        Ok(())
    }

    /// Sets the alarm, unless an earlier one is set.
    pub(crate) async fn set_alarm_by(&self, at: Timestamp) -> Result<(), JsValue> {
        let set = self.storage.get_alarm().await?;
        let is_sooner = |set: i64| u64::try_from(set).unwrap_or(0) <= at.as_millis();
        if set.is_some_and(is_sooner) {
            return Ok(());
        }
        self.set_alarm(Some(at)).await
    }

    /// Sets the alarm, unless one is set.
    pub(crate) async fn set_alarm_unless_set(&self, at: Timestamp) -> Result<(), JsValue> {
        match self.storage.get_alarm().await? {
            Some(_) => Ok(()),
            None => self.set_alarm(Some(at)).await,
        }
    }

    /// Deletes everything that the object stores, including its alarm.
    pub(crate) async fn delete_all(&self) -> Result<(), JsValue> {
        Ok(self.storage.delete_all().await?)
    }

    /// Reads a stored text.
    pub(crate) fn get_text(&self, key: &str) -> Result<Option<String>, JsValue> {
        Ok(self.kv.get(&key.into())?.as_string())
    }

    pub(crate) fn put_text(&self, key: &str, text: &str) -> Result<(), JsValue> {
        self.kv.put_text(&key.into(), text)
    }

    pub(crate) fn delete_text(&self, key: &str) -> Result<(), JsValue> {
        self.kv.delete(&key.into()).map(drop)
    }
}

/// The name that the object was addressed by.
pub(crate) fn object_name(state: &State) -> String {
    state.id().name().unwrap_or_default()
}
