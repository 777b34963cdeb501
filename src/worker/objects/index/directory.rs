//! The directory of an environment: the months that have rows.

use crate::worker::objects::storage::Stored;
use wasm_bindgen::JsValue;

/// The storage key of the months, which are separated by spaces.
const MONTHS_KEY: &str = "known";

pub(super) fn months(stored: &Stored) -> Result<Vec<String>, JsValue> {
    let months = stored.get_text(MONTHS_KEY)?.unwrap_or_default();
    Ok(months.split_whitespace().map(str::to_owned).collect())
}

pub(super) fn register_month(stored: &Stored, month: &str) -> Result<(), JsValue> {
    let mut months = months_but(stored, month)?;
    months.push(month.to_owned());
    save(stored, &months)
}

pub(super) fn unregister_month(stored: &Stored, month: &str) -> Result<(), JsValue> {
    save(stored, &months_but(stored, month)?)
}

fn months_but(stored: &Stored, month: &str) -> Result<Vec<String>, JsValue> {
    let mut months = months(stored)?;
    months.retain(|known| known != month);
    Ok(months)
}

fn save(stored: &Stored, months: &[String]) -> Result<(), JsValue> {
    stored.put_text(MONTHS_KEY, &months.join(" "))
}
