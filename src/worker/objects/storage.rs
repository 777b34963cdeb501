//! How a token's record and an object's alarm are stored.

use crate::domain::time::timestamp::Timestamp;
use crate::domain::token::schedule::Alarm;
use crate::worker::bindings::{SyncKv, settled, sync_kv};
use js_sys::{Date, Uint8Array};
use std::pin::Pin;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use worker::{ScheduledTime, State, Storage};

/// Whether and what was written is durable.
pub(crate) type Saving = Pin<Box<dyn Future<Output = Result<(), JsValue>>>>;

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

/// An object's storage, looked up once.
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
        let read = |key: &str| -> Result<Option<Uint8Array>, JsValue> {
            let value = self.kv.get(key)?;
            Ok((!value.is_undefined()).then(|| value.unchecked_into()))
        };
        let Some(first) = read(FIRST)? else {
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

    /// Writes the record and the alarm before it returns. A write that fails leaves those before it
    /// in place, so they come in an order in which that does no harm: an alarm too many finds
    /// nothing to do, a chunk too many is read by nobody, and the first chunk, last, makes it all
    /// true.
    pub(crate) fn save_record(&self, bytes: &[u8], alarm: Alarm) -> Result<Saving, JsValue> {
        let raw = self.storage.as_raw();
        let options = JsValue::NULL.unchecked_into::<js_sys::Object>();
        // By the raw storage: that of `worker` would set it when it is first polled, behind the record.
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
                0 => self.kv.put_bytes(FIRST, &chunk)?,
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

    /// Resolves when all that was written is durable.
    pub(crate) fn synced(&self) -> Saving {
        let storage = Rc::clone(&self.storage);
        Box::pin(async move { Ok(storage.sync().await?) })
    }

    /// Sets the alarm, or none.
    pub(crate) async fn set_alarm(&self, at: Option<Timestamp>) -> Result<(), JsValue> {
        match at {
            Some(at) => self.storage.set_alarm(alarm_time(at)).await?,
            None => self.storage.delete_alarm().await?,
        }
        Ok(())
    }

    /// Sets the alarm unless there is a sooner one.
    pub(crate) async fn set_alarm_by(&self, at: Timestamp) -> Result<(), JsValue> {
        let set = self.storage.get_alarm().await?;
        let is_sooner = |set: i64| u64::try_from(set).unwrap_or(0) <= at.as_millis();
        if set.is_some_and(is_sooner) {
            return Ok(());
        }
        self.set_alarm(Some(at)).await
    }

    /// Sets the alarm if there is none.
    pub(crate) async fn set_alarm_unless_set(&self, at: Timestamp) -> Result<(), JsValue> {
        match self.storage.get_alarm().await? {
            Some(_) => Ok(()),
            None => self.set_alarm(Some(at)).await,
        }
    }

    /// Leaves nothing of the object, its alarm included.
    pub(crate) async fn delete_all(&self) -> Result<(), JsValue> {
        Ok(self.storage.delete_all().await?)
    }

    /// A stored text.
    pub(crate) fn get_text(&self, key: &str) -> Result<Option<String>, JsValue> {
        Ok(self.kv.get(key)?.as_string())
    }

    pub(crate) fn put_text(&self, key: &str, text: &str) -> Result<(), JsValue> {
        self.kv.put_text(key, text)
    }

    pub(crate) fn delete_text(&self, key: &str) -> Result<(), JsValue> {
        self.kv.delete(key).map(drop)
    }
}

/// The name that the object was addressed by.
pub(crate) fn object_name(state: &State) -> String {
    state.id().name().unwrap_or_default()
}
